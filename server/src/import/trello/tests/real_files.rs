//! Real exports, against a count that is made independently of the reader. They lie beside the
//! repository and not in it; without them these tests say so and pass.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use boardcast_protocol::board::{Incoming, merge, view_hash};
use boardcast_protocol::event::Event;

use super::*;

const FILES: [&str; 5] = [
    "trello-amirite.json",
    "trello-spark-project.json",
    "trello-food-app.json",
    "trello-photo-cms-it.json",
    "trello-custom-fields-fixture.json",
];

fn files() -> Vec<(&'static str, String)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("BOARDCAST_SHARED").map(PathBuf::from);
    let candidates = shared.into_iter().chain([beside]);
    let Some(data) = candidates
        .map(|dir| dir.join("data"))
        .find(|dir| dir.join(FILES[0]).exists())
    else {
        // Past the capture of the test runner: a skipped test is to be seen.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no real exports here; BOARDCAST_SHARED names the directory above `data`"
        );
        return Vec::new();
    };
    FILES
        .into_iter()
        .map(|name| (name, std::fs::read_to_string(data.join(name)).unwrap()))
        .collect()
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn closed(things: &[Value]) -> (usize, usize) {
    let closed = things
        .iter()
        .filter(|thing| thing["closed"] == true)
        .count();
    (things.len() - closed, closed)
}

#[test]
fn counts_equal_those_of_the_file() {
    for (name, text) in files() {
        let raw: Value = serde_json::from_str(&text).unwrap();
        let counts = Counts::of(&read_text(&text).unwrap().board);
        let cards = array(&raw, "cards");
        assert_eq!(
            (counts.columns.open, counts.columns.archived),
            closed(array(&raw, "lists")),
            "{name}"
        );
        assert_eq!(
            (counts.cards.open, counts.cards.archived),
            closed(cards),
            "{name}"
        );
        assert_eq!(counts.labels, array(&raw, "labels").len(), "{name}");
        assert_eq!(counts.members, array(&raw, "members").len(), "{name}");
        let checklists = array(&raw, "checklists");
        assert_eq!(counts.checklists, checklists.len(), "{name}");
        let items: usize = checklists
            .iter()
            .map(|list| array(list, "checkItems").len())
            .sum();
        assert_eq!(counts.check_items, items, "{name}");
        let attachments: usize = cards
            .iter()
            .map(|card| array(card, "attachments").len())
            .sum();
        assert_eq!(counts.attachments, attachments, "{name}");
        let comments = array(&raw, "actions").iter().filter(|action| {
            action["type"] == "commentCard"
                && cards
                    .iter()
                    .any(|card| card["id"] == action["data"]["card"]["id"])
        });
        assert_eq!(counts.comments, comments.count(), "{name}");
    }
}

/// Whether an action did something to a card that is kept.
fn is_kept(raw: &Value, action: &Value) -> bool {
    let (old, now) = (&action["data"]["old"], &action["data"]["card"]);
    match action["type"].as_str().unwrap() {
        "updateCard" => {
            let fields = ["name", "desc", "closed", "due", "dueComplete"];
            let is_changed = |field: &&str| old.get(field).is_some() && old[field] != now[field];
            let lists: Vec<_> = array(raw, "lists").iter().map(|list| &list["id"]).collect();
            let moved = old.get("idList").is_some();
            let is_here = [&old["idList"], &now["idList"]]
                .iter()
                .all(|list| lists.contains(list));
            fields.iter().any(is_changed) || (moved && is_here)
        }
        kind => [
            "createCard",
            "deleteCard",
            "commentCard",
            "addMemberToCard",
            "removeMemberFromCard",
            "addAttachmentToCard",
            "deleteAttachmentFromCard",
            "addChecklistToCard",
            "removeChecklistFromCard",
            "updateCheckItemStateOnCard",
        ]
        .contains(&kind),
    }
}

#[test]
fn the_history_is_what_was_done_to_cards_oldest_first() {
    for (name, text) in files() {
        let raw: Value = serde_json::from_str(&text).unwrap();
        let history = read_text(&text).unwrap().history;
        let kept = array(&raw, "actions")
            .iter()
            .filter(|action| is_kept(&raw, action));
        assert_eq!(history.len(), kept.count(), "{name}");
        assert!(history.is_sorted_by_key(|past| past.at), "{name}");
        for past in &history {
            assert_eq!(past.events.len(), past.was.len(), "{name}");
            let written = serde_json::to_string(&past.events).unwrap();
            let read: Vec<Event> = serde_json::from_str(&written).unwrap();
            assert_eq!(read, past.events, "{name}");
        }
    }
}

