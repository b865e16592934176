//! What a card is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::by_id;
use super::model::{Attachment, CardField, Checklist, Priority, Stamp, is_default};
use crate::ids::{
    AttachmentId, CardId, ChecklistId, ColumnId, CommentId, LabelId, SprintId, UserId,
};
use crate::order::Rank;
use crate::position::{Timestamp, Version};

/// The settable fields of a card: what revisions count and conflicts name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CardKey {
    /// The title.
    Title,
    /// The description.
    Description,
    /// Column and rank.
    Place,
    /// The labels.
    Labels,
    /// The assignees.
    Assignees,
    /// The priority.
    Priority,
    /// The start.
    Start,
    /// The due date.
    Due,
    /// Whether the due date is met.
    Complete,
    /// The estimate.
    Estimate,
    /// The parent card.
    Parent,
    /// The sprint.
    Sprint,
    /// The cover.
    Cover,
    /// The cards that block this one.
    BlockedBy,
    /// The custom fields.
    Fields,
    /// Whether the card is archived.
    Archived,
}

/// What the view knows of the part of a card that is fetched when the card is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DetailMark {
    /// The version that changed the detail last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rev: Version,
    /// Digest of the detail, 16 hexadecimal digits, see [`super::detail_digest`]; absent for the
    /// empty detail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Whether there is a description.
    #[serde(default, skip_serializing_if = "is_default")]
    pub described: bool,
    /// Count of comments.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comments: u32,
}

/// A card, as the board's view shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Card {
    /// Its id.
    pub id: CardId,
    /// Its number for people, unique on the board.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// Its column.
    pub column: ColumnId,
    /// Its place in the column, archived cards included.
    pub rank: Rank,
    /// Its labels, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelId>,
    /// Who works on it, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<UserId>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Priority,
    /// When work on it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Whether what was due is done.
    #[serde(default, skip_serializing_if = "is_default")]
    pub complete: bool,
    /// Effort in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<u32>,
    /// The card that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CardId>,
    /// Its sprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sprint: Option<SprintId>,
    /// Its cover: a colour of the palette, `#rrggbb`, or the id of an attachment of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<String>,
    /// The cards that must be done first, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<CardId>,
    /// Values of custom fields, sorted by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<CardField>,
    /// Its checklists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Checklist>"))]
    pub checklists: BTreeMap<ChecklistId, Checklist>,
    /// Its attachments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Attachment>"))]
    pub attachments: BTreeMap<AttachmentId, Attachment>,
    /// Whether it is archived, and with it hidden.
    #[serde(default, skip_serializing_if = "is_default")]
    pub archived: bool,
    /// Who made it, and when.
    pub created: Stamp,
    /// Who changed it last, and when.
    pub changed: Stamp,
    /// What is known of its detail.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detail: DetailMark,
    /// The version that set each field last; a field that was never set since the card was made is
    /// absent and counts as 0.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revs: BTreeMap<CardKey, Version>,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Who wrote it, and when.
    pub written: Stamp,
    /// The author's name when it was written; absent where it is the member's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The text, in Markdown.
    pub text: String,
    /// When it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Timestamp>,
}

/// What only an opened card shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Detail {
    /// The description, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The comments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Comment>"))]
    pub comments: BTreeMap<CommentId, Comment>,
}

impl Detail {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.description.is_empty() && self.comments.is_empty()
    }
}
