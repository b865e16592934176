//! Equality of boards as a short text: SHA-256 of canonical JSON (RFC 8785).
//!
//! The model has no floats and its object keys are ASCII, so canonical JSON is: keys sorted by
//! byte, no white space, and the escapes that `serde_json` writes.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Detail, View};

/// The hash of a view: 64 hexadecimal digits. Two replicas are equal if and only if these are.
pub fn view_hash(view: &View) -> String {
    hex(&sha256(view))
}

/// The digest of a detail: 16 hexadecimal digits, or nothing for the empty detail.
///
/// It is the XOR of the digests of its parts, so that one more comment does not cost a look at all
/// the others: of the description as a JSON string, unless it is empty, and of each comment as a
/// JSON object; a part's digest is the first 8 bytes of the SHA-256 of its canonical JSON.
pub fn detail_digest(detail: &Detail) -> String {
    let comments = detail.comments.values().map(part_digest);
    let sum = comments.fold(text_digest(&detail.description), |sum, part| sum ^ part);
    written(sum, detail.is_empty())
}

/// The digest of a detail from which `gone` parts were taken and to which `new` ones were added;
/// `is_empty` says whether nothing is left.
pub(super) fn changed_digest(old: &str, gone: u64, new: u64, is_empty: bool) -> String {
    // The server itself wrote the old digest; no digest stands for zero.
    let old = u64::from_str_radix(old, 16).unwrap_or_default();
    written(old ^ gone ^ new, is_empty)
}

/// The part that a description has in the digest of a detail.
pub(super) fn text_digest(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    part_digest(&text)
}

/// The part that a comment has in the digest of a detail.
pub(super) fn part_digest(part: &impl Serialize) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(part);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn written(sum: u64, is_empty: bool) -> String {
    if is_empty {
        return String::new();
    }
    format!("{sum:016x}")
}

fn sha256(value: &impl Serialize) -> [u8; 32] {
    let mut text = Vec::new();
    match serde_json::to_value(value) {
        Ok(value) => write_canonical(&value, &mut text),
        Err(error) => unreachable!("the model has no keys that are not strings: {error}"),
    }
    Sha256::digest(&text).into()
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_scalar(key, out);
                out.push(b':');
                write_canonical(item, out);
            }
            out.push(b'}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            write_scalar(value, out);
        }
    }
}

fn write_scalar(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    // Writing a scalar to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_sorts_keys_and_keeps_no_white_space() {
        let value = serde_json::json!({"b": [1, {"z": null, "a": "\u{7}é\n"}], "B": true});
        let mut out = Vec::new();
        write_canonical(&value, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"B\":true,\"b\":[1,{\"a\":\"\\u0007é\\n\",\"z\":null}]}"
        );
    }

    #[test]
    fn the_hash_of_an_empty_board_is_known() {
        let view = View::new("b".parse().unwrap(), "t".into());
        let expected = hex(&Sha256::digest(
            br#"{"id":"b","next_number":1,"title":"t"}"#,
        ));
        assert_eq!(view_hash(&view), expected);
    }
}
