//! The fields that commands have, from the schema of their type: what the OpenAPI document says of
//! them and what is refused here cannot differ.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::schema_for;
use serde_json::Value;

use boardcast_protocol::command::Command;

/// What may stand inside a value.
#[derive(Debug, PartialEq, Eq)]
enum Inside {
    /// Nothing that has a name.
    Plain,
    /// These fields.
    Fields(BTreeMap<String, Inside>),
    /// The same in each element.
    Each(Box<Inside>),
}

static COMMANDS: LazyLock<BTreeMap<String, Inside>> = LazyLock::new(|| {
    let root = schema_for!(Command).to_value();
    let variants = root["oneOf"].as_array().into_iter().flatten();
    let named = variants.filter_map(|variant| {
        let kind = variant["properties"]["type"]["const"].as_str()?;
        Some((kind.to_owned(), Inside::of(&root, variant)))
    });
    named.collect()
});

/// The path of a field that commands of this kind do not have, or what has no such field inside it.
pub(super) fn unknown(kind: &str, command: &Value) -> Option<String> {
    COMMANDS.get(kind)?.unknown(command)
}

impl Inside {
    fn of(root: &Value, schema: &Value) -> Self {
        let place = schema["$ref"].as_str();
        if let Some(there) = place.and_then(|place| root.pointer(place.strip_prefix('#')?)) {
            return Self::of(root, there);
        }
        if let Some(fields) = schema["properties"].as_object() {
            let inner = fields.iter();
            let inner = inner.map(|(name, schema)| (name.clone(), Self::of(root, schema)));
            return Self::Fields(inner.collect());
        }
        if let Some(items) = schema.get("items") {
            return Self::Each(Box::new(Self::of(root, items)));
        }
        let choices = ["oneOf", "anyOf"].map(|word| schema[word].as_array());
        let choices = choices.into_iter().flatten().flatten();
        (choices.map(|choice| Self::of(root, choice))).fold(Self::Plain, Self::or)
    }

    /// What may stand inside one of two; the one that stands there is for its reader to say.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fields(mut fields), Self::Fields(others)) => {
                fields.extend(others);
                Self::Fields(fields)
            }
            (Self::Plain, other) => other,
            (this, _) => this,
        }
    }

    fn unknown(&self, sent: &Value) -> Option<String> {
        match (self, sent) {
            (Self::Fields(known), Value::Object(fields)) => {
                fields.iter().find_map(|(name, value)| {
                    let Some(inside) = known.get(name) else {
                        return Some(name.clone());
                    };
                    let inner = inside.unknown(value)?;
                    Some(format!("{name}.{inner}"))
                })
            }
            (Self::Each(inside), Value::Array(items)) => {
                items.iter().find_map(|item| inside.unknown(item))
            }
            // A value of another form than it has was refused when it was read.
            (Self::Plain | Self::Fields(_) | Self::Each(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_fields_of_all_commands_are_known() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/golden/messages");
        let mut seen = Vec::new();
        for file in std::fs::read_dir(golden).unwrap() {
            let path = file.unwrap().path();
            if !path.to_str().unwrap().contains("/command.") {
                continue;
            }
            let command = std::fs::read_to_string(&path).unwrap();
            let command: Value = serde_json::from_str(&command).unwrap();
            let kind = command["type"].as_str().unwrap();
            assert_eq!(unknown(kind, &command), None, "{command}");
            seen.push(kind.to_owned());
        }
        seen.sort_unstable();
        let all: Vec<_> = COMMANDS.keys().cloned().collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn a_field_that_is_not_known_is_found_at_any_depth_whatever_its_value() {
        for value in [
            json!(null),
            json!(false),
            json!(""),
            json!([]),
            json!({}),
            json!(1),
        ] {
            for (command, path) in [
                (
                    json!({"type": "card.set", "card": "c", "set": {"x": value}}),
                    "set.x",
                ),
                (
                    json!({"type": "card.move", "card": "c", "column": "a", "x": value}),
                    "x",
                ),
                (
                    json!({"type": "card.create", "column": "a", "place": {"after": "b", "x": value}}),
                    "place.x",
                ),
                (
                    json!({"type": "column.set", "column": "a", "wip": {"limit": 1, "kind": "soft", "x": value}}),
                    "wip.x",
                ),
                (
                    json!({"type": "field.set", "field": "f", "options": [
                        {"id": "o", "name": "O"}, {"id": "p", "name": "P", "x": value}
                    ]}),
                    "options.x",
                ),
            ] {
                let kind = command["type"].as_str().unwrap();
                assert_eq!(unknown(kind, &command).as_deref(), Some(path), "{command}");
            }
        }
    }
}
