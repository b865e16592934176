//! Actions of Trello as commands.
//!
//! What an action needs and nobody has made (a card older than the window of the export, an item
//! whose creation Trello does not tell) is made in the same submit, right before it is needed.

mod cards;
mod checklists;
mod fields;

use std::collections::{HashMap, HashSet};

use boardcast_protocol::board::FieldKind;
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{
    AttachmentId, CardId, ChecklistId, ColumnId, CommentId, FieldId, ItemId, LabelId, UserId,
};
use boardcast_protocol::limits::{TEXT_MAX_BYTES, TITLE_MAX_BYTES};
use serde_json::Value;

use super::places::Places;
use super::trace::{Action, Field, Trace};

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Translated {
    /// Commands that do the same.
    Sent {
        /// The commands.
        cmds: Vec<Command>,
        /// Ids of the cards and lists that must be there.
        touches: Vec<u128>,
    },
    /// Left out, and why.
    Skipped(&'static str),
}

type Outcome = Result<(), &'static str>;

const GONE: &str = "it was deleted before";
const NAMELESS: &str = "it does not say which";
const STRANGER: &str = "the person is not on the board";

/// What is on the board so far, as far as commands need to know it.
#[derive(Debug)]
pub struct Translator {
    people: HashMap<String, UserId>,
    lists: Places<(), ColumnId>,
    cards: Places<ColumnId, CardId>,
    checklists: HashMap<ChecklistId, CardId>,
    items: HashSet<ItemId>,
    labels: HashSet<LabelId>,
    fields: HashMap<FieldId, FieldKind>,
    attachments: HashSet<AttachmentId>,
    comments: HashMap<CommentId, UserId>,
    gone: HashSet<u128>,
    prepared: u64,
    known: HashMap<String, Field>,
    cmds: Vec<Command>,
    touches: Vec<u128>,
}

impl Translator {
    /// An empty board with these people: a member id of Trello and its user.
    pub fn new(people: HashMap<String, UserId>) -> Self {
        Self {
            people,
            lists: Places::new(),
            cards: Places::new(),
            checklists: HashMap::new(),
            items: HashSet::new(),
            labels: HashSet::new(),
            fields: HashMap::new(),
            attachments: HashSet::new(),
            comments: HashMap::new(),
            gone: HashSet::new(),
            prepared: 0,
            known: HashMap::new(),
            cmds: Vec::new(),
            touches: Vec::new(),
        }
    }

    /// Count of things that were made without an action.
    pub fn prepared(&self) -> u64 {
        self.prepared
    }

    /// The commands that make what is older than the first action: lists, labels and cards that the
    /// file holds and no action creates.
    pub fn initial(&mut self, trace: &Trace) -> Vec<Command> {
        let created: HashSet<&str> = trace.actions.iter().filter_map(created_by).collect();
        let old = |id: &String| !created.contains(id.as_str());
        for field in &trace.fields {
            self.known.insert(field.id.clone(), field.clone());
        }
        for list in trace.lists.iter().filter(|list| old(&list.id)) {
            if let Some(bits) = bits(&list.id) {
                let name = list.name.as_deref().unwrap_or_default();
                self.add_list(ColumnId::from_u128(bits), name, list.pos.as_f64());
                self.prepared += 1;
            }
        }
        for label in trace.labels.iter().filter(|label| old(&label.id)) {
            if let Some(bits) = bits(&label.id) {
                let name = label.name.as_deref().unwrap_or_default();
                self.add_label(LabelId::from_u128(bits), name, label.color.clone());
                self.prepared += 1;
            }
        }
        let first: HashMap<&str, &str> =
            trace.actions.iter().rev().filter_map(first_list).collect();
        for card in trace.at_end.iter().filter(|card| old(&card.id)) {
            let list = first
                .get(card.id.as_str())
                .copied()
                .or(card.id_list.as_deref());
            let column = list.and_then(bits).map(ColumnId::from_u128);
            let column = column.filter(|column| self.lists.contains(*column));
            let (Some(bits_of_card), Some(column)) = (bits(&card.id), column) else {
                // Its list is not there yet: the first action about it makes it.
                continue;
            };
            let labels = card.id_labels.iter().flatten().filter_map(|id| bits(id));
            let labels = labels.map(LabelId::from_u128);
            let labels = labels.filter(|label| self.labels.contains(label)).collect();
            let change = CardChange {
                description: card.desc.as_deref().map(text),
                ..CardChange::default()
            };
            let name = card.name.as_deref().unwrap_or_default();
            let id = CardId::from_u128(bits_of_card);
            self.add_card(id, column, name, card.pos.as_f64(), change, labels);
            self.prepared += 1;
        }
        self.touches.clear();
        std::mem::take(&mut self.cmds)
    }

    /// Translates the next action.
    pub fn translate(&mut self, action: &Action) -> Translated {
        self.cmds.clear();
        self.touches.clear();
        let result = self.dispatch(action);
        let cmds = std::mem::take(&mut self.cmds);
        let touches = std::mem::take(&mut self.touches);
        match result {
            Ok(()) if cmds.is_empty() => Translated::Skipped("it changes nothing that a board has"),
            Ok(()) => Translated::Sent { cmds, touches },
            Err(why) => Translated::Skipped(why),
        }
    }

    fn dispatch(&mut self, action: &Action) -> Outcome {
        let data = &action.data;
        match action.kind.as_str() {
            "createList" | "moveListToBoard" => self.create_list(data),
            "updateList" | "moveListFromBoard" => self.update_list(data),
            "createCard"
            | "copyCard"
            | "emailCard"
            | "moveCardToBoard"
            | "convertToCardFromCheckItem" => self.create_card(data),
            "updateCard" => self.update_card(data),
            "deleteCard" | "moveCardFromBoard" => self.delete_card(data),
            "addMemberToCard" => self.assign(action, true),
            "removeMemberFromCard" => self.assign(action, false),
            "addLabelToCard" => self.tag(data, true),
            "removeLabelFromCard" => self.tag(data, false),
            "createLabel" => self.label(data).map(drop),
            "addChecklistToCard" | "copyChecklist" => self.checklist(data).map(drop),
            "updateChecklist" => self.update_checklist(data),
            "removeChecklistFromCard" => self.remove_checklist(data),
            "createCheckItem" => self.item(data).map(drop),
            "updateCheckItem" | "updateCheckItemStateOnCard" => self.update_item(data),
            "deleteCheckItem" => self.remove_item(data),
            "commentCard" | "copyCommentCard" => self.comment(action),
            "updateComment" => self.update_comment(action),
            "deleteComment" => self.remove_comment(data),
            "addAttachmentToCard" => self.attachment(data).map(drop),
            "deleteAttachmentFromCard" => self.remove_attachment(data),
            "createCustomField" => self.field(data).map(drop),
            "updateCustomField" => self.update_field(data),
            "updateCustomFieldItem" => self.fill_field(data),
            "updateBoard" => self.update_board(data),
            "createBoard" => Err("the replay makes the board itself"),
            "addMemberToBoard"
            | "makeAdminOfBoard"
            | "makeNormalMemberOfBoard"
            | "unconfirmedBoardInvitation" => Err("all people are members from the start"),
            _ => Err("a board has no such thing"),
        }
    }

    fn update_board(&mut self, data: &Value) -> Outcome {
        let board = data.get("board").ok_or(NAMELESS)?;
        let changed = |key: &str| data.get("old").is_some_and(|old| old.get(key).is_some());
        let prefs = board.get("prefs").filter(|_| changed("prefs"));
        let background = prefs.and_then(|prefs| prefs.get("background")?.as_str());
        self.cmds.push(Command::BoardSet {
            title: string(board, "name").filter(|_| changed("name")).map(title),
            background: background.map(|background| Some(title(background))),
            // An archived board takes no commands, so a board that was closed stays open here.
            archived: None,
        });
        if matches!(
            self.cmds.last(),
            Some(Command::BoardSet {
                title: None,
                background: None,
                ..
            })
        ) {
            self.cmds.pop();
        }
        Ok(())
    }

    fn create_list(&mut self, data: &Value) -> Outcome {
        let list = data.get("list").ok_or(NAMELESS)?;
        let column = ColumnId::from_u128(id(list)?);
        let name = string(list, "name").unwrap_or_default();
        if self.lists.contains(column) {
            self.set_list(column, Some(title(name)), None);
            return Ok(());
        }
        self.add_list(column, name, list.get("pos").and_then(Value::as_f64));
        Ok(())
    }

    fn update_list(&mut self, data: &Value) -> Outcome {
        let list = data.get("list").ok_or(NAMELESS)?;
        let column = self.list(list)?;
        let changed = |key: &str| data.get("old").is_none_or(|old| old.get(key).is_some());
        if let Some(name) = string(list, "name").filter(|_| changed("name")) {
            self.set_list(column, Some(title(name)), None);
        }
        if let Some(closed) = list.get("closed").and_then(Value::as_bool) {
            self.set_list(column, None, Some(closed));
        }
        if let Some(position) = list.get("pos").and_then(Value::as_f64) {
            let place = self.lists.put(column, (), Some(position));
            self.cmds.push(Command::ColumnMove { column, place });
        }
        Ok(())
    }

    fn set_list(&mut self, column: ColumnId, title: Option<String>, archived: Option<bool>) {
        self.touches.extend(bits_of(column.as_str()));
        self.cmds.push(Command::ColumnSet {
            column,
            title,
            wip: None,
            done: None,
            archived,
        });
    }

    /// The list that an action names, made where it is not there.
    fn list(&mut self, list: &Value) -> Result<ColumnId, &'static str> {
        let column = ColumnId::from_u128(id(list)?);
        if !self.lists.contains(column) {
            self.add_list(column, string(list, "name").unwrap_or_default(), None);
            self.prepared += 1;
        }
        self.touches.extend(bits_of(column.as_str()));
        Ok(column)
    }

    fn add_list(&mut self, column: ColumnId, name: &str, position: Option<f64>) {
        let place = self.lists.put(column, (), position);
        self.touches.extend(bits_of(column.as_str()));
        self.cmds.push(Command::ColumnCreate {
            column,
            title: title(name),
            wip: None,
            done: false,
            place,
        });
    }

    fn label(&mut self, data: &Value) -> Result<LabelId, &'static str> {
        let label = data.get("label").ok_or(NAMELESS)?;
        let found = LabelId::from_u128(id(label)?);
        if !self.labels.contains(&found) {
            let color = string(label, "color").map(str::to_owned);
            self.add_label(found, string(label, "name").unwrap_or_default(), color);
        }
        Ok(found)
    }

    fn add_label(&mut self, label: LabelId, name: &str, color: Option<String>) {
        self.labels.insert(label);
        self.cmds.push(Command::LabelCreate {
            label,
            name: line(name),
            color: color.filter(|color| !color.is_empty()),
        });
    }
}

