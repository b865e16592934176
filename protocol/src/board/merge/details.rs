//! Checklists and attachments of a file against those of the board.

use super::super::arrange::arrange;
use super::super::{Attachment, Card, Checklist, Item};
use super::{DELETED_HERE, Merging};
use crate::event::Event;
use crate::ids::CardId;
use crate::order::Rank;

/// Things in their order.
fn in_order<'a, Id: Copy>(things: impl Iterator<Item = (Id, &'a Rank)>) -> Vec<(Id, &'a Rank)> {
    let mut things: Vec<_> = things.collect();
    things.sort_by(|a, b| a.1.cmp(b.1));
    things
}

impl Merging<'_> {
    pub(super) fn attachments(&mut self, old: &Card, file: &Card) {
        for attachment in file.attachments.values() {
            let present = old.attachments.get(&attachment.id);
            if present.is_none() && self.is_buried(attachment.id) {
                self.omissions.add("attachment", DELETED_HERE);
                continue;
            }
            let added = present.map_or(attachment.added, |present| present.added);
            let attachment = Attachment {
                added,
                ..attachment.clone()
            };
            if present != Some(&attachment) {
                self.events.push(Event::AttachmentPut {
                    card: old.id,
                    attachment,
                });
            }
        }
        for id in old.attachments.keys() {
            if !file.attachments.contains_key(id) && self.came_before(*id) {
                self.events.push(Event::AttachmentRemoved {
                    card: old.id,
                    attachment: *id,
                });
            }
        }
    }

    pub(super) fn checklists(&mut self, old: &Card, file: &Card) {
        for id in old.checklists.keys() {
            if !file.checklists.contains_key(id) && self.came_before(*id) {
                self.events.push(Event::ChecklistRemoved {
                    card: old.id,
                    checklist: *id,
                });
            }
        }
        let present = in_order(old.checklists.values().map(|list| (list.id, &list.rank)));
        let wanted = in_order(file.checklists.values().map(|list| (list.id, &list.rank)));
        let takes = |id| old.checklists.contains_key(&id) || !self.is_buried(id);
        let (wanted, buried): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(id, _)| takes(*id));
        self.omissions
            .add_many("checklist", buried.len(), DELETED_HERE);
        let ranks = arrange(&present, &wanted).unwrap_or_default();
        for (id, own_rank) in wanted {
            let Some(list) = file.checklists.get(&id) else {
                continue;
            };
            let rank = ranks.get(&id);
            match old.checklists.get(&id) {
                Some(present) => self.checklist(old.id, present, list, rank),
                None => {
                    let mut checklist = list.clone();
                    checklist.rank = rank.unwrap_or(own_rank).clone();
                    let buried = self.current.buried();
                    checklist
                        .items
                        .retain(|id, _| !buried.contains(&(*id).into()));
                    self.events.push(Event::ChecklistPut {
                        card: old.id,
                        checklist,
                    });
                }
            }
        }
        for (id, rank) in &ranks {
            if !file.checklists.contains_key(id) && !self.came_before(*id) {
                self.events.push(Event::ChecklistSet {
                    card: old.id,
                    checklist: *id,
                    title: None,
                    rank: Some(rank.clone()),
                });
            }
        }
    }

    fn checklist(&mut self, card: CardId, old: &Checklist, file: &Checklist, rank: Option<&Rank>) {
        let title = (old.title != file.title).then(|| file.title.clone());
        let rank = rank.filter(|rank| **rank != old.rank).cloned();
        if title.is_some() || rank.is_some() {
            self.events.push(Event::ChecklistSet {
                card,
                checklist: old.id,
                title,
                rank,
            });
        }
        for id in old.items.keys() {
            if !file.items.contains_key(id) && self.came_before(*id) {
                self.events.push(Event::ItemRemoved {
                    card,
                    checklist: old.id,
                    item: *id,
                });
            }
        }
        let present = in_order(old.items.values().map(|item| (item.id, &item.rank)));
        let wanted = in_order(file.items.values().map(|item| (item.id, &item.rank)));
        let takes = |id| old.items.contains_key(&id) || !self.is_buried(id);
        let (wanted, buried): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(id, _)| takes(*id));
        self.omissions
            .add_many("check item", buried.len(), DELETED_HERE);
        let ranks = arrange(&present, &wanted).unwrap_or_default();
        let local = old
            .items
            .values()
            .filter(|item| !file.items.contains_key(&item.id));
        let named = wanted.iter().filter_map(|(id, _)| file.items.get(id));
        for item in named.chain(local) {
            let present = old.items.get(&item.id);
            let gone = !file.items.contains_key(&item.id) && self.came_before(item.id);
            let rank = ranks.get(&item.id).or(present.map(|present| &present.rank));
            let item = Item {
                rank: rank.unwrap_or(&item.rank).clone(),
                ..item.clone()
            };
            if !gone && present != Some(&item) {
                self.events.push(Event::ItemPut {
                    card,
                    checklist: old.id,
                    item,
                });
            }
        }
    }
}
