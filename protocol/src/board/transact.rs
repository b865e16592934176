//! A list of commands, applied all or nothing as one version (rule R1).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Actor, Board, Card, CardKey, Column, Conflict, Detail, Field, Label, Member, Moment, Reason,
    Rejection, Sprint, decide, inverse,
};
use crate::command::Command;
use crate::event::{Entity, Event};
use crate::ids::{AnyId, CardId, ColumnId, FieldId, LabelId, SprintId, UserId};
use crate::limits::SUBMIT_COMMANDS_MAX;
use crate::position::Version;

/// The revisions of a card's fields that a client saw before it wrote its command.
pub type Seen = BTreeMap<CardKey, Version>;

/// The events that were applied, and for each the one that would undo it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What has happened, in order.
    pub events: Vec<Event>,
    /// As [`inverse`] answers, taken right before the event at the same index was applied.
    pub was: Vec<Option<Event>>,
}

/// Decides and applies `commands` as the version of `moment`; its author is the actor. No event
/// means that there was nothing to do.
///
/// # Errors
/// The first rejection; the board is as before.
pub fn transact(
    board: &mut Board,
    actor: &Actor,
    commands: &[Command],
    seen: &Seen,
    moment: Moment,
) -> Result<Applied, Rejection> {
    if commands.is_empty() || commands.len() > SUBMIT_COMMANDS_MAX {
        let hint = format!("a submit holds 1 to {SUBMIT_COMMANDS_MAX} commands");
        return Err(Rejection::new(Reason::Limit, hint));
    }
    if !seen.is_empty() && commands.len() > 1 {
        let hint = "revisions that were seen go with a submit of one command";
        return Err(Rejection::new(Reason::Invalid, hint));
    }
    let mut applied = Applied::default();
    let mut undo = Undo::default();
    for command in commands {
        let result = decide(board, actor, command, moment.stamp.at)
            .and_then(|events| check_seen(board, &events, seen).map(|()| events))
            .and_then(|events| {
                let guarded = commands.len() > 1 || events.len() > 1;
                undo.apply(board, moment, events, guarded, &mut applied)
            });
        if let Err(rejection) = result {
            undo.roll_back(board);
            return Err(rejection);
        }
    }
    Ok(applied)
}

/// Applies events that were decided elsewhere, such as those of an import, as the version of
/// `moment`.
///
/// # Errors
/// An event does not fit the board; the board is as before.
pub fn install(
    board: &mut Board,
    events: Vec<Event>,
    moment: Moment,
) -> Result<Applied, Rejection> {
    let mut applied = Applied::default();
    let mut undo = Undo::default();
    if let Err(rejection) = undo.apply(board, moment, events, true, &mut applied) {
        undo.roll_back(board);
        return Err(rejection);
    }
    Ok(applied)
}

fn check_seen(board: &Board, events: &[Event], seen: &Seen) -> Result<(), Rejection> {
    for event in events {
        let Some(card) = event.card().and_then(|id| board.view().cards.get(&id)) else {
            continue;
        };
        for (key, mine) in values_of(event) {
            let (Some(saw), Some(last)) = (seen.get(&key), card.revs.get(&key)) else {
                continue;
            };
            if last > saw {
                let hint = format!("the {key:?} of card #{} was changed meanwhile", card.number);
                let theirs = current_value(board, card, key);
                return Err(Rejection {
                    reason: Reason::Conflict,
                    hint: hint.to_lowercase(),
                    conflict: Some(Box::new(Conflict {
                        field: key,
                        mine,
                        theirs,
                    })),
                });
            }
        }
    }
    Ok(())
}

fn values_of(event: &Event) -> Vec<(CardKey, Value)> {
    if let Event::CardDescribed { text, .. } = event {
        return vec![(CardKey::Description, Value::from(text.as_str()))];
    }
    let Event::CardSet { set, .. } = event else {
        return Vec::new();
    };
    let json = serde_json::to_value(set).unwrap_or_default();
    set.keys()
        .map(|key| (key, json.get(json_name(key)).cloned().unwrap_or_default()))
        .collect()
}

fn current_value(board: &Board, card: &Card, key: CardKey) -> Value {
    if key == CardKey::Description {
        let text = board
            .detail(card.id)
            .map(|d| d.description.as_str())
            .unwrap_or_default();
        return Value::from(text);
    }
    let json = serde_json::to_value(card).unwrap_or_default();
    json.get(json_name(key)).cloned().unwrap_or_default()
}

