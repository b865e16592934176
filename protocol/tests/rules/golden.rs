//! Golden files: the wire form of everything, written down. `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use boardcast_protocol::codec::{CLIENT_TYPES, SERVER_TYPES, decode_client, decode_server, encode};

use crate::examples::{client_messages, commands, events, server_messages};

pub(crate) fn golden_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name)
}

pub(crate) fn updates() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Compares the files of a folder with what they ought to hold; writes them when asked to.
pub(crate) fn assert_files(dir: &Path, expected: &BTreeMap<String, String>) {
    if updates() {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir).unwrap();
        for (name, text) in expected {
            fs::write(dir.join(format!("{name}.json")), text).unwrap();
        }
    }
    let found: BTreeMap<String, String> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "files of {}", dir.display());
    for (name, text) in expected {
        assert_eq!(&found[name], text, "golden file {name}");
    }
}

/// As a golden file has it.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// The type of a message, a command or an event.
pub(crate) fn type_of(value: &Value) -> &str {
    if value.is_array() {
        return "batch";
    }
    value["type"].as_str().unwrap()
}

/// One file for each value, named after its type; a second one of a type gets a number.
fn files<T>(prefix: &str, values: &[T]) -> BTreeMap<String, String>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut files = BTreeMap::new();
    for value in values {
        let text = pretty(value);
        let read: T = serde_json::from_str(&text).unwrap();
        assert_eq!(&read, value, "decoding what was encoded");
        let json: Value = serde_json::from_str(&text).unwrap();
        let name = format!("{prefix}.{}", type_of(&json));
        let nth = (2..).map(|nth| format!("{name}-{nth}"));
        let mut names = std::iter::once(name.clone()).chain(nth);
        let free = names.find(|name| !files.contains_key(name));
        files.insert(free.unwrap(), text);
    }
    files
}

#[test]
fn r12_the_wire_form_does_not_change_by_accident() {
    let mut expected = files("client", &client_messages());
    expected.extend(files("server", &server_messages()));
    expected.extend(files("command", &commands()));
    expected.extend(files("event", &events()));
    assert_files(&golden_dir("messages"), &expected);
}

#[test]
fn golden_messages_are_decoded_to_the_same_values() {
    for message in client_messages() {
        let text = String::from_utf8(encode(&message)).unwrap();
        assert_eq!(decode_client(&text).unwrap(), message);
    }
    for message in server_messages() {
        let text = String::from_utf8(encode(&message)).unwrap();
        assert_eq!(decode_server(&text).unwrap(), Some(message));
    }
}

#[test]
fn the_lists_of_types_are_complete() {
    fn types<T: Serialize>(messages: &[T]) -> Vec<String> {
        let mut types: Vec<_> = messages
            .iter()
            .map(|message| {
                let json = serde_json::to_value(message).unwrap();
                type_of(&json).to_owned()
            })
            .collect();
        types.dedup();
        types
    }
    assert_eq!(types(&client_messages()), CLIENT_TYPES);
    assert_eq!(
        types(&server_messages()),
        [&SERVER_TYPES[..], &["batch"]].concat()
    );
}
