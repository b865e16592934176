//! Two clients on one board: what one does, the other sees, and everything is still there later.

#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and skips messages that it does not wait for"
)]

use boardcast_protocol::board::{Role, view_hash};
use boardcast_protocol::command::Command;
use boardcast_protocol::message::{Mode, OutcomeResult, ServerMessage};
use boardcast_protocol::position::{Position, Seq, Version};
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use boardcast_tests::process::{self, Serving};
use serde_json::{Value, json};

fn command(value: Value) -> Command {
    serde_json::from_value(value).expect("a command")
}

fn column(id: &str) -> Command {
    command(json!({"type": "column.create", "column": id, "title": id}))
}

fn card(id: &str) -> Command {
    command(json!({"type": "card.create", "card": id, "column": "todo", "title": id}))
}

fn add_member(user: &str, role: Role) -> Command {
    command(json!({"type": "member.add", "user": user, "role": role}))
}

#[tokio::test]
async fn what_one_does_the_other_sees_and_the_author_hears_that_it_is_on_disk() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let mut bob = server.client("bob").await;

    let board = ann.create_board("Plans").await;
    let joined = ann.subscribe(board, None).await;
    assert_eq!(joined.subscribed.role, Role::Admin);
    assert_eq!(joined.view.expect("a snapshot").title, "Plans");

    ann.submit(board, 1, vec![add_member("bob", Role::Editor)])
        .await;
    ann.durable(board, 1).await;
    let joined = bob.subscribe(board, None).await;
    assert_eq!(joined.subscribed.role, Role::Editor);
    assert_eq!(joined.subscribed.version, Version(1));

    bob.submit(board, 1, vec![column("todo"), card("c1")]).await;
    for client in [&mut ann, &mut bob] {
        let batch = client.batch().await;
        assert_eq!((batch.from, batch.to()), (Version(1), Version(2)));
        let [entry] = batch.v.as_slice() else {
            panic!("one version: {batch:?}");
        };
        assert_eq!((entry.by.as_str(), entry.seq), ("bob", Some(Seq(1))));
        assert!(entry.ev.len() >= 2);
    }
    bob.durable(board, 2).await;
    server.stop().await;
}

#[tokio::test]
async fn r4_a_submit_that_is_sent_again_is_answered_and_not_applied_again() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plans").await;
    ann.subscribe(board, None).await;
    ann.submit(board, 1, vec![column("todo")]).await;
    assert_eq!(ann.batch().await.to(), Version(1));
    ann.submit(board, 1, vec![column("todo")]).await;
    let outcome = ann.outcome().await;
    assert_eq!(outcome.result, OutcomeResult::Accepted);
    assert_eq!(outcome.version, Some(Version(1)));
    ann.submit(board, 2, vec![column("done")]).await;
    assert_eq!(ann.batch().await.to(), Version(2));
    server.stop().await;
}

#[tokio::test]
async fn r3_a_client_that_comes_back_resumes_with_events() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plans").await;
    let joined = ann.subscribe(board, None).await;
    let epoch = joined.subscribed.epoch;
    for seq in 1..=3 {
        ann.submit(board, seq, vec![column(&format!("c{seq}"))])
            .await;
    }
    ann.durable(board, 3).await;
    drop(ann);

    let mut ann = server.client("ann").await;
    let at = Position {
        epoch,
        version: Version(1),
    };
    let joined = ann.subscribe(board, Some(at)).await;
    assert_eq!(joined.subscribed.mode, Mode::Events);
    let versions: Vec<_> = joined.entries.iter().map(|entry| entry.n.0).collect();
    assert_eq!(versions, [2, 3]);
    server.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_everything_and_clients_resume_with_events() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plans").await;
    let joined = ann.subscribe(board, None).await;
    let epoch = joined.subscribed.epoch;
    ann.submit(board, 1, vec![column("todo")]).await;
    for seq in 2..=20 {
        ann.submit(board, seq, vec![card(&format!("c{seq}"))]).await;
    }
    ann.durable(board, 20).await;
    let before = ann.subscribe(board, None).await;
    let before = view_hash(&before.view.expect("a snapshot"));
    let client = ann.client_id();

    let server = server.restart().await;
    let goodbye = ann.wait_for(|message| match message {
        ServerMessage::Goodbye(goodbye) => Some(goodbye),
        _ => None,
    });
    assert_eq!(goodbye.await.code, 1012);
    assert_eq!(ann.closed().await, Some(1012));

    let token = server.token("ann");
    let mut ann = TestClient::connect(server.address(), Some(&token))
        .await
        .as_client(client);
    ann.hello(None).await;
    let at = Position {
        epoch,
        version: Version(18),
    };
    let joined = ann.subscribe(board, Some(at)).await;
    assert_eq!(joined.subscribed.mode, Mode::Events);
    assert_eq!(joined.subscribed.epoch, epoch);
    assert_eq!(joined.subscribed.last_seq, Seq(20));
    assert_eq!(joined.entries.len(), 2);
    let after = ann.subscribe(board, None).await;
    assert_eq!(view_hash(&after.view.expect("a snapshot")), before);
    server.stop().await;
}

#[tokio::test]
async fn r5_what_was_told_to_be_durable_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a folder");
    let data_dir = dir.path().to_str().expect("a path");
    let serving = Serving::start(dir.path());
    let tokens = process::run(&["token", "--data-dir", data_dir, "--user", "ann"]);
    let token = String::from_utf8(tokens.stdout).expect("a token");

    let mut ann = TestClient::connect(serving.address(), Some(token.trim())).await;
    ann.hello(None).await;
    let board = ann.create_board("Plans").await;
    let joined = ann.subscribe(board, None).await;
    ann.submit(board, 1, vec![column("todo")]).await;
    for seq in 2..=10 {
        ann.submit(board, seq, vec![card(&format!("c{seq}"))]).await;
    }
    ann.durable(board, 10).await;
    serving.kill();

    let serving = Serving::start(dir.path());
    let mut ann = TestClient::connect(serving.address(), Some(token.trim())).await;
    ann.hello(None).await;
    let again = ann.subscribe(board, None).await;
    assert_eq!(again.subscribed.version, Version(10));
    assert_ne!(again.subscribed.epoch, joined.subscribed.epoch);
    assert_eq!(again.view.expect("a snapshot").cards.len(), 9);
    assert_eq!(serving.terminate(), Some(0));
}
