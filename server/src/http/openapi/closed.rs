//! What is sent has no fields but those that are named: the server refuses others. Answers may have
//! more of them with any release, so a thing that is sent and answered has a schema for each.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const PLACE: &str = "#/components/schemas/";

/// Closes all that bodies of requests hold. What answers hold as well stays open under its name, and
/// is closed as `New` and its name.
pub(super) fn close<'a>(
    schemas: &mut Map<String, Value>,
    sent: impl Iterator<Item = &'a str>,
    answered: impl Iterator<Item = &'a str>,
) {
    let (sent, answered) = (reached(schemas, sent), reached(schemas, answered));
    let is_open = |name: &String| schemas.get(name).is_some_and(is_open);
    let leads_to_open = |name: &&String| reached(schemas, [name.as_str()]).iter().any(is_open);
    let both = sent.intersection(&answered).filter(leads_to_open);
    let both: BTreeSet<String> = both.cloned().collect();
    for name in sent {
        let Some(mut schema) = schemas.get(&name).cloned() else {
            continue;
        };
        each_inside(&mut schema, &mut |keywords| {
            if keywords.contains_key("properties") {
                keywords.insert("additionalProperties".to_owned(), false.into());
            }
            if let Some(place) = keywords.get_mut("$ref")
                && let Some(other) = name_in(place).filter(|other| both.contains(*other))
            {
                *place = format!("{PLACE}New{other}").into();
            }
        });
        let name = match both.contains(&name) {
            true => format!("New{name}"),
            false => name,
        };
        schemas.insert(name, schema);
    }
}

/// The names of schemas, of those that these refer to, and so on.
fn reached<'a>(
    schemas: &Map<String, Value>,
    names: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<String> = names.into_iter().map(str::to_owned).collect();
    while let Some(name) = next.pop() {
        let Some(schema) = schemas.get(&name).filter(|_| !found.contains(&name)) else {
            continue;
        };
        found.insert(name);
        each_inside(&mut schema.clone(), &mut |keywords| {
            next.extend(keywords.get("$ref").and_then(name_in).map(str::to_owned));
        });
    }
    found
}

/// Whether it, or a schema inside it, takes fields that it does not name.
fn is_open(schema: &Value) -> bool {
    let mut found = false;
    each_inside(&mut schema.clone(), &mut |keywords| {
        let is_closed = keywords.get("additionalProperties") == Some(&Value::Bool(false));
        found |= keywords.contains_key("properties") && !is_closed;
    });
    found
}

fn name_in(place: &Value) -> Option<&str> {
    place.as_str()?.strip_prefix(PLACE)
}

/// A schema and all inside it.
fn each_inside(schema: &mut Value, see: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    see(keywords);
    for (keyword, inner) in keywords.iter_mut() {
        match (keyword.as_str(), inner) {
            ("properties", Value::Object(fields)) => {
                fields
                    .values_mut()
                    .for_each(|inner| each_inside(inner, see));
            }
            ("items" | "additionalProperties", inner) => each_inside(inner, see),
            ("oneOf" | "anyOf" | "allOf", Value::Array(choices)) => {
                choices.iter_mut().for_each(|inner| each_inside(inner, see));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refers(name: &str) -> Value {
        json!({"$ref": format!("{PLACE}{name}")})
    }

    #[test]
    fn what_is_sent_is_closed_and_what_is_answered_stays_open() {
        let object =
            |field: &str, inner: Value| json!({"type": "object", "properties": {field: inner}});
        let text = json!({"type": "string"});
        let all = json!({
            "Body": {"oneOf": [object("limit", refers("Limit")), {"type": "null"}]},
            "Own": object("x", text.clone()),
            "Limit": object("kind", refers("Kind")),
            "Kind": text,
            "Answer": object("limits", json!({"type": "array", "items": refers("Limit")})),
        });
        let mut all = all.as_object().unwrap().clone();
        let before = all.clone();
        close(
            &mut all,
            ["Body", "Own"].into_iter(),
            ["Answer"].into_iter(),
        );
        for name in ["Answer", "Limit", "Kind"] {
            assert_eq!(all[name], before[name], "{name}");
        }
        assert_eq!(all["Own"]["additionalProperties"], false);
        assert_eq!(all["NewLimit"]["additionalProperties"], false);
        assert_eq!(all["NewLimit"]["properties"]["kind"], refers("Kind"));
        let body = &all["Body"]["oneOf"][0];
        assert_eq!(body["additionalProperties"], false);
        assert_eq!(body["properties"]["limit"], refers("NewLimit"));
        assert_eq!(all.len(), before.len() + 1);
    }
}