fn json_name(key: CardKey) -> &'static str {
    match key {
        CardKey::Title => "title",
        CardKey::Description => "description",
        CardKey::Place => "column",
        CardKey::Labels => "labels",
        CardKey::Assignees => "assignees",
        CardKey::Priority => "priority",
        CardKey::Start => "start",
        CardKey::Due => "due",
        CardKey::Complete => "complete",
        CardKey::Estimate => "estimate",
        CardKey::Parent => "parent",
        CardKey::Sprint => "sprint",
        CardKey::Cover => "cover",
        CardKey::BlockedBy => "blocked_by",
        CardKey::Fields => "fields",
        CardKey::Archived => "archived",
    }
}

/// A part of the board as it was before an event.
enum Saved {
    Board {
        title: String,
        background: Option<String>,
        archived: bool,
        next_number: u32,
    },
    Member(UserId, Option<Member>),
    Column(ColumnId, Option<Column>),
    Label(LabelId, Option<Label>),
    Field(FieldId, Option<Field>),
    Sprint(SprintId, Option<Sprint>),
    Card(CardId, Option<Box<Card>>),
    Detail(CardId, Option<Detail>),
}

#[derive(Default)]
struct Undo {
    saved: Vec<Saved>,
    buried: Vec<AnyId>,
}

impl Undo {
    fn apply(
        &mut self,
        board: &mut Board,
        moment: Moment,
        events: Vec<Event>,
        guarded: bool,
        applied: &mut Applied,
    ) -> Result<(), Rejection> {
        for event in events {
            if guarded {
                self.saved
                    .extend(event.touches().map(|entity| save(board, entity)));
                self.buried
                    .extend(event.buries().filter(|id| !board.buried.contains(id)));
            }
            let was = inverse(board, &event);
            board.apply(moment, &event).map_err(|error| {
                Rejection::new(Reason::Invalid, format!("the change does not fit: {error}"))
            })?;
            applied.was.push(was);
            applied.events.push(event);
        }
        Ok(())
    }

    fn roll_back(self, board: &mut Board) {
        for saved in self.saved.into_iter().rev() {
            restore(board, saved);
        }
        for id in self.buried {
            board.buried.remove(&id);
        }
    }
}

fn save(board: &Board, entity: Entity) -> Saved {
    let view = &board.view;
    match entity {
        Entity::Board => Saved::Board {
            title: view.title.clone(),
            background: view.background.clone(),
            archived: view.archived,
            next_number: view.next_number,
        },
        Entity::Member(id) => Saved::Member(id, view.members.get(&id).cloned()),
        Entity::Column(id) => Saved::Column(id, view.columns.get(&id).cloned()),
        Entity::Label(id) => Saved::Label(id, view.labels.get(&id).cloned()),
        Entity::Field(id) => Saved::Field(id, view.fields.get(&id).cloned()),
        Entity::Sprint(id) => Saved::Sprint(id, view.sprints.get(&id).cloned()),
        Entity::Card(id) => Saved::Card(id, view.cards.get(&id).cloned().map(Box::new)),
        Entity::Detail(id) => Saved::Detail(id, board.details.get(&id).cloned()),
    }
}

fn restore(board: &mut Board, saved: Saved) {
    let view = &mut board.view;
    match saved {
        Saved::Board {
            title,
            background,
            archived,
            next_number,
        } => {
            view.title = title;
            view.background = background;
            view.archived = archived;
            view.next_number = next_number;
        }
        Saved::Member(id, old) => put_back(&mut view.members, id, old),
        Saved::Column(id, old) => put_back(&mut view.columns, id, old),
        Saved::Label(id, old) => put_back(&mut view.labels, id, old),
        Saved::Field(id, old) => put_back(&mut view.fields, id, old),
        Saved::Sprint(id, old) => put_back(&mut view.sprints, id, old),
        Saved::Card(id, old) => {
            let place = |card: &Card| (card.column, card.rank.clone());
            let before = view.cards.get(&id).map(place);
            let after = old.as_deref().map(place);
            put_back(&mut view.cards, id, old.map(|card| *card));
            board.relocate(Some(id), before, after);
        }
        Saved::Detail(id, old) => put_back(&mut board.details, id, old),
    }
}

fn put_back<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, old: Option<V>) {
    match old {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
