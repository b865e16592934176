//! The room's end of the journal.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::watch;

use boardcast_protocol::ids::{AnyId, BoardId, CardId};
use boardcast_protocol::position::Version;

use super::queue::{Queue, QueuedRows, QueuedVersion};
use super::requests::{Act, Requests};
use super::{Append, ClientRecord, Refusal, Rows, StorageError};
use crate::planted::{Bug, planted};

/// What the log says after the rows and no room has handed over: it goes with the next rows.
#[derive(Debug, Default)]
pub(super) struct Late {
    pub(super) touched: Vec<(CardId, Version)>,
    pub(super) buried: Vec<AnyId>,
    pub(super) clients: Vec<ClientRecord>,
}

/// What storage knows of a board that is in use.
#[derive(Debug)]
pub(super) struct BoardState {
    id: BoardId,
    /// The id as it is bound to statements.
    key: Arc<str>,
    /// Versions and rows that wait.
    pending: AtomicUsize,
    /// Rows that wait.
    pending_rows: AtomicUsize,
    /// Its data broke a rule: nothing more is written for it until it is opened again.
    failed: AtomicBool,
    /// The last version that the journal has taken up.
    taken: AtomicU64,
    durable: watch::Sender<Version>,
    lease: Mutex<Weak<Lease>>,
    late: Mutex<Late>,
}

impl BoardState {
    pub(super) fn new(id: BoardId) -> Self {
        Self {
            id,
            key: id.as_str().into(),
            pending: AtomicUsize::new(0),
            pending_rows: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            taken: AtomicU64::new(0),
            durable: watch::Sender::new(Version::default()),
            lease: Mutex::default(),
            late: Mutex::default(),
        }
    }

    pub(super) fn id(&self) -> BoardId {
        self.id
    }

    pub(super) fn key(&self) -> &Arc<str> {
        &self.key
    }

    pub(super) fn add_pending(&self) {
        self.pending.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn remove_pending(&self) {
        self.pending.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn add_rows(&self) {
        self.pending_rows.fetch_add(1, Ordering::AcqRel);
        self.add_pending();
    }

    pub(super) fn remove_rows(&self) {
        self.pending_rows.fetch_sub(1, Ordering::AcqRel);
        self.remove_pending();
    }

    /// Whether nothing that was handed over waits.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.load(Ordering::Acquire) == 0
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    pub(super) fn durable(&self) -> Version {
        *self.durable.borrow()
    }

    /// Tells that everything up to `version` is durable.
    pub(super) fn publish(&self, version: Version) {
        self.durable.send_if_modified(|durable| {
            let newer = version > *durable;
            if newer {
                *durable = version;
            }
            newer
        });
    }

    /// Whether `version` is the next one for the log; then it counts as taken. Only the journal
    /// asks.
    pub(super) fn follows(&self, version: Version) -> bool {
        let next = self.taken.load(Ordering::Acquire) + 1;
        let follows = version.0 == next;
        if follows {
            self.taken.store(next, Ordering::Release);
        }
        follows
    }

    /// Takes the right to write the board; `None` while somebody has it.
    pub(super) fn lease(&self) -> Option<Arc<Lease>> {
        let mut slot = lock(&self.lease);
        if slot.upgrade().is_some_and(|lease| !lease.is_ended()) {
            return None;
        }
        let lease = Arc::new(Lease::default());
        *slot = Arc::downgrade(&lease);
        Some(lease)
    }

    /// Whether nobody has it open and nothing of it waits.
    pub(super) fn is_idle(&self) -> bool {
        let open = lock(&self.lease)
            .upgrade()
            .is_some_and(|lease| !lease.is_ended());
        !open && self.is_settled()
    }

    /// Begins again with what was loaded.
    pub(super) fn restart(&self, version: Version, late: Late) {
        self.durable.send_replace(version);
        self.taken.store(version.0, Ordering::Release);
        *lock(&self.late) = late;
        self.failed.store(false, Ordering::Release);
    }

    /// Adds to the first rows of a room what it cannot know that it must write.
    pub(super) fn add_late(&self, rows: &mut Rows) {
        let late = std::mem::take(&mut *lock(&self.late));
        rows.touched.extend(late.touched);
        rows.buried.extend(late.buried);
        if planted(Bug::LateClientsLost) {
            return;
        }
        for client in late.clients {
            if !rows
                .clients
                .iter()
                .any(|known| known.client == client.client)
            {
                rows.clients.push(client);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to write a board, held by its one room.
#[derive(Debug, Default)]
pub(super) struct Lease {
    ended: AtomicBool,
}

impl Lease {
    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// The room's end of the journal, for one board.
#[derive(Clone, Debug)]
pub struct BoardJournal {
    pub(super) board: Arc<BoardState>,
    pub(super) lease: Arc<Lease>,
    pub(super) queue: Arc<Queue>,
    pub(super) requests: Requests,
}

impl BoardJournal {
    /// A place in the journal for one version; never waits. Dropping it unused is free.
    ///
    /// # Errors
    /// There is no place now, or the journal cannot write this board.
    pub fn reserve(&self) -> Result<Slot, Refusal> {
        if self.board.has_failed() || self.lease.is_ended() {
            return Err(Refusal::Unavailable);
        }
        self.queue.reserve()?;
        Ok(Slot {
            queue: Some(Arc::clone(&self.queue)),
            board: Arc::clone(&self.board),
        })
    }

    /// The highest durable version of this board.
    pub fn durable(&self) -> watch::Receiver<Version> {
        self.board.durable.subscribe()
    }

    /// Hands over rows: they are written when the log is committed up to their version.
    ///
    /// # Errors
    /// Gives them back when the journal has no place now or cannot write: the room keeps these
    /// parts dirty and tries later.
    pub fn rows(&self, rows: Rows) -> Result<(), Rows> {
        if self.board.has_failed() || self.lease.is_ended() {
            return Err(rows);
        }
        self.queue.push_rows(QueuedRows {
            board: Arc::clone(&self.board),
            rows,
        })
    }

    /// Whether all rows that were handed over are on the disk.
    pub fn rows_are_written(&self) -> bool {
        self.board.pending_rows.load(Ordering::Acquire) == 0 && !self.board.has_failed()
    }

    /// The board goes to sleep: everything that was handed over is written, then the board is
    /// marked as cleanly closed. Resolves when that is committed; no version is taken after it.
    ///
    /// # Errors
    /// It cannot be written at the moment: the board stays open, and this may be tried again. A
    /// board that has failed is never clean: its next opening begins a new epoch.
    pub async fn close(&self) -> Result<(), StorageError> {
        if self.lease.ended.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let result = self.requests.ask(Act::Sleep(Arc::clone(&self.board))).await;
        if result.is_err() && !self.board.has_failed() {
            self.lease.ended.store(false, Ordering::Release);
        }
        result.map(drop)
    }
}

/// A place in the journal for one version.
#[derive(Debug)]
#[must_use = "a place that is not used is given back"]
pub struct Slot {
    queue: Option<Arc<Queue>>,
    board: Arc<BoardState>,
}

impl Slot {
    /// Hands over a version. Versions of a board come in order, without a gap.
    pub fn append(mut self, entry: Append) {
        if let Some(queue) = self.queue.take() {
            queue.push_version(QueuedVersion {
                board: Arc::clone(&self.board),
                entry,
                since: Instant::now(),
            });
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.cancel();
        }
    }
}
