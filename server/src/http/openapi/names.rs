//! Parameters and statuses, which mean the same wherever they stand.

use serde_json::{Value, json};

/// Where a parameter stands.
pub(super) enum Place {
    Path,
    Query,
    Header,
}

/// A parameter.
pub(super) struct Parameter {
    pub(super) place: Place,
    pub(super) text: &'static str,
    pub(super) schema: Value,
    pub(super) example: Value,
}

/// The parameter of a name: with `?` one of the query, in capitals a header, else an id in the path.
pub(super) fn parameter(name: &str) -> Parameter {
    let id = || json!({"type": "string", "minLength": 1, "maxLength": 22, "pattern": "^[A-Za-z0-9_-]{1,22}$"});
    let text = |max: u32| json!({"type": "string", "minLength": 1, "maxLength": max});
    let count = |max: u64| json!({"type": "integer", "minimum": 1, "maximum": max});
    let tags = || json!({"type": "string", "minLength": 1, "maxLength": 1_024});
    let (place, text, schema, example) = match name {
        "?limit" => (Place::Query, "Things of a page", count(200), json!(100)),
        "?cursor" => (
            Place::Query,
            "The `next` of the page before",
            text(1_024),
            json!("k1"),
        ),
        "?after" => (
            Place::Query,
            "The `next` of the page before",
            id(),
            json!("ann"),
        ),
        "?column" | "?label" | "?assignee" | "?card" => {
            (Place::Query, "Only what has it", id(), json!("bug"))
        }
        "?archived" => (
            Place::Query,
            "Only archived cards, or only others",
            json!({"type": "boolean"}),
            json!(false),
        ),
        "?format" => (
            Place::Query,
            "What the body is",
            json!({"type": "string", "enum": ["trello", "json"]}),
            json!("json"),
        ),
        "Idempotency-Key" => (
            Place::Header,
            "Makes the request safe to send again within 24 hours",
            text(255),
            json!("import-17"),
        ),
        "If-Match" => (
            Place::Header,
            "Write only onto this state: the `ETag` that was read",
            tags(),
            json!("\"05d17e7a90c421bf:41\""),
        ),
        "If-None-Match" => (
            Place::Header,
            "Answer 304 where it is still this",
            tags(),
            json!("\"05d17e7a90c421bf:41\""),
        ),
        "Last-Event-ID" => (
            Place::Header,
            "Go on behind this version: EPOCH:VERSION",
            text(64),
            json!("05d17e7a90c421bf:41"),
        ),
        _ => (Place::Path, "An id", id(), json!("k1")),
    };
    Parameter {
        place,
        text,
        schema,
        example,
    }
}

/// What a status means.
pub(super) fn status(status: u16) -> &'static str {
    match status {
        101 => "The connection is a WebSocket from now on",
        200 => "Done",
        201 => "Made; `Location` says where it is",
        202 => "Accepted",
        204 => "Done, nothing to say",
        304 => "It is still what `If-None-Match` names",
        400 => "The request cannot be read",
        401 => "Credentials are missing or not valid",
        403 => "The role does not allow it",
        404 => "There is no such thing, or it is not yours",
        408 => "The body did not come in time",
        409 => "The board or the server does not take it as it stands",
        412 => "It has changed since it was read; both values are told",
        413 => "The body is too large",
        415 => "The body is not announced as what it must be",
        422 => "A field is wrong, or the key was used for something else",
        429 => "Too much; `Retry-After` says when to try again",
        503 => "Not at the moment; `Retry-After` says when to try again",
        _ => "Something went wrong in the server",
    }
}
