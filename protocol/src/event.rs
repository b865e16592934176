//! What happened: resulting values, which `apply` only assigns (rule R14).
//!
//! `X.put` states a whole thing, new or replaced; `X.set` states some of its fields; `X.removed`
//! takes it away. Everything that follows from a change is an event of its own: nothing cascades.

use serde::{Deserialize, Serialize};

use crate::board::{
    Attachment, Card, CardField, CardKey, Checklist, Column, Comment, Detail, Field, Item, Label,
    Member, Priority, Sprint,
};
use crate::ids::{
    AnyId, AttachmentId, CardId, ChecklistId, ColumnId, CommentId, FieldId, ItemId, LabelId,
    SprintId, UserId,
};
use crate::order::Rank;
use crate::patch;
use crate::position::Timestamp;

/// New values of some fields of a card. Absent fields stay as they are, `null` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CardPatch {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The column; together with `rank`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<ColumnId>,
    /// The rank in the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// All labels, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<LabelId>>,
    /// All assignees, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignees: Option<Vec<UserId>>,
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
    /// The estimate.
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
    /// All blockers, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<Vec<CardId>>,
    /// All values of custom fields, sorted by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<CardField>>,
    /// Whether the card is archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

impl CardPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The fields whose revision it raises.
    pub fn keys(&self) -> impl Iterator<Item = CardKey> {
        [
            (self.title.is_some(), CardKey::Title),
            (self.column.is_some() || self.rank.is_some(), CardKey::Place),
            (self.labels.is_some(), CardKey::Labels),
            (self.assignees.is_some(), CardKey::Assignees),
            (self.priority.is_some(), CardKey::Priority),
            (self.start.is_some(), CardKey::Start),
            (self.due.is_some(), CardKey::Due),
            (self.complete.is_some(), CardKey::Complete),
            (self.estimate.is_some(), CardKey::Estimate),
            (self.parent.is_some(), CardKey::Parent),
            (self.sprint.is_some(), CardKey::Sprint),
            (self.cover.is_some(), CardKey::Cover),
            (self.blocked_by.is_some(), CardKey::BlockedBy),
            (self.fields.is_some(), CardKey::Fields),
            (self.archived.is_some(), CardKey::Archived),
        ]
        .into_iter()
        .filter_map(|(set, key)| set.then_some(key))
    }
}

