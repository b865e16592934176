//! Why a command was not carried out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CardKey;

/// The kind of a rejection, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The role does not allow it.
    Forbidden,
    /// A thing that it names does not exist.
    NotFound,
    /// The id of the new thing is in use.
    DuplicateId,
    /// The id of the new thing belonged to a deleted thing.
    UsedId,
    /// A value is not allowed.
    Invalid,
    /// A limit of the board is reached.
    Limit,
    /// The column is full.
    WipLimit,
    /// The thing still holds others.
    NotEmpty,
    /// A link would lead back to its own card.
    Cycle,
    /// The last admin cannot leave or be demoted.
    LastAdmin,
    /// The field has changed since the client saw it.
    Conflict,
    /// The sequence number was used before, with another body.
    SeqReused,
}

impl Reason {
    /// All kinds, in their order.
    pub const ALL: [Self; 12] = [
        Self::Forbidden,
        Self::NotFound,
        Self::DuplicateId,
        Self::UsedId,
        Self::Invalid,
        Self::Limit,
        Self::WipLimit,
        Self::NotEmpty,
        Self::Cycle,
        Self::LastAdmin,
        Self::Conflict,
        Self::SeqReused,
    ];
}

/// Both values of a field that was changed by two people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conflict {
    /// The field.
    pub field: CardKey,
    /// What the command wanted.
    pub mine: Value,
    /// What the board has.
    pub theirs: Value,
}

/// A command that was not carried out: nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{hint}")]
pub struct Rejection {
    /// The kind.
    pub reason: Reason,
    /// What was wrong and what would be right, for people.
    pub hint: String,
    /// Both values, where the reason is `conflict` and it is about a field of a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Box<Conflict>>,
}

impl Rejection {
    /// A rejection without a conflict.
    pub fn new(reason: Reason, hint: impl Into<String>) -> Self {
        Self {
            reason,
            hint: hint.into(),
            conflict: None,
        }
    }

    pub(super) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(
            Reason::NotFound,
            format!("there is no {what} {id} on this board"),
        )
    }

    /// The board is archived: all there is to do is to restore it, and to change who is on it.
    pub fn archived() -> Self {
        let hint = "the board is archived; restore it first";
        Self::new(Reason::Invalid, hint)
    }

    pub(super) fn limit(what: &str, max: usize) -> Self {
        Self::new(
            Reason::Limit,
            format!("there is room for at most {max} {what}"),
        )
    }
}
