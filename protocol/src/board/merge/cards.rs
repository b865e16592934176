//! Cards of a file against cards of the board.

use std::collections::BTreeMap;

use super::super::{Card, Detail, DetailMark};
use super::Merging;
use crate::event::{CardPatch, Event};
use crate::ids::{AnyId, CardId, ColumnId};
use crate::order::Rank;

/// Numbers for people.
pub(super) struct Numbers {
    /// Those of new cards.
    pub(super) given: BTreeMap<CardId, u32>,
    /// The one after all.
    pub(super) next: u32,
}

fn changed<T: Clone + PartialEq>(new: &T, old: &T) -> Option<T> {
    (new != old).then(|| new.clone())
}

impl Merging<'_> {
    pub(super) fn card(
        &mut self,
        file: &Card,
        column: ColumnId,
        rank: Option<&Rank>,
        numbers: &Numbers,
    ) {
        let now = self.now;
        match now.cards.get(&file.id) {
            Some(old) => self.old_card(old, file, column, rank),
            None => self.new_card(file, rank, numbers),
        }
    }

    fn new_card(&mut self, file: &Card, rank: Option<&Rank>, numbers: &Numbers) {
        let mut card = file.clone();
        if let Some(rank) = rank {
            card.rank = rank.clone();
        }
        card.number = numbers.given.get(&card.id).copied().unwrap_or(card.number);
        card.labels.retain(|id| self.has_label(*id));
        card.blocked_by.retain(|id| self.has_card(*id));
        card.fields.retain(|value| self.takes(value));
        card.parent = card.parent.filter(|id| self.has_card(*id));
        card.sprint = card.sprint.filter(|id| self.has_sprint(*id));
        let mut detail = self
            .incoming
            .board
            .detail(file.id)
            .cloned()
            .unwrap_or_default();
        let buried = |id: AnyId| self.current.buried().contains(&id);
        detail.comments.retain(|id, _| !buried((*id).into()));
        card.attachments.retain(|id, _| !buried((*id).into()));
        card.checklists.retain(|id, _| !buried((*id).into()));
        for checklist in card.checklists.values_mut() {
            checklist.items.retain(|id, _| !buried((*id).into()));
        }
        card.detail = DetailMark {
            rev: card.detail.rev,
            ..DetailMark::of(&detail)
        };
        self.events.push(Event::CardPut {
            card: Box::new(card),
            detail: (!detail.is_empty()).then(|| Box::new(detail)),
            next_number: numbers.next,
        });
    }

    fn old_card(&mut self, old: &Card, file: &Card, column: ColumnId, rank: Option<&Rank>) {
        let rank = rank.unwrap_or(&old.rank);
        let moved = old.column != column || old.rank != *rank;
        let mut set = CardPatch {
            title: changed(&file.title, &old.title),
            column: moved.then_some(column),
            rank: moved.then(|| rank.clone()),
            start: changed(&file.start, &old.start),
            due: changed(&file.due, &old.due),
            complete: changed(&file.complete, &old.complete),
            cover: changed(&file.cover, &old.cover),
            archived: changed(&file.archived, &old.archived),
            ..CardPatch::default()
        };
        self.set_tags(&mut set, old, file);
        if self.knows_all() {
            let parent = file.parent.filter(|id| self.has_card(*id));
            let sprint = file.sprint.filter(|id| self.has_sprint(*id));
            let blockers = file.blocked_by.iter().copied();
            let blockers: Vec<_> = blockers.filter(|id| self.has_card(*id)).collect();
            set.priority = changed(&file.priority, &old.priority);
            set.estimate = changed(&file.estimate, &old.estimate);
            set.parent = changed(&parent, &old.parent);
            set.sprint = changed(&sprint, &old.sprint);
            set.blocked_by = changed(&blockers, &old.blocked_by);
        }
        if !set.is_empty() {
            self.events.push(Event::CardSet {
                card: old.id,
                set: Box::new(set),
            });
        }
        self.attachments(old, file);
        self.checklists(old, file);
        self.detail(old.id);
    }

    /// Labels, assignees and values of the file, and those that were made here.
    fn set_tags(&self, set: &mut CardPatch, old: &Card, file: &Card) {
        let view = self.file;
        let own = |id: AnyId, in_file: bool| !in_file && !self.incoming.before.contains(&id);
        let mut labels: Vec<_> = old
            .labels
            .iter()
            .filter(|id| own((**id).into(), view.labels.contains_key(id)))
            .chain(file.labels.iter().filter(|id| self.has_label(**id)))
            .copied()
            .collect();
        labels.sort_unstable();
        labels.dedup();
        set.labels = changed(&labels, &old.labels);

        let mut assignees: Vec<_> = old
            .assignees
            .iter()
            .filter(|id| !view.members.contains_key(id))
            .chain(&file.assignees)
            .copied()
            .collect();
        assignees.sort_unstable();
        assignees.dedup();
        set.assignees = changed(&assignees, &old.assignees);

        let mut fields: Vec<_> = old
            .fields
            .iter()
            .filter(|value| own(value.id.into(), view.fields.contains_key(&value.id)))
            .chain(file.fields.iter().filter(|value| self.takes(value)))
            .cloned()
            .collect();
        fields.sort_by_key(|value| value.id);
        fields.dedup_by_key(|value| value.id);
        set.fields = changed(&fields, &old.fields);
    }

    fn has_card(&self, id: CardId) -> bool {
        let here = self.now.cards.contains_key(&id);
        let Some(file) = self.file.cards.get(&id) else {
            return here;
        };
        here || !self.is_buried(id) && self.takes_column(file.column)
    }

    fn detail(&mut self, card: CardId) {
        let none = Detail::default();
        let old = self.current.detail(card).unwrap_or(&none);
        let file = self.incoming.board.detail(card).unwrap_or(&none);
        let mut target = old.clone();
        target.description.clone_from(&file.description);
        for comment in file.comments.values() {
            if old.comments.contains_key(&comment.id) || !self.is_buried(comment.id) {
                target.comments.insert(comment.id, comment.clone());
            }
        }
        if self.knows_all() {
            let stays = |id| file.comments.contains_key(&id) || !self.came_before(id);
            target.comments.retain(|id, _| stays(*id));
        }
        if target == *old {
            return;
        }
        // All events of a version are applied before anybody looks, so each states the final digest.
        let DetailMark {
            digest, comments, ..
        } = DetailMark::of(&target);
        for id in old.comments.keys() {
            if !target.comments.contains_key(id) {
                self.events.push(Event::CommentRemoved {
                    card,
                    comment: *id,
                    comments,
                    digest: digest.clone(),
                });
            }
        }
        for comment in target.comments.values() {
            if old.comments.get(&comment.id) != Some(comment) {
                self.events.push(Event::CommentPut {
                    card,
                    comment: comment.clone(),
                    comments,
                    digest: digest.clone(),
                });
            }
        }
        if target.description != old.description {
            self.events.push(Event::CardDescribed {
                card,
                text: target.description,
                digest,
            });
        }
    }

    /// Cards that the file does not have: they make room, and those that came before are archived.
    pub(super) fn others(&mut self, ranks: &BTreeMap<CardId, Rank>) {
        for card in self.now.cards.values() {
            if self.file.cards.contains_key(&card.id) {
                continue;
            }
            if let Some(rank) = ranks.get(&card.id) {
                self.events.push(Event::CardRanked {
                    card: card.id,
                    rank: rank.clone(),
                });
            }
            if !card.archived && self.came_before(card.id) {
                let set = CardPatch {
                    archived: Some(true),
                    ..CardPatch::default()
                };
                self.events.push(Event::CardSet {
                    card: card.id,
                    set: Box::new(set),
                });
            }
        }
    }
}