/// One change of a board.
///
/// An event about a card, except `card.put` and `card.ranked`, also sets the card's `changed` to
/// the author and time of its version, and the revisions of the fields it sets to its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum Event {
    /// Fields of the board itself.
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
    /// A member.
    #[serde(rename = "member.put")]
    MemberPut {
        /// The member.
        member: Member,
    },
    /// A member left.
    #[serde(rename = "member.removed")]
    MemberRemoved {
        /// Who.
        user: UserId,
    },
    /// A column.
    #[serde(rename = "column.put")]
    ColumnPut {
        /// The column.
        column: Column,
    },
    /// A column is gone; no card was in it any more.
    #[serde(rename = "column.removed")]
    ColumnRemoved {
        /// Which.
        column: ColumnId,
    },
    /// A label.
    #[serde(rename = "label.put")]
    LabelPut {
        /// The label.
        label: Label,
    },
    /// A label is gone; no card bears it any more.
    #[serde(rename = "label.removed")]
    LabelRemoved {
        /// Which.
        label: LabelId,
    },
    /// A custom field.
    #[serde(rename = "field.put")]
    FieldPut {
        /// The field.
        field: Field,
    },
    /// A custom field is gone; no card has a value of it any more.
    #[serde(rename = "field.removed")]
    FieldRemoved {
        /// Which.
        field: FieldId,
    },
    /// A sprint.
    #[serde(rename = "sprint.put")]
    SprintPut {
        /// The sprint.
        sprint: Sprint,
    },
    /// A sprint is gone; no card is in it any more.
    #[serde(rename = "sprint.removed")]
    SprintRemoved {
        /// Which.
        sprint: SprintId,
    },
    /// A card as a whole.
    #[serde(rename = "card.put")]
    CardPut {
        /// The card.
        card: Box<Card>,
        /// Its detail; absent where it stays as it is, empty for a new card.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<Box<Detail>>,
        /// The number of the next card of the board.
        next_number: u32,
    },
    /// Fields of a card.
    #[serde(rename = "card.set")]
    CardSet {
        /// Which.
        card: CardId,
        /// Their values.
        set: Box<CardPatch>,
    },
    /// A card got another rank, to make room for a neighbour.
    #[serde(rename = "card.ranked")]
    CardRanked {
        /// Which.
        card: CardId,
        /// Its rank in its column.
        rank: Rank,
    },
    /// A card is gone; no other card refers to it any more.
    #[serde(rename = "card.removed")]
    CardRemoved {
        /// Which.
        card: CardId,
    },
    /// A card's description.
    #[serde(rename = "card.described")]
    CardDescribed {
        /// Which.
        card: CardId,
        /// The description.
        text: String,
        /// Digest of the card's detail.
        digest: String,
    },
    /// A comment.
    #[serde(rename = "comment.put")]
    CommentPut {
        /// The card.
        card: CardId,
        /// The comment.
        comment: Comment,
        /// Count of the card's comments.
        comments: u32,
        /// Digest of the card's detail.
        digest: String,
    },
    /// A comment is gone.
    #[serde(rename = "comment.removed")]
    CommentRemoved {
        /// The card.
        card: CardId,
        /// Which.
        comment: CommentId,
        /// Count of the card's comments.
        comments: u32,
        /// Digest of the card's detail.
        digest: String,
    },
    /// A checklist with its items.
    #[serde(rename = "checklist.put")]
    ChecklistPut {
        /// The card.
        card: CardId,
        /// The checklist.
        checklist: Checklist,
    },
    /// Fields of a checklist.
    #[serde(rename = "checklist.set")]
    ChecklistSet {
        /// The card.
        card: CardId,
        /// Which.
        checklist: ChecklistId,
        /// The title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The rank among the card's checklists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rank: Option<Rank>,
    },
    /// A checklist is gone with its items.
    #[serde(rename = "checklist.removed")]
    ChecklistRemoved {
        /// The card.
        card: CardId,
        /// Which.
        checklist: ChecklistId,
    },
    /// An item of a checklist.
    #[serde(rename = "item.put")]
    ItemPut {
        /// The card.
        card: CardId,
        /// The checklist.
        checklist: ChecklistId,
        /// The item.
        item: Item,
    },
    /// An item is gone.
    #[serde(rename = "item.removed")]
    ItemRemoved {
        /// The card.
        card: CardId,
        /// The checklist.
        checklist: ChecklistId,
        /// Which.
        item: ItemId,
    },
    /// An attachment's metadata.
    #[serde(rename = "attachment.put")]
    AttachmentPut {
        /// The card.
        card: CardId,
        /// The attachment.
        attachment: Attachment,
    },
    /// An attachment is gone.
    #[serde(rename = "attachment.removed")]
    AttachmentRemoved {
        /// The card.
        card: CardId,
        /// Which.
        attachment: AttachmentId,
    },
}

/// A part of a board that is stored as one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// The board itself.
    Board,
    /// A member.
    Member(UserId),
    /// A column.
    Column(ColumnId),
    /// A label.
    Label(LabelId),
    /// A custom field.
    Field(FieldId),
    /// A sprint.
    Sprint(SprintId),
    /// A card, without its detail.
    Card(CardId),
    /// The detail of a card.
    Detail(CardId),
}

