//! `boardcast backup` and `boardcast restore`: one consistent copy, and the way back to it.

mod access;
mod backups;
mod files;
mod migration;
mod restores;
mod scheduled;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use boardcast_protocol::command::Command;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::process::{Serving, run, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A data directory, and a place for backups beside it.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn token(&self, more: &[&str]) -> String {
        let data = self.data();
        let mut args = vec!["token", "--data-dir", text(&data), "--user", "ann"];
        args.extend(more);
        succeeded(&args).trim().to_owned()
    }

    fn admin(&self) -> String {
        self.token(&["--role", "admin"])
    }

    /// A client that has said hello; it waits while the server is between two lives.
    async fn client(&self, serving: &Serving) -> TestClient {
        let token = self.token(&[]);
        let connected = async {
            loop {
                let mut request = boardcast_tests::client::request(serving.address(), "/ws");
                let bearer = format!("Bearer {token}").parse().expect("a header");
                request.headers_mut().insert("authorization", bearer);
                match TestClient::open(serving.address(), request).await {
                    Ok(client) => return client,
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, connected)
            .await
            .expect("a connection in time")
    }

    /// Checks a database, which must be clean; the report.
    fn clean(&self, place: &[&str]) -> Value {
        let mut args = vec!["check", "--json"];
        args.extend(place);
        serde_json::from_str(&succeeded(&args)).expect("JSON")
    }

    /// Files of the data directory that begin with this.
    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data()).expect("the data directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut found: Vec<_> = paths
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(prefix))
            })
            .collect();
        found.sort();
        found
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// What a command printed that must have succeeded.
fn succeeded(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?} {}",
        stderr(&output)
    );
    stdout(&output)
}

/// What a command said that must have failed.
fn failed(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{args:?} {}",
        stdout(&output)
    );
    stderr(&output)
}

/// A command that makes a column.
fn column(id: &str) -> Vec<Command> {
    let command = json!([{"type": "column.create", "column": id, "title": id}]);
    serde_json::from_value(command).expect("a command")
}
