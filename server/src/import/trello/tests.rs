mod history;
mod oddities;
mod real_files;

use serde_json::{Value, json};

use boardcast_protocol::board::{Board, Detail};

use super::*;
use crate::import::Counts;

fn read_text(text: &str) -> Result<ImportFile, String> {
    super::read(Source::new(text.as_bytes()), "importer".parse().unwrap())
        .map_err(|e| e.to_string())
}

fn read_value(value: &Value) -> Result<ImportFile, String> {
    read_text(&value.to_string())
}

/// An id as Trello makes them: seconds since 1970 and a counter.
fn id(number: u32) -> String {
    format!("5a1532fe{number:016x}")
}

/// A board with two lists; cards and more are added by the tests.
#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with `json!`"
)]
fn small(more: Value) -> Value {
    let mut board = json!({
        "id": id(1), "name": "Board", "closed": false,
        "lists": [
            {"id": id(2), "name": "Second", "pos": 2.5, "closed": true},
            {"id": id(3), "name": "First", "pos": 2, "closed": false}
        ],
        "cards": []
    });
    let fields = board.as_object_mut().unwrap();
    for (key, value) in more.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    board
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with `json!`"
)]
fn card(number: u32, more: Value) -> Value {
    let mut card = json!({"id": id(number), "name": format!("card {number}"), "idList": id(3)});
    let fields = card.as_object_mut().unwrap();
    for (key, value) in more.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    card
}

/// The board of a file with one card.
fn one_card(more: Value) -> ImportFile {
    read_value(&small(json!({"cards": [card(9, more)]}))).unwrap()
}

fn only_card(board: &Board) -> &boardcast_protocol::board::Card {
    assert_eq!(board.view().cards.len(), 1);
    board.view().cards.values().next().unwrap()
}

fn detail(board: &Board) -> Detail {
    board.details().values().next().cloned().unwrap_or_default()
}

fn titles(board: &Board) -> Vec<Vec<&str>> {
    board
        .columns()
        .iter()
        .map(|column| {
            board
                .lane(column.id)
                .map(|card| card.title.as_str())
                .collect()
        })
        .collect()
}

fn skipped(file: ImportFile) -> Vec<(String, usize)> {
    let list = file.omissions.into_list();
    list.into_iter()
        .map(|skipped| (skipped.what, skipped.count))
        .collect()
}
