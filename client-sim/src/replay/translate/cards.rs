//! Actions about cards, and what hangs on them besides checklists.

use boardcast_protocol::command::{CardChange, Command};
use boardcast_protocol::ids::{AttachmentId, CardId, ColumnId, CommentId, LabelId};
use boardcast_protocol::limits::{NAME_MAX_BYTES, URL_MAX_BYTES};
use serde_json::Value;

use super::super::trace::parse_moment;
use super::{
    Action, GONE, NAMELESS, Outcome, STRANGER, Translator, bits, bits_of, id, string, text, title,
};

impl Translator {
    pub(super) fn create_card(&mut self, data: &Value) -> Outcome {
        let named = data.get("card").ok_or(NAMELESS)?;
        let bits = id(named)?;
        let card = CardId::from_u128(bits);
        if self.gone.contains(&bits) {
            return Err(GONE);
        }
        if self.cards.contains(card) {
            // A card that came back from another board.
            return self.restore(card);
        }
        let column = self.list_of(data)?;
        let position = named.get("pos").and_then(Value::as_f64);
        let name = string(named, "name").unwrap_or_default();
        let change = CardChange {
            description: string(named, "desc").map(text),
            ..CardChange::default()
        };
        self.add_card(card, column, name, position, change, Vec::new());
        Ok(())
    }

    fn restore(&mut self, card: CardId) -> Outcome {
        self.cmds.push(Command::CardArchive {
            card,
            archived: false,
        });
        Ok(())
    }

    pub(super) fn add_card(
        &mut self,
        card: CardId,
        column: ColumnId,
        name: &str,
        position: Option<f64>,
        change: CardChange,
        labels: Vec<LabelId>,
    ) {
        let place = self.cards.put(card, column, position);
        self.touches.extend(bits_of(card.as_str()));
        self.cmds.push(Command::CardCreate {
            card,
            column,
            title: title(name),
            place,
            set: Box::new(change),
            labels,
            assignees: Vec::new(),
        });
    }

