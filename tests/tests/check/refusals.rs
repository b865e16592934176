//! What cannot be checked, and that a check changes nothing.

use std::fs;
use std::path::Path;

use boardcast_tests::fixture::first_schema;
use boardcast_tests::process::{Serving, run, stderr, stdout};
use sqlx::Connection;

use super::{Scene, text};

fn refused(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    stderr(&output)
}

#[test]
fn a_directory_that_a_server_uses_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let serving = Serving::start(&data);
    let told = refused(&["check", "--data-dir", text(&data)]);
    assert!(told.contains("a server uses it"), "{told}");
    assert!(told.contains("boardcast backup FILE"), "{told}");
    // After a crash it needs no start in between, and leaves all files as they are.
    serving.kill();
    let before = files(&data);
    let checked = run(&["check", "--data-dir", text(&data)]);
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
    assert!(stdout(&checked).starts_with("0 boards, 0 versions"));
    assert_eq!(files(&data), before);
}

fn files(data: &Path) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let names = ["boardcast.db", "boardcast.db-wal", "secret.key"];
    names
        .map(|name| (name, fs::read(data.join(name)).ok()))
        .into()
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let nowhere = dir.path().join("nowhere");
    let told = refused(&["check", "--data-dir", text(&nowhere)]);
    assert!(told.contains("there is no database"), "{told}");
    assert!(!nowhere.exists());
    let junk = dir.path().join("junk");
    fs::write(&junk, "not a database ".repeat(500)).expect("a file");
    let told = refused(&["check", "--file", text(&junk)]);
    assert!(told.contains("is damaged"), "{told}");
    let usage = run(&["check"]);
    assert_eq!(usage.status.code(), Some(2));
}

#[tokio::test]
async fn a_ledger_that_is_none_is_refused() {
    let scene = Scene::new().await;
    let ledger = scene.path("ledger");
    fs::write(&ledger, "{}\n{}\n").expect("a file");
    let data = text(scene.dir.path());
    let told = refused(&["check", "--data-dir", data, "--ledger", text(&ledger)]);
    assert!(told.contains("line 1 is none of a ledger"), "{told}");
}

#[tokio::test]
async fn an_older_schema_is_named_and_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("boardcast.db");
    let conn = first_schema(&file).await;
    conn.close().await.expect("a closed database");
    let before = fs::read(&file).expect("the file");
    let told = refused(&["check", "--data-dir", text(dir.path())]);
    assert!(told.contains("it lacks migration 2"), "{told}");
    assert!(told.contains("boardcast serve"), "{told}");
    assert_eq!(fs::read(&file).expect("the file"), before);
}
