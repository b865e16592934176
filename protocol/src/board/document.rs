//! A board as one JSON document: what `boardcast export` writes and `boardcast import json` reads.
//!
//! Columns stand in order, each with its cards in order, archived ones included and marked. The
//! order in the file is the truth: ranks are kept where they agree with it, else a column's cards
//! are ranked anew. Unknown fields are ignored; what is missing gets its default.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::verify::Fault;
use super::{
    Attachment, Board, Card, CardField, CardKey, Checklist, Column, Comment, Detail, DetailMark,
    Field, Keyed, Label, Member, Priority, Sprint, Stamp, View, Wip, by_id, detail_digest,
};
use crate::ids::{
    AnyId, AttachmentId, BoardId, CardId, ChecklistId, ColumnId, LabelId, SprintId, UserId,
};
use crate::limits::{
    BURIED_MAX, CARD_COMMENTS_MAX, CARDS_MAX, COLUMNS_MAX, FIELDS_MAX, LABELS_MAX, MEMBERS_MAX,
    SPRINTS_MAX,
};
use crate::order::{self, Rank};
use crate::position::{Timestamp, Version};

/// The value of `format`.
pub const DOCUMENT_FORMAT: &str = "boardcast.board";
/// The value of `version`: rises when an older reader would misunderstand a document.
pub const DOCUMENT_VERSION: u32 = 1;

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A board with everything it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardDocument {
    /// [`DOCUMENT_FORMAT`].
    pub format: String,
    /// [`DOCUMENT_VERSION`].
    pub version: u32,
    /// The board's id.
    pub id: BoardId,
    /// Its title.
    pub title: String,
    /// Its background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "is_default")]
    pub archived: bool,
    /// The number of the next card.
    #[serde(default)]
    pub next_number: u32,
    /// Its members.
    #[serde(default, deserialize_with = "at_most::<_, _, MEMBERS_MAX>")]
    pub members: Vec<Member>,
    /// Its labels.
    #[serde(default, deserialize_with = "at_most::<_, _, LABELS_MAX>")]
    pub labels: Vec<Label>,
    /// Its custom fields.
    #[serde(default, deserialize_with = "at_most::<_, _, FIELDS_MAX>")]
    pub fields: Vec<Field>,
    /// Its sprints.
    #[serde(default, deserialize_with = "at_most::<_, _, SPRINTS_MAX>")]
    pub sprints: Vec<Sprint>,
    /// Its columns, in order.
    #[serde(deserialize_with = "columns")]
    pub columns: Vec<DocumentColumn>,
    /// Ids of deleted things, which are not used again.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "at_most::<_, _, BURIED_MAX>"
    )]
    pub deleted: Vec<AnyId>,
}

/// A column with its cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentColumn {
    /// Its id.
    pub id: ColumnId,
    /// Its title.
    pub title: String,
    /// Its place among the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// Its limit of cards in work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wip: Option<Wip>,
    /// Whether cards in it count as done.
    #[serde(default, skip_serializing_if = "is_default")]
    pub done: bool,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "is_default")]
    pub archived: bool,
    /// Its cards, in order.
    #[serde(default, deserialize_with = "at_most::<_, _, CARDS_MAX>")]
    pub cards: Vec<DocumentCard>,
}

macro_rules! document_card {
    ($($(#[$attribute:meta])* $name:ident: $type:ty,)*) => {
        /// A card with its detail. Fields mean what they mean on [`Card`]; its column is the one
        /// that it stands in.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct DocumentCard {
            /// Its place in the column.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub rank: Option<Rank>,
            $(#[doc = "See [`Card`]."] $(#[$attribute])* pub $name: $type,)*
            /// The description, in Markdown.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            pub description: String,
            /// The comments, by id.
            #[serde(
                default,
                skip_serializing_if = "Vec::is_empty",
                deserialize_with = "at_most::<_, _, CARD_COMMENTS_MAX>"
            )]
            pub comments: Vec<Comment>,
            /// The version that changed the description or a comment last.
            #[serde(default, skip_serializing_if = "is_default")]
            pub detail_rev: Version,
        }

        impl DocumentCard {
            fn new(card: &Card, detail: Option<&Detail>) -> Self {
                let (description, comments) = detail
                    .map(|d| (d.description.clone(), d.comments.values().cloned().collect()))
                    .unwrap_or_default();
                Self {
                    rank: Some(card.rank.clone()),
                    $($name: card.$name.clone(),)*
                    description,
                    comments,
                    detail_rev: card.detail.rev,
                }
            }

            fn into_card(self, column: ColumnId, rank: Rank) -> Result<(Card, Detail), Fault> {
                let detail = Detail {
                    description: self.description,
                    comments: keyed(self.comments, "comments")?,
                };
                let mark = DetailMark {
                    rev: self.detail_rev,
                    ..DetailMark::of(&detail)
                };
                let card = Card { column, rank, detail: mark, $($name: self.$name,)* };
                Ok((card, detail))
            }
        }
    };
}

