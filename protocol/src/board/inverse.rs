//! The event that would undo an event: the values that it replaces.
//!
//! It is taken before the event is applied and stored beside it, so activity can say what a field
//! was, and undo can ask for it back.

use super::{Board, Card};
use crate::event::{CardPatch, Event};
use crate::ids::{CardId, ChecklistId};

/// The event that states what `event` is about to replace; `None` where it replaces nothing that
/// is there.
pub fn inverse(board: &Board, event: &Event) -> Option<Event> {
    let view = board.view();
    Some(match event {
        Event::BoardSet {
            title,
            background,
            archived,
        } => Event::BoardSet {
            title: title.as_ref().map(|_| view.title.clone()),
            background: background.as_ref().map(|_| view.background.clone()),
            archived: archived.map(|_| view.archived),
        },
        Event::MemberPut { member } => match view.members.get(&member.id) {
            Some(old) => Event::MemberPut {
                member: old.clone(),
            },
            None => Event::MemberRemoved { user: member.id },
        },
        Event::MemberRemoved { user } => Event::MemberPut {
            member: view.members.get(user)?.clone(),
        },
        Event::ColumnPut { column } => match view.columns.get(&column.id) {
            Some(old) => Event::ColumnPut {
                column: old.clone(),
            },
            None => Event::ColumnRemoved { column: column.id },
        },
        Event::ColumnRemoved { column } => Event::ColumnPut {
            column: view.columns.get(column)?.clone(),
        },
        Event::LabelPut { label } => match view.labels.get(&label.id) {
            Some(old) => Event::LabelPut { label: old.clone() },
            None => Event::LabelRemoved { label: label.id },
        },
        Event::LabelRemoved { label } => Event::LabelPut {
            label: view.labels.get(label)?.clone(),
        },
        Event::FieldPut { field } => match view.fields.get(&field.id) {
            Some(old) => Event::FieldPut { field: old.clone() },
            None => Event::FieldRemoved { field: field.id },
        },
        Event::FieldRemoved { field } => Event::FieldPut {
            field: view.fields.get(field)?.clone(),
        },
        Event::SprintPut { sprint } => match view.sprints.get(&sprint.id) {
            Some(old) => Event::SprintPut {
                sprint: old.clone(),
            },
            None => Event::SprintRemoved { sprint: sprint.id },
        },
        Event::SprintRemoved { sprint } => Event::SprintPut {
            sprint: view.sprints.get(sprint)?.clone(),
        },
        Event::CardPut { card, .. } if !view.cards.contains_key(&card.id) => {
            Event::CardRemoved { card: card.id }
        }
        Event::CardPut { card, detail, .. } => {
            whole_card(board, card.id, detail.is_some(), view.next_number)?
        }
        Event::CardRemoved { card } => whole_card(board, *card, true, view.next_number)?,
        Event::CardRanked { card, .. } => Event::CardRanked {
            card: *card,
            rank: view.cards.get(card)?.rank.clone(),
        },
        Event::CardSet { card, set } => Event::CardSet {
            card: *card,
            set: Box::new(old_fields(view.cards.get(card)?, set)),
        },
        Event::CardDescribed { card, .. } => Event::CardDescribed {
            card: *card,
            text: board
                .detail(*card)
                .map(|d| d.description.clone())
                .unwrap_or_default(),
            digest: view.cards.get(card)?.detail.digest.clone(),
        },
        Event::CommentPut { card, comment, .. } => {
            let mark = &view.cards.get(card)?.detail;
            let (comments, digest) = (mark.comments, mark.digest.clone());
            match board
                .detail(*card)
                .and_then(|d| d.comments.get(&comment.id))
            {
                Some(old) => Event::CommentPut {
                    card: *card,
                    comment: old.clone(),
                    comments,
                    digest,
                },
                None => Event::CommentRemoved {
                    card: *card,
                    comment: comment.id,
                    comments,
                    digest,
                },
            }
        }
        Event::CommentRemoved { card, comment, .. } => {
            let mark = &view.cards.get(card)?.detail;
            Event::CommentPut {
                card: *card,
                comment: board.detail(*card)?.comments.get(comment)?.clone(),
                comments: mark.comments,
                digest: mark.digest.clone(),
            }
        }
        Event::ChecklistPut { .. }
        | Event::ChecklistSet { .. }
        | Event::ChecklistRemoved { .. }
        | Event::ItemPut { .. }
        | Event::ItemRemoved { .. }
        | Event::AttachmentPut { .. }
        | Event::AttachmentRemoved { .. } => in_card(view.cards.get(&event.card()?)?, event)?,
    })
}

