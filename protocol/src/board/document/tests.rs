use serde_json::{Value, json};

use super::*;
use crate::board::view_hash;

/// A board that uses everything.
pub(crate) fn full() -> Value {
    serde_json::from_str(include_str!("full.json")).unwrap()
}

pub(crate) fn read(document: Value) -> Result<Board, String> {
    let document: BoardDocument = serde_json::from_value(document).map_err(|e| e.to_string())?;
    document.into_board().map_err(|fault| fault.to_string())
}

#[test]
fn a_document_and_its_board_are_the_same() {
    let board = read(full()).unwrap();
    let document = BoardDocument::from_board(&board);
    let text = serde_json::to_string(&document).unwrap();
    let again: BoardDocument = serde_json::from_str(&text).unwrap();
    assert_eq!(again, document);
    let again = again.into_board().unwrap();
    assert_eq!(again, board);
    assert_eq!(view_hash(again.view()), view_hash(board.view()));
}

#[test]
fn the_order_of_the_file_wins_over_ranks() {
    let mut document = full();
    document["columns"][0]["cards"][1]["rank"] = json!("5");
    document["columns"][1]
        .as_object_mut()
        .unwrap()
        .remove("rank");
    let board = read(document).unwrap();
    let titles: Vec<_> = board
        .columns()
        .iter()
        .flat_map(|column| board.lane(column.id))
        .map(|card| card.title.as_str())
        .collect();
    assert_eq!(titles, ["First", "Second", "Third"]);
}

#[test]
fn each_fault_is_told_with_its_place() {
    let long = "x".repeat(3_000);
    let cases = [
        ("/format", json!("trello"), "format: it is \"trello\""),
        (
            "/version",
            json!(2),
            "version: it is 2; this program reads version 1",
        ),
        ("/title", json!(""), "title: a title is empty"),
        (
            "/columns/1/id",
            json!("k1"),
            "columns[1]: the id k1 stands twice",
        ),
        (
            "/columns/1/cards/0/id",
            json!("c1"),
            "columns[1].cards[0]: the id c1 stands twice",
        ),
        (
            "/columns/1/cards/0/number",
            json!(1),
            "columns[1].cards[0].number: the number 1",
        ),
        (
            "/labels/1/id",
            json!("l1"),
            "labels[1]: the id l1 stands twice",
        ),
        (
            "/columns/0/cards/0/labels",
            json!(["zz"]),
            "columns[0].cards[0].labels: there is no label zz",
        ),
        (
            "/columns/0/cards/0/labels",
            json!(["l2", "l1"]),
            "columns[0].cards[0].labels: ids stand sorted",
        ),
        (
            "/columns/0/cards/0/assignees",
            json!(["zed"]),
            "columns[0].cards[0].assignees: there is no member zed",
        ),
        (
            "/columns/0/cards/0/blocked_by",
            json!(["c9"]),
            "columns[0].cards[0].blocked_by: there is no card c9",
        ),
        (
            "/columns/0/cards/0/blocked_by",
            json!(["c1"]),
            "blocked_by: the links of card #1 lead back",
        ),
        (
            "/columns/0/cards/0/parent",
            json!("c2"),
            "parent: the links of card #1 lead back",
        ),
        (
            "/columns/0/cards/0/parent",
            json!("c9"),
            "columns[0].cards[0].parent: there is no card c9",
        ),
        (
            "/columns/0/cards/0/sprint",
            json!("s9"),
            "columns[0].cards[0].sprint: there is no sprint s9",
        ),
        (
            "/columns/0/cards/0/title",
            json!(long),
            "columns[0].cards[0].title: a title is longer",
        ),
        (
            "/columns/0/cards/0/title",
            json!("a\nb"),
            "columns[0].cards[0].title: a title is one line",
        ),
        (
            "/columns/0/cards/0/estimate",
            json!(9_999_999),
            "columns[0].cards[0].estimate: an estimate",
        ),
        (
            "/columns/0/cards/0/fields/0/value",
            json!({"text": "x"}),
            "columns[0].cards[0].fields[0]: the value",
        ),
        (
            "/columns/0/cards/0/fields/1/value",
            json!({"option": "o9"}),
            "columns[0].cards[0].fields[1]: the value",
        ),
        (
            "/columns/0/cards/0/attachments/0/url",
            json!("javascript:1"),
            "attachments[0].url: a link begins",
        ),
        (
            "/columns/0/cards/0/checklists/0/items/1/rank",
            json!("V"),
            "checklists[0].items: two items have one rank",
        ),
        (
            "/columns/0/cards/0/comments/1/id",
            json!("m1"),
            "columns[0].cards[0].comments[1]: the id m1 stands twice",
        ),
        ("/columns/0/wip/limit", json!(0), "columns[0].wip: a limit"),
    ];
    for (place, value, expected) in cases {
        let mut document = full();
        if let Some(old) = document.pointer_mut(place) {
            *old = value;
        } else {
            let (parent, key) = place.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[key] = value;
        }
        let fault = read(document).unwrap_err();
        assert!(fault.contains(expected), "{place}: {fault}");
    }
}

#[test]
fn too_many_cards_are_refused_while_they_are_read() {
    let stamp = json!({"by": "a", "at": 1});
    let card = json!({"id": "c", "number": 1, "title": "t", "created": stamp, "changed": stamp});
    let cards = vec![card.to_string(); 12_000].join(",");
    let columns = format!(r#"{{"id":"k","title":"t","cards":[{cards}]}}"#);
    let text = format!(
        r#"{{"format":"boardcast.board","version":1,"id":"b","title":"t","columns":[{columns},{columns}]}}"#
    );
    let error = serde_json::from_str::<BoardDocument>(&text)
        .unwrap_err()
        .to_string();
    assert!(error.contains("at most 20000 cards"), "{error}");
}

#[test]
fn links_that_go_around_over_many_cards_are_found() {
    let stamp = json!({"by": "a", "at": 1});
    let cards: Vec<_> = (0..5_000)
        .map(|n| {
            let next = (n + 1) % 5_000;
            json!({"id": format!("c{n}"), "number": n + 1, "title": "t", "created": stamp,
                   "changed": stamp, "blocked_by": [format!("c{next}")]})
        })
        .collect();
    let mut document = full();
    document["columns"] = json!([{"id": "k", "title": "t", "cards": cards}]);
    assert!(
        read(document.clone())
            .unwrap_err()
            .starts_with("blocked_by: ")
    );
    document["columns"][0]["cards"][4_999]["blocked_by"] = json!([]);
    assert!(read(document).is_ok());
}
