//! `boardcast stats`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use boardcast_protocol::ids::BoardId;
use boardcast_tests::client::TestClient;
use boardcast_tests::process::{Serving, binary, run, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Scene {
    dir: TempDir,
    serving: Serving,
}

impl Scene {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let serving = Serving::start(&dir.path().join("data"));
        Self { dir, serving }
    }

    fn token(&self, more: &[&str]) -> String {
        let data = self.dir.path().join("data");
        let data = data.to_str().expect("a path");
        let mut args = vec!["token", "--data-dir", data, "--user", "ann"];
        args.extend(more);
        stdout(&run(&args)).trim().to_owned()
    }

    fn admin(&self) -> String {
        self.token(&["--role", "admin"])
    }

    /// A client with a board, whose agent would like to rule the terminal.
    async fn client(&self) -> (TestClient, BoardId) {
        let token = self.token(&[]);
        let mut client = TestClient::connect(self.serving.address(), Some(&token)).await;
        let id = client.client_id();
        let agent = "evil\u{1b}[2J/1";
        let hello = json!({"type": "hello", "v": 1, "client": id.as_str(), "agent": agent});
        client.say(&hello).await;
        client.next().await;
        let board = client.create_board("Plan").await;
        client.subscribe(board, None).await;
        super::add_column(&mut client, board, 1).await;
        (client, board)
    }
}

/// A process that is killed when it is dropped.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn stats_are_printed_for_people_and_for_machines() {
    let scene = Scene::start();
    let (_client, _) = scene.client().await;
    let (server, token) = (scene.serving.url(""), scene.admin());
    let args = ["stats", "--server", &server, "--token", &token];

    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for wanted in [
        "boardcast    0.1.0",
        "connections  1 open, 1 admitted, 1 opened, closed: none",
        "fan-out      1 deliveries in 1 batches of 1 to 1 versions",
        "journal      healthy; 0 versions wait, 1 durable after",
        "busiest boards of the last two minutes\nBOARD",
        "\nconnections\nID",
        "evil\u{fffd}[2J/1",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");

    let output = run(&[&args[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1);
    let look: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(look["stats"]["rooms"]["deliveries"], 1);
    let connections = &look["connections"];
    assert_eq!(connections["total"], 1);
    assert_eq!(connections["connections"][0]["user"], "ann");
    assert_eq!(connections["connections"][0]["agent"], "evil\u{1b}[2J/1");
}

#[tokio::test]
async fn a_watch_prints_again_and_again_and_outlives_a_restart() {
    let scene = Scene::start();
    let (client, _) = scene.client().await;
    let address = scene.serving.address();
    let (server, token) = (scene.serving.url(""), scene.admin());
    let mut child = Command::new(binary())
        .args(["stats", "--watch", "--every", "1s", "--json"])
        .args(["--server", &server, "--token", &token])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let out = child.stdout.take().expect("standard output");
    let _watching = Watching(child);
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    let mut next = || -> Value {
        let line = lines.next().expect("another line");
        serde_json::from_str(&line).expect("JSON")
    };
    let (first, second) = (next(), next());
    assert!(first["stats"]["at"].as_u64() < second["stats"]["at"].as_u64());
    assert_eq!(second["stats"]["connections"]["open"], 1);

    drop(client);
    let Scene { dir, serving } = scene;
    assert_eq!(serving.terminate(), Some(0));
    let _serving = Serving::start_at(&dir.path().join("data"), address);
    let after = loop {
        let look = next();
        if look["stats"]["connections"]["opened"] == 0 {
            break look;
        }
    };
    assert_eq!(after["connections"]["total"], 0);
}

#[tokio::test]
async fn a_transaction_that_had_to_wait_is_told_as_slow() {
    let scene = Scene::start();
    let (mut client, board) = scene.client().await;
    let (server, token) = (scene.serving.url(""), scene.admin());
    let args = ["stats", "--server", &server, "--token", &token];
    let slow = || -> Value {
        let text = stdout(&run(&[&args[..], &["--json"]].concat()));
        let mut look: Value = serde_json::from_str(&text).expect("JSON");
        look["stats"]["slow_queries"].take()
    };
    let is_ours = |query: &Value| {
        query["what"] == "append versions" && query["duration_ms"].as_u64() >= Some(500)
    };
    let slowest = |slow: &Value| slow["slowest"].as_array().expect("a list").clone();
    let before = slow();
    assert!(!slowest(&before).iter().any(is_ours), "{before}");

    let file = scene.dir.path().join("data/boardcast.db");
    let other = rusqlite::Connection::open(file).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let column = json!([{"type": "column.create", "column": "c2", "title": "x"}]);
    let column = serde_json::from_value(column).expect("a command");
    client.submit(board, 2, column).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    other.execute_batch("ROLLBACK").expect("the end of it");
    client.durable(board, 2).await;

    let after = slow();
    assert!(after["count"].as_u64() > before["count"].as_u64());
    assert!(slowest(&after).iter().any(is_ours), "{after}");
    let text = stdout(&run(&args));
    assert!(text.contains(" ms: append versions\n"), "{text}");
}

#[test]
fn what_goes_wrong_is_told() {
    let scene = Scene::start();
    let server = scene.serving.url("");
    let (user, admin) = (scene.token(&[]), scene.admin());
    for (args, code, told) in [
        (
            &["--server", &server, "--token", &user][..],
            1,
            "only an admin of the server may",
        ),
        (
            &["--server", &server, "--token", "x"],
            1,
            "token is malformed",
        ),
        (
            &["--server", "http://127.0.0.1:9", "--token", "x"],
            1,
            "failed to ask http://127.0.0.1:9",
        ),
        (
            &["--server", &server, "--token", &admin, "--sort", "size"],
            1,
            "`sort` is one of",
        ),
        (&["--server", &server], 2, "--token"),
        (&["--token", "x"], 2, "--server"),
        (
            &["--server", "x:1", "--token", "x"],
            2,
            "is not a server such as",
        ),
        (
            &["--server", &server, "--token", "x", "--connections", "201"],
            2,
            "201",
        ),
        (
            &["--server", &server, "--token", "x", "--every", "1"],
            2,
            "is not a duration",
        ),
    ] {
        let output = run(&[&["stats"], args].concat());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?} {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(told),
            "{args:?} {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}
