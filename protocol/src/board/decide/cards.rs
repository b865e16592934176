//! Commands about cards.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Card, CardField, Detail, DetailMark, FieldKind, FieldValue, Reason, Rejection, Stamp,
    detail_digest,
};
use super::placing::ranked;
use super::{CardPatch, Deciding, Decision, check, exists, set, toggled};
use crate::command::{CardChange, Command, Place};
use crate::event::Event;
use crate::ids::{CardId, ColumnId, FieldId, LabelId, UserId};
use crate::limits::{CARD_ASSIGNEES_MAX, CARD_LABELS_MAX, CARDS_MAX};
use crate::position::Version;

impl Deciding<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "dispatch sends only these here"
    )]
    pub(super) fn on_card(&self, command: &Command) -> Decision {
        match command {
            Command::CardCreate {
                card,
                column,
                title,
                place,
                set,
                labels,
                assignees,
            } => {
                let new = NewCard {
                    title,
                    change: set,
                    labels,
                    assignees,
                };
                self.card_create(*card, *column, *place, &new)
            }
            Command::CardSet { card, set } => self.card_set(*card, set),
            Command::CardMove {
                card,
                column,
                place,
            } => self.card_move(*card, *column, *place),
            Command::CardArchive { card, archived } => self.card_archive(*card, *archived),
            Command::CardRemove { card } => self.card_remove(*card),
            Command::CardLabel { card, label, on } => self.card_label(*card, *label, *on),
            Command::CardAssign { card, user, on } => self.card_assign(*card, *user, *on),
            Command::CardBlock { card, by, on } => self.card_block(*card, *by, *on),
            Command::CardField { card, field, value } => {
                self.card_field(*card, *field, value.as_ref())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn card_create(
        &self,
        id: CardId,
        column: ColumnId,
        place: Place<CardId>,
        new: &NewCard<'_>,
    ) -> Decision {
        let view = self.board.view();
        if view.cards.contains_key(&id) {
            return Err(exists("card", id));
        }
        self.check_unused(id)?;
        if view.cards.len() >= CARDS_MAX || view.next_number == u32::MAX {
            return Err(Rejection::limit("cards, archived ones included", CARDS_MAX));
        }
        check::title("title", new.title)?;
        self.check_takes_card(column)?;
        self.check_change(id, new.change)?;
        let labels: BTreeSet<_> = new.labels.iter().copied().collect();
        let assignees: BTreeSet<_> = new.assignees.iter().copied().collect();
        labels
            .iter()
            .try_for_each(|label| self.label(*label).map(drop))?;
        assignees
            .iter()
            .try_for_each(|user| self.check_member(*user))?;
        at_most("labels on a card", labels.len(), CARD_LABELS_MAX)?;
        at_most("assignees of a card", assignees.len(), CARD_ASSIGNEES_MAX)?;

        let placed = self
            .in_lane(column, id, place)?
            .ok_or_else(|| exists("card", id))?;
        let description = new.change.description.clone().unwrap_or_default();
        let described = !description.is_empty();
        let detail = Detail {
            description,
            comments: BTreeMap::new(),
        };
        let mark = DetailMark {
            rev: Version::default(),
            digest: detail_digest(&detail),
            described,
            comments: 0,
        };
        let stamp = Stamp {
            by: self.user,
            at: self.now,
        };
        let change = new.change;
        let card = Card {
            id,
            number: view.next_number,
            title: new.title.to_owned(),
            column,
            rank: placed.rank,
            labels: labels.into_iter().collect(),
            assignees: assignees.into_iter().collect(),
            priority: change.priority.unwrap_or_default(),
            start: change.start.flatten(),
            due: change.due.flatten(),
            complete: change.complete.unwrap_or_default(),
            estimate: change.estimate.flatten(),
            parent: change.parent.flatten(),
            sprint: change.sprint.flatten(),
            cover: change.cover.clone().flatten(),
            blocked_by: Vec::new(),
            fields: Vec::new(),
            checklists: BTreeMap::new(),
            attachments: BTreeMap::new(),
            archived: false,
            created: stamp,
            changed: stamp,
            detail: mark,
            revs: BTreeMap::new(),
        };
        let mut events: Vec<_> = ranked(placed.moved).collect();
        events.push(Event::CardPut {
            card: Box::new(card),
            detail: described.then(|| Box::new(detail)),
            next_number: view.next_number + 1,
        });
        Ok(events)
    }

    fn check_change(&self, card: CardId, change: &CardChange) -> Result<(), Rejection> {
        if let Some(title) = &change.title {
            check::title("title", title)?;
        }
        if let Some(text) = &change.description {
            check::text("description", text)?;
        }
        if let Some(Some(points)) = change.estimate {
            check::estimate(points)?;
        }
        if let Some(Some(sprint)) = change.sprint {
            self.sprint(sprint)?;
        }
        if let Some(Some(cover)) = &change.cover {
            check::name("cover", cover)?;
        }
        if let Some(Some(parent)) = change.parent {
            self.card(parent)?;
            self.check_no_cycle(card, parent, |card| card.parent.iter())?;
        }
        Ok(())
    }

    fn card_set(&self, id: CardId, change: &CardChange) -> Decision {
        let card = self.card(id)?;
        self.check_change(id, change)?;
        let patch = CardPatch {
            title: changed(&change.title, &card.title),
            priority: changed(&change.priority, &card.priority),
            start: changed(&change.start, &card.start),
            due: changed(&change.due, &card.due),
            complete: changed(&change.complete, &card.complete),
            estimate: changed(&change.estimate, &card.estimate),
            parent: changed(&change.parent, &card.parent),
            sprint: changed(&change.sprint, &card.sprint),
            cover: changed(&change.cover, &card.cover),
            ..CardPatch::default()
        };
        let mut events = Vec::new();
        if !patch.is_empty() {
            events.push(set(id, patch));
        }
        if let Some(text) = &change.description {
            events.extend(self.describe(id, text)?);
        }
        Ok(events)
    }

    fn card_move(&self, id: CardId, column: ColumnId, place: Place<CardId>) -> Decision {
        let card = self.card(id)?;
        if card.column != column && !card.archived {
            self.check_takes_card(column)?;
        }
        self.column(column)?;
        let Some(placed) = self.in_lane(column, id, place)? else {
            return Ok(Vec::new());
        };
        let mut events: Vec<_> = ranked(placed.moved).collect();
        let rank = Some(placed.rank);
        events.push(set(
            id,
            CardPatch {
                column: Some(column),
                rank,
                ..CardPatch::default()
            },
        ));
        Ok(events)
    }

    fn card_archive(&self, id: CardId, archived: bool) -> Decision {
        let card = self.card(id)?;
        if card.archived == archived {
            return Ok(Vec::new());
        }
        if !archived {
            self.check_takes_card(card.column)?;
        }
        Ok(vec![set(
            id,
            CardPatch {
                archived: Some(archived),
                ..CardPatch::default()
            },
        )])
    }

    fn card_remove(&self, id: CardId) -> Decision {
        self.card(id)?;
        self.check_grave()?;
        let mut events = Vec::new();
        for card in self.board.view().cards.values() {
            let parent = (card.parent == Some(id)).then_some(None);
            let blocked_by = toggled(&card.blocked_by, id, false);
            if parent.is_some() || blocked_by.is_some() {
                events.push(set(
                    card.id,
                    CardPatch {
                        parent,
                        blocked_by,
                        ..CardPatch::default()
                    },
                ));
            }
        }
        events.push(Event::CardRemoved { card: id });
        Ok(events)
    }

    fn card_label(&self, id: CardId, label: LabelId, on: bool) -> Decision {
        let card = self.card(id)?;
        self.label(label)?;
        let labels = toggled(&card.labels, label, on);
        at_most(
            "labels on a card",
            labels.as_ref().map_or(0, Vec::len),
            CARD_LABELS_MAX,
        )?;
        Ok(labels
            .map(|labels| {
                set(
                    id,
                    CardPatch {
                        labels: Some(labels),
                        ..CardPatch::default()
                    },
                )
            })
            .into_iter()
            .collect())
    }

    fn card_assign(&self, id: CardId, user: UserId, on: bool) -> Decision {
        let card = self.card(id)?;
        self.check_member(user)?;
        let assignees = toggled(&card.assignees, user, on);
        let count = assignees.as_ref().map_or(0, Vec::len);
        at_most("assignees of a card", count, CARD_ASSIGNEES_MAX)?;
        Ok(assignees
            .map(|users| {
                set(
                    id,
                    CardPatch {
                        assignees: Some(users),
                        ..CardPatch::default()
                    },
                )
            })
            .into_iter()
            .collect())
    }

    fn card_field(&self, id: CardId, field: FieldId, value: Option<&FieldValue>) -> Decision {
        let card = self.card(id)?;
        if let Some(value) = value {
            self.check_value(field, value)?;
        } else {
            self.field(field)?;
        }
        let mut fields = card.fields.clone();
        fields.retain(|old| old.id != field);
        if let Some(value) = value {
            let index = fields.partition_point(|old| old.id < field);
            fields.insert(
                index,
                CardField {
                    id: field,
                    value: value.clone(),
                },
            );
        }
        if fields == card.fields {
            return Ok(Vec::new());
        }
        Ok(vec![set(
            id,
            CardPatch {
                fields: Some(fields),
                ..CardPatch::default()
            },
        )])
    }

    fn check_value(&self, field: FieldId, value: &FieldValue) -> Result<(), Rejection> {
        let field = self.field(field)?;
        let fits = match (field.kind, value) {
            (FieldKind::Text, FieldValue::Text(text)) => {
                check::field_text(text)?;
                true
            }
            (FieldKind::Number, FieldValue::Number(text)) => {
                check::decimal(text)?;
                true
            }
            (FieldKind::Checkbox, FieldValue::Checkbox(_))
            | (FieldKind::Date, FieldValue::Date(_)) => true,
            (FieldKind::List, FieldValue::Option(id)) => field.options.iter().any(|o| o.id == *id),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let hint = format!(
            "the value does not fit the field, which is of kind {:?}",
            field.kind
        );
        Err(Rejection::new(Reason::Invalid, hint.to_lowercase()))
    }
}

struct NewCard<'a> {
    title: &'a str,
    change: &'a CardChange,
    labels: &'a [LabelId],
    assignees: &'a [UserId],
}

fn changed<T: Clone + PartialEq>(wish: &Option<T>, present: &T) -> Option<T> {
    wish.as_ref().filter(|wish| *wish != present).cloned()
}

pub(super) fn at_most(what: &str, count: usize, max: usize) -> Result<(), Rejection> {
    if count > max {
        return Err(Rejection::limit(what, max));
    }
    Ok(())
}
