//! What a client asks for. `decide` answers with events, with nothing to do, or with a rejection.

mod change;
mod place;
mod subject;

use serde::{Deserialize, Serialize};

pub use change::CardChange;
pub use place::Place;

use crate::board::{FieldKind, FieldOption, FieldValue, Role, Wip};
use crate::ids::{
    AttachmentId, CardId, ChecklistId, ColumnId, CommentId, FieldId, ItemId, LabelId, SprintId,
    UserId,
};
use crate::patch::{self, is_false};
use crate::position::{ByteSize, Timestamp, Version};

/// One wish of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum Command {
    /// Change the board itself.
    #[serde(rename = "board.set")]
    BoardSet {
        /// The title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The background.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        background: Option<Option<String>>,
        /// Whether it is archived.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<bool>,
    },
    /// Add a member, or give a member this role and name.
    #[serde(rename = "member.add")]
    MemberAdd {
        /// Who.
        user: UserId,
        /// The name that people see; the id where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What the member may do.
        role: Role,
    },
    /// Take a member off the board and off its cards.
    #[serde(rename = "member.remove")]
    MemberRemove {
        /// Who.
        user: UserId,
    },
    /// Make a column.
    #[serde(rename = "column.create")]
    ColumnCreate {
        /// Its new id.
        column: ColumnId,
        /// Its title.
        title: String,
        /// Its limit of cards in work.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wip: Option<Wip>,
        /// Whether cards in it count as done.
        #[serde(default, skip_serializing_if = "is_false")]
        done: bool,
        /// Where.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<ColumnId>,
    },
    /// Change a column.
    #[serde(rename = "column.set")]
    ColumnSet {
        /// Which.
        column: ColumnId,
        /// The title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The limit of cards in work.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        wip: Option<Option<Wip>>,
        /// Whether cards in it count as done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done: Option<bool>,
        /// Whether it is archived.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<bool>,
    },
    /// Move a column.
    #[serde(rename = "column.move")]
    ColumnMove {
        /// Which.
        column: ColumnId,
        /// Where.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<ColumnId>,
    },
    /// Delete a column that holds no card.
    #[serde(rename = "column.remove")]
    ColumnRemove {
        /// Which.
        column: ColumnId,
    },
    /// Make a label.
    #[serde(rename = "label.create")]
    LabelCreate {
        /// Its new id.
        label: LabelId,
        /// Its name.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        /// Its colour.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<String>,
    },
    /// Change a label.
    #[serde(rename = "label.set")]
    LabelSet {
        /// Which.
        label: LabelId,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The colour.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        color: Option<Option<String>>,
    },
    /// Delete a label and take it off all cards.
    #[serde(rename = "label.remove")]
    LabelRemove {
        /// Which.
        label: LabelId,
    },
    /// Make a custom field.
    #[serde(rename = "field.create")]
    FieldCreate {
        /// Its new id.
        field: FieldId,
        /// Its name.
        name: String,
        /// What values it takes.
        kind: FieldKind,
        /// The options of kind `list`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<FieldOption>,
    },
    /// Change a custom field. An option that a card has cannot be taken away.
    #[serde(rename = "field.set")]
    FieldSet {
        /// Which.
        field: FieldId,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// All options.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        options: Option<Vec<FieldOption>>,
    },
    /// Delete a custom field and its values on all cards.
    #[serde(rename = "field.remove")]
    FieldRemove {
        /// Which.
        field: FieldId,
    },
    /// Make a sprint.
    #[serde(rename = "sprint.create")]
    SprintCreate {
        /// Its new id.
        sprint: SprintId,
        /// Its title.
        title: String,
        /// When it starts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<Timestamp>,
        /// When it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<Timestamp>,
    },
    /// Change a sprint.
    #[serde(rename = "sprint.set")]
    SprintSet {
        /// Which.
        sprint: SprintId,
        /// The title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// When it starts.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        start: Option<Option<Timestamp>>,
        /// When it ends.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        end: Option<Option<Timestamp>>,
    },
    /// Delete a sprint and take all cards out of it.
    #[serde(rename = "sprint.remove")]
    SprintRemove {
        /// Which.
        sprint: SprintId,
    },
    /// Make a card.
    #[serde(rename = "card.create")]
    CardCreate {
        /// Its new id.
        card: CardId,
        /// Its column.
        column: ColumnId,
        /// Its title.
        title: String,
        /// Where in the column.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<CardId>,
        /// More of its fields; `title` here is not read.
        #[serde(default, skip_serializing_if = "CardChange::is_unset")]
        set: Box<CardChange>,
        /// Its labels.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        labels: Vec<LabelId>,
        /// Its assignees.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assignees: Vec<UserId>,
    },
    /// Change fields of a card.
    #[serde(rename = "card.set")]
    CardSet {
        /// Which.
        card: CardId,
        /// Their values.
        set: Box<CardChange>,
    },
    /// Move a card, within its column or to another.
    #[serde(rename = "card.move")]
    CardMove {
        /// Which.
        card: CardId,
        /// To which column.
        column: ColumnId,
        /// Where in the column.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<CardId>,
    },
    /// Archive a card, or restore it.
    #[serde(rename = "card.archive")]
    CardArchive {
        /// Which.
        card: CardId,
        /// Archive or restore.
        archived: bool,
    },
    /// Delete a card for good.
    #[serde(rename = "card.remove")]
    CardRemove {
        /// Which.
        card: CardId,
    },
    /// Put a label on a card, or take it off.
    #[serde(rename = "card.label")]
    CardLabel {
        /// Which card.
        card: CardId,
        /// Which label.
        label: LabelId,
        /// On or off.
        on: bool,
    },
    /// Assign a member to a card, or take the member off.
    #[serde(rename = "card.assign")]
    CardAssign {
        /// Which card.
        card: CardId,
        /// Which member.
        user: UserId,
        /// On or off.
        on: bool,
    },
    /// Say that a card is blocked by another, or is not.
    #[serde(rename = "card.block")]
    CardBlock {
        /// Which card.
        card: CardId,
        /// The card that must be done first.
        by: CardId,
        /// On or off.
        on: bool,
    },
    /// Set a custom field of a card, or clear it.
    #[serde(rename = "card.field")]
    CardField {
        /// Which card.
        card: CardId,
        /// Which field.
        field: FieldId,
        /// The value; absent or `null` clears.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<FieldValue>,
    },
    /// Make a checklist.
    #[serde(rename = "checklist.create")]
    ChecklistCreate {
        /// Which card.
        card: CardId,
        /// Its new id.
        checklist: ChecklistId,
        /// Its title.
        title: String,
        /// Where on the card.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<ChecklistId>,
    },
    /// Rename a checklist.
    #[serde(rename = "checklist.set")]
    ChecklistSet {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
        /// The title.
        title: String,
    },
    /// Move a checklist on its card.
    #[serde(rename = "checklist.move")]
    ChecklistMove {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
        /// Where on the card.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<ChecklistId>,
    },
    /// Delete a checklist with its items.
    #[serde(rename = "checklist.remove")]
    ChecklistRemove {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
    },
    /// Make an item.
    #[serde(rename = "item.create")]
    ItemCreate {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
        /// Its new id.
        item: ItemId,
        /// What is to be done.
        text: String,
        /// Where in the checklist.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<ItemId>,
    },
    /// Change an item.
    #[serde(rename = "item.set")]
    ItemSet {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
        /// Which item.
        item: ItemId,
        /// What is to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Whether it is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done: Option<bool>,
        /// Who does it.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        assignee: Option<Option<UserId>>,
        /// When it is due.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "patch::present"
        )]
        due: Option<Option<Timestamp>>,
    },
    /// Move an item in its checklist.
    #[serde(rename = "item.move")]
    ItemMove {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
        /// Which item.
        item: ItemId,
        /// Where in the checklist.
        #[serde(default, skip_serializing_if = "Place::is_end")]
        place: Place<ItemId>,
    },
    /// Delete an item.
    #[serde(rename = "item.remove")]
    ItemRemove {
        /// Which card.
        card: CardId,
        /// Which checklist.
        checklist: ChecklistId,
        /// Which item.
        item: ItemId,
    },
    /// Write a comment.
    #[serde(rename = "comment.create")]
    CommentCreate {
        /// Which card.
        card: CardId,
        /// Its new id.
        comment: CommentId,
        /// The text, in Markdown.
        text: String,
    },
    /// Change a comment of one's own.
    #[serde(rename = "comment.set")]
    CommentSet {
        /// Which card.
        card: CardId,
        /// Which comment.
        comment: CommentId,
        /// The text.
        text: String,
    },
    /// Delete a comment: one's own, or any as an admin of the board.
    #[serde(rename = "comment.remove")]
    CommentRemove {
        /// Which card.
        card: CardId,
        /// Which comment.
        comment: CommentId,
    },
    /// Attach a link, or name a file.
    #[serde(rename = "attachment.add")]
    AttachmentAdd {
        /// Which card.
        card: CardId,
        /// Its new id.
        attachment: AttachmentId,
        /// The name that people see.
        name: String,
        /// The media type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime: Option<String>,
        /// The size in bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<ByteSize>,
        /// Where it is: `http:` or `https:`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// Rename an attachment.
    #[serde(rename = "attachment.set")]
    AttachmentSet {
        /// Which card.
        card: CardId,
        /// Which attachment.
        attachment: AttachmentId,
        /// The name.
        name: String,
    },
    /// Take an attachment off a card.
    #[serde(rename = "attachment.remove")]
    AttachmentRemove {
        /// Which card.
        card: CardId,
        /// Which attachment.
        attachment: AttachmentId,
    },
    /// Undo a version that the same user made, where nobody has changed since what it changed. It
    /// goes alone in its submit.
    #[serde(rename = "version.undo")]
    VersionUndo {
        /// Which.
        version: Version,
    },
}
