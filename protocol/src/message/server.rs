//! What the server says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Batch, Ping, Whereabouts};
use crate::board::{Conflict, Detail, Reason, Role, View};
use crate::ids::{BoardId, CardId, UserId};
use crate::position::{Epoch, Seq, Timestamp, Version};

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answers `hello`.
    Welcome(Welcome),
    /// Answers `subscribe`; a snapshot or batches follow.
    Subscribed(Subscribed),
    /// Answers `unsubscribe`.
    Unsubscribed(Unsubscribed),
    /// Replaces the client's confirmed board. May come at any time.
    Snapshot(Snapshot),
    /// What became of a submit, where no echo says it.
    Outcome(Outcome),
    /// Everything up to this version is on disk.
    Durable(Durable),
    /// Who is on a board.
    Presence(Presence),
    /// The user's role on a board has changed; `null` ends the subscription.
    Role(RoleChange),
    /// What only an opened card shows.
    Card(CardDetail),
    /// A page of what happened.
    Activity(ActivityPage),
    /// A board was made.
    #[serde(rename = "board.created")]
    BoardCreated(BoardCreated),
    /// The boards of the user.
    Boards(Boards),
    /// A message was not understood or not allowed.
    Error(ErrorMessage),
    /// The server is about to close the connection.
    Goodbye(Goodbye),
    /// Answers `ping`.
    Pong(Ping),
    /// Versions of a board: an array, told from the others by its first character.
    #[serde(untagged)]
    Batch(Batch),
}

/// Limits that a client should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WireLimits {
    /// Largest message, in bytes.
    pub message_bytes: u32,
    /// Most commands of one submit.
    pub submit_commands: u32,
    /// Most subscriptions of a connection.
    pub boards: u32,
}

/// Answers `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Welcome {
    /// The version of the protocol.
    pub v: u32,
    /// Who the client is, by its token.
    pub user: UserId,
    /// The number of this connection.
    pub conn: u64,
    /// Limits.
    pub limits: WireLimits,
    /// Time between protocol pings, in milliseconds.
    pub ping_ms: u32,
    /// The server's clock.
    pub server_time: Timestamp,
}

/// How a subscription goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Batches from the client's position on follow.
    Events,
    /// A snapshot follows, then batches.
    Snapshot,
}

/// Answers `subscribe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subscribed {
    /// From the request; absent for boards of `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<u32>,
    /// The board.
    pub board: BoardId,
    /// The user's role.
    pub role: Role,
    /// The present epoch.
    pub epoch: Epoch,
    /// The present version.
    pub version: Version,
    /// The version that is on disk.
    pub durable: Version,
    /// The highest number of this client's submits that was answered or applied; 0 for none.
    pub last_seq: Seq,
    /// How the subscription goes on.
    pub mode: Mode,
}

/// Answers `unsubscribe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unsubscribed {
    /// From the request.
    pub req: u32,
    /// The board.
    pub board: BoardId,
}

/// Replaces the client's confirmed board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// The board.
    pub board: BoardId,
    /// The epoch.
    pub epoch: Epoch,
    /// The version that the view shows.
    pub version: Version,
    /// The view. Details of opened cards are to be fetched again.
    pub view: Box<View>,
}

/// What became of a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// Applied as `version`.
    Accepted,
    /// Understood, but there was nothing to do.
    NoChange,
    /// Not applied; `reason` and `hint` say why. The number is used up.
    Rejected,
    /// Not looked at; send it again after `retry_ms`, before any higher number.
    Busy,
    /// Not looked at: the board cannot be written at the moment; send it again after `retry_ms`.
    Unavailable,
    /// Its number was answered so long ago that what became of it is no longer known.
    Forgotten,
}

/// Tells what became of a submit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outcome {
    /// The board.
    pub board: BoardId,
    /// The number of the submit.
    pub seq: Seq,
    /// What became of it.
    pub result: OutcomeResult,
    /// The version, where it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What was wrong and what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Both values, where the reason is `conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Box<Conflict>>,
    /// When to send it again, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u32>,
}

/// Everything up to this version is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Durable {
    /// The board.
    pub board: BoardId,
    /// The epoch.
    pub epoch: Epoch,
    /// The version.
    pub version: Version,
}

/// A person on a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Person {
    /// Who.
    pub user: UserId,
    /// Where, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Whereabouts>,
}

/// Who is on a board: replaces what was said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Presence {
    /// The board.
    pub board: BoardId,
    /// Count of users.
    pub count: u32,
    /// The users; above 50, only those who edit.
    pub people: Vec<Person>,
}

/// The user's role on a board has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoleChange {
    /// The board.
    pub board: BoardId,
    /// The role; `null` ends the subscription.
    pub role: Option<Role>,
}

/// What only an opened card shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardDetail {
    /// From the request.
    pub req: u32,
    /// The board.
    pub board: BoardId,
    /// The card.
    pub card: CardId,
    /// The board's version that the detail belongs to.
    pub version: Version,
    /// The detail.
    pub detail: Detail,
}

/// One version in a page of activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivityEntry {
    /// The version.
    pub n: Version,
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// What happened: events.
    pub ev: Value,
    /// What was before: for each event the one that would undo it.
    pub was: Value,
}

/// A page of what happened, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivityPage {
    /// From the request.
    pub req: u32,
    /// The board.
    pub board: BoardId,
    /// The entries.
    pub entries: Vec<ActivityEntry>,
    /// Whether older ones exist.
    pub more: bool,
}

/// A board was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardCreated {
    /// From the request.
    pub req: u32,
    /// Its id.
    pub board: BoardId,
}

/// A board, as the list of boards shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardSummary {
    /// Its id.
    pub board: BoardId,
    /// Its title.
    pub title: String,
    /// The user's role.
    pub role: Role,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

/// The boards of the user, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Boards {
    /// From the request.
    pub req: u32,
    /// At most 1,000 boards.
    pub boards: Vec<BoardSummary>,
    /// Whether more follow after the last one.
    pub more: bool,
}

/// The kind of an error, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The text is not JSON.
    NotJson,
    /// The type of the message is unknown.
    UnknownType,
    /// A field is missing or has a wrong value.
    BadMessage,
    /// Something else than `hello` came first, or a second `hello`.
    HelloExpected,
    /// The token is not valid.
    Unauthorized,
    /// The token, or the link, is not good for this.
    Forbidden,
    /// There is no such board, or it is not the user's: the answer is the same.
    NoSuchBoard,
    /// There is no such card.
    NoSuchCard,
    /// The connection is not subscribed to the board.
    NotSubscribed,
    /// A limit of the connection is reached.
    Limit,
    /// The server has too much to do; try again later.
    Busy,
    /// The server cannot do this at the moment.
    Unavailable,
}

impl ErrorCode {
    /// All kinds, in their order.
    pub const ALL: [Self; 12] = [
        Self::NotJson,
        Self::UnknownType,
        Self::BadMessage,
        Self::HelloExpected,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NoSuchBoard,
        Self::NoSuchCard,
        Self::NotSubscribed,
        Self::Limit,
        Self::Busy,
        Self::Unavailable,
    ];
}

/// A message was not understood or not allowed. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorMessage {
    /// From the request, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<u32>,
    /// The board, where the message named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<BoardId>,
    /// The number of the submit, where the message was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// The kind.
    pub code: ErrorCode,
    /// What was wrong and what would be right.
    pub hint: String,
}

/// The server is about to close the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Goodbye {
    /// The close code that will follow.
    pub code: u16,
    /// When to come back, in milliseconds; random for each client, so that not all come at once.
    pub retry_ms: u32,
}
