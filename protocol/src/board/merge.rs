//! An import: the events that bring a board to the state that a file shows, by id.
//!
//! What was made here stays: things that neither the file nor the import before it knows. What the
//! import before brought and the file no longer has was deleted at its source: cards and columns
//! are archived, never deleted; smaller things go. What was deleted here does not come back. Of the
//! fields that the source knows, the file's values win; the others stay. Members keep the roles
//! that they have here.

mod cards;
mod details;
mod skipped;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use skipped::{Omissions, Skipped};

use super::arrange::arrange;
use super::{
    Board, CardField, Column, Field, FieldValue, Member, Moment, Reason, Rejection, Stamp, View,
};
use crate::event::Event;
use crate::ids::{AnyId, CardId, ColumnId, UserId};
use crate::order::Rank;
use crate::position::{Timestamp, Version};

const DELETED_HERE: &str = "it was deleted on this board";

/// What the source of a file can say about a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// All that a board has: an export of this program.
    Everything,
    /// No priorities, estimates, parents, sprints, blockers, done-columns or hard limits, and only
    /// the newest comments: an export of Trello.
    Trello,
}

/// What a file shows.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The board; it keeps the rules of [`Board::verify`].
    pub board: Board,
    /// What the source can say.
    pub knows: Knows,
    /// Ids of everything that the import before this one brought.
    pub before: BTreeSet<AnyId>,
}

impl Incoming {
    /// Ids of everything in the file: what the next import takes as `before`.
    pub fn ids(&self) -> BTreeSet<AnyId> {
        let view = self.board.view();
        let mut ids: BTreeSet<AnyId> = BTreeSet::new();
        ids.extend(view.columns.keys().map(|id| AnyId::from(*id)));
        ids.extend(view.labels.keys().map(|id| AnyId::from(*id)));
        ids.extend(view.fields.keys().map(|id| AnyId::from(*id)));
        ids.extend(view.sprints.keys().map(|id| AnyId::from(*id)));
        for card in view.cards.values() {
            ids.insert(card.id.into());
            ids.extend(card.attachments.keys().map(|id| AnyId::from(*id)));
            for checklist in card.checklists.values() {
                ids.insert(checklist.id.into());
                ids.extend(checklist.items.keys().map(|id| AnyId::from(*id)));
            }
        }
        for detail in self.board.details().values() {
            ids.extend(detail.comments.keys().map(|id| AnyId::from(*id)));
        }
        ids
    }
}

/// What an import does to a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The events, to be applied as one version; none when nothing changes.
    pub events: Vec<Event>,
    /// What of the file was left out.
    pub skipped: Vec<Skipped>,
}

/// Finds the events that bring `current` to the state of the file.
///
/// # Errors
/// The board would pass a limit, or links of the file and of the board would make a circle.
pub fn merge(current: &Board, incoming: &Incoming) -> Result<Merged, Rejection> {
    let mut merging = Merging {
        current,
        now: current.view(),
        incoming,
        file: incoming.board.view(),
        events: Vec::new(),
        omissions: Omissions::default(),
    };
    merging.board();
    merging.members();
    merging.tags();
    merging.columns()?;
    merging.cards()?;
    let Merging {
        events, omissions, ..
    } = merging;
    check(current, &events)?;
    Ok(Merged {
        events,
        skipped: omissions.into_list(),
    })
}

/// Tries the events on a copy: an import may never break a rule that commands keep.
fn check(current: &Board, events: &[Event]) -> Result<(), Rejection> {
    if events.is_empty() {
        return Ok(());
    }
    let nobody = Stamp {
        by: UserId::from_u128(0),
        at: Timestamp(0),
    };
    let moment = Moment {
        version: Version(0),
        stamp: nobody,
    };
    let mut board = current.clone();
    for event in events {
        board.apply(moment, event).map_err(|error| {
            Rejection::new(Reason::Invalid, format!("the import does not fit: {error}"))
        })?;
    }
    board.verify().map_err(|fault| {
        Rejection::new(
            Reason::Limit,
            format!("the board would break a rule: {fault}"),
        )
    })
}

fn no_room() -> Rejection {
    Rejection::new(
        Reason::Limit,
        "there are too many things to be put in order",
    )
}

struct Merging<'a> {
    current: &'a Board,
    now: &'a View,
    incoming: &'a Incoming,
    file: &'a View,
    events: Vec<Event>,
    omissions: Omissions,
}

