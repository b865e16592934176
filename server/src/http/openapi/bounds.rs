//! Bounds and examples: a field of a name has the same wherever it stands.

use serde_json::{Map, Value, json};

use boardcast_protocol::limits::{
    CARD_ASSIGNEES_MAX, CARD_ATTACHMENTS_MAX, CARD_BLOCKERS_MAX, CARD_CHECKLISTS_MAX,
    CARD_COMMENTS_MAX, CARD_LABELS_MAX, CARDS_MAX, CHECKLIST_ITEMS_MAX, COLUMNS_MAX, FIELDS_MAX,
    LABELS_MAX, MEMBERS_MAX, NAME_MAX_BYTES, OPTIONS_MAX, SPRINTS_MAX, SUBMIT_COMMANDS_MAX,
    TEXT_MAX_BYTES, TITLE_MAX_BYTES, URL_MAX_BYTES,
};
use boardcast_protocol::position::MAX_SAFE_INTEGER;

/// Gives every field of the schemas a bound and an example.
pub(super) fn refine(document: &mut Value) {
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas {
            match name.as_str() {
                "Label" | "LabelPatch" | "NewLabel" => name_may_be_empty(schema),
                "Command" => {
                    let commands = schema["oneOf"].as_array_mut().into_iter().flatten();
                    let of_label = |command: &&mut Value| {
                        let kind = command["properties"]["type"]["const"].as_str();
                        kind.is_some_and(|kind| kind.starts_with("label."))
                    };
                    commands.filter(of_label).for_each(name_may_be_empty);
                }
                _ => {}
            }
            visit("", schema);
        }
    }
}

/// A label may have a colour alone.
fn name_may_be_empty(schema: &mut Value) {
    if let Some(name) = schema.pointer_mut("/properties/name") {
        name["pattern"] = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$".into();
    }
}

/// A schema that stands under this name, and all inside it.
fn visit(name: &str, schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    bound(name, keywords);
    for (keyword, inner) in keywords.iter_mut() {
        match (keyword.as_str(), inner) {
            ("properties", Value::Object(fields)) => {
                for (field, schema) in fields.iter_mut() {
                    if *schema == Value::Bool(true) {
                        *schema = json!({});
                    }
                    visit(field, schema);
                    exemplify(field, schema);
                }
            }
            ("items" | "additionalProperties", inner) => visit(name, inner),
            ("oneOf" | "anyOf" | "allOf", Value::Array(choices)) => {
                choices.iter_mut().for_each(|choice| visit(name, choice));
            }
            _ => {}
        }
    }
}

fn bound(name: &str, keywords: &mut Map<String, Value>) {
    let kinds: Vec<String> = match keywords.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(some)) => (some.iter())
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => return,
    };
    if keywords.contains_key("enum") || keywords.contains_key("const") {
        return;
    }
    let is_small = (keywords.get("format")).is_some_and(|format| format == "uint32");
    let largest = if is_small {
        u64::from(u32::MAX)
    } else {
        MAX_SAFE_INTEGER
    };
    let is_map = !keywords.contains_key("properties");
    if let Some(pattern) = line(name).filter(|_| kinds.iter().any(|kind| kind == "string")) {
        keywords.entry("pattern").or_insert_with(|| pattern.into());
    }
    let mut set = |word: &str, value: u64| {
        keywords.entry(word).or_insert_with(|| value.into());
    };
    for kind in kinds {
        match kind.as_str() {
            "string" => set("maxLength", longest(name) as u64),
            "array" => set("maxItems", most(name) as u64),
            "object" if is_map => set("maxProperties", 100),
            "integer" => {
                set("minimum", 0);
                set("maximum", largest);
            }
            _ => {}
        }
    }
}

/// What a text on one line is made of: no control characters.
fn line(name: &str) -> Option<&'static str> {
    match name {
        "title" | "name" | "color" | "background" | "cover" | "mime" => {
            Some("^[^\\u0000-\\u001f\\u007f-\\u009f]+$")
        }
        _ => None,
    }
}

