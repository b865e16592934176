//! What a board is made of.
//!
//! JSON form: a field at its default (absent, empty, false, zero) is omitted, collections of things
//! with an id are arrays sorted by id, times are milliseconds since 1970, and there are no floats.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::by_id::{self, Keyed};
use super::card::{Card, Comment};
use crate::ids::{
    AttachmentId, BoardId, CardId, ChecklistId, ColumnId, CommentId, FieldId, ItemId, LabelId,
    OptionId, SprintId, UserId,
};
use crate::order::Rank;
use crate::position::{ByteSize, Timestamp};

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Who did something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stamp {
    /// The user.
    pub by: UserId,
    /// The server's clock.
    pub at: Timestamp,
}

/// What a member may do on a board; each role may do all that the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees the board.
    Viewer,
    /// Writes comments.
    Commenter,
    /// Changes columns, cards and labels.
    Editor,
    /// Changes the board itself and its members.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Commenter => "commenter",
            Self::Editor => "editor",
            Self::Admin => "admin",
        })
    }
}

/// A person on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// The user.
    pub id: UserId,
    /// The name that people see.
    pub name: String,
    /// What the member may do.
    pub role: Role,
}

/// How strictly a column's limit of cards in work is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WipKind {
    /// Shown when exceeded.
    Soft,
    /// A card that would exceed it is rejected.
    Hard,
}

/// Limit of cards in work: open cards of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Wip {
    /// Cards, 1 to 20,000.
    pub limit: u32,
    /// How strictly it is kept.
    pub kind: WipKind,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Column {
    /// Its id.
    pub id: ColumnId,
    /// Its title.
    pub title: String,
    /// Its place among the columns.
    pub rank: Rank,
    /// Its limit of cards in work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wip: Option<Wip>,
    /// Whether cards in it count as done.
    #[serde(default, skip_serializing_if = "is_default")]
    pub done: bool,
    /// Whether it is archived, and with it hidden.
    #[serde(default, skip_serializing_if = "is_default")]
    pub archived: bool,
}

/// A label; a `/` in the name groups labels (`area/backend`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Label {
    /// Its id.
    pub id: LabelId,
    /// Its name; may be empty, then the colour stands alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its colour: a name of the palette or `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// What values a custom field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A decimal number, kept as text so that it stays exact.
    Number,
    /// True or false.
    Checkbox,
    /// A moment.
    Date,
    /// One of the field's options.
    List,
}

/// An option of a custom field of kind `list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldOption {
    /// Its id, unique in the field.
    pub id: OptionId,
    /// Its name.
    pub name: String,
    /// Its colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// The definition of a custom field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// Its name.
    pub name: String,
    /// What values it takes.
    pub kind: FieldKind,
    /// The options of kind `list`, in the order in which they are offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
}

/// The value of a custom field on a card; its variant fits the field's kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// Of kind `text`.
    Text(String),
    /// Of kind `number`: a decimal number such as `-12.5`, at most 40 characters.
    Number(String),
    /// Of kind `checkbox`.
    Checkbox(bool),
    /// Of kind `date`.
    Date(Timestamp),
    /// Of kind `list`: an option's id.
    Option(OptionId),
}

/// The value of one custom field on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardField {
    /// The field.
    pub id: FieldId,
    /// Its value on the card.
    pub value: FieldValue,
}

/// A sprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sprint {
    /// Its id.
    pub id: SprintId,
    /// Its title.
    pub title: String,
    /// When it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}

/// How urgent a card is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Not said.
    #[default]
    None,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Urgent.
    Urgent,
}

/// An item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What is to be done.
    pub text: String,
    /// Its place in the checklist.
    pub rank: Rank,
    /// Whether it is done.
    #[serde(default, skip_serializing_if = "is_default")]
    pub done: bool,
    /// Who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// A checklist of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checklist {
    /// Its id.
    pub id: ChecklistId,
    /// Its title.
    pub title: String,
    /// Its place among the card's checklists.
    pub rank: Rank,
    /// Its items.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Item>"))]
    pub items: BTreeMap<ItemId, Item>,
}

/// An attachment of a card, as metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// The name that people see.
    pub name: String,
    /// The media type, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// The size in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<ByteSize>,
    /// Where it is, for a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who added it, and when.
    pub added: Stamp,
}

/// All that the board's view shows: what a snapshot holds and what the board's hash covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct View {
    /// The board's id.
    pub id: BoardId,
    /// Its title.
    pub title: String,
    /// Its background: a colour of the palette or `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "is_default")]
    pub archived: bool,
    /// The number of the next card.
    pub next_number: u32,
    /// Its members.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Member>"))]
    pub members: BTreeMap<UserId, Member>,
    /// Its columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Column>"))]
    pub columns: BTreeMap<ColumnId, Column>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Label>"))]
    pub labels: BTreeMap<LabelId, Label>,
    /// Its custom fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Field>"))]
    pub fields: BTreeMap<FieldId, Field>,
    /// Its sprints.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Sprint>"))]
    pub sprints: BTreeMap<SprintId, Sprint>,
    /// Its cards, archived ones included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Card>"))]
    pub cards: BTreeMap<CardId, Card>,
}

impl View {
    /// An empty board.
    pub fn new(id: BoardId, title: String) -> Self {
        Self {
            id,
            title,
            background: None,
            archived: false,
            next_number: 1,
            members: BTreeMap::new(),
            columns: BTreeMap::new(),
            labels: BTreeMap::new(),
            fields: BTreeMap::new(),
            sprints: BTreeMap::new(),
            cards: BTreeMap::new(),
        }
    }

    /// The board itself, without its collections.
    #[must_use]
    pub fn head(&self) -> Self {
        Self {
            background: self.background.clone(),
            archived: self.archived,
            next_number: self.next_number,
            ..Self::new(self.id, self.title.clone())
        }
    }
}

macro_rules! keyed {
    ($($value:ty => $key:ty),* $(,)?) => {
        $(impl Keyed for $value {
            type Key = $key;

            fn key(&self) -> $key {
                self.id
            }
        })*
    };
}

keyed!(
    Member => UserId,
    Column => ColumnId,
    Label => LabelId,
    Field => FieldId,
    Sprint => SprintId,
    Card => CardId,
    Checklist => ChecklistId,
    Item => ItemId,
    Comment => CommentId,
    Attachment => AttachmentId,
);