fn whole_card(board: &Board, card: CardId, with_detail: bool, next_number: u32) -> Option<Event> {
    let detail = || Box::new(board.detail(card).cloned().unwrap_or_default());
    Some(Event::CardPut {
        card: Box::new(board.view().cards.get(&card)?.clone()),
        detail: with_detail.then(detail),
        next_number,
    })
}

fn old_fields(card: &Card, set: &CardPatch) -> CardPatch {
    fn old<T, V: Clone>(set: &Option<T>, value: &V) -> Option<V> {
        set.as_ref().map(|_| value.clone())
    }
    CardPatch {
        title: old(&set.title, &card.title),
        column: old(&set.column, &card.column),
        rank: old(&set.rank, &card.rank),
        labels: old(&set.labels, &card.labels),
        assignees: old(&set.assignees, &card.assignees),
        priority: old(&set.priority, &card.priority),
        start: old(&set.start, &card.start),
        due: old(&set.due, &card.due),
        complete: old(&set.complete, &card.complete),
        estimate: old(&set.estimate, &card.estimate),
        parent: old(&set.parent, &card.parent),
        sprint: old(&set.sprint, &card.sprint),
        cover: old(&set.cover, &card.cover),
        blocked_by: old(&set.blocked_by, &card.blocked_by),
        fields: old(&set.fields, &card.fields),
        archived: old(&set.archived, &card.archived),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others are not about a part of a card"
)]
fn in_card(card: &Card, event: &Event) -> Option<Event> {
    let id = card.id;
    let list = |checklist: &ChecklistId| card.checklists.get(checklist);
    match event {
        Event::ChecklistPut { checklist, .. } => Some(match list(&checklist.id) {
            Some(old) => Event::ChecklistPut {
                card: id,
                checklist: old.clone(),
            },
            None => Event::ChecklistRemoved {
                card: id,
                checklist: checklist.id,
            },
        }),
        Event::ChecklistSet {
            checklist,
            title,
            rank,
            ..
        } => {
            let old = list(checklist)?;
            Some(Event::ChecklistSet {
                card: id,
                checklist: *checklist,
                title: title.as_ref().map(|_| old.title.clone()),
                rank: rank.as_ref().map(|_| old.rank.clone()),
            })
        }
        Event::ChecklistRemoved { checklist, .. } => Some(Event::ChecklistPut {
            card: id,
            checklist: list(checklist)?.clone(),
        }),
        Event::ItemPut {
            checklist, item, ..
        } => Some(match list(checklist)?.items.get(&item.id) {
            Some(old) => Event::ItemPut {
                card: id,
                checklist: *checklist,
                item: old.clone(),
            },
            None => Event::ItemRemoved {
                card: id,
                checklist: *checklist,
                item: item.id,
            },
        }),
        Event::ItemRemoved {
            checklist, item, ..
        } => Some(Event::ItemPut {
            card: id,
            checklist: *checklist,
            item: list(checklist)?.items.get(item)?.clone(),
        }),
        Event::AttachmentPut { attachment, .. } => {
            Some(match card.attachments.get(&attachment.id) {
                Some(old) => Event::AttachmentPut {
                    card: id,
                    attachment: old.clone(),
                },
                None => Event::AttachmentRemoved {
                    card: id,
                    attachment: attachment.id,
                },
            })
        }
        Event::AttachmentRemoved { attachment, .. } => Some(Event::AttachmentPut {
            card: id,
            attachment: card.attachments.get(attachment)?.clone(),
        }),
        _ => None,
    }
}
