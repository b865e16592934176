//! Actions about checklists and their items.

use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{CardId, ChecklistId, ItemId};
use serde_json::Value;

use super::super::trace::parse_moment;
use super::{GONE, NAMELESS, Outcome, Translator, end, id, string, title};

impl Translator {
    /// The checklist that an action names and its card, made where it is not there.
    pub(super) fn checklist(
        &mut self,
        data: &Value,
    ) -> Result<(CardId, ChecklistId), &'static str> {
        let named = data.get("checklist").ok_or(NAMELESS)?;
        let bits = id(named)?;
        if self.gone.contains(&bits) {
            return Err(GONE);
        }
        let checklist = ChecklistId::from_u128(bits);
        if let Some(card) = self.checklists.get(&checklist).copied() {
            return Ok((card, checklist));
        }
        let card = self.card(data).map_err(|why| {
            let nameless = why == NAMELESS;
            if nameless {
                "the card of the checklist is older than the file"
            } else {
                why
            }
        })?;
        self.checklists.insert(checklist, card);
        self.cmds.push(Command::ChecklistCreate {
            card,
            checklist,
            title: title(string(named, "name").unwrap_or_default()),
            place: end(),
        });
        Ok((card, checklist))
    }

    pub(super) fn update_checklist(&mut self, data: &Value) -> Outcome {
        let (card, checklist) = self.checklist(data)?;
        let named = data.get("checklist").ok_or(NAMELESS)?;
        if let Some(name) = string(named, "name") {
            self.cmds.push(Command::ChecklistSet {
                card,
                checklist,
                title: title(name),
            });
        }
        Ok(())
    }

    pub(super) fn remove_checklist(&mut self, data: &Value) -> Outcome {
        let (card, checklist) = self.checklist(data)?;
        self.checklists.remove(&checklist);
        self.gone
            .insert(id(data.get("checklist").ok_or(NAMELESS)?)?);
        self.cmds.push(Command::ChecklistRemove { card, checklist });
        Ok(())
    }

    /// The item that an action names, made where it is not there.
    pub(super) fn item(
        &mut self,
        data: &Value,
    ) -> Result<(CardId, ChecklistId, ItemId), &'static str> {
        let named = data.get("checkItem").ok_or(NAMELESS)?;
        let bits = id(named)?;
        if self.gone.contains(&bits) {
            return Err(GONE);
        }
        let (card, checklist) = self.checklist(data)?;
        let item = ItemId::from_u128(bits);
        if self.items.insert(item) {
            self.cmds.push(Command::ItemCreate {
                card,
                checklist,
                item,
                text: title(string(named, "name").unwrap_or_default()),
                place: end(),
            });
        }
        Ok((card, checklist, item))
    }

    pub(super) fn update_item(&mut self, data: &Value) -> Outcome {
        let before = self.items.len();
        let (card, checklist, item) = self.item(data)?;
        self.prepared += (self.items.len() - before) as u64;
        let named = data.get("checkItem").ok_or(NAMELESS)?;
        let due = named
            .get("due")
            .map(|due| due.as_str().and_then(parse_moment));
        self.cmds.push(Command::ItemSet {
            card,
            checklist,
            item,
            text: string(named, "name").map(title),
            done: string(named, "state").map(|state| state == "complete"),
            assignee: None,
            due,
        });
        Ok(())
    }

    pub(super) fn remove_item(&mut self, data: &Value) -> Outcome {
        let before = self.items.len();
        let (card, checklist, item) = self.item(data)?;
        self.prepared += (self.items.len() - before) as u64;
        self.items.remove(&item);
        self.gone
            .insert(id(data.get("checkItem").ok_or(NAMELESS)?)?);
        self.cmds.push(Command::ItemRemove {
            card,
            checklist,
            item,
        });
        Ok(())
    }
}
