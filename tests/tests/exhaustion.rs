//! Stopping with clients that do not go, and running out of descriptors.

use std::time::Duration;

use boardcast_tests::client::TestClient;
use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::process::{Serving, run, stdout};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

fn token(data: &std::path::Path) -> String {
    let data = data.to_str().expect("a path");
    let output = run(&["token", "--data-dir", data, "--user", "ann"]);
    stdout(&output).trim().to_owned()
}

/// A request whose body never comes.
async fn stuck(address: std::net::SocketAddr, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /api/v1/import?format=json HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect(what);
}

#[tokio::test]
async fn a_drain_ends_although_a_request_does_not() {
    let server = TestServer::with(|config| config.drain.drain_ms = 50).await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Kept").await;
    ann.say(&json!({"type": "submit", "board": board, "seq": 1, "cmds":
        [{"type": "column.create", "column": "todo", "title": "To do"}]}))
        .await;
    ann.durable(board, 1).await;
    let _stuck = stuck(server.address(), &server.token("ann")).await;
    let dir = timeout(PATIENCE, server.stop())
        .await
        .expect("an end of the drain");
    assert!(dir.path().join("boardcast.db").exists());
}

#[tokio::test]
async fn a_second_signal_ends_the_server_at_once_and_what_was_durable_is_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let token = token(dir.path());
    let serving = Serving::start(dir.path());
    let mut ann = TestClient::connect(serving.address(), Some(&token)).await;
    ann.hello(None).await;
    let board = ann.create_board("Kept").await;
    let first = ann.subscribe(board, None).await.subscribed;
    ann.say(&json!({"type": "submit", "board": board, "seq": 1, "cmds":
        [{"type": "column.create", "column": "todo", "title": "To do"}]}))
        .await;
    ann.durable(board, 1).await;
    let address = serving.address();
    let _stuck = stuck(address, &token).await;
    serving.ask_to_stop();
    until("it accepts nothing more", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
    serving.ask_to_stop();
    assert_eq!(serving.ended(), Some(1));

    let serving = Serving::start(dir.path());
    let mut ann = TestClient::connect(serving.address(), Some(&token)).await;
    ann.hello(None).await;
    let again = ann.subscribe(board, None).await;
    assert_eq!(again.subscribed.version.0, 1);
    assert_ne!(
        again.subscribed.epoch, first.epoch,
        "the stop was not clean"
    );
    assert_eq!(again.view.expect("a snapshot").columns.len(), 1);
    assert_eq!(serving.terminate(), Some(0));
}

#[tokio::test]
async fn without_descriptors_those_who_are_connected_go_on_and_later_others_come_in() {
    const FILES_MAX: u32 = 64;
    let dir = tempfile::tempdir().expect("a folder");
    let token = token(dir.path());
    let serving = Serving::start_with_files(dir.path(), FILES_MAX);
    let address = serving.address();
    let mut ann = TestClient::connect(address, Some(&token)).await;
    ann.hello(None).await;
    let board = ann.create_board("Busy").await;
    ann.subscribe(board, None).await;
    let mut crowd = Vec::new();
    for _ in 0..2 * FILES_MAX {
        crowd.push(
            TcpStream::connect(address)
                .await
                .expect("the kernel's queue"),
        );
    }
    for seq in 1..=20 {
        let column = format!("c{seq}");
        ann.say(
            &json!({"type": "submit", "board": board, "seq": seq, "cmds":
            [{"type": "column.create", "column": column, "title": "More"}]}),
        )
        .await;
        ann.durable(board, seq).await;
    }
    drop(crowd);
    let mut late = TestClient::connect(address, Some(&token)).await;
    late.hello(None).await;
    let joined = late.subscribe(board, None).await;
    assert_eq!(joined.view.expect("a snapshot").columns.len(), 20);
    assert_eq!(serving.terminate(), Some(0));
}
