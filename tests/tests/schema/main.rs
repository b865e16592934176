//! The JSON Schemas in `docs/schema` are those of the types, and golden messages are valid by them; so
//! is the AsyncAPI document, which the server tells.
//! `UPDATE_SCHEMA=1` writes them anew.

#![expect(
    clippy::unwrap_used,
    reason = "a test that does not come this far has failed"
)]

mod asyncapi;
mod validator;

use std::fs;
use std::path::{Path, PathBuf};

use boardcast_protocol::board::View;
use boardcast_protocol::message::{ClientMessage, ServerMessage};
use serde_json::{Value, json};

use validator::validate;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schemas() -> [(&'static str, Value); 3] {
    let client = schemars::schema_for!(ClientMessage);
    let server = schemars::schema_for!(ServerMessage);
    let board = schemars::schema_for!(View);
    [
        ("client-message", client.to_value()),
        ("server-message", server.to_value()),
        ("board", board.to_value()),
    ]
}

fn schema(name: &str) -> Value {
    let found = schemas().into_iter().find(|(known, _)| *known == name);
    found.map(|(_, schema)| schema).unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn golden(folder: &str) -> Vec<(String, Value)> {
    let dir = top().join("protocol/golden").join(folder);
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&read(&path)).unwrap())
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

#[test]
fn r12_schemas_are_those_of_the_types() {
    let dir = top().join("docs/schema");
    for (name, schema) in schemas() {
        let path = dir.join(format!("{name}.schema.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::create_dir_all(&dir).unwrap();
            fs::write(&path, &text).unwrap();
        }
        assert!(
            read(&path) == text,
            "{name} has changed: UPDATE_SCHEMA=1 writes it"
        );
    }
}

#[test]
fn golden_messages_are_valid() {
    let (client, server) = (schema("client-message"), schema("server-message"));
    let mut count = 0;
    for (name, value) in golden("messages") {
        let (kind, _) = name.split_once('.').unwrap();
        let result = match kind {
            "client" => validate(&client, &value),
            "server" => validate(&server, &value),
            "command" => validate(
                &client,
                &json!({"type": "submit", "board": "b", "seq": 1, "cmds": [value]}),
            ),
            _ => validate(&server, &batch_of(&[value])),
        };
        assert_eq!(result, Ok(()), "{name}");
        count += 1;
    }
    assert!(count > 80, "{count} files");
}

#[test]
fn golden_scenarios_are_valid() {
    let (client, server, board) = (
        schema("client-message"),
        schema("server-message"),
        schema("board"),
    );
    for (name, scenario) in golden("scenarios") {
        assert_eq!(validate(&board, &scenario["start"]), Ok(()), "{name}");
        for step in scenario["steps"].as_array().unwrap() {
            let submit = json!({"type": "submit", "board": "b", "seq": 1, "cmds": step["cmds"]});
            assert_eq!(validate(&client, &submit), Ok(()), "{name}");
            if let Some(events) = step["expect"]["events"].as_array() {
                assert_eq!(validate(&server, &batch_of(events)), Ok(()), "{name}");
            }
        }
    }
}

#[test]
fn what_is_not_a_message_is_not_valid() {
    let client = schema("client-message");
    for bad in [
        json!({}),
        json!({"type": "weather"}),
        json!({"type": "subscribe", "req": 1}),
        json!({"type": "subscribe", "req": -1, "board": "b"}),
        json!({"type": "subscribe", "req": 1, "board": ""}),
        json!({"type": "submit", "board": "b", "seq": 9_007_199_254_740_992_u64, "cmds": []}),
        json!({"type": "submit", "board": "b", "seq": 1, "cmds": [{"type": "card.paint"}]}),
    ] {
        assert!(validate(&client, &bad).is_err(), "{bad}");
    }
    let server = schema("server-message");
    for bad in [
        json!([]),
        json!(["b", 0]),
        json!(["b", 0, [["ann", 1]]]),
        json!(["b", 0, [["ann", 1, [{"type": "card.paint"}]]]]),
        json!(["b", 0, [["ann", 1, [], 7, 1]]]),
        json!(["b", 0, [], -1]),
    ] {
        assert!(validate(&server, &bad).is_err(), "{bad}");
    }
}

fn batch_of(events: &[Value]) -> Value {
    json!(["b", 0, [["ann", 1, events]]])
}
