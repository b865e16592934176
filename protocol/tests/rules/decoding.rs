//! Whatever comes over the wire is a message or a clear error, and never a panic.

use boardcast_protocol::codec::{NESTING_MAX, decode_client, decode_server, encode};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ClientMessage, ErrorCode, ErrorMessage};
use boardcast_protocol::position::Seq;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arbitrary::Dice;
use crate::examples::{client_messages, server_messages};
use crate::trials::{cases, empty, take, turn};

fn error(text: &str) -> ErrorMessage {
    let error = *decode_client(text).expect_err("it is not a message");
    assert!(!error.hint.is_empty());
    assert!(
        error.hint.len() < 4_096,
        "an error repeats little of what it was sent"
    );
    error
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn random_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(decode_client(&text).is_err());
        prop_assert!(decode_server(&text).is_err());
    }

    #[test]
    fn random_json_is_decided_without_a_panic(seed in any::<u64>()) {
        let value = random_json(&mut Dice::new(seed), 0);
        let _ = decode_client(&value.to_string());
        let _ = decode_server(&value.to_string());
    }

    #[test]
    fn messages_with_a_changed_byte_are_decided_without_a_panic(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let client = client_messages();
        let server = server_messages();
        for mut text in [encode(&client[dice.below(client.len())]), encode(&server[dice.below(server.len())])] {
            for _ in 0..1 + dice.below(3) {
                let at = dice.below(text.len());
                text[at] = dice.next() as u8;
            }
            let text = String::from_utf8_lossy(&text);
            let _ = decode_client(&text);
            let _ = decode_server(&text);
        }
    }

    #[test]
    fn submits_come_out_as_they_went_in(seeds in proptest::collection::vec(any::<u64>(), 1..20)) {
        let mut board = empty();
        for (index, seed) in seeds.iter().enumerate() {
            let turn = turn(*seed, &board);
            let submit = json!({"type": "submit", "board": "b", "seq": 1, "cmds": turn.commands, "seen": turn.seen});
            let Ok(ClientMessage::Submit(submit)) = decode_client(&submit.to_string()) else {
                return Err(TestCaseError::fail("a submit is a submit"));
            };
            prop_assert_eq!(&submit.cmds, &turn.commands);
            prop_assert_eq!(&submit.seen, &turn.seen);
            let _ = take(&mut board, &turn, index as u64 + 1);
        }
    }
}

fn random_json(dice: &mut Dice, depth: usize) -> Value {
    let keys = [
        "type", "req", "board", "seq", "cmds", "card", "set", "title", "place", "t",
    ];
    let words = ["submit", "ping", "card.set", "k0", "", "hello", "\u{0}"];
    match dice.below(if depth > 4 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => json!(dice.next()),
        2 => json!(-1.5e30),
        3 => json!(dice.one_in(2)),
        4 => json!(dice.pick(&words)),
        5 => (0..dice.below(4))
            .map(|_| random_json(dice, depth + 1))
            .collect(),
        _ => {
            let fields = (0..dice.below(7)).map(|_| {
                let key = dice.pick(&keys).to_owned();
                let value = match key.as_str() {
                    "type" => json!(dice.pick(&words)),
                    _ => random_json(dice, depth + 1),
                };
                (key, value)
            });
            Value::Object(fields.collect())
        }
    }
}

#[test]
fn deep_nesting_is_an_error_wherever_it_stands() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [NESTING_MAX, 1_000, 100_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(error(&deep).code, ErrorCode::BadMessage);
            assert_eq!(error(&open.repeat(depth + 1)).code, ErrorCode::BadMessage);
            let unknown_field = format!("{{\"type\":\"ping\",\"t\":1,\"x\":{deep}}}");
            assert_eq!(error(&unknown_field).code, ErrorCode::BadMessage);
            let in_command = format!(
                "{{\"type\":\"submit\",\"board\":\"b\",\"seq\":1,\"cmds\":[{{\"type\":\"card.set\",\"card\":\"k\",\"set\":{deep}}}]}}"
            );
            assert_eq!(error(&in_command).code, ErrorCode::BadMessage);
        }
    }
    let brackets = format!(
        "{{\"type\":\"ping\",\"t\":1,\"x\":\"\\\"{}\"}}",
        "[".repeat(9_000)
    );
    assert!(
        decode_client(&brackets).is_ok(),
        "brackets in a string are text"
    );
}

#[test]
fn huge_and_odd_numbers_are_errors() {
    for bad in [
        "1e400",
        "9007199254740992",
        "-1",
        "1.5",
        "1e3",
        "18446744073709551616",
        "\"1\"",
        "null",
        "[]",
    ] {
        let submit = format!("{{\"type\":\"submit\",\"board\":\"b\",\"seq\":{bad},\"cmds\":[]}}");
        let error = error(&submit);
        assert_eq!(
            (error.code, error.seq),
            (ErrorCode::BadMessage, None),
            "{bad}"
        );
        assert_eq!(error.board, Some("b".parse::<BoardId>().unwrap()));
    }
    for bad in ["NaN", "Infinity", "01", "+1", "0x1", ".5", "1."] {
        let submit = format!("{{\"type\":\"submit\",\"board\":\"b\",\"seq\":{bad},\"cmds\":[]}}");
        assert_eq!(error(&submit).code, ErrorCode::NotJson, "{bad}");
    }
    let last = "{\"type\":\"submit\",\"board\":\"b\",\"seq\":9007199254740991,\"cmds\":[]}";
    assert!(decode_client(last).is_ok());
}

