//! What people do on a board, as a seeded mix of commands.
//!
//! | weight | what |
//! |---|---|
//! | 34 | move a card next to another one, within its column or to another |
//! | 9, 5, 5 | set a title, a description, a due date |
//! | 4 | set priority, estimate or completeness |
//! | 9 | make a card; delete one where the board has as many as it may |
//! | 8, 7 | put a label on or take it off, assign a member or take the member off |
//! | 7, 2 | tick an item of a checklist, add one (with a checklist, where there is none) |
//! | 5 | write a comment |
//! | 3 | archive a card or restore it |
//! | 1 | delete an archived card |
//! | 1 | rename, move or limit a column |
//!
//! Cards are picked evenly from the whole board. All choices come from the seed and from the view,
//! so the same views give the same commands.

mod fill;

pub use fill::FILL_COLUMNS;

use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};

use boardcast_protocol::board::{Card, Column, Priority, View, Wip, WipKind};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{CardId, ChecklistId, ColumnId, CommentId, ItemId};
use boardcast_protocol::position::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const WORDS: [&str; 24] = [
    "reconnect",
    "login",
    "invoice",
    "search",
    "deploy",
    "cache",
    "mobile",
    "report",
    "backup",
    "import",
    "label",
    "offer",
    "customer",
    "release",
    "schema",
    "timeout",
    "font",
    "menu",
    "translation",
    "Zürich",
    "naïve",
    "設計",
    "🚀",
    "audit",
];

#[derive(Clone, Copy)]
enum Kind {
    Move,
    Title,
    Description,
    Due,
    Estimate,
    Create,
    Label,
    Assign,
    Tick,
    AddItem,
    Comment,
    Archive,
    Remove,
    Column,
}

const MIX: [(u32, Kind); 14] = [
    (34, Kind::Move),
    (9, Kind::Title),
    (5, Kind::Description),
    (5, Kind::Due),
    (4, Kind::Estimate),
    (9, Kind::Create),
    (8, Kind::Label),
    (7, Kind::Assign),
    (7, Kind::Tick),
    (2, Kind::AddItem),
    (5, Kind::Comment),
    (3, Kind::Archive),
    (1, Kind::Remove),
    (1, Kind::Column),
];

/// A seeded source of commands.
#[derive(Debug)]
pub struct Workload {
    rng: StdRng,
    cards_max: usize,
}