document_card! {
    id: CardId,
    number: u32,
    title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    assignees: Vec<UserId>,
    #[serde(default, skip_serializing_if = "is_default")]
    priority: Priority,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    complete: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    estimate: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<CardId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sprint: Option<SprintId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cover: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocked_by: Vec<CardId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<CardField>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    checklists: BTreeMap<ChecklistId, Checklist>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_id")]
    attachments: BTreeMap<AttachmentId, Attachment>,
    #[serde(default, skip_serializing_if = "is_default")]
    archived: bool,
    created: Stamp,
    changed: Stamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    revs: BTreeMap<CardKey, Version>,
}

impl DetailMark {
    /// What the view knows of a detail; the revision is 0.
    pub fn of(detail: &Detail) -> Self {
        Self {
            rev: Version::default(),
            digest: detail_digest(detail),
            described: !detail.description.is_empty(),
            comments: u32::try_from(detail.comments.len()).unwrap_or(u32::MAX),
        }
    }
}

impl BoardDocument {
    /// The document of a board.
    pub fn from_board(board: &Board) -> Self {
        let view = board.view();
        let columns = board.columns().into_iter().map(|column| DocumentColumn {
            id: column.id,
            title: column.title.clone(),
            rank: Some(column.rank.clone()),
            wip: column.wip,
            done: column.done,
            archived: column.archived,
            cards: board
                .lane(column.id)
                .map(|card| DocumentCard::new(card, board.detail(card.id)))
                .collect(),
        });
        Self {
            format: DOCUMENT_FORMAT.into(),
            version: DOCUMENT_VERSION,
            id: view.id,
            title: view.title.clone(),
            background: view.background.clone(),
            archived: view.archived,
            next_number: view.next_number,
            members: view.members.values().cloned().collect(),
            labels: view.labels.values().cloned().collect(),
            fields: view.fields.values().cloned().collect(),
            sprints: view.sprints.values().cloned().collect(),
            columns: columns.collect(),
            deleted: board.buried().iter().copied().collect(),
        }
    }

    /// The board of the document.
    ///
    /// # Errors
    /// It is not such a document, an id stands twice, or the board breaks a rule.
    pub fn into_board(self) -> Result<Board, Fault> {
        if self.format != DOCUMENT_FORMAT {
            let hint = format!("it is {:?}, not {DOCUMENT_FORMAT:?}", self.format);
            return Err(Fault::new("format", hint));
        }
        if self.version != DOCUMENT_VERSION {
            let hint = format!(
                "it is {}; this program reads version {DOCUMENT_VERSION}",
                self.version
            );
            return Err(Fault::new("version", hint));
        }
        let mut view = View::new(self.id, self.title);
        view.background = self.background;
        view.archived = self.archived;
        view.members = keyed(self.members, "members")?;
        view.labels = keyed(self.labels, "labels")?;
        view.fields = keyed(self.fields, "fields")?;
        view.sprints = keyed(self.sprints, "sprints")?;
        let mut details = BTreeMap::new();
        let ranks = ascending(self.columns.iter().map(|column| column.rank.as_ref()))?;
        for ((c, column), rank) in self.columns.into_iter().enumerate().zip(ranks) {
            let path = format!("columns[{c}]");
            let cards = put_column(&mut view, column, rank, &path)?;
            put_cards(&mut view, &mut details, cards, &path)?;
        }
        let past_last = view
            .cards
            .values()
            .map(|card| card.number.saturating_add(1))
            .max();
        view.next_number = self.next_number.max(past_last.unwrap_or(1));
        let buried: BTreeSet<_> = self.deleted.into_iter().collect();
        let board = Board::new(view, details, buried);
        board.verify()?;
        Ok(board)
    }
}

