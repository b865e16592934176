//! What scripts rely on: flags, what goes to standard output, exit codes.

mod config;
mod exports;
mod imports;
mod operations;
mod page;
mod usage;

use std::path::{Path, PathBuf};
use std::process::Output;

use boardcast_tests::process::{run, stderr, stdout};
use serde_json::{Value, json};

/// A folder for files and a data directory inside.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        text(&self.path(name)).to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).expect("a file");
        self.text(name)
    }

    fn import(&self, format: &str, file: &str) -> Output {
        let data = self.text("data");
        run(&["import", format, file, "--data-dir", &data, "--json"])
    }

    fn export(&self, data: &str, board: &str) -> String {
        let data = self.text(data);
        let output = run(&["export", board, "--format", "json", "--data-dir", &data]);
        succeeded(&output)
    }

    fn token(&self, more: &[&str]) -> String {
        let data = self.text("data");
        let mut args = vec!["token", "--data-dir", &data, "--user", "ann"];
        args.extend(more);
        succeeded(&run(&args)).trim().to_owned()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// What a command printed that must have succeeded.
fn succeeded(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output)
}

/// What a command said that must have failed, and printed nothing.
fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert_eq!(stdout(output), "");
    stderr(output)
}

/// The one line of a report.
fn line(output: &Output) -> Value {
    let text = succeeded(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// An export of a small board, with one of everything.
fn trello(second_card: &str) -> Value {
    json!({
        "id": "6500000000000000000000a0", "name": "Plans",
        "lists": [
            {"id": "6500000000000000000000b1", "name": "To do", "closed": false, "pos": 1},
            {"id": "6500000000000000000000b2", "name": "Done", "closed": false, "pos": 2.5},
            {"id": "6500000000000000000000b3", "name": "Old", "closed": true, "pos": 3},
        ],
        "cards": [
            {"id": "6500000000000000000000c1", "idShort": 1, "idList": "6500000000000000000000b1",
             "name": "First", "desc": "**bold**", "closed": false, "pos": 1,
             "idLabels": ["6500000000000000000000d1"], "idMembers": ["6500000000000000000000e1"],
             "attachments": [{"id": "650000000000000000000091", "name": "a page",
                              "url": "https://example.com/"}]},
            {"id": "6500000000000000000000c2", "idShort": 2, "idList": "6500000000000000000000b1",
             "name": second_card, "closed": false, "pos": 2},
            {"id": "6500000000000000000000c3", "idShort": 3, "idList": "6500000000000000000000b2",
             "name": "Third", "closed": true, "pos": 3},
        ],
        "labels": [{"id": "6500000000000000000000d1", "name": "area/backend", "color": "green"}],
        "members": [{"id": "6500000000000000000000e1", "fullName": "Eve", "username": "eve"}],
        "checklists": [
            {"id": "6500000000000000000000f1", "idCard": "6500000000000000000000c1",
             "name": "Steps", "pos": 1, "checkItems": [
                {"id": "6500000000000000000000f2", "name": "one", "state": "complete", "pos": 1},
                {"id": "6500000000000000000000f3", "name": "two", "state": "incomplete", "pos": 2},
             ]},
        ],
        "actions": [
            {"id": "650000000000000000000081", "type": "updateCard", "data": {},
             "date": "2026-01-02T00:00:00.000Z", "idMemberCreator": "6500000000000000000000e1"},
            {"id": "650000000000000000000082", "type": "commentCard",
             "date": "2026-01-01T00:00:00.000Z", "idMemberCreator": "6500000000000000000000e1",
             "data": {"text": "looks good", "card": {"id": "6500000000000000000000c1"}}},
        ],
    })
}
