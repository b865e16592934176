//! Commands about checklists and their items.

use std::collections::BTreeMap;

use super::super::{Checklist, Item, Rejection};
use super::placing::among;
use super::{Deciding, Decision, check, exists};
use crate::command::{Command, Place};
use crate::event::Event;
use crate::ids::{CardId, ChecklistId, ItemId, UserId};
use crate::limits::{CARD_CHECKLISTS_MAX, CHECKLIST_ITEMS_MAX};
use crate::order::Rank;
use crate::position::Timestamp;

impl Deciding<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "dispatch sends only these here"
    )]
    pub(super) fn on_checklist(&self, command: &Command) -> Decision {
        match command {
            Command::ChecklistCreate {
                card,
                checklist,
                title,
                place,
            } => self.checklist_create(*card, *checklist, title, *place),
            Command::ChecklistSet {
                card,
                checklist,
                title,
            } => self.checklist_set(*card, *checklist, title),
            Command::ChecklistMove {
                card,
                checklist,
                place,
            } => {
                self.checklist(*card, *checklist)?;
                self.place_checklist(*card, Some(*checklist), *place, |rank| {
                    Event::ChecklistSet {
                        card: *card,
                        checklist: *checklist,
                        title: None,
                        rank: Some(rank),
                    }
                })
            }
            Command::ChecklistRemove { card, checklist } => {
                self.checklist(*card, *checklist)?;
                self.check_grave()?;
                Ok(vec![Event::ChecklistRemoved {
                    card: *card,
                    checklist: *checklist,
                }])
            }
            Command::ItemCreate {
                card,
                checklist,
                item,
                text,
                place,
            } => self.item_create((*card, *checklist), *item, text, *place),
            Command::ItemSet {
                card,
                checklist,
                item,
                text,
                done,
                assignee,
                due,
            } => {
                let change = ItemChange {
                    text: text.as_deref(),
                    done: *done,
                    assignee: *assignee,
                    due: *due,
                };
                self.item_set((*card, *checklist), *item, &change)
            }
            Command::ItemMove {
                card,
                checklist,
                item,
                place,
            } => {
                let moved = self.item(*card, *checklist, *item)?.clone();
                let make = |rank| Item { rank, ..moved };
                self.place_item((*card, *checklist), Some(*item), *place, make)
            }
            Command::ItemRemove {
                card,
                checklist,
                item,
            } => {
                self.item(*card, *checklist, *item)?;
                self.check_grave()?;
                Ok(vec![Event::ItemRemoved {
                    card: *card,
                    checklist: *checklist,
                    item: *item,
                }])
            }
            _ => Ok(Vec::new()),
        }
    }

    fn checklist(&self, card: CardId, id: ChecklistId) -> Result<&Checklist, Rejection> {
        let found = self.card(card)?.checklists.get(&id);
        found.ok_or_else(|| Rejection::not_found("checklist", id))
    }

    fn item(&self, card: CardId, checklist: ChecklistId, id: ItemId) -> Result<&Item, Rejection> {
        let found = self.checklist(card, checklist)?.items.get(&id);
        found.ok_or_else(|| Rejection::not_found("item", id))
    }

    fn checklist_create(
        &self,
        card: CardId,
        id: ChecklistId,
        title: &str,
        place: Place<ChecklistId>,
    ) -> Decision {
        let checklists = &self.card(card)?.checklists;
        if checklists.contains_key(&id) {
            return Err(exists("checklist", id));
        }
        self.check_unused(id)?;
        check::title("title", title)?;
        if checklists.len() >= CARD_CHECKLISTS_MAX {
            return Err(Rejection::limit(
                "checklists on a card",
                CARD_CHECKLISTS_MAX,
            ));
        }
        let title = title.to_owned();
        self.place_checklist(card, None, place, |rank| Event::ChecklistPut {
            card,
            checklist: Checklist {
                id,
                title,
                rank,
                items: BTreeMap::new(),
            },
        })
    }

    fn checklist_set(&self, card: CardId, checklist: ChecklistId, title: &str) -> Decision {
        check::title("title", title)?;
        if self.checklist(card, checklist)?.title == title {
            return Ok(Vec::new());
        }
        let title = Some(title.to_owned());
        Ok(vec![Event::ChecklistSet {
            card,
            checklist,
            title,
            rank: None,
        }])
    }

    fn place_checklist(
        &self,
        card: CardId,
        moving: Option<ChecklistId>,
        place: Place<ChecklistId>,
        make: impl FnOnce(Rank) -> Event,
    ) -> Decision {
        let mut items: Vec<_> = self
            .card(card)?
            .checklists
            .values()
            .map(|list| (list.id, &list.rank))
            .collect();
        items.sort_by(|a, b| a.1.cmp(b.1));
        let Some(placed) = among(&items, moving, place)? else {
            return Ok(Vec::new());
        };
        let moved = placed
            .moved
            .into_iter()
            .map(|(checklist, rank)| Event::ChecklistSet {
                card,
                checklist,
                title: None,
                rank: Some(rank),
            });
        Ok(moved.chain(std::iter::once(make(placed.rank))).collect())
    }

    fn item_create(
        &self,
        (card, checklist): (CardId, ChecklistId),
        id: ItemId,
        text: &str,
        place: Place<ItemId>,
    ) -> Decision {
        let items = &self.checklist(card, checklist)?.items;
        if items.contains_key(&id) {
            return Err(exists("item", id));
        }
        self.check_unused(id)?;
        check::title("text", text)?;
        if items.len() >= CHECKLIST_ITEMS_MAX {
            return Err(Rejection::limit(
                "items in a checklist",
                CHECKLIST_ITEMS_MAX,
            ));
        }
        let text = text.to_owned();
        let make = |rank| Item {
            id,
            text,
            rank,
            done: false,
            assignee: None,
            due: None,
        };
        self.place_item((card, checklist), None, place, make)
    }

    fn item_set(
        &self,
        (card, checklist): (CardId, ChecklistId),
        id: ItemId,
        change: &ItemChange<'_>,
    ) -> Decision {
        let old = self.item(card, checklist, id)?;
        let mut item = old.clone();
        if let Some(text) = change.text {
            check::title("text", text)?;
            text.clone_into(&mut item.text);
        }
        if let Some(Some(user)) = change.assignee {
            self.check_member(user)?;
        }
        item.done = change.done.unwrap_or(item.done);
        item.assignee = change.assignee.unwrap_or(item.assignee);
        item.due = change.due.unwrap_or(item.due);
        if item == *old {
            return Ok(Vec::new());
        }
        Ok(vec![Event::ItemPut {
            card,
            checklist,
            item,
        }])
    }

    fn place_item(
        &self,
        (card, checklist): (CardId, ChecklistId),
        moving: Option<ItemId>,
        place: Place<ItemId>,
        make: impl FnOnce(Rank) -> Item,
    ) -> Decision {
        let list = self.checklist(card, checklist)?;
        let mut items: Vec<_> = list
            .items
            .values()
            .map(|item| (item.id, &item.rank))
            .collect();
        items.sort_by(|a, b| a.1.cmp(b.1));
        let Some(placed) = among(&items, moving, place)? else {
            return Ok(Vec::new());
        };
        let mut events = Vec::new();
        for (id, rank) in placed.moved {
            let item = Item {
                rank,
                ..self.item(card, checklist, id)?.clone()
            };
            events.push(Event::ItemPut {
                card,
                checklist,
                item,
            });
        }
        events.push(Event::ItemPut {
            card,
            checklist,
            item: make(placed.rank),
        });
        Ok(events)
    }
}

struct ItemChange<'a> {
    text: Option<&'a str>,
    done: Option<bool>,
    assignee: Option<Option<UserId>>,
    due: Option<Option<Timestamp>>,
}