impl Workload {
    /// The source of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            cards_max: usize::MAX,
        }
    }

    /// The same, and boards with `cards_max` cards or more get no further ones: what would be made is
    /// deleted.
    #[must_use]
    pub fn with_cards_max(self, cards_max: usize) -> Self {
        Self { cards_max, ..self }
    }

    /// The next commands on a board as `view` shows it; a single one, mostly.
    pub fn next(&mut self, view: &View, now: Timestamp) -> Vec<Command> {
        let total: u32 = MIX.iter().map(|(weight, _)| weight).sum();
        let mut point = self.rng.random_range(0..total);
        let mut kind = Kind::Create;
        for (weight, candidate) in MIX {
            if point < weight {
                kind = candidate;
                break;
            }
            point -= weight;
        }
        self.make(kind, view, now)
    }

    /// A random card; `None` on an empty board.
    pub fn card(&mut self, view: &View) -> Option<CardId> {
        self.any_card(view).map(|card| card.id)
    }

    fn make(&mut self, kind: Kind, view: &View, now: Timestamp) -> Vec<Command> {
        let Some(card) = self.any_card(view) else {
            return self.create(view, now);
        };
        match kind {
            Kind::Move => self.moves(view, card),
            Kind::Title => self.set(card, |this, set| set.title = Some(this.words(4))),
            Kind::Description => self.set(card, |this, set| {
                let count = this.rng.random_range(5..60);
                set.description = Some(this.words(count));
            }),
            Kind::Due => self.set(card, |this, set| {
                let due = this.rng.random_bool(0.8).then(|| this.day(now));
                set.due = Some(due.filter(|due| card.due != Some(*due)));
            }),
            Kind::Estimate => self.set(card, |this, set| match this.rng.random_range(0..3) {
                0 => set.complete = Some(!card.complete),
                1 => set.estimate = Some(Some(this.rng.random_range(1..100))),
                _ => set.priority = Some(this.priority(card.priority)),
            }),
            Kind::Create if view.cards.len() >= self.cards_max => {
                vec![Command::CardRemove { card: card.id }]
            }
            Kind::Create => self.create(view, now),
            Kind::Label => match self.pick(&view.labels) {
                Some(label) => vec![Command::CardLabel {
                    card: card.id,
                    label: label.id,
                    on: !card.labels.contains(&label.id),
                }],
                None => self.comment(card),
            },
            Kind::Assign => match self.pick(&view.members) {
                Some(member) => vec![Command::CardAssign {
                    card: card.id,
                    user: member.id,
                    on: !card.assignees.contains(&member.id),
                }],
                None => self.comment(card),
            },
            Kind::Tick => self.tick(card),
            Kind::AddItem => self.add_item(card),
            Kind::Comment => self.comment(card),
            Kind::Archive => vec![Command::CardArchive {
                card: card.id,
                archived: !card.archived,
            }],
            Kind::Remove if card.archived => vec![Command::CardRemove { card: card.id }],
            Kind::Remove => self.moves(view, card),
            Kind::Column => self.column(view),
        }
    }

    fn moves(&mut self, view: &View, card: &Card) -> Vec<Command> {
        let beside = self.any_card(view).filter(|other| other.id != card.id);
        let column = match beside {
            Some(other) if self.rng.random_bool(0.6) => other.column,
            Some(_) | None => self
                .pick(&view.columns)
                .map_or(card.column, |column| column.id),
        };
        let place = match beside {
            Some(other) if other.column == column && self.rng.random_bool(0.5) => {
                Place::after(other.id)
            }
            Some(other) if other.column == column => Place::before(other.id),
            Some(_) | None => Place::default(),
        };
        vec![Command::CardMove {
            card: card.id,
            column,
            place,
        }]
    }

    fn set(
        &mut self,
        card: &Card,
        change: impl FnOnce(&mut Self, &mut CardChange),
    ) -> Vec<Command> {
        let mut set = CardChange::default();
        change(self, &mut set);
        vec![Command::CardSet {
            card: card.id,
            set: Box::new(set),
        }]
    }

    fn create(&mut self, view: &View, now: Timestamp) -> Vec<Command> {
        let Some(column) = self.pick(&view.columns).map(|column| column.id) else {
            let column = ColumnId::from_u128(self.rng.random());
            return vec![Command::ColumnCreate {
                column,
                title: self.words(1),
                wip: None,
                done: false,
                place: Place::default(),
            }];
        };
        let due = self.rng.random_bool(0.2).then(|| Some(self.day(now)));
        let label = self.pick(&view.labels).map(|label| label.id);
        vec![Command::CardCreate {
            card: CardId::from_u128(self.rng.random()),
            column,
            title: self.words(5),
            place: Place::default(),
            set: Box::new(CardChange {
                due,
                ..CardChange::default()
            }),
            labels: label.into_iter().collect(),
            assignees: Vec::new(),
        }]
    }

    fn tick(&mut self, card: &Card) -> Vec<Command> {
        let Some(checklist) = self.pick(&card.checklists) else {
            return self.add_item(card);
        };
        let Some(item) = self.pick(&checklist.items) else {
            return self.add_item(card);
        };
        vec![Command::ItemSet {
            card: card.id,
            checklist: checklist.id,
            item: item.id,
            text: None,
            done: Some(!item.done),
            assignee: None,
            due: None,
        }]
    }

    fn add_item(&mut self, card: &Card) -> Vec<Command> {
        if let Some(checklist) = self.pick(&card.checklists).map(|list| list.id) {
            return vec![self.item(card.id, checklist)];
        }
        let checklist = ChecklistId::from_u128(self.rng.random());
        vec![
            self.checklist(card.id, checklist),
            self.item(card.id, checklist),
        ]
    }

    fn checklist(&mut self, card: CardId, checklist: ChecklistId) -> Command {
        Command::ChecklistCreate {
            card,
            checklist,
            title: self.words(2),
            place: Place::default(),
        }
    }

    fn item(&mut self, card: CardId, checklist: ChecklistId) -> Command {
        Command::ItemCreate {
            card,
            checklist,
            item: ItemId::from_u128(self.rng.random()),
            text: self.words(3),
            place: Place::default(),
        }
    }

    fn comment(&mut self, card: &Card) -> Vec<Command> {
        let count = self.rng.random_range(3..40);
        vec![Command::CommentCreate {
            card: card.id,
            comment: CommentId::from_u128(self.rng.random()),
            text: self.words(count),
        }]
    }

    fn column(&mut self, view: &View) -> Vec<Command> {
        let Some(Column { id, wip, .. }) = self.pick(&view.columns) else {
            return Vec::new();
        };
        let set = |title, wip| Command::ColumnSet {
            column: *id,
            title,
            wip,
            done: None,
            archived: None,
        };
        vec![match self.rng.random_range(0..3) {
            0 => set(Some(self.words(2)), None),
            1 => Command::ColumnMove {
                column: *id,
                place: Place {
                    after: self.pick(&view.columns).map(|column| column.id),
                    before: None,
                },
            },
            _ => {
                let limit = self.rng.random_range(1..50);
                let kind = WipKind::Soft;
                set(None, Some(wip.is_none().then_some(Wip { limit, kind })))
            }
        }]
    }

    fn priority(&mut self, old: Priority) -> Priority {
        let all = [
            Priority::Low,
            Priority::Medium,
            Priority::High,
            Priority::Urgent,
        ];
        let new = all[self.rng.random_range(0..all.len())];
        if new == old { Priority::None } else { new }
    }

    fn day(&mut self, now: Timestamp) -> Timestamp {
        Timestamp((now.0 / DAY_MS + self.rng.random_range(1..90)) * DAY_MS)
    }

    fn words(&mut self, count: usize) -> String {
        let mut text = String::new();
        for index in 0..count {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[self.rng.random_range(0..WORDS.len())]);
        }
        text.push_str(&format!(" {}", self.rng.random_range(0..10_000)));
        text
    }

    /// Any thing of a small collection.
    fn pick<'a, K, T>(&mut self, things: &'a BTreeMap<K, T>) -> Option<&'a T> {
        let index = self.rng.random_range(0..things.len().max(1));
        things.values().nth(index)
    }

    /// Any card, in time that does not grow with their count: the next one to a random id.
    fn any_card<'a>(&mut self, view: &'a View) -> Option<&'a Card> {
        let from = CardId::from_u128(self.rng.random());
        let next = view.cards.range((Included(from), Unbounded)).next();
        next.or_else(|| view.cards.first_key_value())
            .map(|(_, card)| card)
    }
}

#[cfg(test)]
mod tests;
