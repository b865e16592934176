//! What goes between rooms and storage.

use bytes::Bytes;

use boardcast_protocol::board::{Board, Reason};
use boardcast_protocol::event::Entity;
use boardcast_protocol::ids::{AnyId, BoardId, CardId, ClientId, UserId};
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Epochs, Seq, Timestamp, Version};

/// Digest of the body of a submit: tells a repeated submit from another one with the same number.
pub type BodyHash = u64;

/// How long a key of a request over HTTP is remembered, in milliseconds: 24 hours. It is kept as a
/// client of its own, see [`ClientId::of_key`].
pub const KEY_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;

/// One version, on its way to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The version; versions of a board come without a gap.
    pub version: Version,
    /// The submit that it came from; `None` for imports and other requests.
    pub origin: Option<(ClientId, Seq, BodyHash)>,
    /// The author.
    pub by: UserId,
    /// When it was decided.
    pub at: Timestamp,
    /// The events: a JSON array, as it is sent to clients.
    pub events: Bytes,
    /// For each event the one that would undo it: a JSON array.
    pub was: Bytes,
}

/// One version, as it was found in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// The version.
    pub version: Version,
    /// The submit that it came from.
    pub origin: Option<(ClientId, Seq, BodyHash)>,
    /// The author.
    pub by: UserId,
    /// When it was decided.
    pub at: Timestamp,
    /// The events: a JSON array.
    pub events: Bytes,
}

/// The parts of a board that have changed, as they stand at `version`: taken in one turn of the
/// room, right after it has handed `version` to the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The version that the parts show. After this transaction the board's rows stand at it.
    pub version: Version,
    /// Each part as JSON, `None` for one that is gone. [`Entity::Board`] is the view without its
    /// collections.
    pub parts: Vec<(Entity, Option<Bytes>)>,
    /// The cards that the versions since the last rows are about, each with the version.
    pub touched: Vec<(CardId, Version)>,
    /// Ids that were deleted since the last rows.
    pub buried: Vec<AnyId>,
    /// Clients with new outcomes since the last rows.
    pub clients: Vec<ClientRecord>,
}

/// What became of a submit, kept to answer it again (rule R4).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptOutcome {
    /// The number of the submit.
    pub seq: Seq,
    /// Digest of its body.
    pub body: BodyHash,
    /// What became of it.
    pub result: OutcomeResult,
    /// The version, where it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A client of a board, as it is remembered for 90 days (rule R4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client.
    pub client: ClientId,
    /// The user that it belongs to: nobody else may use it.
    pub user: UserId,
    /// The highest number that was answered.
    pub last_seq: Seq,
    /// When it submitted last.
    pub seen: Timestamp,
    /// What became of its last 64 submits, oldest first.
    pub outcomes: Vec<KeptOutcome>,
}

/// A board as it was found on disk: rows, with the later versions of the log applied.
#[derive(Debug)]
pub struct LoadedBoard {
    /// The board at `version`.
    pub board: Board,
    /// Its epochs; the last one is committed and goes on.
    pub epochs: Epochs,
    /// The last version in the log: everything in it is durable.
    pub version: Version,
    /// The version at which the board's rows stand; the parts touched since must be written again.
    pub rows_version: Version,
    /// Parts touched after `rows_version`.
    pub dirty: Vec<Entity>,
    /// The version of the base from which the log is replayed: what is in the log before it is about
    /// to be trimmed.
    pub base: Version,
    /// The newest versions of the log, oldest first, without a gap up to `version`: for resume.
    pub recent: Vec<StoredVersion>,
    /// Clients that are remembered, with what the log says of them after their rows: at most
    /// [`StorageOptions::clients_max`](super::StorageOptions::clients_max) and those of that log.
    pub clients: Vec<ClientRecord>,
    /// Whether these are all clients that are remembered.
    pub knows_all_clients: bool,
}

/// Why the journal takes no version at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is full: the disk is slower than the commands come. Try again soon.
    Busy,
    /// It cannot write: the disk is full or failing, or this board's last write failed.
    Unavailable,
}

/// What a board that an import makes begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What happened before, oldest first, as versions from 1 on: it is no part of the log.
    pub history: Vec<Append>,
    /// What the file holds, as the version after the history; `None` where that is nothing.
    pub first: Option<Append>,
    /// The key under which the next import of the same board finds this one.
    pub source: String,
    /// What this import did.
    pub record: ImportRecord,
}

/// What the last import of a source put on its board: the next one of the same source compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRecord {
    /// The board.
    pub board: BoardId,
    /// Digest of what was imported.
    pub digest: String,
    /// Ids of what it put on the board.
    pub ids: Vec<String>,
}
