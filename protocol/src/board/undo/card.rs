//! What was done to a card as a whole, and to its fields.

use serde_json::Value;

use super::super::transact::{current_value, json_name, values_of};
use super::super::{Card, CardKey, Conflict, Detail, Rejection, inverse};
use super::{Step, Undoing, absent, free, meanwhile, room, there};
use crate::command::{CardChange, Command};
use crate::event::{CardPatch, Event};
use crate::ids::CardId;
use crate::limits::CARDS_MAX;

impl Undoing<'_> {
    /// `did` is the event, `was` what its fields were.
    pub(super) fn card_set(&self, id: CardId, did: &Event, was: &CardPatch) -> Step {
        let card = there("card", self.board.view().cards.get(&id))?;
        // The fields that the event has set, as they were before it and as they are now.
        let Some(present) = inverse(self.board, did) else {
            return Err(self.not_undone());
        };
        let before = Event::CardSet {
            card: id,
            set: Box::new(was.clone()),
        };
        let mut patch = serde_json::to_value(was).unwrap_or_default();
        let values = values_of(did).into_iter().zip(values_of(&before));
        for (((key, did), (_, was)), (_, now)) in values.zip(values_of(&present)) {
            if now == was {
                leave_out(&mut patch, key);
            } else if !self.stands(card, key, now == did) {
                return Err(self.conflict(card, key, was));
            }
        }
        let patch: CardPatch = serde_json::from_value(patch).unwrap_or_default();
        if patch.is_empty() {
            return Ok(Vec::new());
        }
        let patch = self.placed(card, patch)?;
        let rules = self.rules();
        if let Some(Some(parent)) = patch.parent {
            rules.check_no_cycle(id, parent, |card| card.parent.iter())?;
        }
        for blocker in patch.blocked_by.iter().flatten() {
            rules.check_no_cycle(id, *blocker, |card| card.blocked_by.iter())?;
        }
        let column = patch.column.unwrap_or(card.column);
        let is_open = !patch.archived.unwrap_or(card.archived);
        if is_open && (card.archived || column != card.column) {
            rules.check_takes_card(column)?;
        }
        Ok(vec![Event::CardSet {
            card: id,
            set: Box::new(patch),
        }])
    }

    /// Whether a field is as the version left it: nobody has set it since, or to the same value. A
    /// value that the version itself has set anew is none that it left.
    fn stands(&self, card: &Card, key: CardKey, is_same: bool) -> bool {
        let rev = card.revs.get(&key).copied();
        let is_own = rev == Some(self.version) || rev == Some(self.undoing);
        let is_set_later = self.later.iter().any(|event| {
            matches!(event, Event::CardSet { card: id, .. } if *id == card.id)
                && values_of(event).iter().any(|(later, _)| *later == key)
        });
        is_own || is_same && !is_set_later
    }

    /// The patch with a rank that no other card of the column has.
    fn placed(&self, card: &Card, mut patch: CardPatch) -> Result<CardPatch, Rejection> {
        if let Some(wanted) = patch.rank.take() {
            let lane = self.board.lane(patch.column.unwrap_or(card.column));
            let others: Vec<_> = lane.filter(|other| other.id != card.id).collect();
            patch.rank = Some(free(&wanted, others.iter().map(|other| &other.rank))?);
        }
        Ok(patch)
    }

    fn conflict(&self, card: &Card, field: CardKey, mine: Value) -> Rejection {
        let name = json_name(field);
        let theirs = current_value(self.board, card, field);
        Rejection {
            conflict: Some(Box::new(Conflict {
                field,
                mine,
                theirs,
            })),
            ..meanwhile(format_args!("the {name} of card #{}", card.number))
        }
    }

    pub(super) fn card_made(&self, made: &Card) -> Step {
        let now = there("card", self.board.view().cards.get(&made.id))?;
        let moved = now.rank != made.rank && now.revs.contains_key(&CardKey::Place);
        if moved || still(now, made) != *made {
            return Err(meanwhile(format_args!("card #{}", now.number)));
        }
        let what = format!("card #{}", now.number);
        self.take_away(&Command::CardRemove { card: made.id }, &what)
    }

    pub(super) fn card_removed(&self, was: &Card, detail: Option<&Detail>) -> Step {
        let view = self.board.view();
        absent("card", view.cards.get(&was.id))?;
        room("cards, archived ones included", view.cards.len(), CARDS_MAX)?;
        if !was.archived {
            self.rules().check_takes_card(was.column)?;
        }
        let others: Vec<_> = self.board.lane(was.column).collect();
        let rank = free(&was.rank, others.iter().map(|other| &other.rank))?;
        Ok(vec![Event::CardPut {
            card: Box::new(Card {
                rank,
                ..was.clone()
            }),
            detail: detail.map(|detail| Box::new(detail.clone())),
            next_number: view.next_number,
        }])
    }

    pub(super) fn card_described(&self, id: CardId, did: &str, was: &str) -> Step {
        let card = there("card", self.board.view().cards.get(&id))?;
        let detail = self.board.detail(id);
        let now = detail.map_or("", |detail| detail.description.as_str());
        let is_mine = card.revs.get(&CardKey::Description) == Some(&self.version);
        if now != was && now != did && !is_mine {
            return Err(self.conflict(card, CardKey::Description, was.into()));
        }
        let set = Box::new(CardChange {
            description: Some(was.to_owned()),
            ..CardChange::default()
        });
        let command = Command::CardSet { card: id, set };
        super::decide(self.board, self.actor, &command, self.now)
    }
}

fn leave_out(patch: &mut Value, key: CardKey) {
    let Some(fields) = patch.as_object_mut() else {
        return;
    };
    if key == CardKey::Place {
        fields.remove("column");
        fields.remove("rank");
    } else {
        fields.remove(json_name(key));
    }
}

/// A card as it is, but for what changes beside its own fields.
fn still(now: &Card, made: &Card) -> Card {
    let mut card = now.clone();
    card.changed = made.changed;
    card.rank = made.rank.clone();
    card.revs.clone_from(&made.revs);
    card.detail.rev = made.detail.rev;
    card
}
