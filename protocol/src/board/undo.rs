//! A version is undone: what it changed is put back, where it still is as the version left it.
//!
//! What is put back are the values that were stored beside the events ([`inverse`](super::inverse)).
//! A field that somebody has changed since is not overwritten, and then nothing is undone.

mod card;
mod parts;
mod things;

use super::decide::{Deciding, rules};
use super::transact::Rollback;
use super::{Action, Actor, Applied, Board, Moment, Reason, Rejection, Role, decide};
use crate::command::Command;
use crate::event::{Entity, Event};
use crate::ids::UserId;
use crate::limits::UNDO_EVENTS_MAX;
use crate::order::{self, Rank};
use crate::position::{Timestamp, Version};

/// A version as it is kept in the history of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Which.
    pub version: Version,
    /// Who made it.
    pub by: UserId,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// For each event the one that undoes it.
    pub was: Vec<Option<Event>>,
}

/// Undoes a version as the version of `moment`; its author is the actor, who must be that of the
/// deed and have the rights that each change needs. No event means that all is as it was before.
/// What it answers undoes the undoing.
///
/// # Errors
/// Somebody has changed since what the deed changed, a rule of the board does not allow what was
/// before, or the deed has more than [`UNDO_EVENTS_MAX`] events; the board is as before.
pub fn undo(
    board: &mut Board,
    actor: &Actor,
    deed: &Deed,
    moment: Moment,
) -> Result<Applied, Rejection> {
    let Some(role) = board.role_of(actor) else {
        let hint = "you are not a member of this board";
        return Err(Rejection::new(Reason::Forbidden, hint));
    };
    if deed.by != actor.user {
        let hint = format!(
            "version {} is somebody else's; only its author undoes it",
            deed.version
        );
        return Err(Rejection::new(Reason::Forbidden, hint));
    }
    if deed.events.len() > UNDO_EVENTS_MAX {
        let hint = format!("a version of more than {UNDO_EVENTS_MAX} events is not undone");
        return Err(Rejection::new(Reason::Limit, hint));
    }
    let mut applied = Applied::default();
    let mut rollback = Rollback::default();
    let pairs = deed.events.iter().enumerate().zip(&deed.was);
    let mut done = Ok(());
    for ((number, event), was) in pairs.rev() {
        let undoing = Undoing {
            board,
            actor,
            role,
            version: deed.version,
            undoing: moment.version,
            later: deed.events.get(number + 1..).unwrap_or_default(),
            now: moment.stamp.at,
        };
        let step = undoing
            .allow(event)
            .and_then(|()| undoing.step(event, was.as_ref()));
        done = step.and_then(|events| rollback.apply(board, moment, events, true, &mut applied));
        if done.is_err() {
            break;
        }
    }
    if let Err(rejection) = done.and_then(|()| check_cards(board, &applied.events)) {
        rollback.roll_back(board);
        return Err(rejection);
    }
    Ok(applied)
}

/// Whether all that the cards refer to is there still.
fn check_cards(board: &Board, events: &[Event]) -> Result<(), Rejection> {
    for event in events {
        let card = event.touches().find_map(|part| match part {
            Entity::Card(card) => board.view().cards.get(&card),
            Entity::Board
            | Entity::Member(_)
            | Entity::Column(_)
            | Entity::Label(_)
            | Entity::Field(_)
            | Entity::Sprint(_)
            | Entity::Detail(_) => None,
        });
        let Some(card) = card else { continue };
        if !board.view().columns.contains_key(&card.column) {
            return Err(Rejection::not_found("column", card.column));
        }
        let checked = board.verify_card(card, &format!("card #{}", card.number));
        checked.map_err(|fault| Rejection::new(Reason::Conflict, fault.to_string()))?;
    }
    Ok(())
}

/// One event on its way back.
struct Undoing<'a> {
    board: &'a Board,
    actor: &'a Actor,
    role: Role,
    /// The version that is undone.
    version: Version,
    /// The version that undoes it.
    undoing: Version,
    /// The events of that version that came after this one, on their way back already.
    later: &'a [Event],
    now: Timestamp,
}

type Step = Result<Vec<Event>, Rejection>;