    /// The list in which the card of an action was before it.
    fn list_of(&mut self, data: &Value) -> Result<ColumnId, &'static str> {
        if let Some(list) = data.get("listBefore").or_else(|| data.get("list")) {
            return self.list(list);
        }
        self.lists.any().ok_or("it does not say in which list")
    }

    /// The card that an action names, made where it is not there.
    pub(super) fn card(&mut self, data: &Value) -> Result<CardId, &'static str> {
        let named = data.get("card").ok_or(NAMELESS)?;
        let bits = id(named)?;
        if self.gone.contains(&bits) {
            return Err(GONE);
        }
        let card = CardId::from_u128(bits);
        if !self.cards.contains(card) {
            let column = self.list_of(data)?;
            let number = named.get("idShort").and_then(Value::as_u64);
            let fallback = number
                .map(|number| format!("#{number}"))
                .unwrap_or_default();
            let name = string(named, "name").unwrap_or(&fallback);
            self.add_card(card, column, name, None, CardChange::default(), Vec::new());
            self.prepared += 1;
        }
        self.touches.extend(bits_of(card.as_str()));
        Ok(card)
    }

    pub(super) fn update_card(&mut self, data: &Value) -> Outcome {
        let card = self.card(data)?;
        let named = data.get("card").ok_or(NAMELESS)?;
        let old = data.get("old").and_then(Value::as_object);
        let changed = |key: &str| match old {
            Some(old) => old.contains_key(key),
            None => named.get(key).is_some(),
        };
        let moment = |key: &str| string(named, key).and_then(parse_moment);
        let set = CardChange {
            title: string(named, "name").filter(|_| changed("name")).map(title),
            description: string(named, "desc").filter(|_| changed("desc")).map(text),
            due: changed("due").then(|| moment("due")),
            start: changed("start").then(|| moment("start")),
            complete: named.get("dueComplete").and_then(Value::as_bool),
            cover: changed("idAttachmentCover").then(|| cover(named)),
            ..CardChange::default()
        };
        if set != CardChange::default() {
            let set = Box::new(set);
            self.cmds.push(Command::CardSet { card, set });
        }
        let position = named.get("pos").and_then(Value::as_f64);
        if changed("idList") || changed("pos") {
            self.move_card(card, data, position.filter(|_| changed("pos")))?;
        }
        if changed("idLabels") {
            self.relabel(card, named, old.and_then(|old| old.get("idLabels")));
        }
        if changed("idMembers") {
            self.reassign(card, named, old.and_then(|old| old.get("idMembers")));
        }
        if let Some(archived) = named.get("closed").and_then(Value::as_bool) {
            self.cmds.push(Command::CardArchive { card, archived });
        }
        Ok(())
    }

    fn move_card(&mut self, card: CardId, data: &Value, position: Option<f64>) -> Outcome {
        let column = match data.get("listAfter") {
            Some(list) => self.list(list)?,
            None => match data.get("list") {
                Some(list) => self.list(list)?,
                None => self.cards.group(card).ok_or(NAMELESS)?,
            },
        };
        let place = self.cards.put(card, column, position);
        self.cmds.push(Command::CardMove {
            card,
            column,
            place,
        });
        Ok(())
    }

    fn relabel(&mut self, card: CardId, named: &Value, old: Option<&Value>) {
        let new: Vec<u128> = ids(named.get("idLabels")).collect();
        let off: Vec<u128> = ids(old).filter(|id| !new.contains(id)).collect();
        for (bits, on) in new
            .iter()
            .map(|id| (id, true))
            .chain(off.iter().map(|id| (id, false)))
        {
            let label = LabelId::from_u128(*bits);
            if !self.labels.contains(&label) {
                self.add_label(label, "", None);
                self.prepared += 1;
            }
            self.cmds.push(Command::CardLabel { card, label, on });
        }
    }

    fn reassign(&mut self, card: CardId, named: &Value, old: Option<&Value>) {
        let list = |value: Option<&Value>| -> Vec<String> {
            let ids = value.and_then(Value::as_array).into_iter().flatten();
            ids.filter_map(|id| id.as_str().map(str::to_owned))
                .collect()
        };
        let new = list(named.get("idMembers"));
        let old = list(old);
        let off = old
            .iter()
            .filter(|id| !new.contains(id))
            .map(|id| (id, false));
        for (person, on) in new.iter().map(|id| (id, true)).chain(off) {
            if let Some(user) = self.people.get(person).copied() {
                self.cmds.push(Command::CardAssign { card, user, on });
            }
        }
    }

    pub(super) fn delete_card(&mut self, data: &Value) -> Outcome {
        let card = self.card(data)?;
        let named = data.get("card").ok_or(NAMELESS)?;
        self.gone.insert(id(named)?);
        self.cards.remove(card);
        self.checklists.retain(|_, of| *of != card);
        self.cmds.push(Command::CardRemove { card });
        Ok(())
    }

    pub(super) fn assign(&mut self, action: &Action, on: bool) -> Outcome {
        let person = action.member().ok_or(NAMELESS)?;
        let user = *self.people.get(person).ok_or(STRANGER)?;
        let card = self.card(&action.data)?;
        self.cmds.push(Command::CardAssign { card, user, on });
        Ok(())
    }

    pub(super) fn tag(&mut self, data: &Value, on: bool) -> Outcome {
        let card = self.card(data)?;
        let label = self.label(data)?;
        self.cmds.push(Command::CardLabel { card, label, on });
        Ok(())
    }

    pub(super) fn comment(&mut self, action: &Action) -> Outcome {
        let written = string(&action.data, "text").filter(|text| !text.is_empty());
        let written = written.ok_or("the comment is empty")?;
        let comment = CommentId::from_u128(bits(&action.id).ok_or(NAMELESS)?);
        let card = self.card(&action.data)?;
        if let Some(author) = self.people.get(&action.actor) {
            self.comments.insert(comment, *author);
        }
        self.cmds.push(Command::CommentCreate {
            card,
            comment,
            text: text(written),
        });
        Ok(())
    }

    pub(super) fn update_comment(&mut self, action: &Action) -> Outcome {
        let old = action.data.get("action").ok_or(NAMELESS)?;
        let comment = CommentId::from_u128(id(old)?);
        let author = self.comments.get(&comment);
        let author = author.ok_or("the comment is older than the file")?;
        if self.people.get(&action.actor) != Some(author) {
            return Err("only its author changes a comment");
        }
        let written = string(old, "text").filter(|text| !text.is_empty());
        let written = text(written.ok_or("the comment is empty")?);
        let card = self.card(&action.data)?;
        self.cmds.push(Command::CommentSet {
            card,
            comment,
            text: written,
        });
        Ok(())
    }

    pub(super) fn remove_comment(&mut self, data: &Value) -> Outcome {
        let comment = CommentId::from_u128(id(data.get("action").ok_or(NAMELESS)?)?);
        let known = self.comments.remove(&comment);
        known.ok_or("the comment is older than the file")?;
        let card = self.card(data)?;
        self.cmds.push(Command::CommentRemove { card, comment });
        Ok(())
    }

    /// The attachment that an action names, made where it is not there.
    pub(super) fn attachment(&mut self, data: &Value) -> Result<AttachmentId, &'static str> {
        let named = data.get("attachment").ok_or(NAMELESS)?;
        let bits = id(named)?;
        if self.gone.contains(&bits) {
            return Err(GONE);
        }
        let card = self.card(data)?;
        let attachment = AttachmentId::from_u128(bits);
        if self.attachments.insert(attachment) {
            let url = string(named, "url").filter(|url| {
                url.len() <= URL_MAX_BYTES
                    && !url.contains(char::is_control)
                    && (url.starts_with("https://") || url.starts_with("http://"))
            });
            self.cmds.push(Command::AttachmentAdd {
                card,
                attachment,
                name: title(string(named, "name").unwrap_or_default()),
                mime: None,
                size: None,
                url: url.map(str::to_owned),
            });
        }
        Ok(attachment)
    }

    pub(super) fn remove_attachment(&mut self, data: &Value) -> Outcome {
        let before = self.attachments.len();
        let attachment = self.attachment(data)?;
        self.prepared += (self.attachments.len() - before) as u64;
        let card = self.card(data)?;
        self.attachments.remove(&attachment);
        self.gone
            .insert(id(data.get("attachment").ok_or(NAMELESS)?)?);
        self.cmds
            .push(Command::AttachmentRemove { card, attachment });
        Ok(())
    }
}

fn ids(value: Option<&Value>) -> impl Iterator<Item = u128> {
    let ids = value.and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(|id| bits(id.as_str()?))
}

/// The id of the attachment that a card shows as its cover.
fn cover(named: &Value) -> Option<String> {
    let id = string(named, "idAttachmentCover").filter(|id| !id.is_empty())?;
    let cover = AttachmentId::from_u128(bits(id)?).to_string();
    (cover.len() <= NAME_MAX_BYTES).then_some(cover)
}