#[test]
fn keys_that_stand_twice_are_errors() {
    let twice = [
        r#"{"type":"ping","type":"ping","t":1}"#,
        r#"{"type":"ping","t":1,"t":1}"#,
        r#"{"type":"subscribe","req":1,"req":2,"board":"b"}"#,
        r#"{"type":"submit","board":"b","seq":1,"cmds":[],"cmds":[]}"#,
        r#"{"type":"submit","board":"b","seq":1,"cmds":[],"seen":{"title":1,"title":2}}"#,
        r#"{"type":"submit","board":"b","seq":1,"cmds":[{"type":"card.set","card":"k","card":"l","set":{}}]}"#,
        r#"{"type":"submit","board":"b","seq":1,"cmds":[{"type":"card.set","card":"k","set":{"title":"a","title":"b"}}]}"#,
        r#"{"type":"submit","board":"b","seq":1,"cmds":[{"type":"card.move","type":"card.set","card":"k","set":{}}]}"#,
        r#"{"type":"submit","board":"b","seq":1,"cmds":[{"type":"card.move","card":"k","column":"c","place":{"after":"a","after":"b"}}]}"#,
    ];
    for text in twice {
        assert_eq!(error(text).code, ErrorCode::BadMessage, "{text}");
    }
}

#[test]
fn missing_and_mistyped_fields_are_errors() {
    for message in client_messages() {
        let Value::Object(full) = serde_json::to_value(&message).unwrap() else {
            panic!("a message is an object");
        };
        for key in full.keys().filter(|key| *key != "type") {
            let mut wrong = full.clone();
            wrong.insert(key.clone(), json!({"never": ["a", "value"]}));
            let text = Value::Object(wrong).to_string();
            assert_eq!(error(&text).code, ErrorCode::BadMessage, "{text}");
        }
    }
    assert_eq!(error("{}").code, ErrorCode::BadMessage);
    assert_eq!(error("[]").code, ErrorCode::BadMessage);
    assert_eq!(error("1").code, ErrorCode::BadMessage);
    assert_eq!(error("").code, ErrorCode::NotJson);
    assert_eq!(error("{\"type\":1}").code, ErrorCode::BadMessage);
    assert_eq!(
        error("{\"type\":\"ping\",\"t\":1} x").code,
        ErrorCode::NotJson
    );
    assert_eq!(error("{\"type\":\"ping\"}").code, ErrorCode::BadMessage);
}

#[test]
fn unknown_fields_are_ignored() {
    for message in client_messages() {
        let mut value = serde_json::to_value(&message).unwrap();
        add_unknown(&mut value);
        assert_eq!(decode_client(&value.to_string()).unwrap(), message);
    }
    for message in server_messages() {
        let mut value = serde_json::to_value(&message).unwrap();
        // The values of activity are passed on as they came.
        if value["type"] != "activity" {
            add_unknown(&mut value);
        }
        if let Value::Array(batch) = &mut value {
            for version in batch[2].as_array_mut().unwrap() {
                lengthen(version.as_array_mut().unwrap(), 5);
            }
            lengthen(batch, 4);
        }
        let read = decode_server(&value.to_string()).unwrap();
        assert_eq!(read, Some(message));
    }
}

/// Fills up the elements that are known, and adds one that nobody knows.
fn lengthen(array: &mut Vec<Value>, known: usize) {
    array.resize(known, Value::Null);
    array.push(json!({"of": [1, "newer", null]}));
}

/// Adds a field that nobody knows to every object whose fields have fixed names.
fn add_unknown(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add_unknown),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                // Objects whose keys are data, tagged values and values of any form.
                if !["seen", "revs", "value", "conflict"].contains(&key.as_str()) {
                    add_unknown(value);
                }
            }
            fields.insert("x-later".into(), json!({"of": [1, "newer", null]}));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn unknown_types_are_answered() {
    let text = r#"{"type":"card.paint","req":7,"board":"b","seq":3,"color":"red"}"#;
    let answer = error(text);
    assert_eq!(answer.code, ErrorCode::UnknownType);
    assert_eq!((answer.req, answer.seq), (Some(7), Some(Seq(3))));
    assert_eq!(answer.board, Some("b".parse().unwrap()));
    assert!(answer.hint.contains("card.paint"), "{}", answer.hint);

    let command =
        r#"{"type":"submit","board":"b","seq":3,"cmds":[{"type":"card.paint","card":"k"}]}"#;
    let answer = error(command);
    assert_eq!(
        (answer.code, answer.seq),
        (ErrorCode::BadMessage, Some(Seq(3)))
    );
    assert!(answer.hint.contains("card.paint"), "{}", answer.hint);

    let long = format!("{{\"type\":\"{}\",\"req\":7}}", "x".repeat(500_000));
    assert_eq!(error(&long).req, Some(7));
    let long = format!(
        "{{\"type\":\"submit\",\"board\":\"b\",\"seq\":1,\"cmds\":[{{\"type\":\"{}\"}}]}}",
        "x".repeat(500_000)
    );
    assert_eq!(error(&long).code, ErrorCode::BadMessage);

    assert_eq!(
        decode_server(r#"{"type":"weather","board":"b"}"#).unwrap(),
        None
    );
    assert!(decode_server(r#"{"board":"b"}"#).is_err());
}