impl Event {
    /// The parts of the board that it changes, at most three.
    pub fn touches(&self) -> impl Iterator<Item = Entity> + use<> {
        let parts = match self {
            Self::BoardSet { .. } => [Some(Entity::Board), None, None],
            Self::MemberPut { member } => [Some(Entity::Member(member.id)), None, None],
            Self::MemberRemoved { user } => [Some(Entity::Member(*user)), None, None],
            Self::ColumnPut { column } => [Some(Entity::Column(column.id)), None, None],
            Self::ColumnRemoved { column } => [Some(Entity::Column(*column)), None, None],
            Self::LabelPut { label } => [Some(Entity::Label(label.id)), None, None],
            Self::LabelRemoved { label } => [Some(Entity::Label(*label)), None, None],
            Self::FieldPut { field } => [Some(Entity::Field(field.id)), None, None],
            Self::FieldRemoved { field } => [Some(Entity::Field(*field)), None, None],
            Self::SprintPut { sprint } => [Some(Entity::Sprint(sprint.id)), None, None],
            Self::SprintRemoved { sprint } => [Some(Entity::Sprint(*sprint)), None, None],
            Self::CardPut { card, detail, .. } => [
                Some(Entity::Board),
                Some(Entity::Card(card.id)),
                detail.is_some().then_some(Entity::Detail(card.id)),
            ],
            Self::CardRemoved { card }
            | Self::CardDescribed { card, .. }
            | Self::CommentPut { card, .. }
            | Self::CommentRemoved { card, .. } => {
                [Some(Entity::Card(*card)), Some(Entity::Detail(*card)), None]
            }
            Self::CardSet { card, .. }
            | Self::CardRanked { card, .. }
            | Self::ChecklistPut { card, .. }
            | Self::ChecklistSet { card, .. }
            | Self::ChecklistRemoved { card, .. }
            | Self::ItemPut { card, .. }
            | Self::ItemRemoved { card, .. }
            | Self::AttachmentPut { card, .. }
            | Self::AttachmentRemoved { card, .. } => [Some(Entity::Card(*card)), None, None],
        };
        parts.into_iter().flatten()
    }
}

impl Event {
    /// The card that it is about, if it is about a card.
    pub fn card(&self) -> Option<CardId> {
        match self {
            Self::CardPut { card, .. } => Some(card.id),
            Self::CardSet { card, .. }
            | Self::CardRanked { card, .. }
            | Self::CardRemoved { card }
            | Self::CardDescribed { card, .. }
            | Self::CommentPut { card, .. }
            | Self::CommentRemoved { card, .. }
            | Self::ChecklistPut { card, .. }
            | Self::ChecklistSet { card, .. }
            | Self::ChecklistRemoved { card, .. }
            | Self::ItemPut { card, .. }
            | Self::ItemRemoved { card, .. }
            | Self::AttachmentPut { card, .. }
            | Self::AttachmentRemoved { card, .. } => Some(*card),
            Self::BoardSet { .. }
            | Self::MemberPut { .. }
            | Self::MemberRemoved { .. }
            | Self::ColumnPut { .. }
            | Self::ColumnRemoved { .. }
            | Self::LabelPut { .. }
            | Self::LabelRemoved { .. }
            | Self::FieldPut { .. }
            | Self::FieldRemoved { .. }
            | Self::SprintPut { .. }
            | Self::SprintRemoved { .. } => None,
        }
    }

    /// The id that may not be used again after it.
    pub fn buries(&self) -> Option<AnyId> {
        match self {
            Self::ColumnRemoved { column } => Some((*column).into()),
            Self::LabelRemoved { label } => Some((*label).into()),
            Self::FieldRemoved { field } => Some((*field).into()),
            Self::SprintRemoved { sprint } => Some((*sprint).into()),
            Self::CardRemoved { card } => Some((*card).into()),
            Self::CommentRemoved { comment, .. } => Some((*comment).into()),
            Self::ChecklistRemoved { checklist, .. } => Some((*checklist).into()),
            Self::ItemRemoved { item, .. } => Some((*item).into()),
            Self::AttachmentRemoved { attachment, .. } => Some((*attachment).into()),
            Self::BoardSet { .. }
            | Self::MemberPut { .. }
            | Self::MemberRemoved { .. }
            | Self::ColumnPut { .. }
            | Self::LabelPut { .. }
            | Self::FieldPut { .. }
            | Self::SprintPut { .. }
            | Self::CardPut { .. }
            | Self::CardSet { .. }
            | Self::CardRanked { .. }
            | Self::CardDescribed { .. }
            | Self::CommentPut { .. }
            | Self::ChecklistPut { .. }
            | Self::ChecklistSet { .. }
            | Self::ItemPut { .. }
            | Self::AttachmentPut { .. } => None,
        }
    }
}
