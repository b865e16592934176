//! The place of a board in the registry: at most one room at a time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use boardcast_protocol::ids::BoardId;

use super::load::Load;
use super::{RoomHandle, RoomInput};

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
    pub(super) load: Load,
    inbox: RwLock<Option<mpsc::Sender<RoomInput>>>,
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
            load: Load::default(),
            inbox: RwLock::new(None),
            weight_bytes: AtomicUsize::new(0),
            idle_since_ms: AtomicU64::new(BUSY),
        }
    }

    /// The way into the room, if there is one that takes inputs.
    pub(super) fn handle(self: &Arc<Self>) -> Option<RoomHandle> {
        self.is_open().then(|| RoomHandle::new(Arc::clone(self)))
    }

    /// Sets the inbox of the room.
    pub(super) fn set_inbox(&self, inbox: Option<mpsc::Sender<RoomInput>>) {
        *self.inbox.write().unwrap_or_else(PoisonError::into_inner) = inbox;
    }

    /// The inbox of the room, open or not; `None` before and after there is a room.
    pub(super) fn inbox(&self) -> Option<mpsc::Sender<RoomInput>> {
        self.read_inbox().clone()
    }

    /// Whether there is a room that takes inputs.
    pub(super) fn is_open(&self) -> bool {
        (self.read_inbox().as_ref()).is_some_and(|inbox| !inbox.is_closed())
    }

    /// Inputs that wait for the room.
    pub(super) fn waiting_inputs(&self) -> usize {
        let inbox = self.read_inbox();
        (inbox.as_ref()).map_or(0, |inbox| inbox.max_capacity() - inbox.capacity())
    }

    /// Hands over an input without waiting.
    pub(super) fn try_send(&self, input: RoomInput) -> Result<(), TrySendError<RoomInput>> {
        match &*self.read_inbox() {
            Some(inbox) => inbox.try_send(input),
            None => Err(TrySendError::Closed(input)),
        }
    }

    /// Waits until nobody opens or ends the room.
    pub(super) async fn settled(&self) {
        let _ = self.turn.lock().await;
    }

    fn read_inbox(&self) -> RwLockReadGuard<'_, Option<mpsc::Sender<RoomInput>>> {
        self.inbox.read().unwrap_or_else(PoisonError::into_inner)
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
