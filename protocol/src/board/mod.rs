//! The board: what it is made of, what may be done to it, and what has happened to it.

mod apply;
mod arrange;
mod by_id;
mod card;
mod decide;
mod digest;
mod document;
mod inverse;
mod merge;
mod model;
mod permission;
mod rejection;
mod transact;
mod undo;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

pub use apply::{ApplyError, Moment};
pub use by_id::Keyed;
pub use card::{Card, CardKey, Comment, Detail, DetailMark};
pub use decide::{Actor, decide, title_of_new_board};
pub use digest::{detail_digest, view_hash};
pub use document::{
    BoardDocument, DOCUMENT_FORMAT, DOCUMENT_VERSION, DocumentCard, DocumentColumn,
};
pub use inverse::inverse;
pub use merge::{Incoming, Knows, Merged, Omissions, Skipped, merge};
pub use model::{
    Attachment, CardField, Checklist, Column, Field, FieldKind, FieldOption, FieldValue, Item,
    Label, Member, Priority, Role, Sprint, Stamp, View, Wip, WipKind,
};
pub use permission::{Action, Pass, Scope, Who};
pub use rejection::{Conflict, Reason, Rejection};
pub use transact::{Applied, Seen, install, rejection_of, transact};
pub use undo::{Deed, undo};
pub use verify::Fault;

use crate::ids::{AnyId, CardId, ColumnId};
use crate::order::Rank;

/// The cards of a column in their order: by rank, and by id should two ranks ever be equal.
type Lane = BTreeSet<(Rank, CardId)>;

/// A board with all that its one writer needs to decide: the view, the details of its cards, the
/// order of cards in their columns and the ids that may not be used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    view: View,
    details: BTreeMap<CardId, Detail>,
    lanes: BTreeMap<ColumnId, Lane>,
    buried: BTreeSet<AnyId>,
}

impl Board {
    /// A board from its parts, as they were stored or exported. Details of cards that are not in the
    /// view are dropped.
    pub fn new(view: View, mut details: BTreeMap<CardId, Detail>, buried: BTreeSet<AnyId>) -> Self {
        details.retain(|card, _| view.cards.contains_key(card));
        let mut lanes: BTreeMap<ColumnId, Lane> = BTreeMap::new();
        for card in view.cards.values() {
            lanes
                .entry(card.column)
                .or_default()
                .insert((card.rank.clone(), card.id));
        }
        Self {
            view,
            details,
            lanes,
            buried,
        }
    }

    /// What everybody sees.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What an opened card shows; `None` where it is empty.
    pub fn detail(&self, card: CardId) -> Option<&Detail> {
        self.details.get(&card)
    }

    /// Details that are not empty, by card.
    pub fn details(&self) -> &BTreeMap<CardId, Detail> {
        &self.details
    }

    /// Ids of deleted things.
    pub fn buried(&self) -> &BTreeSet<AnyId> {
        &self.buried
    }

    /// The cards of a column in their order, archived ones included.
    pub fn lane(&self, column: ColumnId) -> impl DoubleEndedIterator<Item = &Card> {
        self.lanes
            .get(&column)
            .into_iter()
            .flatten()
            .filter_map(|(_, id)| self.view.cards.get(id))
    }

    /// The columns in their order, archived ones included.
    pub fn columns(&self) -> Vec<&Column> {
        let mut columns: Vec<_> = self.view.columns.values().collect();
        columns.sort_by(|a, b| a.rank.cmp(&b.rank));
        columns
    }

    /// Rough count of bytes in memory, for the bound on loaded boards.
    pub fn weight_bytes(&self) -> usize {
        let details = self.details.values().map(|detail| {
            let comments = detail.comments.values().map(|c| 192 + c.text.len());
            128 + detail.description.len() + comments.sum::<usize>()
        });
        let cards = self.view.cards.values().map(|card| {
            let items = card.checklists.values().map(|list| list.items.len());
            1_024 + card.attachments.len() * 256 + items.map(|count| count * 192).sum::<usize>()
        });
        let others = self.view.members.len() + self.view.labels.len() + self.view.sprints.len();
        4_096
            + others * 128
            + self.buried.len() * 32
            + cards.sum::<usize>()
            + details.sum::<usize>()
    }
}
