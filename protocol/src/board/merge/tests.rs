use serde_json::{Value, json};

use super::*;
use crate::board::document::tests::{full, read};
use crate::board::view_hash;
use crate::ids::BoardId;

fn apply(board: &mut Board, events: &[Event]) {
    let moment = Moment {
        version: Version(50),
        stamp: Stamp {
            by: "importer".parse().unwrap(),
            at: Timestamp(99),
        },
    };
    for event in events {
        board.apply(moment, event).unwrap();
    }
    board.verify().unwrap();
}

fn empty() -> Board {
    let id: BoardId = "b1".parse().unwrap();
    Board::new(
        View::new(id, "Board".into()),
        BTreeMap::new(),
        BTreeSet::new(),
    )
}

fn incoming(document: Value, knows: Knows, before: BTreeSet<AnyId>) -> Incoming {
    Incoming {
        board: read(document).unwrap(),
        knows,
        before,
    }
}

fn all(document: Value) -> Incoming {
    incoming(document, Knows::Everything, BTreeSet::new())
}

/// Imports `full()`, changes the board with `here`, then imports what `there` makes of the file.
fn later(
    knows: Knows,
    here: impl FnOnce(&mut Value),
    there: impl FnOnce(&mut Value),
) -> (Board, Merged) {
    let first = all(full());
    let mut local = full();
    here(&mut local);
    let mut board = read(local).unwrap();
    let mut file = full();
    there(&mut file);
    let merged = merge(&board, &incoming(file, knows, first.ids())).unwrap();
    apply(&mut board, &merged.events);
    (board, merged)
}

fn titles(board: &Board, column: &str) -> Vec<String> {
    board
        .lane(column.parse().unwrap())
        .map(|card| card.title.clone())
        .collect()
}

fn card<'a>(board: &'a Board, id: &str) -> &'a crate::board::Card {
    &board.view().cards[&id.parse().unwrap()]
}

fn new_card(id: &str, number: u32) -> Value {
    let stamp = json!({"by": "ann", "at": 1});
    json!({"id": id, "number": number, "title": id, "created": stamp, "changed": stamp})
}

#[test]
fn an_empty_board_becomes_equal_to_the_file() {
    let mut board = empty();
    let file = all(full());
    let merged = merge(&board, &file).unwrap();
    apply(&mut board, &merged.events);
    assert_eq!(view_hash(board.view()), view_hash(file.board.view()));
    assert_eq!(board.details(), file.board.details());
    assert_eq!(merged.skipped, []);
}

#[test]
fn the_same_file_again_changes_nothing() {
    for knows in [Knows::Everything, Knows::Trello] {
        let (_, merged) = later(knows, |_| {}, |_| {});
        assert_eq!(merged, Merged::default());
    }
}

#[test]
fn a_later_file_renames_moves_archives_and_adds() {
    let (board, merged) = later(
        Knows::Everything,
        |_| {},
        |file| {
            let cards = file["columns"][0]["cards"].as_array_mut().unwrap();
            let mut first = cards.remove(0);
            first["title"] = json!("Renamed");
            first["archived"] = json!(true);
            first["description"] = json!("short");
            first["comments"] = json!([first["comments"][0].clone()]);
            first["checklists"][0]["items"] = json!([
                {"id": "i2", "text": "two", "rank": "V"},
                {"id": "i3", "text": "three", "rank": "W"}
            ]);
            cards.push(new_card("c7", 7));
            let done = file["columns"][1]["cards"].as_array_mut().unwrap();
            done.push(first);
            for card in done {
                card.as_object_mut().unwrap().remove("rank");
            }
        },
    );
    assert_eq!(titles(&board, "k1"), ["Second", "c7"]);
    assert_eq!(titles(&board, "k2"), ["Third", "Renamed"]);
    let first = card(&board, "c1");
    assert!(first.archived);
    assert_eq!(first.changed.by.as_str(), "importer");
    assert_eq!(
        card(&board, "c2").changed.by.as_str(),
        "ann",
        "it did not change"
    );
    assert_eq!(card(&board, "c7").number, 7);
    let detail = board.detail(first.id).unwrap();
    assert_eq!(
        (detail.description.as_str(), detail.comments.len()),
        ("short", 1)
    );
    assert_eq!(first.detail.digest, crate::board::detail_digest(detail));
    let items = &first.checklists[&"h1".parse().unwrap()].items;
    assert_eq!(
        items.keys().map(|id| id.as_str()).collect::<Vec<_>>(),
        ["i2", "i3"]
    );
    assert_eq!(merged.skipped, []);
}

