//! A stand-in with the signatures of storage, in memory, until storage is merged.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use boardcast_protocol::board::{Board, Member, View};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::{Epoch, Epochs, Timestamp, Version};

use super::{Append, LoadedBoard, Refusal, Rows};

/// Where things are kept.
#[derive(Clone, Debug, Default)]
pub struct StorageOptions {
    /// The directory.
    pub data_dir: PathBuf,
}

/// A fault of storage.
#[derive(Debug, thiserror::Error)]
#[error("storage failed")]
pub struct StorageError;

/// Storage.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    boards: Arc<Mutex<HashMap<BoardId, Board>>>,
}

impl Storage {
    /// Opens storage.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn open(_options: StorageOptions) -> Result<Self, StorageError> {
        Ok(Self::default())
    }

    /// Makes a board.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn create_board(
        &self,
        title: &str,
        owner: Option<&Member>,
        _now: Timestamp,
    ) -> Result<BoardId, StorageError> {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        let id = BoardId::from_u128(1 + boards.len() as u128);
        let mut view = View::new(id, title.to_owned());
        if let Some(owner) = owner {
            view.members.insert(owner.id, owner.clone());
        }
        boards.insert(id, Board::new(view, Default::default(), Default::default()));
        Ok(id)
    }

    /// Lists boards.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn boards_of(
        &self,
        _user: Option<boardcast_protocol::ids::UserId>,
        _after: Option<BoardId>,
        _limit: usize,
    ) -> Result<Vec<boardcast_protocol::message::BoardSummary>, StorageError> {
        Ok(Vec::new())
    }

    /// Reads activity.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn activity(
        &self,
        _board: BoardId,
        _card: Option<boardcast_protocol::ids::CardId>,
        _before: Option<Version>,
        _limit: usize,
    ) -> Result<Vec<boardcast_protocol::message::ActivityEntry>, StorageError> {
        Ok(Vec::new())
    }

    /// Remembers a user.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn remember_user(
        &self,
        _user: boardcast_protocol::ids::UserId,
        _name: &str,
        _now: Timestamp,
    ) -> Result<(), StorageError> {
        Ok(())
    }

    /// Why writing is not possible.
    pub fn degraded(&self) -> Option<String> {
        None
    }

    /// Stops.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn close(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Opens a board.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn open_board(
        &self,
        id: BoardId,
        _now: Timestamp,
    ) -> Result<Option<(LoadedBoard, BoardJournal)>, StorageError> {
        let boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(board) = boards.get(&id) else {
            return Ok(None);
        };
        let loaded = LoadedBoard {
            board: board.clone(),
            epochs: Epochs::starting(Epoch(1), Version(0)),
            version: Version(0),
            rows_version: Version(0),
            dirty: Vec::new(),
            recent: Vec::new(),
            clients: Vec::new(),
        };
        Ok(Some((loaded, BoardJournal::new())))
    }
}

/// The room's end of the journal.
#[derive(Clone, Debug)]
pub struct BoardJournal {
    durable: Arc<watch::Sender<Version>>,
}

impl BoardJournal {
    fn new() -> Self {
        Self {
            durable: Arc::new(watch::Sender::new(Version(0))),
        }
    }

    /// A place in the journal.
    ///
    /// # Errors
    /// Never.
    pub fn reserve(&self) -> Result<Slot, Refusal> {
        Ok(Slot {
            durable: Arc::clone(&self.durable),
        })
    }

    /// Highest durable version.
    pub fn durable(&self) -> watch::Receiver<Version> {
        self.durable.subscribe()
    }

    /// Takes rows.
    ///
    /// # Errors
    /// Never.
    pub fn rows(&self, _rows: Rows) -> Result<(), Rows> {
        Ok(())
    }

    /// Ends.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "storage waits")]
    pub async fn close(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// A place.
#[derive(Debug)]
pub struct Slot {
    durable: Arc<watch::Sender<Version>>,
}

impl Slot {
    /// Appends.
    #[expect(clippy::needless_pass_by_value, reason = "storage keeps it")]
    pub fn append(self, entry: Append) {
        self.durable.send_replace(entry.version);
    }
}
