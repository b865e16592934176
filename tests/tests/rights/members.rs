//! Members whose role changes while their sockets are open.

use boardcast_protocol::board::{Reason, Role};
use boardcast_protocol::command::Command;
use boardcast_protocol::message::{ErrorCode, OutcomeResult, ServerMessage};
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use serde_json::json;

use super::{add, column, member, tell};

/// All that comes before the answer to a ping, which leaves behind everything from before.
async fn until_pong(client: &mut TestClient) -> Vec<ServerMessage> {
    client.say(&json!({"type": "ping", "t": 7})).await;
    let mut before = Vec::new();
    loop {
        match client.next().await {
            ServerMessage::Pong(_) => return before,
            other => before.push(other),
        }
    }
}

#[tokio::test]
async fn r10_who_is_removed_hears_nothing_more_over_an_open_socket() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plan").await;
    let other = ann.create_board("Other").await;
    for board in [board, other] {
        add(&mut ann, board, 1, "bob", Role::Editor).await;
    }
    let mut bob = server.client("bob").await;
    for board in [board, other] {
        bob.subscribe(board, None).await;
    }
    ann.subscribe(board, None).await;
    let remove = Command::MemberRemove {
        user: "bob".parse().expect("an id"),
    };
    ann.submit(board, 2, vec![remove]).await;
    let lost = bob.wait_for(|message| match message {
        ServerMessage::Role(change) => Some((change.board, change.role)),
        _ => None,
    });
    assert_eq!(lost.await, (board, None));
    for seq in 3..=5 {
        ann.submit(board, seq, vec![column(u128::from(seq))]).await;
    }
    let typing = json!({"doing": "typing", "card": "k"});
    ann.say(&json!({"type": "presence", "board": board.as_str(), "at": typing}))
        .await;
    ann.durable(board, 5).await;
    let heard = until_pong(&mut bob).await;
    let heard: Vec<_> = heard
        .iter()
        .map(|message| json!(message).to_string())
        .filter(|message| message.contains(board.as_str()))
        .collect();
    assert_eq!(heard, [""; 0]);

    bob.submit(board, 1, vec![column(9)]).await;
    assert_eq!(bob.error().await.code, ErrorCode::NoSuchBoard);
    for message in [
        json!({"type": "subscribe", "req": 8, "board": board.as_str()}),
        json!({"type": "activity", "req": 9, "board": board.as_str(), "limit": 5}),
    ] {
        bob.say(&message).await;
        assert_eq!(bob.error().await.code, ErrorCode::NoSuchBoard, "{message}");
    }
    // The connection itself stays, and the other board with it.
    let outcome = tell(&mut ann, other, 2, column(1)).await;
    assert_eq!(outcome.result, OutcomeResult::Accepted, "{outcome:?}");
    assert_eq!(bob.batch().await.board, other);
    server.stop().await;
}

#[tokio::test]
async fn r10_a_lowered_role_refuses_the_next_command_over_an_open_socket() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plan").await;
    add(&mut ann, board, 1, "bob", Role::Editor).await;
    let mut bob = server.client("bob").await;
    bob.subscribe(board, None).await;
    bob.submit(board, 1, vec![column(1)]).await;
    bob.durable(board, 2).await;
    let outcome = tell(&mut ann, board, 2, member("bob", Role::Viewer)).await;
    assert_eq!(outcome.result, OutcomeResult::Accepted, "{outcome:?}");
    bob.submit(board, 2, vec![column(2)]).await;
    let outcome = bob.outcome().await;
    assert_eq!(outcome.result, OutcomeResult::Rejected, "{outcome:?}");
    assert_eq!(outcome.reason, Some(Reason::Forbidden));
    server.stop().await;
}