type Cards = (ColumnId, Vec<DocumentCard>);

fn put_column(
    view: &mut View,
    column: DocumentColumn,
    rank: Rank,
    path: &str,
) -> Result<Cards, Fault> {
    let DocumentColumn {
        id,
        title,
        wip,
        done,
        archived,
        cards,
        rank: _,
    } = column;
    let column = Column {
        id,
        title,
        rank,
        wip,
        done,
        archived,
    };
    if view.columns.insert(id, column).is_some() {
        return Err(twice(path, id));
    }
    Ok((id, cards))
}

fn put_cards(
    view: &mut View,
    details: &mut BTreeMap<CardId, Detail>,
    (column, cards): Cards,
    path: &str,
) -> Result<(), Fault> {
    let ranks = ascending(cards.iter().map(|card| card.rank.as_ref()))?;
    for ((k, card), rank) in cards.into_iter().enumerate().zip(ranks) {
        let path = format!("{path}.cards[{k}]");
        let id = card.id;
        let (card, detail) = card
            .into_card(column, rank)
            .map_err(|fault| Fault::new(format_args!("{path}.{}", fault.path), fault.hint))?;
        if view.cards.insert(id, card).is_some() {
            return Err(twice(path, id));
        }
        if !detail.is_empty() {
            details.insert(id, detail);
        }
    }
    Ok(())
}

fn twice(path: impl fmt::Display, id: impl fmt::Display) -> Fault {
    Fault::new(path, format_args!("the id {id} stands twice"))
}

/// The ranks as they are where all are there and rise, else new ones.
fn ascending<'a>(ranks: impl Iterator<Item = Option<&'a Rank>>) -> Result<Vec<Rank>, Fault> {
    let ranks: Vec<_> = ranks.collect();
    let rise = ranks.windows(2).all(|pair| pair[0] < pair[1]);
    let kept: Option<Vec<_>> = ranks.iter().map(|rank| rank.cloned()).collect();
    kept.filter(|_| rise)
        .or_else(|| order::spread(None, None, ranks.len()))
        .ok_or_else(|| Fault::new("columns", "there are too many"))
}

fn keyed<T: Keyed>(things: Vec<T>, path: &str) -> Result<BTreeMap<T::Key, T>, Fault> {
    let mut map = BTreeMap::new();
    for (index, thing) in things.into_iter().enumerate() {
        let key = thing.key();
        if map.insert(key, thing).is_some() {
            return Err(twice(format_args!("{path}[{index}]"), key));
        }
    }
    Ok(map)
}

/// Reads an array and stops at the first thing over the limit, before it fills the memory.
fn at_most<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Bounded<T, const MAX: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Bounded<T, MAX> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of at most {MAX}")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut things: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(thing) = things.next_element()? {
                if read.len() == MAX {
                    return Err(over::<A::Error>(MAX));
                }
                read.push(thing);
            }
            Ok(read)
        }
    }

    deserializer.deserialize_seq(Bounded::<T, MAX>(PhantomData))
}

fn over<E: Error>(max: usize) -> E {
    E::custom(format_args!("there are more than {max}"))
}

/// Reads the columns and stops when all of them together hold too many cards.
fn columns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DocumentColumn>, D::Error> {
    struct Columns;

    impl<'de> Visitor<'de> for Columns {
        type Value = Vec<DocumentColumn>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of columns")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut things: A) -> Result<Self::Value, A::Error> {
            let mut read = Vec::new();
            let mut cards = 0;
            while let Some(column) = things.next_element::<DocumentColumn>()? {
                cards += column.cards.len();
                if read.len() == COLUMNS_MAX {
                    return Err(over::<A::Error>(COLUMNS_MAX));
                }
                if cards > CARDS_MAX {
                    let hint = format!("a board takes at most {CARDS_MAX} cards");
                    return Err(A::Error::custom(hint));
                }
                read.push(column);
            }
            Ok(read)
        }
    }

    deserializer.deserialize_seq(Columns)
}

#[cfg(test)]
pub(super) mod tests;