/// The id of what an action creates.
fn created_by(action: &Action) -> Option<&str> {
    let key = match action.kind.as_str() {
        "createList" => "list",
        "createCard"
        | "copyCard"
        | "emailCard"
        | "moveCardToBoard"
        | "convertToCardFromCheckItem" => "card",
        "createLabel" => "label",
        _ => return None,
    };
    action.data.get(key)?.get("id")?.as_str()
}

/// The card of an action and the list that it was in before.
fn first_list(action: &Action) -> Option<(&str, &str)> {
    let data = &action.data;
    let card = data.get("card")?.get("id")?.as_str()?;
    let list = data.get("listBefore").or_else(|| data.get("list"))?;
    Some((card, list.get("id")?.as_str()?))
}

fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn id(value: &Value) -> Result<u128, &'static str> {
    string(value, "id").and_then(bits).ok_or(NAMELESS)
}

/// The bits of an id of Trello: 24 hexadecimal digits.
fn bits(id: &str) -> Option<u128> {
    u128::from_str_radix(id, 16).ok()
}

/// A number for what an id names, to find it again.
fn bits_of(id: &str) -> Option<u128> {
    let bytes = id.as_bytes();
    Some(bytes.iter().fold(0u128, |sum, byte| {
        sum.wrapping_mul(131).wrapping_add(u128::from(*byte))
    }))
}

fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// One line as a board takes it: without control characters, cut at its limit.
fn line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    cut(&plain, TITLE_MAX_BYTES).to_owned()
}

/// A title as a board takes it: one line that is not empty.
pub fn title(text: &str) -> String {
    let line = line(text);
    if line.is_empty() {
        "(no name)".into()
    } else {
        line
    }
}

/// A text as a board takes it.
fn text(text: &str) -> String {
    cut(text, TEXT_MAX_BYTES).to_owned()
}

fn end<Id>() -> Place<Id> {
    Place::default()
}
