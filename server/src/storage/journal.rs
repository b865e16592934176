//! The one task that writes to the database.
//!
//! In turn: one group of versions, one bounded set of rows, the requests that are ready, and a
//! checkpoint when the write-ahead log has grown. While one commit is on its way to the disk the
//! next group gathers; nothing waits for company.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::directory::Directory;
use super::fault::{self, Fault};
use super::queue::{Queue, QueuedRows, QueuedVersion};
use super::requests::{self, Act, Request};
use super::status::Health;
use super::{StorageError, checkpoint, log, rows};

/// Requests that are looked at in one turn.
const REQUESTS_MAX: usize = 256;
/// The first of the growing waits for another writer.
const BUSY_WAIT: Duration = Duration::from_millis(5);
/// After so many attempts another writer counts as a failure that is reported.
const BUSY_ATTEMPTS: u32 = 6;

/// Why the journal ends.
#[derive(Debug)]
enum End {
    /// It was closed, and everything was written.
    Clean,
    /// It was closed or left by all, and something was not written.
    Unwritten(String),
    /// What is on the disk is not known.
    Unclear(String),
}

/// What a transaction holds.
#[derive(Clone, Copy)]
enum Work<'a> {
    Versions(&'a [QueuedVersion]),
    Rows(&'a [QueuedRows]),
}

/// The one task that writes to the database.
pub(super) struct Journal {
    conn: SqliteConnection,
    directory: Directory,
    run: i64,
    queue: Arc<Queue>,
    inbox: mpsc::Receiver<Request>,
    /// Requests that are not ready.
    waiting: Vec<Request>,
    closing: Option<Request>,
    /// All handles are gone.
    left: bool,
    /// A board has failed: the run is not clean.
    torn: bool,
    retry: Duration,
    checkpoints: checkpoint::Schedule,
}

impl Journal {
    pub(super) fn new(
        conn: SqliteConnection,
        directory: Directory,
        run: i64,
        queue: Arc<Queue>,
        inbox: mpsc::Receiver<Request>,
        retry: Duration,
    ) -> Self {
        Self {
            conn,
            directory,
            run,
            queue,
            inbox,
            waiting: Vec::new(),
            closing: None,
            left: false,
            torn: false,
            retry,
            checkpoints: checkpoint::Schedule::default(),
        }
    }

    /// Writes until it is closed, until all handles are gone, or until it must stop.
    pub(super) async fn run(mut self) {
        let guard = StopGuard(Arc::clone(&self.queue));
        let end = loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) if self.closing.is_some() || self.left => break self.finish().await,
                Ok(false) => self.wait().await,
                Err(end) => break end,
            }
        };
        self.end(end).await;
        drop(guard);
    }

    /// Does what there is to do, once; whether it has done something.
    async fn turn(&mut self) -> Result<bool, End> {
        self.collect();
        let versions = self.queue.take_group();
        let mut dropped = Vec::new();
        let mut worked = !versions.is_empty();
        self.write_versions(versions).await?;
        let rows = self.queue.take_rows(&mut dropped);
        worked |= !rows.is_empty();
        self.queue.release_rows(&dropped);
        self.write_rows(rows).await?;
        worked |= self.answer_ready().await?;
        self.checkpoint().await?;
        Ok(worked)
    }

    fn collect(&mut self) {
        while self.waiting.len() < REQUESTS_MAX {
            match self.inbox.try_recv() {
                Ok(request) => self.take(request),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.left = true;
                    break;
                }
            }
        }
    }

    fn take(&mut self, request: Request) {
        if matches!(request.act, Act::Close) {
            match &self.closing {
                Some(_) => request.answer(Ok(true)),
                None => self.closing = Some(request),
            }
        } else {
            self.waiting.push(request);
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.queue.pushed() => {}
            request = self.inbox.recv(), if self.waiting.len() < REQUESTS_MAX => match request {
                Some(request) => self.take(request),
                None => self.left = true,
            }
        }
    }

    /// Writes versions, those of failed boards left out. Where data breaks a rule, the group is
    /// bisected by board until the board at fault stands alone.
    async fn write_versions(&mut self, versions: Vec<QueuedVersion>) -> Result<(), End> {
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
            let began = Instant::now();
            match self.persist(Work::Versions(&group)).await? {
                Ok(()) => {
                    let time = began.elapsed();
                    self.committed(&group, time);
                    self.queue.release_versions(&group);
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
        self.queue.count(|counters| {
            let us = micros(time);
            counters.groups += 1;
            counters.versions += group.len() as u64;
            counters.last_group_versions = group.len();
            counters.commit_last_us = us;
            counters.commit_max_us = counters.commit_max_us.max(us);
            counters.commit_sum_us += us;
        });
        // From the end: the last version of each board is told, the earlier ones change nothing.
        for version in group.iter().rev() {
            version.board.publish(version.entry.version);
        }
    }

    async fn write_rows(&mut self, rows: Vec<QueuedRows>) -> Result<(), End> {
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
                    self.queue.count(|counters| {
                        counters.rows_transactions += 1;
                        counters.rows_sum_us += micros(began.elapsed());
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

    fn fail(&mut self, board: Option<&Arc<super::board::BoardState>>, reason: &str) {
        let Some(board) = board else { return };
        tracing::error!(board = %board.id(), reason, "a board's data was refused by the database; the board is read-only until it is opened again");
        board.fail();
        self.torn = true;
        self.queue.count(|counters| counters.failed_boards += 1);
    }

    /// Commits one transaction, as often as it takes; `Err` inside is the data's own fault.
    async fn persist(&mut self, work: Work<'_>) -> Result<Result<(), String>, End> {
        let mut attempts = 0;
        loop {
            let last = self.closing.is_some() || self.left;
            let (reason, wait) = match attempt(&mut self.conn, work).await {
                Ok(()) => {
                    self.recovered();
                    return Ok(Ok(()));
                }
                Err(Fault::Data(reason)) => {
                    self.recovered();
                    return Ok(Err(reason));
                }
                Err(Fault::Unclear(reason)) => return Err(End::Unclear(reason)),
                Err(Fault::Disk(reason)) => {
                    self.degrade(&reason);
                    (reason, self.retry)
                }
                Err(Fault::Busy(reason)) => {
                    if attempts >= BUSY_ATTEMPTS {
                        self.degrade(&reason);
                    }
                    (
                        reason,
                        self.retry.min(BUSY_WAIT * 2_u32.pow(attempts.min(10))),
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

    /// Waits before the next attempt. Whoever asks for something meanwhile is told that it cannot
    /// be; to be closed, or left by all, ends the wait for a last attempt.
    async fn pause(&mut self, wait: Duration, reason: &str) {
        let refuse = self.queue.health() != Health::Healthy;
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            if refuse {
                for request in self.waiting.drain(..) {
                    request.answer(Err(StorageError::Unavailable(reason.to_owned())));
                }
            }
            tokio::select! {
                () = &mut over => return,
                request = self.inbox.recv(), if self.waiting.len() < REQUESTS_MAX => match request {
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

    fn recovered(&self) {
        if self.queue.health() != Health::Healthy {
            tracing::info!("the database can be written again");
            self.queue.set_health(Health::Healthy);
        }
    }

    /// Answers the requests that are ready; whether there were any.
    async fn answer_ready(&mut self) -> Result<bool, End> {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(Request::is_ready);
        self.waiting = waiting;
        if ready.is_empty() {
            return Ok(false);
        }
        self.checkpoints.wrote(ready.len() * 4, 0);
        match self.execute(&ready).await {
            Ok(done) => {
                for (request, done) in ready.into_iter().zip(done) {
                    request.answer(Ok(done));
                }
                return Ok(true);
            }
            Err(Fault::Unclear(reason)) => return Err(unclear(ready, reason)),
            Err(Fault::Busy(_) | Fault::Disk(_) | Fault::Data(_)) => {}
        }
        let mut ready = ready.into_iter();
        while let Some(request) = ready.next() {
            let result = match self.execute(std::slice::from_ref(&request)).await {
                Ok(done) => Ok(done.first().copied().unwrap_or_default()),
                Err(Fault::Data(reason)) => Err(StorageError::Refused(reason)),
                Err(Fault::Busy(reason) | Fault::Disk(reason)) => {
                    Err(StorageError::Unavailable(reason))
                }
                Err(Fault::Unclear(reason)) => {
                    return Err(unclear(std::iter::once(request).chain(ready), reason));
                }
            };
            request.answer(result);
        }
        Ok(true)
    }

    async fn execute(&mut self, ready: &[Request]) -> Result<Vec<bool>, Fault> {
        fault::begin(&mut self.conn).await?;
        let mut done = Vec::with_capacity(ready.len());
        for request in ready {
            match requests::execute(&mut self.conn, self.run, &request.act).await {
                Ok(result) => done.push(result),
                Err(fault) => {
                    fault::roll_back(&mut self.conn).await;
                    return Err(fault);
                }
            }
        }
        finish(&mut self.conn).await?;
        Ok(done)
    }

    async fn checkpoint(&mut self) -> Result<(), End> {
        if !self.checkpoints.is_due(self.queue.has_versions()) {
            return Ok(());
        }
        let result = self.checkpoints.run(&mut self.conn).await;
        let wal_bytes = self.directory.wal_bytes();
        self.queue.count(|counters| {
            counters.checkpoints += 1;
            counters.wal_bytes = wal_bytes;
        });
        match result {
            Ok(()) => Ok(()),
            Err(Fault::Unclear(reason)) => Err(End::Unclear(reason)),
            Err(Fault::Busy(reason) | Fault::Disk(reason) | Fault::Data(reason)) => {
                tracing::warn!(
                    reason,
                    wal_bytes,
                    "the write-ahead log could not be written back; it grows until it can"
                );
                Ok(())
            }
        }
    }

    /// The last transaction: everything has been written, so the run is clean.
    async fn finish(&mut self) -> End {
        if self.closing.is_none() {
            return End::Unwritten("all handles were dropped without a close".to_owned());
        }
        if self.torn {
            return End::Unwritten("a board has failed".to_owned());
        }
        if !self.queue.is_settled() {
            return End::Unwritten("a version was reserved and never came".to_owned());
        }
        let mark = match fault::begin(&mut self.conn).await {
            Ok(()) => requests::execute(&mut self.conn, self.run, &Act::Close).await,
            Err(fault) => Err(fault),
        };
        let result = match mark {
            Ok(_) => finish(&mut self.conn).await,
            Err(fault) => {
                fault::roll_back(&mut self.conn).await;
                Err(fault)
            }
        };
        match result {
            Ok(()) => End::Clean,
            Err(Fault::Unclear(reason)) => End::Unclear(reason),
            Err(Fault::Busy(reason) | Fault::Disk(reason) | Fault::Data(reason)) => {
                End::Unwritten(reason)
            }
        }
    }

    async fn end(mut self, end: End) {
        let (reason, result) = match end {
            End::Clean => ("closed".to_owned(), Ok(true)),
            End::Unwritten(reason) => (reason.clone(), Err(StorageError::NotClean(reason))),
            End::Unclear(reason) => {
                tracing::error!(
                    reason,
                    "it is not known what is on the disk; nothing is written before the next start"
                );
                (reason.clone(), Err(StorageError::Stopped(reason)))
            }
        };
        self.queue.set_health(Health::Stopped {
            reason: reason.clone(),
        });
        self.inbox.close();
        while let Some(request) = self.inbox.recv().await {
            self.take(request);
        }
        for request in self.waiting.drain(..) {
            request.answer(Err(StorageError::Stopped(reason.clone())));
        }
        if result.is_ok()
            && let Err(fault) = checkpoint::truncate(&mut self.conn).await
        {
            tracing::warn!(
                ?fault,
                "the write-ahead log was not written back; the next start does it"
            );
        }
        if let Err(error) = self.conn.close().await {
            tracing::warn!(%error, "the database was not closed in order");
        }
        // The lock goes before the answer, so that whoever waited may open the directory again.
        drop(self.directory);
        if let Some(request) = self.closing.take() {
            request.answer(result);
        }
    }
}

/// Tells rooms that the journal has ended, whatever ended it.
struct StopGuard(Arc<Queue>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.set_health(Health::Stopped {
            reason: "the journal has ended".to_owned(),
        });
    }
}

async fn attempt(conn: &mut SqliteConnection, work: Work<'_>) -> Result<(), Fault> {
    fault::begin(conn).await?;
    let written = match work {
        Work::Versions(versions) => log::write(conn, versions).await,
        Work::Rows(all) => rows::write(conn, all).await,
    };
    match written {
        Ok(()) => finish(conn).await,
        Err(fault) => {
            fault::roll_back(conn).await;
            Err(fault)
        }
    }
}

async fn finish(conn: &mut SqliteConnection) -> Result<(), Fault> {
    let result = fault::commit(conn).await;
    if result.is_err() {
        fault::roll_back(conn).await;
    }
    result
}

fn unclear(requests: impl IntoIterator<Item = Request>, reason: String) -> End {
    for request in requests {
        request.answer(Err(StorageError::Stopped(reason.clone())));
    }
    End::Unclear(reason)
}

/// Parts the versions that follow the ones before without a gap from those that do not.
fn in_sequence(versions: Vec<QueuedVersion>) -> (Vec<QueuedVersion>, Vec<QueuedVersion>) {
    versions.into_iter().partition(|version| {
        let board = &version.board;
        !board.has_failed() && board.follows(version.entry.version)
    })
}

/// Moves about half of the boards of a group to another; `None` where it holds a single board.
fn split<'a, T>(group: &mut Vec<T>, key: impl Fn(&T) -> &Arc<str>) -> Option<Vec<T>> {
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

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
