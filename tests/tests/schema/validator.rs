//! As much of JSON Schema (draft 2020-12) as the schemas of this project use; a keyword that is not
//! known here fails, so that none is passed over.

use serde_json::Value;

/// Whether a value is valid.
///
/// # Errors
/// Where it is not, and why.
pub(crate) fn validate(schema: &Value, value: &Value) -> Result<(), String> {
    check(schema, schema, value, "$")
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else {
        let allowed = *schema == Value::Bool(true);
        return allowed
            .then_some(())
            .ok_or_else(|| format!("{at} is not allowed"));
    };
    for (keyword, rule) in keywords {
        let valid = match keyword.as_str() {
            "$schema" | "$defs" | "components" | "title" | "description" | "format" | "default"
            | "examples" | "pattern" => true,
            "$ref" => return check_all(root, keywords, resolve(root, rule), value, at),
            "type" => is_of_type(rule, value),
            "const" => rule == value,
            "enum" => items(rule).contains(value),
            "minimum" => value.as_f64().is_none_or(|n| Some(n) >= rule.as_f64()),
            "maximum" => value.as_f64().is_none_or(|n| Some(n) <= rule.as_f64()),
            "minLength" => length(value).is_none_or(|n| Some(n) >= rule.as_u64()),
            "maxLength" => length(value).is_none_or(|n| Some(n) <= rule.as_u64()),
            "required" => items(rule)
                .iter()
                .all(|key| !value.is_object() || value.get(key.as_str().unwrap_or("")).is_some()),
            "oneOf" => matching(root, rule, value, at) == 1,
            "anyOf" => matching(root, rule, value, at) >= 1,
            "allOf" => matching(root, rule, value, at) == items(rule).len(),
            "properties" => {
                for (key, rule) in rule.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(key) {
                        check(root, rule, value, &format!("{at}.{key}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = keywords.get("properties");
                for (key, value) in value.as_object().into_iter().flatten() {
                    if known.and_then(|known| known.get(key)).is_none() {
                        check(root, rule, value, &format!("{at}.{key}"))?;
                    }
                }
                true
            }
            "minItems" => value
                .as_array()
                .is_none_or(|array| Some(array.len() as u64) >= rule.as_u64()),
            "maxItems" => value
                .as_array()
                .is_none_or(|array| Some(array.len() as u64) <= rule.as_u64()),
            "maxProperties" => value
                .as_object()
                .is_none_or(|object| Some(object.len() as u64) <= rule.as_u64()),
            "prefixItems" => {
                let elements = value.as_array().into_iter().flatten().zip(items(rule));
                for (index, (value, rule)) in elements.enumerate() {
                    check(root, rule, value, &format!("{at}[{index}]"))?;
                }
                true
            }
            // A tuple, in drafts up to 7.
            "items" if rule.is_array() => {
                let elements = value.as_array().into_iter().flatten().zip(items(rule));
                for (index, (value, rule)) in elements.enumerate() {
                    check(root, rule, value, &format!("{at}[{index}]"))?;
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, value, &format!("{at}[{index}]"))?;
                }
                true
            }
            unknown => return Err(format!("the keyword {unknown} is not known here")),
        };
        if !valid {
            return Err(format!("{at}: {value} breaks {keyword} {rule}"));
        }
    }
    Ok(())
}

/// A reference together with the keywords that stand beside it.
fn check_all(
    root: &Value,
    keywords: &serde_json::Map<String, Value>,
    referred: &Value,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    check(root, referred, value, at)?;
    let mut beside = keywords.clone();
    beside.remove("$ref");
    check(root, &Value::Object(beside), value, at)
}

fn resolve<'a>(root: &'a Value, reference: &Value) -> &'a Value {
    let path = reference.as_str().and_then(|text| text.strip_prefix('#'));
    path.and_then(|path| root.pointer(path))
        .unwrap_or_else(|| panic!("{reference} leads somewhere"))
}

fn matching(root: &Value, rules: &Value, value: &Value, at: &str) -> usize {
    let rules = items(rules).iter();
    rules
        .filter(|rule| check(root, rule, value, at).is_ok())
        .count()
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    types
        .as_array()
        .map_or_else(|| is(types), |types| types.iter().any(is))
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
