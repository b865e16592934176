//! What is said over the WebSocket, as an AsyncAPI 3 document.
//!
//! The messages and their fields come from the types, the examples from the golden files; which
//! message answers which stands here. The document is made once.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use boardcast_protocol::message::{ClientMessage, ServerMessage};
use boardcast_protocol::{SUBPROTOCOL_DEFLATE, SUBPROTOCOL_JSON};

use super::App;
use super::base::Base;

/// What clients say, and what answers it. What follows later is said by the server itself.
const ASKED: [(&str, &[&str]); 10] = [
    ("hello", &["welcome", "subscribed", "error"]),
    ("subscribe", &["subscribed", "error"]),
    ("unsubscribe", &["unsubscribed", "error"]),
    ("submit", &["outcome", "durable", "error"]),
    ("presence", &["error"]),
    ("card.open", &["card", "error"]),
    ("activity", &["activity", "error"]),
    ("board.create", &["board.created", "error"]),
    ("boards.list", &["boards", "error"]),
    ("ping", &["pong"]),
];
/// What the server says by itself.
const TOLD: [&str; 6] = [
    "snapshot", "batch", "durable", "presence", "role", "goodbye",
];

macro_rules! golden {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../protocol/golden/messages/", $name, ".json"))),)*]
    };
}

/// Messages as they are encoded, each by its side and its name.
const EXAMPLES: [(&str, &str); 26] = golden!(
    "client.hello" "client.subscribe" "client.unsubscribe" "client.submit" "client.presence"
    "client.card.open" "client.activity" "client.board.create" "client.boards.list" "client.ping"
    "server.welcome" "server.subscribed" "server.unsubscribed" "server.snapshot" "server.batch"
    "server.outcome" "server.durable" "server.presence" "server.role" "server.card"
    "server.activity" "server.board.created" "server.boards" "server.error" "server.goodbye"
    "server.pong"
);

/// The document says where the server is found, below `base`.
pub(super) fn routes(base: &Base) -> Router<App> {
    let base = base.clone();
    let document = Arc::new(LazyLock::new(move || {
        // A value has no keys that are not strings, the only case that fails.
        Bytes::from(serde_json::to_vec(&compose(&base)).unwrap_or_default())
    }));
    let served = || async move { told(Bytes::clone(&document)) };
    Router::new().route("/api/asyncapi.json", get(served))
}

fn told(document: Bytes) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, document)
}

fn compose(base: &Base) -> Value {
    // AsyncAPI describes payloads by a superset of this draft.
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = SchemaGenerator::new(settings);
    generator.subschema_for::<ClientMessage>();
    generator.subschema_for::<ServerMessage>();
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    let mut messages = Map::new();
    for (side, of_all) in [("client", "ClientMessage"), ("server", "ServerMessage")] {
        for variant in variants(schemas.remove(of_all)) {
            let name = variant["properties"]["type"]["const"].as_str();
            let key = format!("{side}.{}", name.unwrap_or("batch"));
            let message = message(&key, variant);
            messages.insert(key, message);
        }
    }
    let operations = operations();
    let listed = |key: &String| {
        let place = format!("#/components/messages/{key}");
        (key.clone(), json!({ "$ref": place }))
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Boardcast",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Boards, live, over one WebSocket for any number of them. \
                docs/protocol.md says what each message means and in which order they come.",
            "license": {"name": "MIT OR Apache-2.0"}
        },
        "defaultContentType": "application/json",
        "servers": {
            "plain": server("ws", base),
            "tls": server("wss", base)
        },
        "channels": {"boards": {
            "address": "/ws",
            "title": "The WebSocket",
            "description": "One message in each text frame, as JSON: an object with a `type`, or an \
                array, which is a batch. In the subprotocol with `deflate` the server may send the \
                text as a binary frame, one raw DEFLATE stream each.",
            "messages": messages.keys().map(listed).collect::<Map<_, _>>(),
            "bindings": {"ws": {
                "method": "GET",
                "query": {"type": "object", "properties": {"ticket": {
                    "type": "string",
                    "description": "A ticket of POST /api/v1/tickets, for browsers."
                }}},
                "headers": {"type": "object", "properties": {"Sec-WebSocket-Protocol": {
                    "type": "string",
                    "enum": [SUBPROTOCOL_JSON, SUBPROTOCOL_DEFLATE]
                }}},
                "bindingVersion": "0.1.0"
            }}
        }},
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token on the upgrade; without one, `hello` brings it."
            }}
        }
    })
}

fn variants(of_all: Option<Value>) -> Vec<Value> {
    let mut of_all = of_all.unwrap_or_default();
    let listed = ["oneOf", "anyOf"].map(|list| of_all[list].take());
    listed
        .into_iter()
        .filter_map(|list| Some(list.as_array()?.clone()))
        .flatten()
        .collect()
}

fn message(key: &str, mut payload: Value) -> Value {
    let summary = payload
        .as_object_mut()
        .and_then(|payload| payload.remove("description"));
    let example = EXAMPLES.iter().find(|(name, _)| *name == key);
    let example = example.and_then(|(_, text)| serde_json::from_str::<Value>(text).ok());
    let name = key.split_once('.').map_or(key, |(_, name)| name);
    json!({
        "name": name,
        "title": name,
        "summary": summary,
        "payload": payload,
        "examples": [{"payload": example}]
    })
}

fn server(protocol: &str, base: &Base) -> Value {
    let mut server = json!({
        "host": "{host}",
        "protocol": protocol,
        "variables": {"host": {
            "default": "127.0.0.1:8080",
            "description": "Where `boardcast serve` listens, or the proxy before it."
        }},
        "security": [{"$ref": "#/components/securitySchemes/bearer"}]
    });
    if !base.path().is_empty() {
        server["pathname"] = base.path().into();
    }
    server
}

fn operations() -> Map<String, Value> {
    let channel = json!({"$ref": "#/channels/boards"});
    let place = |side: &str, name: &str| json!({"$ref": format!("#/channels/boards/messages/{side}.{name}")});
    let asked = ASKED.iter().map(|(name, answers)| {
        let answers: Vec<_> = answers
            .iter()
            .map(|answer| place("server", answer))
            .collect();
        let operation = json!({
            "action": "receive",
            "channel": channel,
            "messages": [place("client", name)],
            "reply": {"channel": channel, "messages": answers}
        });
        (format!("receive.{name}"), operation)
    });
    let told = TOLD.iter().map(|name| {
        let operation = json!({
            "action": "send",
            "channel": channel,
            "messages": [place("server", name)]
        });
        (format!("send.{name}"), operation)
    });
    asked.chain(told).collect()
}
