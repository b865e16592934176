//! A naive board: JSON rows and linear search, written from `docs/protocol.md` and from nothing else.
//!
//! It knows what events do and nothing of how the server does it, so where the two agree over long
//! random runs, the page says what the code does.

mod tree;

use serde_json::{Map, Value, json};

use tree::{assign, find_mut, put, take};

/// A board as a client that has only the page would keep it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    view: Value,
    details: Vec<(String, Value)>,
}

/// What a version says beside its events.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The version.
    pub n: u64,
    /// The author.
    pub by: &'a str,
    /// The server's clock.
    pub at: u64,
}

impl Model {
    /// Begins with a snapshot; the details of its cards are empty.
    pub fn new(view: Value) -> Self {
        Self {
            view,
            details: Vec::new(),
        }
    }

    /// The view, in the form of a snapshot.
    pub fn view(&self) -> &Value {
        &self.view
    }

    /// The detail of a card.
    pub fn detail(&self, card: &str) -> Value {
        let found = self.details.iter().find(|(id, _)| id == card);
        found.map_or_else(|| json!({}), |(_, detail)| detail.clone())
    }

    /// Does what the page says of an event.
    ///
    /// # Panics
    /// The event is unknown or names what is not there.
    pub fn apply(&mut self, head: Head<'_>, event: &Value) {
        let kind = text(&event["type"]);
        match kind {
            "board.set" => {
                for field in ["title", "background", "archived"] {
                    if let Some(value) = event.get(field) {
                        assign(&mut self.view, field, value.clone());
                    }
                }
            }
            "member.put" => put(&mut self.view, "members", &event["member"]),
            "member.removed" => take(&mut self.view, "members", &event["user"]),
            "column.put" => put(&mut self.view, "columns", &event["column"]),
            "column.removed" => take(&mut self.view, "columns", &event["column"]),
            "label.put" => put(&mut self.view, "labels", &event["label"]),
            "label.removed" => take(&mut self.view, "labels", &event["label"]),
            "field.put" => put(&mut self.view, "fields", &event["field"]),
            "field.removed" => take(&mut self.view, "fields", &event["field"]),
            "sprint.put" => put(&mut self.view, "sprints", &event["sprint"]),
            "sprint.removed" => take(&mut self.view, "sprints", &event["sprint"]),
            "card.put" => {
                put(&mut self.view, "cards", &event["card"]);
                self.view["next_number"] = event["next_number"].clone();
                if let Some(detail) = event.get("detail") {
                    *self.detail_mut(text(&event["card"]["id"])) = detail.clone();
                }
            }
            "card.removed" => {
                take(&mut self.view, "cards", &event["card"]);
                let gone = text(&event["card"]);
                self.details.retain(|(id, _)| id != gone);
            }
            "card.ranked" => {
                let card = find_mut(&mut self.view, "cards", &event["card"]);
                card["rank"] = event["rank"].clone();
            }
            _ => {
                let card = find_mut(&mut self.view, "cards", &event["card"]);
                change_card(card, head, kind, event);
                card["changed"] = json!({"by": head.by, "at": head.at});
                self.change_detail(kind, event);
            }
        }
    }

    fn detail_mut(&mut self, card: &str) -> &mut Value {
        let index = match self.details.iter().position(|(id, _)| id == card) {
            Some(index) => index,
            None => {
                self.details.push((card.to_owned(), json!({})));
                self.details.len() - 1
            }
        };
        &mut self.details[index].1
    }

    fn change_detail(&mut self, kind: &str, event: &Value) {
        let detail = self.detail_mut(text(&event["card"]));
        match kind {
            "card.described" => assign(detail, "description", event["text"].clone()),
            "comment.put" => put(detail, "comments", &event["comment"]),
            "comment.removed" => take(detail, "comments", &event["comment"]),
            _ => {}
        }
    }
}

fn change_card(card: &mut Value, head: Head<'_>, kind: &str, event: &Value) {
    match kind {
        "card.set" => {
            for (field, value) in fields(&event["set"]) {
                assign(card, field, value.clone());
                let revision = match field.as_str() {
                    "column" | "rank" => "place",
                    other => other,
                };
                raise(card, revision, head.n);
            }
        }
        "card.described" => {
            mark(card, head.n, "described", json!(event["text"] != ""));
            mark(card, head.n, "digest", event["digest"].clone());
            raise(card, "description", head.n);
        }
        "comment.put" | "comment.removed" => {
            let count = &event["comments"];
            let count = if *count == 0 {
                Value::Null
            } else {
                count.clone()
            };
            mark(card, head.n, "comments", count);
            mark(card, head.n, "digest", event["digest"].clone());
        }
        "checklist.put" => put(card, "checklists", &event["checklist"]),
        "checklist.removed" => take(card, "checklists", &event["checklist"]),
        "checklist.set" => {
            let list = find_mut(card, "checklists", &event["checklist"]);
            for field in ["title", "rank"] {
                if let Some(value) = event.get(field) {
                    assign(list, field, value.clone());
                }
            }
        }
        "item.put" => {
            let list = find_mut(card, "checklists", &event["checklist"]);
            put(list, "items", &event["item"]);
        }
        "item.removed" => {
            let list = find_mut(card, "checklists", &event["checklist"]);
            take(list, "items", &event["item"]);
        }
        "attachment.put" => put(card, "attachments", &event["attachment"]),
        "attachment.removed" => take(card, "attachments", &event["attachment"]),
        unknown => panic!("the page does not know {unknown}"),
    }
}

fn raise(card: &mut Value, field: &str, version: u64) {
    if card.get("revs").is_none() {
        card["revs"] = json!({});
    }
    card["revs"][field] = json!(version);
}

fn mark(card: &mut Value, version: u64, field: &str, value: Value) {
    if card.get("detail").is_none() {
        card["detail"] = json!({});
    }
    card["detail"]["rev"] = json!(version);
    assign(&mut card["detail"], field, value);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is text"))
}

fn fields(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("{value} is an object"))
}
