//! Everything that can happen to a room.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use boardcast_protocol::board::{Actor, Board, Rejection, Role};
use boardcast_protocol::command::Command;
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{CardId, ClientId};
use boardcast_protocol::message::{Submit, Whereabouts};
use boardcast_protocol::position::{Position, Seq, Version};

use super::Outbox;
use crate::storage::{Refusal, StorageError, StoredVersion};

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

/// The board goes into the bin.
#[derive(Debug)]
pub struct Deletion {
    /// Who wants it; the present role is looked at.
    pub actor: Actor,
    /// Answered when that is on disk and everybody on the board was told.
    pub answer: Answer<Result<(), DeletionRefused>>,
}

/// Why a board did not go into the bin. Nothing has changed.
#[derive(Debug)]
pub enum DeletionRefused {
    /// Whoever asks is not a member.
    NoSuchBoard,
    /// The role does not allow it.
    Forbidden,
    /// It cannot be written.
    Storage(StorageError),
}

/// The board and its position, as they stand in one turn of the room.
pub type Sight<'a> = (&'a Board, Position);

/// What somebody without a connection looks for; called once, in the room's turn, with `None` for
/// who is not a member.
pub type See = Box<dyn FnOnce(Option<Sight<'_>>) + Send>;

/// What somebody looks for, as an input.
pub struct Look(pub See);

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look(..)")
    }
}

/// What must hold for a request to be looked at; if not, what is there instead.
pub type Condition = Box<dyn FnOnce(Sight<'_>) -> Result<(), Value> + Send>;

/// Commands of somebody without a connection, all or nothing: one version.
pub struct Request {
    /// The author; its present role is looked at.
    pub actor: Actor,
    /// Where it comes from.
    pub address: IpAddr,
    /// Under which name it may come again, and is then answered as before and not applied again:
    /// a client that [stands for a key](ClientId::is_of_key). `None`: each time is the first.
    pub name: Option<(ClientId, Seq)>,
    /// 1 to 100 of them.
    pub cmds: Vec<Command>,
    /// Asked in the same turn, unless the request was answered before.
    pub condition: Option<Condition>,
    /// Answered in the turn in which it is decided.
    pub answer: Answer<Result<Decided, RequestRefused>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("actor", &self.actor)
            .field("name", &self.name)
            .field("cmds", &self.cmds)
            .finish_non_exhaustive()
    }
}

/// A request was carried out.
#[derive(Debug)]
pub struct Decided {
    /// Its version; `None` where there was nothing to do.
    pub version: Option<Version>,
    /// Resolves when that is on disk, and with nothing to do what the board showed then. An error:
    /// the room has ended before.
    pub durable: oneshot::Receiver<()>,
}

/// Why a request changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestRefused {
    /// The author is not a member.
    NoSuchBoard,
    /// The board does not take it.
    Rejected(Rejection),
    /// Its condition does not hold: this is there instead.
    Stale(Value),
    /// Its key stands for another request.
    KeyReused,
    /// There is no place for another key within 24 hours.
    TooManyKeys,
    /// Not looked at: it may be sent again after so many milliseconds.
    Busy {
        /// When.
        retry_ms: u32,
        /// What there is too much of.
        hint: String,
    },
    /// Not looked at: the board cannot be written at the moment.
    Unavailable {
        /// When to send it again, in milliseconds.
        retry_ms: u32,
    },
}

/// The view of a board as JSON, encoded once for all who ask.
#[derive(Clone, Debug)]
pub struct Viewed {
    /// Where it stands.
    pub position: Position,
    /// The view; `None` for who knows it already.
    pub json: Option<Bytes>,
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
    /// Somebody without a connection wants the view.
    View {
        /// Who.
        actor: Actor,
        /// What is known already.
        known: Option<Position>,
        /// `None` for a stranger.
        answer: Answer<Option<Viewed>>,
    },
    /// Somebody without a connection looks at the board.
    Look {
        /// Who.
        actor: Actor,
        /// For what.
        see: Look,
    },
    /// Commands of somebody without a connection.
    Request(Box<Request>),
    /// A change of the whole board.
    Import(Box<Import>),
    /// The board goes into the bin, and its room ends.
    Delete(Deletion),
    /// Memory is needed: a room with nobody on it goes to sleep.
    Sleep,
    /// The server stops: send and hand over everything, then end.
    Stop,
}

impl RoomInput {
    /// The connection that speaks, where the room has to know its client.
    pub(super) fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Join(joining) => Some(&joining.origin),
            Self::Submit(submission) => Some(&submission.origin),
            Self::Leave { .. }
            | Self::Gone { .. }
            | Self::Presence { .. }
            | Self::OpenCard { .. }
            | Self::Drained { .. }
            | Self::Past { .. }
            | Self::RoleOf { .. }
            | Self::Copy { .. }
            | Self::View { .. }
            | Self::Look { .. }
            | Self::Request(_)
            | Self::Import(_)
            | Self::Delete(_)
            | Self::Sleep
            | Self::Stop => None,
        }
    }
}