impl<'a> Merging<'a> {
    fn is_buried(&self, id: impl Into<AnyId>) -> bool {
        self.current.buried().contains(&id.into())
    }

    /// Whether the source had it before and has it no longer.
    fn came_before(&self, id: impl Into<AnyId>) -> bool {
        self.incoming.before.contains(&id.into())
    }

    fn knows_all(&self) -> bool {
        self.incoming.knows == Knows::Everything
    }

    fn board(&mut self) {
        let (now, file) = (self.now, self.file);
        let event = Event::BoardSet {
            title: (now.title != file.title).then(|| file.title.clone()),
            background: (now.background != file.background).then(|| file.background.clone()),
            archived: (now.archived != file.archived).then_some(file.archived),
        };
        let nothing = Event::BoardSet {
            title: None,
            background: None,
            archived: None,
        };
        if event != nothing {
            self.events.push(event);
        }
    }

    fn members(&mut self) {
        for member in self.file.members.values() {
            let old = self.now.members.get(&member.id);
            let role = old.map_or(member.role, |old| old.role);
            let member = Member {
                role,
                ..member.clone()
            };
            if old != Some(&member) {
                self.events.push(Event::MemberPut { member });
            }
        }
    }

    fn tags(&mut self) {
        for label in self.file.labels.values() {
            let old = self.now.labels.get(&label.id);
            if old.is_none() && self.is_buried(label.id) {
                self.omissions.add("label", DELETED_HERE);
            } else if old != Some(label) {
                let label = label.clone();
                self.events.push(Event::LabelPut { label });
            }
        }
        for sprint in self.file.sprints.values() {
            let old = self.now.sprints.get(&sprint.id);
            if old.is_none() && self.is_buried(sprint.id) {
                self.omissions.add("sprint", DELETED_HERE);
            } else if old != Some(sprint) {
                let sprint = sprint.clone();
                self.events.push(Event::SprintPut { sprint });
            }
        }
        for field in self.file.fields.values() {
            let old = self.now.fields.get(&field.id);
            if old.is_none() && self.is_buried(field.id) {
                self.omissions.add("custom field", DELETED_HERE);
            } else if old.is_some_and(|old| old.kind != field.kind) {
                let why = "it has another kind of values on this board";
                self.omissions.add("custom field", why);
            } else {
                let field = with_own_options(field, old);
                if old != Some(&field) {
                    self.events.push(Event::FieldPut { field });
                }
            }
        }
    }

    fn has_label(&self, id: crate::ids::LabelId) -> bool {
        self.now.labels.contains_key(&id)
            || self.file.labels.contains_key(&id) && !self.is_buried(id)
    }

    fn has_sprint(&self, id: crate::ids::SprintId) -> bool {
        self.now.sprints.contains_key(&id)
            || self.file.sprints.contains_key(&id) && !self.is_buried(id)
    }

    /// Whether the value fits the field as it will be.
    fn takes(&self, value: &CardField) -> bool {
        let (now, file) = (
            self.now.fields.get(&value.id),
            self.file.fields.get(&value.id),
        );
        match (now, file) {
            (None, None) => false,
            (None, Some(_)) => !self.is_buried(value.id),
            (Some(now), Some(file)) => now.kind == file.kind,
            (Some(now), None) => match &value.value {
                FieldValue::Option(id) => now.options.iter().any(|option| option.id == *id),
                FieldValue::Text(_)
                | FieldValue::Number(_)
                | FieldValue::Checkbox(_)
                | FieldValue::Date(_) => true,
            },
        }
    }

