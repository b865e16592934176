//! A client that was away for longer than a room remembers goes on from where it was.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use boardcast_protocol::board::view_hash;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::Mode;
use boardcast_protocol::position::{Position, Version};
use boardcast_tests::client::{Joined, TestClient, apply};
use boardcast_tests::harness::TestServer;
use serde_json::json;

/// Versions in the memory of a room: more than it makes in one turn.
const KEPT: usize = 64;
const TURN: usize = 16;

fn card(n: u64) -> Command {
    let title = format!("Card {n} {}", "x".repeat(400));
    serde_json::from_value(json!({
        "type": "card.create", "card": format!("c{n}"), "column": "todo", "title": title
    }))
    .expect("a command")
}

async fn server(past_versions: u64) -> TestServer {
    TestServer::with(|config| {
        config.rooms.recent_versions = KEPT;
        config.rooms.turn_inputs = TURN;
        config.rooms.past_versions = past_versions;
        config.rooms.catch_up_bytes = 8 * 1_024;
    })
    .await
}

/// A client of ann with a board of its own, and what it has of it when it goes away.
async fn gone(server: &TestServer) -> (TestClient, BoardId, Joined, Position) {
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plans").await;
    let mut tablet = server.client("ann").await;
    let joined = tablet.subscribe(board, None).await;
    let at = Position {
        epoch: joined.subscribed.epoch,
        version: joined.subscribed.version,
    };
    (ann, board, joined, at)
}

/// Makes a column and cards, each a version, until so many are on disk.
async fn work(ann: &mut TestClient, board: BoardId, versions: u64) {
    ann.subscribe(board, None).await;
    let column = json!({"type": "column.create", "column": "todo", "title": "To do"});
    let column = serde_json::from_value(column).expect("a command");
    ann.submit(board, 1, vec![column]).await;
    for seq in 2..=versions {
        ann.submit(board, seq, vec![card(seq)]).await;
        if seq % 32 == 0 {
            ann.durable(board, seq - 16).await;
        }
    }
    ann.durable(board, versions).await;
}

async fn hash_now(server: &TestServer, board: BoardId) -> String {
    let joined = server.client("ann").await.subscribe(board, None).await;
    view_hash(&joined.view.expect("a snapshot"))
}

#[tokio::test]
async fn r3_whoever_missed_more_than_memory_holds_goes_on_with_events_from_the_disk() {
    let server = server(10_000).await;
    let (mut ann, board, before, at) = gone(&server).await;
    work(&mut ann, board, 300).await;

    let back = server.client("ann").await.subscribe(board, Some(at)).await;
    assert_eq!(back.subscribed.mode, Mode::Events);
    assert_eq!(back.subscribed.version, Version(300));
    assert_eq!(back.entries.len(), 300, "each version once, in order");
    let mut view = before.view.expect("a snapshot");
    back.entries
        .iter()
        .for_each(|entry| apply(&mut view, entry));
    assert_eq!(view_hash(&view), hash_now(&server, board).await);
    let stats = server.server().services().rooms.stats();
    assert!(stats.past_reads.get() > 10, "a part at a time");
    assert_eq!(stats.past_given_up.get(), 0);
    server.stop().await;
}

#[tokio::test]
async fn r3_the_board_goes_on_while_a_client_catches_up_from_the_disk() {
    let server = server(10_000).await;
    let (mut ann, board, before, at) = gone(&server).await;
    work(&mut ann, board, 200).await;

    let mut tablet = server.client("ann").await;
    let later = async {
        for seq in 201..=390 {
            ann.submit(board, seq, vec![card(seq)]).await;
            if seq % 16 == 0 {
                ann.durable(board, seq - 8).await;
            }
        }
        ann.durable(board, 390).await;
    };
    let (back, ()) = tokio::join!(tablet.subscribe(board, Some(at)), later);
    assert_eq!(back.subscribed.mode, Mode::Events);
    let mut view = before.view.expect("a snapshot");
    back.entries
        .iter()
        .for_each(|entry| apply(&mut view, entry));
    let mut version = back.entries.last().expect("entries").n;
    while version < Version(390) {
        let batch = tablet.batch().await;
        assert_eq!(
            batch.from, version,
            "the disk and memory join without a gap"
        );
        batch.v.iter().for_each(|entry| apply(&mut view, entry));
        version = batch.to();
    }
    assert_eq!(view_hash(&view), hash_now(&server, board).await);
    server.stop().await;
}

#[tokio::test]
async fn r2_whoever_missed_more_than_the_bound_gets_a_snapshot() {
    let server = server(100).await;
    let (mut ann, board, _, at) = gone(&server).await;
    work(&mut ann, board, 150).await;

    let back = server.client("ann").await.subscribe(board, Some(at)).await;
    assert_eq!(back.subscribed.mode, Mode::Snapshot);
    let view = back.view.expect("a snapshot");
    assert_eq!(view_hash(&view), hash_now(&server, board).await);
    assert_eq!(server.server().services().rooms.stats().past_reads.get(), 0);
    server.stop().await;
}
