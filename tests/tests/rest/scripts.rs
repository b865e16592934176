//! The scripts of docs/rest.md make a board, fill it and watch it live.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use boardcast_tests::harness::{PATIENCE, TestServer};
use serde_json::{Value, json};

use super::User;

struct Script {
    child: Child,
    lines: Receiver<String>,
}

impl Script {
    fn start(program: &str, name: &str, user: &User) -> Self {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let text = std::fs::read_to_string(docs.join(name)).expect("a script");
        assert!(text.lines().count() <= 10, "{name} has more than ten lines");
        let mut child = Command::new(program)
            .arg(docs.join(name))
            .env("URL", &user.base)
            .env("TOKEN", &user.token)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script runs");
        let said = child.stdout.take().expect("what it says");
        let (told, lines) = sync_channel(1_000);
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines() {
                let Ok(line) = line else { return };
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The data of the next event of a name.
    fn wait_for(&self, name: &str) -> Value {
        let mut is_next = false;
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("a line in time");
            match line.strip_prefix("data: ") {
                Some(data) if is_next => return serde_json::from_str(data).expect("JSON"),
                _ => is_next |= line == format!("event: {name}"),
            }
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn runs(program: &'static str, name: &'static str, cards: usize) {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let user = ann.clone();
    let started = tokio::task::spawn_blocking(move || {
        let script = Script::start(program, name, &user);
        let snapshot = script.wait_for("snapshot");
        (script, snapshot)
    });
    let (script, snapshot) = started.await.expect("a snapshot");
    assert_eq!(
        snapshot["view"]["cards"].as_array().expect("cards").len(),
        cards
    );
    let board = snapshot["board"].as_str().expect("an id");
    let new = json!({"column": "todo", "title": "Seen live"});
    let made = ann
        .post(&format!("/api/v1/boards/{board}/cards"), &new)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let watched = tokio::task::spawn_blocking(move || script.wait_for("batch"));
    let batch = watched.await.expect("a batch");
    assert!(batch.to_string().contains("Seen live"), "{batch}");
    server.stop().await;
}

#[tokio::test]
async fn the_python_script_makes_fills_and_watches_a_board() {
    runs("python3", "live.py", 99).await;
}

#[tokio::test]
async fn the_shell_script_makes_fills_and_watches_a_board() {
    runs("sh", "live.sh", 3).await;
}
