//! The way into a room.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use boardcast_protocol::ids::BoardId;

use super::RoomInput;

/// The way into a room: a bounded inbox. When it is full, the sender answers `busy` itself.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    board: BoardId,
    inbox: mpsc::Sender<RoomInput>,
}

impl RoomHandle {
    pub(super) fn new(board: BoardId, inbox: mpsc::Sender<RoomInput>) -> Self {
        Self { board, inbox }
    }

    /// The board.
    pub fn board(&self) -> BoardId {
        self.board
    }

    /// Hands over an input without waiting.
    ///
    /// # Errors
    /// `Full`: the room has more to do than it should. `Closed`: the room has gone to sleep or the
    /// server stops; ask the registry again.
    pub fn try_send(&self, input: RoomInput) -> Result<(), TrySendError<RoomInput>> {
        self.inbox.try_send(input)
    }

    /// Hands over an input that must not be refused, such as the end of a connection.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn send(&self, input: RoomInput) -> Result<(), RoomInput> {
        self.inbox.send(input).await.map_err(|error| error.0)
    }

    /// Waits until the room takes no more inputs over this way.
    pub async fn closed(&self) {
        self.inbox.closed().await;
    }

    /// Whether the room has ended.
    pub fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }
}
