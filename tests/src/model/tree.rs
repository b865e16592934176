//! Rows in a JSON tree: arrays of things with an id, sorted by it, absent where they are empty.

use serde_json::{Value, json};

/// Sets a field; what is at its default is absent.
pub(super) fn assign(thing: &mut Value, field: &str, value: Value) {
    let is_default = value.is_null()
        || value == false
        || value == ""
        || value == json!([])
        || (field == "priority" && value == "none");
    if is_default {
        if let Some(fields) = thing.as_object_mut() {
            fields.remove(field);
        }
    } else {
        thing[field] = value;
    }
}

/// Puts a thing where its id belongs, in place of one with the same id.
pub(super) fn put(holder: &mut Value, list: &str, thing: &Value) {
    let mut things = things(holder, list);
    things.retain(|other| other["id"] != thing["id"]);
    things.push(thing.clone());
    things.sort_by_key(|thing| thing["id"].as_str().map(str::to_owned));
    holder[list] = Value::Array(things);
}

/// Takes the thing with this id away.
pub(super) fn take(holder: &mut Value, list: &str, id: &Value) {
    let mut things = things(holder, list);
    let before = things.len();
    things.retain(|thing| thing["id"] != *id);
    assert_eq!(things.len() + 1, before, "{list} hold {id}");
    assign(holder, list, Value::Array(things));
}

/// The thing with this id.
pub(super) fn find_mut<'a>(holder: &'a mut Value, list: &str, id: &Value) -> &'a mut Value {
    let found = holder
        .get_mut(list)
        .and_then(Value::as_array_mut)
        .and_then(|things| things.iter_mut().find(|thing| thing["id"] == *id));
    found.unwrap_or_else(|| panic!("{list} hold {id}"))
}

fn things(holder: &Value, list: &str) -> Vec<Value> {
    let found = holder.get(list).and_then(Value::as_array);
    found.cloned().unwrap_or_default()
}
