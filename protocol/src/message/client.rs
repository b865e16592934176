//! What clients say.

use serde::{Deserialize, Serialize};

use crate::board::Seen;
use crate::command::Command;
use crate::ids::{BoardId, CardId, ClientId, ColumnId};
use crate::patch;
use crate::position::{Position, Seq, Timestamp, Version};

/// A subscription that `hello` asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HelloBoard {
    /// The board.
    pub board: BoardId,
    /// How far the client has come; absent for a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
}

/// What a person does on a board at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Looks.
    Viewing,
    /// Writes in a card.
    Typing,
    /// Drags a card.
    Dragging,
}

/// Where a person is on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Whereabouts {
    /// What the person does.
    pub doing: Activity,
    /// The card that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardId>,
    /// The column over which the card is dragged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<ColumnId>,
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message.
    Hello(Hello),
    /// Asks for a board's events from now on.
    Subscribe(Subscribe),
    /// Ends a subscription.
    Unsubscribe(Unsubscribe),
    /// Commands, applied all or nothing as one version.
    Submit(Submit),
    /// Tells where the person is; `null` for gone.
    Presence(PresenceUpdate),
    /// Asks for what only an opened card shows.
    #[serde(rename = "card.open")]
    CardOpen(CardOpen),
    /// Asks for a page of what happened to a board or card.
    Activity(ActivityQuery),
    /// Makes a board; its author becomes its admin.
    #[serde(rename = "board.create")]
    BoardCreate(BoardCreate),
    /// Asks for the boards of the user.
    #[serde(rename = "boards.list")]
    BoardsList(BoardsList),
    /// Asks for a `pong`, for clients that want to notice a dead link themselves.
    Ping(Ping),
}

/// The first message of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hello {
    /// The version of the protocol: 1.
    pub v: u32,
    /// The client's id: made once and kept, one live connection each.
    pub client: ClientId,
    /// The signed token, where the upgrade had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Name and version of the program, for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Boards to subscribe at once, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boards: Vec<HelloBoard>,
}

/// Asks for a board's events from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subscribe {
    /// Comes back in the answer.
    pub req: u32,
    /// The board.
    pub board: BoardId,
    /// How far the client has come; absent for a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
}

/// Ends a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unsubscribe {
    /// Comes back in the answer.
    pub req: u32,
    /// The board.
    pub board: BoardId,
}

/// Commands, applied all or nothing as one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Submit {
    /// The board.
    pub board: BoardId,
    /// The number of this submit among those of this client to this board; rises by one.
    pub seq: Seq,
    /// 1 to 100 commands.
    pub cmds: Vec<Command>,
    /// Revisions of the card's fields that the client saw; with a single command about a card.
    #[serde(
        default,
        skip_serializing_if = "Seen::is_empty",
        deserialize_with = "patch::unique"
    )]
    pub seen: Seen,
}

/// Tells where the person is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PresenceUpdate {
    /// The board.
    pub board: BoardId,
    /// Where; `null` for gone.
    pub at: Option<Whereabouts>,
}

/// Asks for what only an opened card shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardOpen {
    /// Comes back in the answer.
    pub req: u32,
    /// The board.
    pub board: BoardId,
    /// The card.
    pub card: CardId,
}

/// Asks for a page of what happened to a board or card, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivityQuery {
    /// Comes back in the answer.
    pub req: u32,
    /// The board.
    pub board: BoardId,
    /// Only what happened to this card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardId>,
    /// Only what happened before this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Version>,
    /// Versions on the page, 1 to 200.
    pub limit: u32,
}

/// Makes a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardCreate {
    /// Comes back in the answer.
    pub req: u32,
    /// Its title.
    pub title: String,
}

/// Asks for the boards of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardsList {
    /// Comes back in the answer.
    pub req: u32,
    /// Only boards whose id is greater; absent for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<BoardId>,
    /// The archived boards instead of the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

/// Asks for a `pong`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ping {
    /// Comes back in the answer.
    pub t: Timestamp,
}