#[test]
fn the_order_in_lists_equals_that_of_the_file() {
    for (name, text) in files() {
        let raw: Value = serde_json::from_str(&text).unwrap();
        let sorted = |things: &[Value]| {
            let mut things = things.to_vec();
            things.sort_by(|a, b| {
                a["pos"]
                    .as_f64()
                    .unwrap()
                    .total_cmp(&b["pos"].as_f64().unwrap())
            });
            things
        };
        let expected: Vec<Vec<_>> = sorted(array(&raw, "lists"))
            .iter()
            .map(|list| {
                let cards = sorted(array(&raw, "cards")).into_iter();
                let cards = cards.filter(|card| card["idList"] == list["id"]);
                cards
                    .map(|card| card["name"].as_str().unwrap().to_owned())
                    .collect()
            })
            .collect();
        assert_eq!(titles(&read_text(&text).unwrap().board), expected, "{name}");
    }
}

fn import(
    board: &mut Board,
    text: &str,
    before: BTreeSet<boardcast_protocol::ids::AnyId>,
) -> Vec<Event> {
    let incoming = incoming(text, before);
    let merged = merge(board, &incoming).unwrap();
    let stamp = stamp("", "importer".parse().unwrap(), None);
    let moment = boardcast_protocol::board::Moment {
        version: boardcast_protocol::position::Version(1),
        stamp,
    };
    for event in &merged.events {
        board.apply(moment, event).unwrap();
    }
    merged.events
}

fn incoming(text: &str, before: BTreeSet<boardcast_protocol::ids::AnyId>) -> Incoming {
    let file = read_text(text).unwrap();
    Incoming {
        board: file.board,
        knows: file.knows,
        before,
    }
}

fn empty_for(text: &str) -> Board {
    let id = read_text(text).unwrap().board.view().id;
    Board::new(View::new(id, "?".into()), BTreeMap::new(), BTreeSet::new())
}

#[test]
fn the_same_file_twice_changes_nothing_and_a_round_trip_is_equal() {
    for (name, text) in files() {
        let mut board = empty_for(&text);
        import(&mut board, &text, BTreeSet::new());
        assert_eq!(
            view_hash(board.view()),
            view_hash(read_text(&text).unwrap().board.view()),
            "{name}"
        );
        let before = incoming(&text, BTreeSet::new()).ids();
        assert_eq!(import(&mut board, &text, before), [], "{name}");

        let document = boardcast_protocol::board::BoardDocument::from_board(&board);
        let exported = serde_json::to_string(&document).unwrap();
        let again = crate::import::json::read(Source::new(exported.as_bytes())).unwrap();
        assert_eq!(again.board, board, "{name}");
    }
}

#[test]
fn a_later_export_updates_by_id() {
    for (name, text) in files() {
        let mut raw: Value = serde_json::from_str(&text).unwrap();
        let lists: Vec<_> = array(&raw, "lists")
            .iter()
            .map(|list| list["id"].clone())
            .collect();
        let cards = raw["cards"].as_array_mut().unwrap();
        let deleted = cards.remove(2);
        cards[0]["name"] = json!("renamed");
        let elsewhere = lists
            .iter()
            .find(|list| **list != cards[1]["idList"])
            .unwrap();
        cards[1]["idList"] = elsewhere.clone();
        cards[1]["closed"] = json!(true);
        cards.push(json!({"id": id(7), "idList": lists[0], "name": "added", "pos": 1}));
        let renamed = (cards[0]["id"].clone(), cards[1]["id"].clone());
        let card_count = cards.len();

        let mut board = empty_for(&text);
        import(&mut board, &text, BTreeSet::new());
        let untouched = board.clone();
        let before = incoming(&text, BTreeSet::new()).ids();
        let later = raw.to_string();
        import(&mut board, &later, before);
        board.verify().unwrap();

        let find = |id: &Value| {
            let id = boardcast_protocol::ids::CardId::from_u128(id_bits(id.as_str().unwrap()));
            &board.view().cards[&id]
        };
        assert_eq!(board.view().cards.len(), card_count + 1, "{name}");
        assert_eq!(find(&renamed.0).title, "renamed", "{name}");
        let list = ColumnId::from_u128(id_bits(elsewhere.as_str().unwrap()));
        assert_eq!(
            (find(&renamed.1).column, find(&renamed.1).archived),
            (list, true),
            "{name}"
        );
        assert!(find(&deleted["id"]).archived, "{name}");
        assert!(!find(&json!(id(7))).archived, "{name}");
        let changed = board.view().cards.values().filter(|card| {
            untouched
                .view()
                .cards
                .get(&card.id)
                .is_some_and(|old| old != *card)
        });
        assert!(
            changed.count() <= 3,
            "{name}: cards that did not change stay as they are"
        );
        let before = incoming(&later, BTreeSet::new()).ids();
        assert_eq!(import(&mut board, &later, before), [], "{name}");
    }
}

#[test]
fn a_file_cut_off_anywhere_is_an_error_with_its_place() {
    for (name, text) in files() {
        for part in 1..8 {
            let mut end = text.len() * part / 8;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let error = read_text(&text[..end]).unwrap_err();
            assert!(error.contains(&format!("(byte {end})")), "{name}: {error}");
            assert!(error.contains("cut off"), "{name}: {error}");
        }
    }
}
