//! The schemas of all bodies and answers, from the types that are read and written.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use boardcast_protocol::limits::NAME_MAX_BYTES;

use crate::http::rest;
use crate::sharing::USES_MAX;

/// All schemas by name.
pub(super) fn all() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = SchemaGenerator::new(settings);
    rest::schemas(&mut generator);
    let mut all: Map<String, Value> = generator.take_definitions(true);
    for (page, name, thing) in [
        ("CardPage", "cards", "Card"),
        ("ChecklistPage", "checklists", "Checklist"),
        ("ColumnPage", "columns", "Column"),
        ("CommentPage", "comments", "Comment"),
        ("LabelPage", "labels", "Label"),
        ("MemberPage", "members", "Member"),
    ] {
        all.insert(page.to_owned(), page_of(name, thing));
    }
    for (name, schema) in accounts() {
        all.insert(name.to_owned(), schema);
    }
    all.insert("Problem".to_owned(), problem());
    if let Some(command) = all.get_mut("Command") {
        leave_ids_to_the_server(command);
    }
    if let Some(commands) = all.get_mut("Commands") {
        commands["properties"]["commands"]["minItems"] = 1.into();
    }
    all
}

fn page_of(name: &str, thing: &str) -> Value {
    json!({
        "type": "object",
        "required": [name, "next"],
        "properties": {
            name: {
                "type": "array",
                "maxItems": 200,
                "items": {"$ref": format!("#/components/schemas/{thing}")}
            },
            "next": {"type": ["string", "null"], "description": "The cursor of the next page."}
        }
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong and what would be right (RFC 9457).",
        "required": ["type", "status", "title", "detail"],
        "properties": {
            "type": {"type": "string", "pattern": "^/api/#[a-z-]{1,40}$"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "title": {"type": "string"},
            "detail": {"type": "string", "description": "A hint for people."},
            "mine": {"description": "With 412: what was sent."},
            "theirs": {"description": "With 412: what is there now, with its `etag`."}
        }
    })
}

/// What has to do with accounts, by the fields of it; those that end with `?` may be absent.
fn accounts() -> Vec<(&'static str, Value)> {
    let strings = |names: &[&str]| {
        let plain = |name: &&str| name.trim_end_matches('?').to_owned();
        let required: Vec<_> = (names.iter())
            .filter(|name| !name.ends_with('?'))
            .map(plain)
            .collect();
        let properties: Map<String, Value> = (names.iter())
            .map(|name| (plain(name), type_of(name.trim_end_matches('?'))))
            .collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    vec![
        ("Ticket", strings(&["ticket", "expires_in_ms"])),
        ("ImportAnswer", strings(&["board", "outcome"])),
        ("Restored", strings(&[])),
        (
            "FirstStart",
            sent(&["link", "name", "email", "password", "user?"]),
        ),
        ("SetPassword", sent(&["link", "password"])),
        ("SignIn", sign_in()),
        (
            "SignedIn",
            strings(&[
                "user",
                "name?",
                "admin?",
                "session?",
                "expires?",
                "token?",
                "expires_in_ms?",
            ]),
        ),
        (
            "Sessions",
            json!({
                "type": "object",
                "required": ["admin", "sessions"],
                "properties": {"admin": type_of("admin"), "sessions": {
                    "type": "array",
                    "maxItems": 20,
                    "items": strings(&["id", "created", "used", "expires", "agent", "address", "current"])
                }}
            }),
        ),
        ("NewUser", sent(&["name", "email", "user?", "admin?"])),
        ("NewBot", sent(&["name", "user?", "admin?"])),
        ("ChangePassword", sent(&["old", "new"])),
        ("NewToken", sent(&["name", "scope", "boards?", "expires?"])),
        (
            "MadeToken",
            strings(&["id", "token", "name", "scope", "expires"]),
        ),
        ("Tokens", list("tokens", 50)),
        ("NewInvitation", sent(&["role", "uses?", "expires?"])),
        ("Invitations", list("invitations", 100)),
        ("NewLink", sent(&["expires?"])),
        ("Links", list("links", 100)),
        ("MadeInvitation", strings(&["id", "invitation"])),
        ("MadeLink", strings(&["id", "link"])),
        ("Accept", sent(&["invitation"])),
        ("Membership", strings(&["board", "role"])),
        (
            "UserPatch",
            json!({"oneOf": [sent(&["disabled"]), sent(&["admin"])]}),
        ),
        (
            "Anything",
            json!({"type": "object", "description": "See docs/admin.md and docs/accounts.md."}),
        ),
    ]
}

/// What is sent about accounts and sharing. What ends with `?` may be left out, or be null where it is
/// not a yes or no.
fn sent(names: &[&str]) -> Value {
    let (mut required, mut properties) = (Vec::new(), Map::new());
    for name in names {
        let plain = name.trim_end_matches('?');
        let mut schema = type_of_sent(plain);
        if plain == *name {
            required.push(plain);
        } else if schema["type"] != "boolean" && plain != "uses" {
            schema["type"] = json!([schema["type"], "null"]);
        }
        properties.insert(plain.to_owned(), schema);
    }
    json!({"type": "object", "required": required, "properties": properties})
}

/// Address and password, or a ticket.
fn sign_in() -> Value {
    let with = |mut schema: Value, name: &str, text: Value| {
        schema["properties"][name] = text;
        schema
    };
    let any = || json!({"type": "string"});
    let by_password = with(
        with(sent(&["email", "password"]), "email", any()),
        "password",
        any(),
    );
    json!({"oneOf": [by_password, with(sent(&["ticket"]), "ticket", any())]})
}

fn type_of_sent(name: &str) -> Value {
    match name {
        "name" => json!({
            "type": "string", "minLength": 1, "maxLength": NAME_MAX_BYTES,
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
        }),
        "email" => json!({
            "type": "string", "minLength": 3, "maxLength": 254,
            "pattern": "^[!-?A-~]+@[!-?A-~]+$"
        }),
        "password" | "new" => json!({"type": "string", "minLength": 10, "maxLength": 256}),
        "user" => id(),
        "boards" => json!({"type": "array", "minItems": 1, "maxItems": 20, "items": id()}),
        "uses" => json!({"type": "integer", "minimum": 1, "maximum": USES_MAX}),
        _ => type_of(name),
    }
}

fn id() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 22, "pattern": "^[A-Za-z0-9_-]{1,22}$"})
}

