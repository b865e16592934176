//! `docs/protocol.md` says what is so.

use std::path::Path;

use boardcast_protocol::board::{Reason, View, view_hash};
use boardcast_protocol::close::{CloseCode, reconnects};
use boardcast_protocol::limits;
use boardcast_protocol::message::ErrorCode;
use serde::Serialize;
use serde_json::Value;

use crate::examples::{client_messages, commands, events, server_messages};
use crate::golden::type_of;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let parts = page.split(fence.as_str()).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap())
        .collect()
}

/// The rows of a table whose first cell is `first`.
fn row<'a>(page: &'a str, first: &str) -> Option<Vec<&'a str>> {
    let start = format!("| {first} |");
    let line = page.lines().find(|line| line.starts_with(&start))?;
    Some(line.trim_matches('|').split(" | ").map(str::trim).collect())
}

fn values<T: Serialize>(things: &[T]) -> Vec<Value> {
    things
        .iter()
        .map(|thing| serde_json::to_value(thing).unwrap())
        .collect()
}

#[test]
fn the_examples_are_golden_messages_and_none_is_missing() {
    let page = page();
    let shown: Vec<Value> = blocks(&page, "json")
        .into_iter()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
        .collect();
    let known = [values(&client_messages()), values(&server_messages())].concat();
    let is_message = |value: &&Value| value.is_array() || value.get("type").is_some();
    let shown: Vec<_> = shown.iter().filter(is_message).collect();
    for value in &shown {
        assert!(known.contains(value), "not a golden message: {value}");
    }
    let types: Vec<_> = shown.iter().map(|value| type_of(value)).collect();
    for message in &known {
        assert!(types.contains(&type_of(message)), "no example of {message}");
    }
}

#[test]
fn the_hash_of_the_example_is_right() {
    let page = page();
    let views: Vec<View> = blocks(&page, "json")
        .into_iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let [view] = views.as_slice() else {
        panic!("one example is a view");
    };
    assert!(page.contains(&format!("its hash is `{}`", view_hash(view))));
    let canonical = blocks(&page, "text");
    let read: Vec<View> = canonical
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    assert_eq!(read.as_slice(), std::slice::from_ref(view));
}

#[test]
fn every_command_and_event_has_its_row() {
    let page = page();
    let (_, after) = page.split_once("## Commands").unwrap();
    let (on_commands, after) = after.split_once("## Events").unwrap();
    let (on_events, _) = after.split_once("## Hash").unwrap();
    for command in values(&commands()) {
        let name = format!("`{}`", command["type"].as_str().unwrap());
        let cells = row(on_commands, &name).unwrap_or_else(|| panic!("no row for {name}"));
        for field in command.as_object().unwrap().keys() {
            let named = cells[1].contains(&format!("`{field}`"));
            assert!(field == "type" || named, "the row of {name} names {field}");
        }
        let role = match cells[2].split(',').next().unwrap() {
            "admin" => "Administer",
            "editor" => "Edit",
            "commenter" => "Comment",
            other => panic!("{other} is not a role"),
        };
        let command = serde_json::from_value::<boardcast_protocol::command::Command>(command);
        assert_eq!(format!("{:?}", command.unwrap().action()), role, "{name}");
    }
    for event in values(&events()) {
        let name = event["type"].as_str().unwrap();
        let line = on_events.lines().find(|line| {
            let first = line.trim_start_matches('|').split('|').next();
            first.is_some_and(|cell| cell.contains(&format!("`{name}`")))
        });
        let line = line.unwrap_or_else(|| panic!("no row for {name}"));
        for field in event.as_object().unwrap().keys() {
            assert!(
                field == "type" || line.contains(&format!("`{field}`")),
                "{name} {field}"
            );
        }
    }
}

#[test]
fn every_reason_and_code_is_named() {
    let page = page();
    use ErrorCode as E;
    use Reason as R;
    let reasons = [
        R::Forbidden,
        R::NotFound,
        R::DuplicateId,
        R::UsedId,
        R::Invalid,
        R::Limit,
        R::WipLimit,
        R::NotEmpty,
        R::Cycle,
        R::LastAdmin,
        R::Conflict,
        R::SeqReused,
    ];
    let codes = [
        E::NotJson,
        E::UnknownType,
        E::BadMessage,
        E::HelloExpected,
        E::Unauthorized,
        E::NoSuchBoard,
        E::NoSuchCard,
        E::NotSubscribed,
        E::Limit,
        E::Busy,
        E::Unavailable,
    ];
    for name in [values(&reasons), values(&codes)].concat() {
        let name = name.as_str().unwrap();
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

/// Compares the page with limits by their names.
macro_rules! limits {
    ($page:expr, $source:expr, $($name:ident)*) => {{
        $(
            let cells = row($page, concat!("`", stringify!($name), "`"));
            let cells = cells.unwrap_or_else(|| panic!("no row for {}", stringify!($name)));
            let digits: String = cells[1].chars().filter(char::is_ascii_digit).collect();
            assert_eq!(digits, limits::$name.to_string(), stringify!($name));
        )*
        let known = [$(stringify!($name)),*];
        for line in $source.lines().filter_map(|line| line.strip_prefix("pub const ")) {
            let name = line.split(':').next().unwrap();
            assert!(known.contains(&name), "{name} is not compared");
        }
    }};
}

#[test]
fn the_limits_are_those_of_the_code() {
    let page = page();
    limits!(&page, include_str!("../../src/limits.rs"),
        TITLE_MAX_BYTES TEXT_MAX_BYTES NAME_MAX_BYTES URL_MAX_BYTES COLUMNS_MAX CARDS_MAX
        MEMBERS_MAX LABELS_MAX FIELDS_MAX OPTIONS_MAX SPRINTS_MAX CARD_LABELS_MAX
        CARD_ASSIGNEES_MAX CARD_BLOCKERS_MAX CARD_CHECKLISTS_MAX CHECKLIST_ITEMS_MAX
        CARD_COMMENTS_MAX DETAIL_MAX_BYTES CARD_ATTACHMENTS_MAX FIELD_TEXT_MAX_BYTES
        LINKED_CARDS_MAX ESTIMATE_MAX BURIED_MAX SUBMIT_COMMANDS_MAX UNDO_EVENTS_MAX OUTCOMES_KEPT CLIENT_KEPT_MS
        MESSAGE_MAX_BYTES HELLO_MAX_BYTES TOKEN_MAX_BYTES HELLO_BOARDS_MAX VERSION_MAX_BYTES
        BATCH_MAX_BYTES PRESENCE_TICK_MAX_BYTES PRESENCE_TICK_MS PRESENCE_NAMES_MAX
        ACTIVITY_PAGE_MAX BOARDS_PAGE_MAX QUERY_MAX_BYTES QUERY_TERMS_MAX JSON_ESCAPE_FACTOR);
}

#[test]
fn r11_the_close_codes_are_those_of_the_code() {
    let page = page();
    for code in CloseCode::ALL {
        let cells = row(&page, &code.code().to_string()).expect("a row for each code");
        assert_eq!(cells[1] == "yes", reconnects(code.code()), "{code:?}");
        assert_eq!(cells[2], code.reason());
    }
}
