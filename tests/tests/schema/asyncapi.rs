//! The AsyncAPI document: it is what the server tells, every message is in it once, golden messages are
//! valid by it, and everything that it refers to is there.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_tests::harness::TestServer;
use boardcast_tests::http::ask;
use serde_json::{Value, json};

use super::validator::validate;
use super::{golden, read, schema, top};

async fn document() -> Value {
    let server = TestServer::start().await;
    let answer = ask(&server.url("/api/asyncapi.json"), "GET", &[], None).await;
    assert_eq!(
        (answer.status, answer.media_type()),
        (200, "application/json")
    );
    answer.json()
}

/// Calls `see` with everything that is referred to.
fn each_reference(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(place) if name == "$ref" => see(place),
                    _ => each_reference(value, see),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, see)),
        _ => {}
    }
}

/// The names of the messages of one side, by the schema of them all.
fn names(schema: &Value) -> BTreeSet<String> {
    let variants = ["oneOf", "anyOf"]
        .iter()
        .find_map(|list| schema[list].as_array());
    let names = variants.expect("variants").iter().map(|variant| {
        let name = variant["properties"]["type"]["const"].as_str();
        name.unwrap_or("batch").to_owned()
    });
    names.collect()
}

#[tokio::test]
async fn r12_the_document_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&document().await).expect("JSON") + "\n";
    let path = top().join("docs/asyncapi.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    assert!(
        read(&path) == text,
        "docs/asyncapi.json has changed: UPDATE_SCHEMA=1 writes it"
    );
}

#[tokio::test]
async fn everything_that_is_referred_to_is_there_and_nothing_else() {
    let document = document().await;
    let mut places = BTreeSet::new();
    each_reference(&document, &mut |place| {
        let found = document.pointer(place.strip_prefix('#').expect("a place of the document"));
        assert!(found.is_some_and(|found| !found.is_null()), "{place}");
        places.insert(place.to_owned());
    });
    for kind in ["messages", "schemas", "securitySchemes"] {
        for name in document["components"][kind]
            .as_object()
            .expect("names")
            .keys()
        {
            let place = format!("#/components/{kind}/{name}");
            assert!(places.contains(&place), "{place}");
        }
    }
}

#[tokio::test]
async fn every_message_is_in_it_and_said_or_answered_by_an_operation() {
    let document = document().await;
    let mut expected = BTreeSet::new();
    for side in ["client", "server"] {
        let names = names(&schema(&format!("{side}-message")));
        expected.extend(names.into_iter().map(|name| format!("{side}.{name}")));
    }
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().expect("names").keys().cloned().collect()
    };
    assert_eq!(keys(&document["components"]["messages"]), expected);
    assert_eq!(keys(&document["channels"]["boards"]["messages"]), expected);

    let (mut said, mut received) = (BTreeSet::new(), BTreeMap::new());
    for (name, operation) in document["operations"].as_object().expect("operations") {
        each_reference(operation, &mut |place| {
            let message = place.strip_prefix("#/channels/boards/messages/");
            said.extend(message.map(str::to_owned));
        });
        let own = operation["messages"][0]["$ref"]
            .as_str()
            .expect("a message");
        let side = own.rsplit('/').next().expect("a name").split('.').next();
        let (action, expected) = match side {
            Some("client") => ("receive", operation["action"] == "receive"),
            _ => ("send", operation["action"] == "send"),
        };
        assert!(expected, "{name}: the server is to {action} it");
        let answers = &operation["reply"]["messages"];
        received.insert(name.clone(), answers.as_array().map_or(0, Vec::len));
    }
    assert_eq!(said, expected);
    for (name, answers) in received {
        assert_eq!(answers > 0, name.starts_with("receive."), "{name}");
    }
}

#[tokio::test]
async fn golden_messages_are_valid_by_it_and_stand_in_it() {
    let document = document().await;
    let messages = document["components"]["messages"]
        .as_object()
        .expect("messages");
    let mut count = 0;
    for (file, value) in golden("messages") {
        let (side, _) = file.split_once('.').expect("a side");
        if !matches!(side, "client" | "server") {
            continue;
        }
        let name = value["type"].as_str().unwrap_or("batch");
        let message = &messages[&format!("{side}.{name}")];
        let mut schema = message["payload"].clone();
        schema["components"] = document["components"].clone();
        assert_eq!(validate(&schema, &value), Ok(()), "{file}");
        if file == format!("{side}.{name}") {
            assert_eq!(message["examples"], json!([{"payload": value}]), "{file}");
        }
        let other = json!({"type": "weather"});
        assert!(validate(&schema, &other).is_err(), "{file}");
        count += 1;
    }
    assert!(count > 30, "{count}");
}
