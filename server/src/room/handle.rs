//! The way into a room.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;

use boardcast_protocol::ids::BoardId;

use super::RoomInput;
use super::place::Place;

/// The way into a room: a bounded inbox. When it is full, the sender answers `busy` itself.
#[derive(Clone, Debug)]
pub struct RoomHandle(Arc<Place>);

impl RoomHandle {
    pub(super) fn new(place: Arc<Place>) -> Self {
        Self(place)
    }

    /// The board.
    pub fn board(&self) -> BoardId {
        self.0.board
    }

    /// Hands over an input without waiting.
    ///
    /// # Errors
    /// `Full`: the room has more to do than it should. `Closed`: the room goes to sleep or the
    /// server stops; ask the registry again.
    pub fn try_send(&self, input: RoomInput) -> Result<(), TrySendError<RoomInput>> {
        self.0.try_send(input)
    }

    /// Hands over an input that must not be refused, such as the end of a connection. While the
    /// room lies down, this waits until it sleeps or goes on.
    ///
    /// # Errors
    /// The room has ended.
    pub async fn send(&self, input: RoomInput) -> Result<(), RoomInput> {
        let mut input = input;
        loop {
            let Some(inbox) = self.0.inbox() else {
                return Err(input);
            };
            match inbox.send(input).await {
                Ok(()) => return Ok(()),
                Err(refused) => input = refused.0,
            }
            self.0.settled().await;
            if self.is_closed() {
                return Err(input);
            }
        }
    }

    /// Waits until the room has ended.
    pub async fn closed(&self) {
        while let Some(inbox) = self.0.inbox() {
            inbox.closed().await;
            self.0.settled().await;
            if self.is_closed() {
                return;
            }
        }
    }

    /// Whether the room takes no inputs.
    pub fn is_closed(&self) -> bool {
        !self.0.is_open()
    }
}
