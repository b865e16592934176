//! The board: what it is made of, what may be done to it, and what has happened to it.

mod apply;
mod by_id;
mod decide;
mod digest;
mod inverse;
mod model;
mod permission;
mod rejection;
mod transact;

use std::collections::{BTreeMap, BTreeSet};

pub use apply::{ApplyError, Moment};
pub use by_id::Keyed;
pub use decide::{Actor, decide};
pub use digest::{detail_digest, view_hash};
pub use inverse::inverse;
pub use model::{
    Attachment, Card, CardField, CardKey, Checklist, Column, Comment, Detail, DetailMark, Field,
    FieldKind, FieldOption, FieldValue, Item, Label, Member, Priority, Role, Sprint, Stamp, View,
    Wip, WipKind,
};
pub use permission::Action;
pub use rejection::{Conflict, Reason, Rejection};
pub use transact::{Applied, Seen, install, transact};

use crate::ids::{AnyId, CardId, ColumnId};
use crate::order::Rank;

/// A board with all that its one writer needs to decide: the view, the details of its cards, the
/// order of cards in their columns and the ids that may not be used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    view: View,
    details: BTreeMap<CardId, Detail>,
    lanes: BTreeMap<ColumnId, BTreeMap<Rank, CardId>>,
    buried: BTreeSet<AnyId>,
}

impl Board {
    /// A board from its parts, as they were stored or exported. Details of cards that are not in the
    /// view are dropped.
    pub fn new(view: View, mut details: BTreeMap<CardId, Detail>, buried: BTreeSet<AnyId>) -> Self {
        details.retain(|card, _| view.cards.contains_key(card));
        let mut lanes: BTreeMap<ColumnId, BTreeMap<Rank, CardId>> = BTreeMap::new();
        for card in view.cards.values() {
            lanes
                .entry(card.column)
                .or_default()
                .insert(card.rank.clone(), card.id);
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
            .flat_map(BTreeMap::values)
            .filter_map(|id| self.view.cards.get(id))
    }

    /// The columns in their order, archived ones included.
    pub fn columns(&self) -> Vec<&Column> {
        let mut columns: Vec<_> = self.view.columns.values().collect();
        columns.sort_by(|a, b| a.rank.cmp(&b.rank));
        columns
    }

    /// Rough count of bytes in memory, for the bound on loaded boards.
    pub fn weight_bytes(&self) -> usize {
        let details: usize = self
            .details
            .values()
            .map(|d| {
                128 + d.description.len()
                    + d.comments
                        .values()
                        .map(|c| 192 + c.text.len())
                        .sum::<usize>()
            })
            .sum();
        4_096 + self.view.members.len() * 128 + self.view.cards.len() * 1_024 + details
    }
}
