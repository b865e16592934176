//! What was done to parts of a card: comments, checklists, items, attachments.
//!
//! Their numbers are bounded by what is looked at once all is put back.

use super::super::{Attachment, Card, Checklist, Item, Rejection};
use super::{Step, Undoing, absent, back, free, there, unchanged};
use crate::command::Command;
use crate::event::Event;
use crate::ids::{CardId, ChecklistId};
use crate::order::Rank;

impl Undoing<'_> {
    fn card(&self, id: CardId) -> Result<&Card, Rejection> {
        there("card", self.board.view().cards.get(&id))
    }

    fn list(&self, card: CardId, id: ChecklistId) -> Result<&Checklist, Rejection> {
        there("checklist", self.card(card)?.checklists.get(&id))
    }

    pub(super) fn comment(&self, card: CardId, did: &Event, was: &Event) -> Step {
        self.card(card)?;
        let comments = self.board.detail(card).map(|detail| &detail.comments);
        let now = |id| comments.and_then(|comments| comments.get(id));
        match (did, was) {
            (Event::CommentPut { comment, .. }, Event::CommentRemoved { comment: id, .. }) => {
                let text = now(id).map(|comment| &comment.text);
                unchanged("comment", &comment.text, text)?;
                let command = Command::CommentRemove { card, comment: *id };
                self.take_away(&command, "the comment")
            }
            (Event::CommentPut { comment: did, .. }, Event::CommentPut { comment: was, .. }) => {
                let now = there("comment", now(&was.id))?;
                let Some(text) = back("comment", (&did.text, &was.text, &now.text))? else {
                    return Ok(Vec::new());
                };
                let command = Command::CommentSet {
                    card,
                    comment: was.id,
                    text,
                };
                super::decide(self.board, self.actor, &command, self.now)
            }
            (Event::CommentRemoved { .. }, Event::CommentPut { comment: was, .. }) => {
                absent("comment", now(&was.id))?;
                self.rules().put_comment(card, was.clone())
            }
            _ => Err(self.not_undone()),
        }
    }

    pub(super) fn checklist(&self, card: CardId, did: &Event, was: &Event) -> Step {
        let lists = &self.card(card)?.checklists;
        match (did, was) {
            (Event::ChecklistPut { checklist, .. }, Event::ChecklistRemoved { .. }) => {
                let id = checklist.id;
                unchanged("checklist", checklist, lists.get(&id))?;
                let command = Command::ChecklistRemove {
                    card,
                    checklist: id,
                };
                self.take_away(&command, &checklist.title)
            }
            (
                Event::ChecklistSet { title, rank, .. },
                Event::ChecklistSet {
                    checklist,
                    title: old_title,
                    rank: old_rank,
                    ..
                },
            ) => {
                let now = self.list(card, *checklist)?;
                let title = match (title, old_title) {
                    (Some(did), Some(was)) => {
                        back("title of the checklist", (did, was, &now.title))?
                    }
                    _ => None,
                };
                let rank = match (rank, old_rank) {
                    (Some(did), Some(was)) => {
                        back("place of the checklist", (did, was, &now.rank))?
                    }
                    _ => None,
                };
                let rank = rank.map(|rank| self.free_among_lists(card, now.id, &rank));
                let rank = rank.transpose()?;
                if title.is_none() && rank.is_none() {
                    return Ok(Vec::new());
                }
                Ok(vec![Event::ChecklistSet {
                    card,
                    checklist: *checklist,
                    title,
                    rank,
                }])
            }
            (Event::ChecklistRemoved { .. }, Event::ChecklistPut { checklist: was, .. }) => {
                absent("checklist", lists.get(&was.id))?;
                let rank = self.free_among_lists(card, was.id, &was.rank)?;
                Ok(vec![Event::ChecklistPut {
                    card,
                    checklist: Checklist {
                        rank,
                        ..was.clone()
                    },
                }])
            }
            _ => Err(self.not_undone()),
        }
    }

    fn free_among_lists(
        &self,
        card: CardId,
        id: ChecklistId,
        wanted: &Rank,
    ) -> Result<Rank, Rejection> {
        let lists = self.card(card)?.checklists.values();
        free(
            wanted,
            lists
                .filter(|other| other.id != id)
                .map(|other| &other.rank),
        )
    }

    pub(super) fn item(&self, card: CardId, did: &Event, was: &Event) -> Step {
        let (item, checklist) = match (did, was) {
            (
                Event::ItemPut {
                    checklist, item, ..
                },
                Event::ItemRemoved { .. },
            ) => {
                let now = self.list(card, *checklist)?.items.get(&item.id);
                unchanged("item", item, now)?;
                let command = Command::ItemRemove {
                    card,
                    checklist: *checklist,
                    item: item.id,
                };
                return self.take_away(&command, &item.text);
            }
            (
                Event::ItemPut { item: did, .. },
                Event::ItemPut {
                    checklist,
                    item: was,
                    ..
                },
            ) => {
                let now = there("item", self.list(card, *checklist)?.items.get(&was.id))?;
                let text = back("text of the item", (&did.text, &was.text, &now.text))?;
                let rank = back("place of the item", (&did.rank, &was.rank, &now.rank))?;
                let done = back("done item", (&did.done, &was.done, &now.done))?;
                let assignee = (&did.assignee, &was.assignee, &now.assignee);
                let due = back("due date of the item", (&did.due, &was.due, &now.due))?;
                let item = Item {
                    id: now.id,
                    text: text.unwrap_or_else(|| now.text.clone()),
                    rank: rank.unwrap_or_else(|| now.rank.clone()),
                    done: done.unwrap_or(now.done),
                    assignee: back("assignee of the item", assignee)?.unwrap_or(now.assignee),
                    due: due.unwrap_or(now.due),
                };
                if item == *now {
                    return Ok(Vec::new());
                }
                (item, *checklist)
            }
            (
                Event::ItemRemoved { .. },
                Event::ItemPut {
                    checklist,
                    item: was,
                    ..
                },
            ) => {
                absent("item", self.list(card, *checklist)?.items.get(&was.id))?;
                (was.clone(), *checklist)
            }
            _ => return Err(self.not_undone()),
        };
        let others = self.list(card, checklist)?.items.values();
        let others = others.filter(|other| other.id != item.id);
        let rank = free(&item.rank, others.map(|other| &other.rank))?;
        Ok(vec![Event::ItemPut {
            card,
            checklist,
            item: Item { rank, ..item },
        }])
    }

    pub(super) fn attachment(&self, card: CardId, did: &Event, was: &Event) -> Step {
        let attachments = &self.card(card)?.attachments;
        let attachment = match (did, was) {
            (Event::AttachmentPut { attachment, .. }, Event::AttachmentRemoved { .. }) => {
                let id = attachment.id;
                unchanged("attachment", attachment, attachments.get(&id))?;
                let command = Command::AttachmentRemove {
                    card,
                    attachment: id,
                };
                return self.take_away(&command, &attachment.name);
            }
            (
                Event::AttachmentPut {
                    attachment: did, ..
                },
                Event::AttachmentPut {
                    attachment: was, ..
                },
            ) => {
                let now = there("attachment", attachments.get(&was.id))?;
                let name = back("name of the attachment", (&did.name, &was.name, &now.name))?;
                let Some(name) = name else {
                    return Ok(Vec::new());
                };
                Attachment {
                    name,
                    ..now.clone()
                }
            }
            (
                Event::AttachmentRemoved { .. },
                Event::AttachmentPut {
                    attachment: was, ..
                },
            ) => {
                absent("attachment", attachments.get(&was.id))?;
                was.clone()
            }
            _ => return Err(self.not_undone()),
        };
        Ok(vec![Event::AttachmentPut { card, attachment }])
    }
}