/// A list of things that docs/accounts.md and docs/rights.md describe.
fn list(name: &str, most: u32) -> Value {
    json!({
        "type": "object",
        "required": [name],
        "properties": {name: {"type": "array", "maxItems": most, "items": {"type": "object"}}}
    })
}

fn type_of(name: &str) -> Value {
    match name {
        "boards" => json!({"type": "array", "maxItems": 20, "items": {"type": "string"}}),
        "scope" => json!({"type": "string", "enum": ["read", "write", "admin"]}),
        "role" => json!({"type": "string", "enum": ["viewer", "commenter", "editor", "admin"]}),
        "admin" | "current" | "disabled" => json!({"type": "boolean"}),
        "created" | "used" | "expires" | "expires_in_ms" => json!({"type": "integer"}),
        _ => json!({"type": "string"}),
    }
}

/// In a list over HTTP a command that makes a thing need not name its id.
fn leave_ids_to_the_server(command: &mut Value) {
    let variants = command["oneOf"].as_array_mut();
    for variant in variants.into_iter().flatten() {
        let kind = variant["properties"]["type"]["const"].as_str();
        let noun = kind.and_then(|kind| match kind.split_once('.') {
            Some((noun, "create")) => Some(noun.to_owned()),
            Some(("attachment", "add")) => Some("attachment".to_owned()),
            Some(_) | None => None,
        });
        if let (Some(noun), Some(required)) = (noun, variant["required"].as_array_mut()) {
            required.retain(|name| *name != noun.as_str());
        }
    }
}
