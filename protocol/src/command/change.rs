//! What a command sets on a card.

use serde::{Deserialize, Serialize};

use crate::board::Priority;
use crate::ids::{CardId, SprintId};
use crate::patch;
use crate::position::Timestamp;

/// Fields of a card that are set as they are given. Absent ones stay, `null` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CardChange {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description; empty clears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The start.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::present"
    )]
    pub start: Option<Option<Timestamp>>,
    /// The due date.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::present"
    )]
    pub due: Option<Option<Timestamp>>,
    /// Whether the due date is met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// The estimate, in points.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::present"
    )]
    pub estimate: Option<Option<u32>>,
    /// The parent card.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::present"
    )]
    pub parent: Option<Option<CardId>>,
    /// The sprint.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::present"
    )]
    pub sprint: Option<Option<SprintId>>,
    /// The cover.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "patch::present"
    )]
    pub cover: Option<Option<String>>,
}

impl CardChange {
    pub(super) fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}