    fn columns(&mut self) -> Result<(), Rejection> {
        let present: Vec<_> = self.current.columns();
        let present: Vec<_> = present.into_iter().map(|c| (c.id, &c.rank)).collect();
        let mut wanted = Vec::new();
        for column in self.incoming.board.columns() {
            if self.takes_column(column.id) {
                wanted.push((column.id, &column.rank));
            } else {
                self.omissions.add("column", DELETED_HERE);
            }
        }
        let ranks = arrange(&present, &wanted).ok_or_else(no_room)?;
        for (id, _) in &wanted {
            let (Some(column), old) = (self.file.columns.get(id), self.now.columns.get(id)) else {
                continue;
            };
            let rank = ranks.get(id).or(old.map(|old| &old.rank));
            let column = Column {
                rank: rank.unwrap_or(&column.rank).clone(),
                ..self.with_own_rules(column, old)
            };
            if old != Some(&column) {
                self.events.push(Event::ColumnPut { column });
            }
        }
        for column in self.now.columns.values() {
            if self.file.columns.contains_key(&column.id) {
                continue;
            }
            let rank = ranks.get(&column.id).unwrap_or(&column.rank);
            let column_now = Column {
                rank: rank.clone(),
                archived: column.archived || self.came_before(column.id),
                ..column.clone()
            };
            if column_now != *column {
                self.events.push(Event::ColumnPut { column: column_now });
            }
        }
        Ok(())
    }

    fn takes_column(&self, id: ColumnId) -> bool {
        self.now.columns.contains_key(&id) || !self.is_buried(id)
    }

    fn with_own_rules(&self, column: &Column, old: Option<&Column>) -> Column {
        let mut column = column.clone();
        if let Some(old) = old.filter(|_| !self.knows_all()) {
            column.done = old.done;
            column.wip = column.wip.or(old.wip);
        }
        column
    }

    fn cards(&mut self) -> Result<(), Rejection> {
        let wanted = self.wanted_cards();
        let place: BTreeMap<CardId, ColumnId> = wanted
            .iter()
            .flat_map(|(column, cards)| cards.iter().map(|(card, _)| (*card, *column)))
            .collect();
        let mut ranks = BTreeMap::new();
        for (column, cards) in &wanted {
            let stays = |id: &CardId| place.get(id).is_none_or(|target| target == column);
            let present: Vec<_> = self
                .current
                .lane(*column)
                .filter(|card| stays(&card.id))
                .map(|card| (card.id, &card.rank))
                .collect();
            ranks.extend(arrange(&present, cards).ok_or_else(no_room)?);
        }
        let numbers = self.numbers(&place);
        for (column, cards) in &wanted {
            for (id, _) in cards {
                if let Some(card) = self.file.cards.get(id) {
                    self.card(card, *column, ranks.get(id), &numbers);
                }
            }
        }
        self.others(&ranks);
        Ok(())
    }

    /// The cards of the file that come onto the board, by column and in order.
    fn wanted_cards(&mut self) -> Vec<(ColumnId, Vec<(CardId, &'a Rank)>)> {
        let incoming = self.incoming;
        let mut wanted = Vec::new();
        for column in incoming.board.columns() {
            let mut cards = Vec::new();
            for card in incoming.board.lane(column.id) {
                let is_here = self.now.cards.contains_key(&card.id);
                if !is_here && self.is_buried(card.id) {
                    self.omissions.add("card", DELETED_HERE);
                } else if self.takes_column(column.id) {
                    cards.push((card.id, &card.rank));
                } else {
                    self.omissions
                        .add("card", "its column was deleted on this board");
                }
            }
            if !cards.is_empty() {
                wanted.push((column.id, cards));
            }
        }
        wanted
    }

    /// Numbers of new cards (those of the file where they are free), and the number after all.
    fn numbers(&self, place: &BTreeMap<CardId, ColumnId>) -> cards::Numbers {
        let mut used: BTreeSet<u32> = self.now.cards.values().map(|card| card.number).collect();
        let mut given = BTreeMap::new();
        let new = place.keys().filter(|id| !self.now.cards.contains_key(id));
        let new: Vec<_> = new.filter_map(|id| self.file.cards.get(id)).collect();
        let (free, taken): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|card| used.insert(card.number));
        given.extend(free.iter().map(|card| (card.id, card.number)));
        let past_last = used.last().map_or(1, |last| last.saturating_add(1));
        let mut next = past_last
            .max(self.now.next_number)
            .max(self.file.next_number);
        for card in taken {
            given.insert(card.id, next);
            next = next.saturating_add(1);
        }
        cards::Numbers { given, next }
    }
}

/// The file's field with the options that were made here.
fn with_own_options(field: &Field, old: Option<&Field>) -> Field {
    let mut field = field.clone();
    let own = old.into_iter().flat_map(|old| &old.options);
    let own: Vec<_> = own
        .filter(|own| field.options.iter().all(|option| option.id != own.id))
        .cloned()
        .collect();
    field.options.extend(own);
    field
}