/// Bytes of a text, which are its characters at most.
fn longest(name: &str) -> usize {
    match name {
        "text" | "description" | "detail" | "hint" => TEXT_MAX_BYTES,
        "url" => URL_MAX_BYTES,
        "color" | "background" | "cover" | "mime" | "password" | "agent" => NAME_MAX_BYTES,
        "rank" | "next" => 1_024,
        "id" | "board" | "user" | "session" => 22,
        "email" => 254,
        _ => TITLE_MAX_BYTES,
    }
}

/// Things of a list.
fn most(name: &str) -> usize {
    match name {
        "labels" => LABELS_MAX.max(CARD_LABELS_MAX),
        "assignees" => CARD_ASSIGNEES_MAX,
        "attachments" => CARD_ATTACHMENTS_MAX,
        "blocked_by" => CARD_BLOCKERS_MAX,
        "checklists" => CARD_CHECKLISTS_MAX,
        "items" => CHECKLIST_ITEMS_MAX,
        "comments" => CARD_COMMENTS_MAX,
        "cards" => CARDS_MAX,
        "columns" => COLUMNS_MAX,
        "members" => MEMBERS_MAX,
        "fields" => FIELDS_MAX,
        "options" => OPTIONS_MAX,
        "sprints" => SPRINTS_MAX,
        "commands" | "results" => SUBMIT_COMMANDS_MAX,
        "boards" | "activity" | "hits" => 200,
        "marks" => 32,
        _ => CARDS_MAX,
    }
}

fn exemplify(name: &str, schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    if keywords.contains_key("examples") {
        return;
    }
    let example = match (keywords.get("const"), keywords.get("enum")) {
        (Some(only), _) => only.clone(),
        (None, Some(Value::Array(some))) => some.first().cloned().unwrap_or_default(),
        (None, _) => example(name, keywords),
    };
    keywords.insert("examples".to_owned(), json!([example]));
}

fn example(name: &str, keywords: &Map<String, Value>) -> Value {
    let kind = match keywords.get("type") {
        Some(Value::String(one)) => one.as_str(),
        Some(Value::Array(some)) => some.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    };
    match (name, kind) {
        ("created" | "changed" | "added" | "written", "") => {
            json!({"by": "ann", "at": 1_700_000_000_000_u64})
        }
        (
            "at" | "due" | "start" | "end" | "created" | "used" | "expires" | "edited" | "date",
            _,
        ) => {
            json!(1_700_000_000_000_u64)
        }
        ("title" | "name", _) => json!("Write the page"),
        ("text" | "description", _) => json!("In *Markdown*."),
        ("color" | "background" | "cover", _) => json!("#0b6e63"),
        ("rank", _) => json!("V"),
        ("role", _) => json!("editor"),
        ("priority", _) => json!("high"),
        ("kind", _) => json!("soft"),
        ("place", _) => json!({"after": "k0"}),
        ("wip", _) => json!({"limit": 5, "kind": "soft"}),
        ("value", _) => json!({"number": "12.50"}),
        ("set", _) => json!({"title": "Write the page"}),
        ("revs", _) => json!({"title": 9, "place": 12}),
        ("commands", _) => json!([{"type": "card.move", "card": "k1", "column": "doing"}]),
        ("mode", _) => json!("all"),
        ("reason", _) => json!("wip_limit"),
        ("outcome", _) => json!("accepted"),
        ("email", _) => json!("ann@example.org"),
        ("url", _) => json!("https://example.org/plan.pdf"),
        ("mime", _) => json!("application/pdf"),
        ("type", _) => json!("/api/#not-found"),
        ("status", _) => json!(404),
        ("detail", "string") => json!("there is no such board, or you are not a member of it"),
        ("detail", _) => json!({"rev": 11, "digest": "7afe1e05a80e3ff5", "described": true}),
        ("digest", _) => json!("7afe1e05a80e3ff5"),
        ("password" | "new" | "old", _) => json!("a long sentence that nobody guesses"),
        ("next", _) => json!("k1"),
        ("user" | "assignee" | "by", _) => json!("ann"),
        ("labels" | "assignees" | "blocked_by" | "boards", "array") => json!(["k2"]),
        (_, "array") => json!([]),
        (_, "integer") => json!(12),
        (_, "boolean") => json!(true),
        (_, "object") => json!({}),
        _ => json!("k1"),
    }
}
