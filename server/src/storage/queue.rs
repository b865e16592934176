//! What waits to be written, bounded in versions and bytes (rule R8).
//!
//! A version is counted from its reservation to its commit. Bytes are known only when a version
//! comes, so their bound may be passed by what was reserved before it was reached.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::board::BoardState;
use super::status::{Health, JournalCounters, JournalStatus};
use super::users::Users;
use super::{Append, Refusal, Rows, StorageObserved};
use crate::planted::{Bug, planted};

/// Versions of one transaction.
const GROUP_MAX_VERSIONS: usize = 2_000;
/// Bytes of versions of one transaction; one version, as the rows of one board, may be larger.
const GROUP_MAX_BYTES: usize = 8 * 1_024 * 1_024;
/// Bytes of rows of one transaction while versions come: they wait for it, so it is short...
const ROWS_MAX_BYTES: usize = 64 * 1_024;
/// ... and when nothing waits, or so much that only throughput helps: fewer pages are written twice.
const ROWS_MAX_BYTES_IN_BULK: usize = 512 * 1_024;
/// What a version or a row costs beside its text.
const ENTRY_BYTES: usize = 128;

/// Bounds of what waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimits {
    pub(super) versions: usize,
    pub(super) bytes: usize,
    pub(super) rows_bytes: usize,
}

/// A version that waits.
#[derive(Debug)]
pub(super) struct QueuedVersion {
    pub(super) board: Arc<BoardState>,
    pub(super) entry: Append,
    /// When it was handed over.
    pub(super) since: Instant,
}

impl QueuedVersion {
    pub(super) fn bytes(&self) -> usize {
        self.entry.events.len() + self.entry.was.len() + ENTRY_BYTES
    }
}

/// Rows that wait.
#[derive(Debug)]
pub(super) struct QueuedRows {
    pub(super) board: Arc<BoardState>,
    pub(super) rows: Rows,
}

impl QueuedRows {
    pub(super) fn bytes(&self) -> usize {
        rows_bytes(&self.rows)
    }
}

fn rows_bytes(rows: &Rows) -> usize {
    let docs = rows
        .parts
        .iter()
        .map(|(_, doc)| doc.as_ref().map_or(0, |doc| doc.len()));
    let outcomes = rows.clients.iter().map(|client| client.outcomes.len());
    docs.sum::<usize>()
        + (outcomes.sum::<usize>() + rows.touched.len()) * 64
        + (rows.parts.len() + rows.buried.len() + rows.clients.len() + 1) * ENTRY_BYTES
}

#[derive(Debug, Default)]
struct State {
    reserved: usize,
    versions: VecDeque<QueuedVersion>,
    rows: VecDeque<QueuedRows>,
    held_versions: usize,
    held_bytes: usize,
    held_rows_bytes: usize,
    health: Health,
    counters: JournalCounters,
}

