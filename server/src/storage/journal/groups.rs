//! Commits versions and rows, as often as it takes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{End, GATHER_AFTER_VERSIONS, Journal};
use crate::measure::micros;
use crate::planted::{Bug, planted};
use crate::storage::StorageError;
use crate::storage::board::BoardState;
use crate::storage::fault::Fault;
use crate::storage::queue::{QueuedRows, QueuedVersion};
use crate::storage::status::Health;
use crate::storage::users::QueuedUser;

/// The first of the growing waits for another writer.
const BUSY_WAIT: Duration = Duration::from_millis(5);
/// After so many attempts another writer counts as a failure that is reported.
const BUSY_ATTEMPTS: u32 = 6;

/// What a transaction holds.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    Versions(&'a [QueuedVersion]),
    Rows(&'a [QueuedRows]),
    Users(&'a [QueuedUser]),
}

impl Journal {
    /// Writes versions, those of failed boards left out. Where data breaks a rule, the group is
    /// bisected by board until the board at fault stands alone.
    pub(super) async fn write_versions(&mut self, versions: Vec<QueuedVersion>) -> Result<(), End> {
        let (group, gaps) = in_sequence(versions);
        for version in &gaps {
            self.fail_gap(version);
        }
        self.queue.release_versions(&gaps);
        let mut groups = vec![group];
        while let Some(mut group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            if planted(Bug::AnswerBeforeCommit) {
                group
                    .iter()
                    .for_each(|version| version.board.publish(version.entry.version));
            }
            // By the clock of the runtime: the simulation has its own.
            let began = tokio::time::Instant::now();
            match self.persist(Work::Versions(&group)).await? {
                Ok(()) => {
                    let time = began.elapsed();
                    // Whoever is told that a version is durable finds its place free.
                    self.queue.release_versions(&group);
                    self.committed(&group, time);
                }
                Err(reason) => match split(&mut group, |version| version.board.key()) {
                    Some(other) => groups.extend([other, group]),
                    None => {
                        self.fail(group.first().map(|version| &version.board), &reason);
                        self.queue.release_versions(&group);
                    }
                },
            }
        }
        Ok(())
    }

    fn committed(&mut self, group: &[QueuedVersion], time: Duration) {
        self.checkpoints
            .wrote(group.len(), group.iter().map(QueuedVersion::bytes).sum());
        if group.len() >= GATHER_AFTER_VERSIONS {
            self.last_group = time;
        }
        let us = micros(time);
        tracing::trace!(versions = group.len(), duration_us = us, "group committed");
        self.queue.count(|counters| {
            counters.groups += 1;
            counters.versions += group.len() as u64;
            counters.last_group_versions = group.len();
            counters.commit_last_us = us;
            counters.commit_max_us = counters.commit_max_us.max(us);
            counters.commit_sum_us += us;
        });
        let observed = &self.queue.observed;
        observed.group_versions.observe(group.len() as u64);
        observed.commit_us.observe(us);
        observed.note("append versions", time);
        let now = Instant::now();
        for version in group {
            observed.lag_us.observe_time(now - version.since);
        }
        // From the end: the last version of each board is told, the earlier ones change nothing.
        for version in group.iter().rev() {
            version.board.publish(version.entry.version);
        }
    }

    pub(super) async fn write_rows(&mut self, rows: Vec<QueuedRows>) -> Result<(), End> {
        let mut groups = vec![rows];
        while let Some(mut group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            let began = Instant::now();
            match self.persist(Work::Rows(&group)).await? {
                Ok(()) => {
                    let parts = group.iter().map(|rows| rows.rows.parts.len() + 1).sum();
                    let bytes = group.iter().map(QueuedRows::bytes).sum();
                    self.checkpoints.wrote(parts, bytes);
                    let time = began.elapsed();
                    self.queue.observed.note("write rows", time);
                    let us = micros(time);
                    tracing::trace!(boards = ?Heads(&group), duration_us = us, "rows committed");
                    self.queue.count(|counters| {
                        counters.rows_transactions += 1;
                        counters.rows_sum_us += us;
                    });
                    self.queue.release_rows(&group);
                }
                Err(reason) => match split(&mut group, |rows| rows.board.key()) {
                    Some(other) => groups.extend([other, group]),
                    None => {
                        self.fail(group.first().map(|rows| &rows.board), &reason);
                        self.queue.release_rows(&group);
                    }
                },
            }
        }
        Ok(())
    }

    fn fail_gap(&mut self, version: &QueuedVersion) {
        if !version.board.has_failed() {
            let found = version.entry.version;
            let reason = format!("version {found} came out of sequence");
            self.fail(Some(&version.board), &reason);
        }
    }

    fn fail(&mut self, board: Option<&Arc<BoardState>>, reason: &str) {
        let Some(board) = board else { return };
        tracing::error!(
            board = %board.id(),
            reason,
            "the database refuses what a board writes; it is read-only until it is opened again"
        );
        board.fail();
        self.torn = true;
        self.queue.count(|counters| counters.failed_boards += 1);
    }

    /// Commits one transaction, as often as it takes; `Err` inside is the data's own fault.
    pub(super) async fn persist(&mut self, work: Work<'_>) -> Result<Result<(), String>, End> {
        let mut attempts = 0;
        loop {
            let last = self.closing.is_some() || self.left;
            let (reason, wait) = match self.attempt(work).await {
                Ok(()) => {
                    self.recovered();
                    return Ok(Ok(()));
                }
                Err(Fault::Data(reason)) => {
                    self.recovered();
                    return Ok(Err(reason));
                }
                Err(Fault::Unclear(reason)) => return Err(End::Unclear(reason)),
                Err(Fault::Disk(_)) if planted(Bug::GiveUpOnFullDisk) => return Ok(Ok(())),
                Err(Fault::Disk(reason)) => {
                    self.degrade(&reason);
                    (reason, self.limits.retry)
                }
                Err(Fault::Busy(reason)) => {
                    if attempts >= BUSY_ATTEMPTS {
                        self.degrade(&reason);
                    }
                    (
                        reason,
                        self.limits
                            .retry
                            .min(BUSY_WAIT * 2_u32.pow(attempts.min(10))),
                    )
                }
            };
            if last {
                return Err(End::Unwritten(reason));
            }
            attempts += 1;
            self.queue.count(|counters| counters.retries += 1);
            self.pause(wait, &reason).await;
        }
    }

    async fn attempt(&mut self, work: Work<'_>) -> Result<(), Fault> {
        match work {
            Work::Versions(versions) => self.writer.append(versions).await,
            Work::Rows(all) => self.writer.put_rows(all).await,
            Work::Users(users) => self.writer.put_users(users).await,
        }
    }

    /// Waits before the next attempt. Whoever asks for something meanwhile is told that it cannot
    /// be; to be closed, or left by all, ends the wait for a last attempt.
    async fn pause(&mut self, wait: Duration, reason: &str) {
        let refuse = self.queue.health() != Health::Healthy;
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            #[cfg(test)]
            self.execute_statements().await;
            if refuse {
                for request in self.waiting.drain(..) {
                    request.answer(Err(StorageError::Unavailable(reason.to_owned())));
                }
            }
            tokio::select! {
                biased;
                () = &mut over => return,
                request = self.inbox.recv(), if self.waiting.len() < super::REQUESTS_MAX => match request {
                    Some(request) => self.take(request),
                    None => self.left = true,
                }
            }
            if self.closing.is_some() || self.left {
                return;
            }
        }
    }

    fn degrade(&self, reason: &str) {
        if self.queue.health() == Health::Healthy {
            tracing::error!(
                reason,
                "the database cannot be written; no commands are taken until it can"
            );
            self.queue.set_health(Health::Degraded {
                reason: reason.to_owned(),
            });
        }
    }

    pub(super) fn recovered(&self) {
        if !self.is_choked && self.queue.health() != Health::Healthy {
            tracing::info!("the database can be written again");
            self.queue.set_health(Health::Healthy);
        }
    }
}

/// Parts the versions that follow the ones before without a gap from those that do not.
fn in_sequence(versions: Vec<QueuedVersion>) -> (Vec<QueuedVersion>, Vec<QueuedVersion>) {
    versions.into_iter().partition(|version| {
        let board = &version.board;
        !board.has_failed() && board.follows(version.entry.version)
    })
}

/// Moves about half of the boards of a group to another; `None` where it holds a single board.
fn split<T>(group: &mut Vec<T>, key: impl Fn(&T) -> &Arc<str>) -> Option<Vec<T>> {
    let mut keys: Vec<Arc<str>> = group.iter().map(|item| Arc::clone(key(item))).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < 2 {
        return None;
    }
    let first = Arc::clone(&keys[keys.len() / 2]);
    let (low, high) = std::mem::take(group)
        .into_iter()
        .partition(|item| *key(item) < first);
    *group = low;
    Some(high)
}

/// The boards whose rows were written, with their versions: what a replay of the journal needs.
struct Heads<'a>(&'a [QueuedRows]);

impl fmt::Debug for Heads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for QueuedRows { board, rows } in self.0 {
            write!(f, "{}@{} ", board.id(), rows.version)?;
        }
        Ok(())
    }
}
