//! Everything that can happen to a room.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use boardcast_protocol::board::{Actor, Board, Rejection, Role};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{CardId, ClientId};
use boardcast_protocol::message::{Submit, Whereabouts};
use boardcast_protocol::position::{Position, Seq, Version};

use super::Outbox;
use crate::storage::{Refusal, StoredVersion};

/// A connection: rises by one with each, so of two connections of a client the greater is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Who speaks, over which connection.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The connection.
    pub conn: ConnId,
    /// The client of this connection.
    pub client: ClientId,
    /// The user, as its token says.
    pub actor: Actor,
    /// Where it comes from.
    pub address: IpAddr,
    /// Where answers go.
    pub outbox: Arc<Outbox>,
}

/// A connection that wants a board's events.
#[derive(Debug)]
pub struct Joining {
    /// Who.
    pub origin: Origin,
    /// From the request; `None` for boards of `hello`.
    pub req: Option<u32>,
    /// How far the client has come.
    pub at: Option<Position>,
}

/// Commands of a connection.
#[derive(Debug)]
pub struct Submission {
    /// Who.
    pub origin: Origin,
    /// What.
    pub submit: Submit,
    /// When it was read.
    pub received: Instant,
    /// The highest lower number of this connection that was refused before it came to the room and
    /// has not come again.
    pub after: Option<Seq>,
}

/// Where the answer to a request from inside the server goes.
pub type Answer<T> = oneshot::Sender<T>;

/// Makes the events of a change from the board as it is.
pub type Change = Box<dyn FnOnce(&Board) -> Result<Vec<Event>, Rejection> + Send>;

/// A change of the whole board, made by `change` in one turn of the room from the board as it is.
pub struct Import {
    /// Who imports.
    pub actor: Actor,
    /// Makes the events; called once, in the room's turn.
    pub change: Change,
    /// Answered when the version is durable.
    pub answer: Answer<Result<ImportReport, ImportRefused>>,
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// Why an import changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportRefused {
    /// The board does not take it.
    Rejected(Rejection),
    /// The journal takes no version at the moment: it may be tried again.
    Refused(Refusal),
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// The board's version after it.
    pub version: Version,
    /// Count of events; 0 when nothing changed.
    pub events: usize,
}

/// Everything that can happen to a room, besides durable versions and time.
#[derive(Debug)]
pub enum RoomInput {
    /// A connection subscribes, or subscribes again with its position.
    Join(Box<Joining>),
    /// A connection ends its subscription; `req` is answered with `unsubscribed`.
    Leave {
        /// Which.
        conn: ConnId,
        /// From the request.
        req: u32,
        /// Where the answer goes.
        outbox: Arc<Outbox>,
    },
    /// A connection has ended.
    Gone {
        /// Which.
        conn: ConnId,
    },
    /// Commands.
    Submit(Box<Submission>),
    /// A person moves on the board.
    Presence {
        /// The connection.
        conn: ConnId,
        /// Where; `None` for gone.
        at: Option<Whereabouts>,
    },
    /// A card is opened: its detail is answered.
    OpenCard {
        /// Who.
        origin: Box<Origin>,
        /// From the request.
        req: u32,
        /// The card.
        card: CardId,
    },
    /// The outbox of a subscriber that had been left behind has been written.
    Drained {
        /// The connection.
        conn: ConnId,
    },
    /// A part of the log that the room had asked for.
    Past {
        /// The version before the first one.
        after: Version,
        /// The versions that follow without a gap; none where they cannot be had.
        versions: Vec<StoredVersion>,
    },
    /// The role of a user at this moment.
    RoleOf {
        /// The user.
        actor: Actor,
        /// `None` for a stranger.
        answer: Answer<Option<Role>>,
    },
    /// A copy of the board, for export.
    Copy {
        /// The board and its version.
        answer: Answer<Box<(Board, Version)>>,
    },
    /// A change of the whole board.
    Import(Box<Import>),
    /// Memory is needed: a room with nobody on it goes to sleep.
    Sleep,
    /// The server stops: send and hand over everything, then end.
    Stop,
}