#[test]
fn what_the_source_deleted_is_archived_and_what_was_made_here_stays() {
    let (board, _) = later(
        Knows::Everything,
        |here| {
            let cards = here["columns"][0]["cards"].as_array_mut().unwrap();
            cards.push(new_card("local", 8));
            cards[0]["comments"].as_array_mut().unwrap().push(json!(
                {"id": "mine", "written": {"by": "bob", "at": 1}, "text": "local"}));
            here["labels"]
                .as_array_mut()
                .unwrap()
                .push(json!({"id": "own", "name": "own"}));
            here["columns"][0]["cards"][0]["labels"] = json!(["l1", "l2", "own"]);
        },
        |file| {
            file["columns"][0]["cards"]
                .as_array_mut()
                .unwrap()
                .remove(1);
            file["columns"][0]["cards"][0]["blocked_by"] = json!([]);
            file["columns"].as_array_mut().unwrap().remove(1);
        },
    );
    assert_eq!(titles(&board, "k1"), ["First", "Second", "local"]);
    assert!(card(&board, "c2").archived);
    assert!(!card(&board, "local").archived);
    let first = card(&board, "c1");
    assert_eq!(
        first
            .labels
            .iter()
            .map(|id| id.as_str())
            .collect::<Vec<_>>(),
        ["l1", "l2", "own"]
    );
    assert_eq!(board.detail(first.id).unwrap().comments.len(), 3);
    assert!(board.view().columns[&"k2".parse().unwrap()].archived);
}

#[test]
fn what_was_deleted_here_does_not_come_back() {
    let (board, merged) = later(
        Knows::Everything,
        |here| {
            here["columns"][0]["cards"]
                .as_array_mut()
                .unwrap()
                .remove(0);
            here["columns"][0]["cards"][0]
                .as_object_mut()
                .unwrap()
                .remove("parent");
            here["labels"].as_array_mut().unwrap().remove(1);
            here["deleted"] = json!(["c1", "l2"]);
        },
        |_| {},
    );
    assert_eq!(titles(&board, "k1"), ["Second"]);
    assert_eq!(card(&board, "c2").parent, None);
    let skipped: Vec<_> = merged
        .skipped
        .iter()
        .map(|s| (s.what.as_str(), s.count))
        .collect();
    assert_eq!(skipped, [("card", 1), ("label", 1)]);
}

#[test]
fn trello_does_not_overwrite_what_it_does_not_know() {
    let (board, _) = later(
        Knows::Trello,
        |_| {},
        |file| {
            let card = file["columns"][0]["cards"][0].as_object_mut().unwrap();
            for key in ["priority", "estimate", "sprint", "blocked_by", "comments"] {
                card.remove(key);
            }
            card["title"] = json!("New title");
            file["columns"][0].as_object_mut().unwrap().remove("wip");
        },
    );
    let first = card(&board, "c1");
    assert_eq!(first.title, "New title");
    assert_eq!(first.priority, crate::board::Priority::High);
    assert_eq!((first.estimate, first.blocked_by.len()), (Some(3), 1));
    assert!(first.sprint.is_some());
    assert_eq!(board.detail(first.id).unwrap().comments.len(), 2);
    assert!(board.view().columns[&"k1".parse().unwrap()].wip.is_some());
}

#[test]
fn numbers_of_new_cards_are_free_ones() {
    let (board, _) = later(
        Knows::Trello,
        |here| {
            here["columns"][0]["cards"]
                .as_array_mut()
                .unwrap()
                .push(new_card("local", 7));
        },
        |file| {
            let cards = file["columns"][0]["cards"].as_array_mut().unwrap();
            cards.push(new_card("c7", 7));
            cards.push(new_card("c8", 8));
        },
    );
    assert_eq!(card(&board, "c8").number, 8);
    assert_eq!(card(&board, "c7").number, 9);
    assert_eq!(board.view().next_number, 10);
    assert_eq!(
        titles(&board, "k1"),
        ["First", "Second", "c7", "c8", "local"]
    );
}

#[test]
fn members_keep_the_roles_that_they_have_here() {
    let (board, _) = later(
        Knows::Everything,
        |here| here["members"][1]["role"] = json!("viewer"),
        |file| file["members"][1]["name"] = json!("Robert"),
    );
    let bob = &board.view().members[&"bob".parse().unwrap()];
    assert_eq!(
        (bob.name.as_str(), bob.role),
        ("Robert", crate::board::Role::Viewer)
    );
}
