//! The place of a board in the registry: at most one room at a time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use boardcast_protocol::ids::BoardId;

use super::RoomHandle;

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing yet: whoever holds the turn may open the room.
    Empty,
    /// A room.
    Open,
    /// Nothing any more, and the place is not in the registry: the next one is to be used.
    Ended,
}

/// The place of a board. Opening a room and ending it happen while its turn is held, so nobody
/// opens a board while its room is still handing over.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) board: BoardId,
    pub(super) turn: Arc<Mutex<Phase>>,
    /// Cancelled when the place has ended.
    pub(super) ended: CancellationToken,
    handle: RwLock<Option<RoomHandle>>,
    weight_bytes: AtomicUsize,
    /// Milliseconds since the start of the server, or [`BUSY`].
    idle_since_ms: AtomicU64,
}

const BUSY: u64 = u64::MAX;

impl Place {
    pub(super) fn new(board: BoardId) -> Self {
        Self {
            board,
            turn: Arc::new(Mutex::new(Phase::Empty)),
            ended: CancellationToken::new(),
            handle: RwLock::new(None),
            weight_bytes: AtomicUsize::new(0),
            idle_since_ms: AtomicU64::new(BUSY),
        }
    }

    /// The way into the room, if there is one that takes inputs.
    pub(super) fn handle(&self) -> Option<RoomHandle> {
        let handle = self.handle.read().unwrap_or_else(PoisonError::into_inner);
        handle.clone().filter(|handle| !handle.is_closed())
    }

    /// Sets the way into the room.
    pub(super) fn set_handle(&self, handle: Option<RoomHandle>) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// Sets the weight of the board and returns the old one.
    pub(super) fn set_weight(&self, bytes: usize) -> usize {
        self.weight_bytes.swap(bytes, Ordering::Relaxed)
    }

    /// Since when nobody is on the board; `None` while somebody is.
    pub(super) fn set_idle(&self, since_ms: Option<u64>) {
        self.idle_since_ms
            .store(since_ms.unwrap_or(BUSY), Ordering::Relaxed);
    }

    /// Since when nobody is on the board.
    pub(super) fn idle_since_ms(&self) -> Option<u64> {
        Some(self.idle_since_ms.load(Ordering::Relaxed)).filter(|since| *since != BUSY)
    }
}
