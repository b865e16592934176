//! Parameters and statuses, which mean the same wherever they stand.

use crate::http::rest::TAGS_MAX_BYTES;
use boardcast_protocol::limits::QUERY_MAX_BYTES;
use boardcast_protocol::position::MAX_SAFE_INTEGER;
use serde_json::{Value, json};

const TAG: &str = "\"05d17e7a90c421bf:41\"";
const NEXT: &str = "The `next` of the page before";

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
    let (place, text, schema, example) = match name {
        "?limit" => (Place::Query, "Things of a page", count(200), json!(100)),
        "?cursor" => (Place::Query, NEXT, id(), json!("k1")),
        "?cursor-of-cards" => {
            let cursor = text(1_024, "^([0-9A-Za-z]{1,1000}\\.)?[A-Za-z0-9_-]{1,22}$");
            (Place::Query, NEXT, cursor, json!("V.k1"))
        }
        "?cursor-of-versions" => (Place::Query, NEXT, number(), json!(41)),
        "?cursor-of-search" => (Place::Query, NEXT, text(18, "^[0-9]{1,18}$"), json!("200")),
        "?q" | "?q-of-search" => {
            let what = "Words, \"phrases\" and filters: docs/rest.md says which";
            let least = u8::from(name == "?q-of-search");
            let words = json!({"type": "string", "minLength": least, "maxLength": QUERY_MAX_BYTES});
            (
                Place::Query,
                what,
                words,
                json!("report -draft assignee:me"),
            )
        }
        "?after" => (Place::Query, NEXT, id(), json!("ann")),
        "?before" => (Place::Query, NEXT, number(), json!(41)),
        "?column" | "?label" | "?assignee" | "?card" => {
            (Place::Query, "Only what has it", id(), json!("bug"))
        }
        "?archived" => {
            let what = "Only archived cards, or only others";
            (Place::Query, what, json!({"type": "boolean"}), json!(false))
        }
        "?archived-of-boards" => {
            let what = "The archived boards instead of the others";
            (Place::Query, what, json!({"type": "boolean"}), json!(true))
        }
        "?format" => {
            let formats = json!({"type": "string", "enum": ["trello", "json"]});
            (Place::Query, "What the body is", formats, json!("json"))
        }
        "?name" => {
            let what = "What the file is called: no path, no control characters";
            let name = text(
                255,
                "^(?!\\s*\\.{0,2}\\s*$)[^/\\\\\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufffd]{1,255}$",
            );
            (Place::Query, what, name, json!("plan.pdf"))
        }
        "Range" => {
            let what = "Only these bytes; several ranges are answered with all bytes";
            let range = text(64, "^bytes=([0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})$");
            (Place::Header, what, range, json!("bytes=0-1023"))
        }
        "If-Range" => {
            let what =
                "The range counts only where the file is still this: the `ETag` that was read";
            (Place::Header, what, tags(), json!(TAG))
        }
        "Idempotency-Key" => {
            let what = "Makes the request safe to send again within 24 hours";
            (
                Place::Header,
                what,
                text(255, "^[!-~]{1,255}$"),
                json!("import-17"),
            )
        }
        "If-Match" => {
            let what = "Write only onto this state: the `ETag` that was read";
            (Place::Header, what, tags(), json!(TAG))
        }
        "If-None-Match" => (
            Place::Header,
            "Answer 304 where it is still this",
            tags(),
            json!(TAG),
        ),
        "Last-Event-ID" => {
            let what = "Go on behind this version: EPOCH:VERSION";
            let position = text(33, "^[0-9a-f]{16}:[0-9]{1,15}$");
            (Place::Header, what, position, json!("05d17e7a90c421bf:41"))
        }
        _ => (Place::Path, "An id", id(), json!("k1")),
    };
    Parameter {
        place,
        text,
        schema,
        example,
    }
}

fn text(max: u32, pattern: &str) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max, "pattern": pattern})
}

fn id() -> Value {
    text(22, "^[A-Za-z0-9_-]{1,22}$")
}

fn tags() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": TAGS_MAX_BYTES,
        "pattern": "^[!-~]([ -~]*[!-~])?$"
    })
}

fn number() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": MAX_SAFE_INTEGER})
}

fn count(max: u64) -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": max})
}

/// What a status means.
pub(super) fn status(status: u16) -> &'static str {
    match status {
        101 => "The connection is a WebSocket from now on",
        200 => "Done",
        201 => "Made; `Location` says where it is",
        202 => "Accepted",
        204 => "Done, nothing to say",
        206 => "The range of bytes",
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
        416 => "`Range` lies behind the file",
        422 => "A field is wrong, or the key was used for something else",
        429 => "Too much; `Retry-After` says when to try again",
        507 => "A quota of files is reached, or the disk is full",
        503 => "Not at the moment; `Retry-After` says when to try again",
        _ => "Something went wrong in the server",
    }
}
