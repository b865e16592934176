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
use crate::position::{Timestamp, Version};

/// The revisions of a card's fields that a client saw before it wrote its command.
pub type Seen = BTreeMap<CardKey, Version>;

/// The events that were applied, and for each the one that would undo it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What has happened, in order.
    pub events: Vec<Event>,
    /// As [`inverse`] answers, taken right before the event at the same index was applied: in the
    /// opposite order they undo the version.
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
    if !seen.is_empty() && (commands.len() > 1 || commands.iter().all(|c| c.card().is_none())) {
        let hint = "revisions that were seen go with a submit of one command about a card";
        return Err(Rejection::new(Reason::Invalid, hint));
    }
    let mut applied = Applied::default();
    let mut rollback = Rollback::default();
    for (index, command) in commands.iter().enumerate() {
        let result = decide(board, actor, command, moment.stamp.at).and_then(|events| {
            check_seen(board, command, &events, seen)?;
            let guarded = commands.len() > 1 || events.len() > 1;
            rollback.apply(board, moment, events, guarded, &mut applied)
        });
        if let Err(mut rejection) = result {
            rollback.roll_back(board);
            if commands.len() > 1 {
                let (nth, count) = (index + 1, commands.len());
                rejection.hint = format!("command {nth} of {count}: {}", rejection.hint);
            }
            return Err(rejection);
        }
    }
    Ok(applied)
}

/// Why a submit of one command would be rejected at this moment; nothing is applied. A rejection
/// that is told again is told with the values of today.
pub fn rejection_of(
    board: &Board,
    actor: &Actor,
    commands: &[Command],
    seen: &Seen,
    now: Timestamp,
) -> Option<Rejection> {
    let [command] = commands else { return None };
    if matches!(command, Command::VersionUndo { .. }) {
        return None;
    }
    decide(board, actor, command, now)
        .and_then(|events| check_seen(board, command, &events, seen))
        .err()
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
    let mut rollback = Rollback::default();
    if let Err(rejection) = rollback.apply(board, moment, events, true, &mut applied) {
        rollback.roll_back(board);
        return Err(rejection);
    }
    Ok(applied)
}

fn check_seen(
    board: &Board,
    command: &Command,
    events: &[Event],
    seen: &Seen,
) -> Result<(), Rejection> {
    let Some(card) = command.card().filter(|_| !seen.is_empty()) else {
        return Ok(());
    };
    let Some(card) = board.view().cards.get(&card) else {
        return Ok(());
    };
    for event in events.iter().filter(|e| e.card() == Some(card.id)) {
        for (field, mine) in values_of(event) {
            let Some(saw) = seen.get(&field) else {
                continue;
            };
            let last = card.revs.get(&field).unwrap_or(&Version(0));
            // Not `last > saw`: an imported board bears revisions of its former life, which may be
            // above its version, and a revision of a lost tail may be above what is there now.
            if last != saw {
                let name = json_name(field);
                let hint = format!("the {name} of card #{} was changed meanwhile", card.number);
                let theirs = current_value(board, card, field);
                let conflict = Conflict {
                    field,
                    mine,
                    theirs,
                };
                return Err(Rejection {
                    conflict: Some(Box::new(conflict)),
                    ..Rejection::new(Reason::Conflict, hint)
                });
            }
        }
    }
    Ok(())
}

pub(super) fn values_of(event: &Event) -> Vec<(CardKey, Value)> {
    if let Event::CardDescribed { text, .. } = event {
        return vec![(CardKey::Description, Value::from(text.as_str()))];
    }
    let Event::CardSet { set, .. } = event else {
        return Vec::new();
    };
    let json = serde_json::to_value(set).unwrap_or_default();
    set.keys().map(|key| (key, field_of(&json, key))).collect()
}

pub(super) fn current_value(board: &Board, card: &Card, key: CardKey) -> Value {
    if key == CardKey::Description {
        let text = board
            .detail(card.id)
            .map(|d| d.description.as_str())
            .unwrap_or_default();
        return Value::from(text);
    }
    field_of(&serde_json::to_value(card).unwrap_or_default(), key)
}

/// A field in the JSON form of a card or a patch; the place is an object of column and rank.
fn field_of(json: &Value, key: CardKey) -> Value {
    if key == CardKey::Place {
        return serde_json::json!({ "column": json["column"], "rank": json["rank"] });
    }
    json.get(json_name(key)).cloned().unwrap_or_default()
}

pub(super) fn json_name(key: CardKey) -> &'static str {
    match key {
        CardKey::Title => "title",
        CardKey::Description => "description",
        CardKey::Place => "place",
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

/// What is needed to take a list back: each part as it was before the first event that changed it.
#[derive(Default)]
pub(super) struct Rollback {
    saved: BTreeMap<Entity, Saved>,
    buried: Vec<AnyId>,
}

impl Rollback {
    pub(super) fn apply(
        &mut self,
        board: &mut Board,
        moment: Moment,
        events: Vec<Event>,
        guarded: bool,
        applied: &mut Applied,
    ) -> Result<(), Rejection> {
        for event in events {
            if guarded {
                for entity in event.touches() {
                    self.saved
                        .entry(entity)
                        .or_insert_with(|| save(board, entity));
                }
                self.buried
                    .extend(event.buries().filter(|id| !board.buried.contains(id)));
            }
            applied.was.push(inverse(board, &event));
            board.apply(moment, &event).map_err(|error| {
                let hint = format!("the command does not fit: {error}");
                Rejection::new(Reason::Invalid, hint)
            })?;
            applied.events.push(event);
        }
        Ok(())
    }

    pub(super) fn roll_back(self, board: &mut Board) {
        for saved in self.saved.into_values() {
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