impl Undoing<'_> {
    /// The right that the change needed, looked at today.
    fn allow(&self, event: &Event) -> Result<(), Rejection> {
        let action = action_of(event);
        if !self.role.may(action) {
            let hint = format!("the role {} may not undo this any more", self.role);
            return Err(Rejection::new(Reason::Forbidden, hint));
        }
        if self.board.view().archived && action != Action::Administer {
            return Err(Rejection::archived());
        }
        Ok(())
    }

    fn step(&self, event: &Event, was: Option<&Event>) -> Step {
        use Event as E;
        let Some(was) = was else {
            return Err(self.not_undone());
        };
        match (event, was) {
            (E::CardRanked { .. }, _) => Ok(Vec::new()),
            (E::CardSet { card, .. }, E::CardSet { set, .. }) => self.card_set(*card, event, set),
            (E::CardPut { card, .. }, E::CardRemoved { .. }) => self.card_made(card),
            (E::CardRemoved { .. }, E::CardPut { card, detail, .. }) => {
                self.card_removed(card, detail.as_deref())
            }
            (E::CardDescribed { card, text, .. }, E::CardDescribed { text: old, .. }) => {
                self.card_described(*card, text, old)
            }
            (E::BoardSet { .. }, E::BoardSet { .. }) => self.board_set(event, was),
            (E::MemberPut { .. } | E::MemberRemoved { .. }, _) => self.member(event, was),
            (E::ColumnPut { .. } | E::ColumnRemoved { .. }, _) => self.column(event, was),
            (E::LabelPut { .. } | E::LabelRemoved { .. }, _) => self.label(event, was),
            (E::FieldPut { .. } | E::FieldRemoved { .. }, _) => self.field(event, was),
            (E::SprintPut { .. } | E::SprintRemoved { .. }, _) => self.sprint(event, was),
            (E::CommentPut { card, .. } | E::CommentRemoved { card, .. }, _) => {
                self.comment(*card, event, was)
            }
            (
                E::ChecklistPut { card, .. }
                | E::ChecklistSet { card, .. }
                | E::ChecklistRemoved { card, .. },
                _,
            ) => self.checklist(*card, event, was),
            (E::ItemPut { card, .. } | E::ItemRemoved { card, .. }, _) => {
                self.item(*card, event, was)
            }
            (E::AttachmentPut { card, .. } | E::AttachmentRemoved { card, .. }, _) => {
                self.attachment(*card, event, was)
            }
            // Only an import makes other pairs.
            _ => Err(self.not_undone()),
        }
    }

    fn rules(&self) -> Deciding<'_> {
        rules(self.board, self.actor, self.role, self.now)
    }

    /// A command that takes away what the version made, and nothing else.
    fn take_away(&self, command: &Command, what: &str) -> Step {
        let events = decide(self.board, self.actor, command, self.now)?;
        if events.len() > 1 {
            return Err(meanwhile(format_args!("what refers to {what}")));
        }
        Ok(events)
    }

    fn not_undone(&self) -> Rejection {
        let hint = format!("version {} cannot be undone", self.version);
        Rejection::new(Reason::Invalid, hint)
    }
}

/// What an event did, as far as rights go.
fn action_of(event: &Event) -> Action {
    match event {
        Event::BoardSet { .. } | Event::MemberPut { .. } | Event::MemberRemoved { .. } => {
            Action::Administer
        }
        Event::CommentPut { .. } | Event::CommentRemoved { .. } => Action::Comment,
        Event::ColumnPut { .. }
        | Event::ColumnRemoved { .. }
        | Event::LabelPut { .. }
        | Event::LabelRemoved { .. }
        | Event::FieldPut { .. }
        | Event::FieldRemoved { .. }
        | Event::SprintPut { .. }
        | Event::SprintRemoved { .. }
        | Event::CardPut { .. }
        | Event::CardSet { .. }
        | Event::CardRanked { .. }
        | Event::CardRemoved { .. }
        | Event::CardDescribed { .. }
        | Event::ChecklistPut { .. }
        | Event::ChecklistSet { .. }
        | Event::ChecklistRemoved { .. }
        | Event::ItemPut { .. }
        | Event::ItemRemoved { .. }
        | Event::AttachmentPut { .. }
        | Event::AttachmentRemoved { .. } => Action::Edit,
    }
}

fn meanwhile(what: impl std::fmt::Display) -> Rejection {
    let hint = format!("{what} was changed meanwhile, so nothing was undone");
    Rejection::new(Reason::Conflict, hint)
}

/// The value to put back: `None` where it is there already.
fn back<T: Clone + PartialEq>(
    what: &str,
    (did, was, now): (&T, &T, &T),
) -> Result<Option<T>, Rejection> {
    if did == was || now == was {
        return Ok(None);
    }
    if now != did {
        return Err(meanwhile(format_args!("the {what}")));
    }
    Ok(Some(was.clone()))
}

/// What was made is still as it was made.
fn unchanged<T: PartialEq>(what: &str, did: &T, now: Option<&T>) -> Result<(), Rejection> {
    if now != Some(did) {
        return Err(meanwhile(format_args!("the {what}")));
    }
    Ok(())
}

/// What was there, and may have gone since.
fn there<'a, T>(what: &str, now: Option<&'a T>) -> Result<&'a T, Rejection> {
    now.ok_or_else(|| meanwhile(format_args!("the {what}")))
}

/// A thing comes back where nothing bears its id.
fn absent<T>(what: &str, now: Option<&T>) -> Result<(), Rejection> {
    match now {
        Some(_) => Err(meanwhile(format_args!("the {what}"))),
        None => Ok(()),
    }
}

fn room(what: &str, count: usize, max: usize) -> Result<(), Rejection> {
    if count >= max {
        return Err(Rejection::limit(what, max));
    }
    Ok(())
}

/// The rank that a thing had; a new one right after it where another has that by now.
fn free<'a>(
    wanted: &Rank,
    others: impl Iterator<Item = &'a Rank> + Clone,
) -> Result<Rank, Rejection> {
    if !others.clone().any(|rank| rank == wanted) {
        return Ok(wanted.clone());
    }
    let next = others.filter(|rank| *rank > wanted).min();
    order::between(Some(wanted), next).ok_or_else(|| {
        let hint = "there is no room left at the place where it was; move it";
        Rejection::new(Reason::Limit, hint)
    })
}