/// What waits to be written, shared by rooms and the journal.
#[derive(Debug)]
pub(super) struct Queue {
    limits: QueueLimits,
    pub(super) observed: StorageObserved,
    pub(super) users: Users,
    state: Mutex<State>,
    wake: Notify,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            observed: StorageObserved::default(),
            users: Users::default(),
            state: Mutex::default(),
            wake: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reserve(&self) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.health != Health::Healthy {
            return Err(Refusal::Unavailable);
        }
        let full = state.reserved + state.held_versions >= self.limits.versions
            || state.held_bytes >= self.limits.bytes;
        if full {
            return Err(Refusal::Busy);
        }
        state.reserved += 1;
        Ok(())
    }

    pub(super) fn cancel(&self) {
        self.lock().reserved -= 1;
    }

    /// Takes a version whose place was reserved.
    pub(super) fn push_version(&self, version: QueuedVersion) {
        let mut state = self.lock();
        state.reserved -= 1;
        state.held_versions += 1;
        state.held_bytes += version.bytes();
        version.board.add_pending();
        state.versions.push_back(version);
        drop(state);
        self.wake.notify_one();
    }

    /// Takes rows, or gives them back when there is no place now. Rows that are larger than the
    /// bound are taken when no others wait.
    pub(super) fn push_rows(&self, mut rows: QueuedRows) -> Result<(), Rows> {
        let mut state = self.lock();
        let full = state.held_rows_bytes > 0
            && state.held_rows_bytes + rows.bytes() > self.limits.rows_bytes;
        if full || state.health != Health::Healthy {
            return Err(rows.rows);
        }
        rows.board.add_late(&mut rows.rows);
        rows.board.add_rows();
        state.held_rows_bytes += rows.bytes();
        state.rows.push_back(rows);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// The next group of versions, in their order. [`Queue::release_versions`] ends it.
    pub(super) fn take_group(&self) -> Vec<QueuedVersion> {
        let mut state = self.lock();
        let mut bytes = 0;
        let fitting = state
            .versions
            .iter()
            .take(GROUP_MAX_VERSIONS)
            .take_while(|version| {
                bytes += version.bytes();
                bytes <= GROUP_MAX_BYTES
            })
            .count();
        let count = fitting.max(1).min(state.versions.len());
        state.versions.drain(..count).collect()
    }

    /// The next rows to write, of boards whose log is committed as far; those of boards that have
    /// failed go to `dropped`. [`Queue::release_rows`] ends them.
    pub(super) fn take_rows(&self, dropped: &mut Vec<QueuedRows>) -> Vec<QueuedRows> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        let mut early = VecDeque::new();
        let max_bytes = match state.versions.len() {
            1..GROUP_MAX_VERSIONS => ROWS_MAX_BYTES,
            _ => ROWS_MAX_BYTES_IN_BULK,
        };
        let mut bytes = 0;
        while let Some(rows) = state.rows.pop_front() {
            if rows.board.has_failed() {
                dropped.push(rows);
            } else if rows.rows.version > rows.board.durable() && !planted(Bug::RowsBeforeLog) {
                early.push_back(rows);
            } else if taken.is_empty() || bytes + rows.bytes() <= max_bytes {
                bytes += rows.bytes();
                taken.push(rows);
            } else {
                state.rows.push_front(rows);
                break;
            }
        }
        early.append(&mut state.rows);
        state.rows = early;
        taken
    }

    pub(super) fn release_versions(&self, versions: &[QueuedVersion]) {
        let mut state = self.lock();
        state.held_versions -= versions.len();
        state.held_bytes -= versions.iter().map(QueuedVersion::bytes).sum::<usize>();
        for version in versions {
            version.board.remove_pending();
        }
    }

    pub(super) fn release_rows(&self, rows: &[QueuedRows]) {
        let mut state = self.lock();
        state.held_rows_bytes -= rows.iter().map(QueuedRows::bytes).sum::<usize>();
        for rows in rows {
            rows.board.remove_rows();
        }
    }

    /// Whether versions wait.
    pub(super) fn has_versions(&self) -> bool {
        !self.lock().versions.is_empty()
    }

    /// Whether nothing waits and no place is reserved.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.lock();
        state.reserved == 0 && state.held_versions == 0 && state.held_rows_bytes == 0
    }

    /// Lets the journal look whether there is something to do.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Resolves when something has been pushed since the last time.
    pub(super) async fn pushed(&self) {
        self.wake.notified().await;
    }

    /// Sets the health, unless the journal has ended: that is for good.
    pub(super) fn set_health(&self, health: Health) {
        let mut state = self.lock();
        match state.health {
            Health::Healthy | Health::Degraded { .. } => state.health = health,
            Health::Closed | Health::Stopped { .. } => {}
        }
    }

    pub(super) fn health(&self) -> Health {
        self.lock().health.clone()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut JournalCounters)) {
        change(&mut self.lock().counters);
    }

    pub(super) fn status(&self) -> JournalStatus {
        let state = self.lock();
        JournalStatus {
            health: state.health.clone(),
            queued_versions: state.held_versions,
            queued_bytes: state.held_bytes,
            queued_rows_bytes: state.held_rows_bytes,
            database_bytes: 0,
            wal_bytes: 0,
            counters: state.counters.clone(),
        }
    }
}
