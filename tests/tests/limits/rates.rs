//! How much a second: messages of a connection, commands of a user and of a board. What is over a
//! rate comes again, in order, and nothing is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use boardcast::connection::refusals::Cause;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{OutcomeResult, ServerMessage};
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use serde_json::json;

use super::{column, count, scene};

const PER_S: u32 = 50;
/// Four times as many fit at once.
const AT_ONCE: u64 = 200;
/// What each of two connections sends at once: more than that together, and less alone.
const EACH: u64 = 150;

/// What came of a client's submits.
#[derive(Default)]
struct Sent {
    /// The version that each number became.
    versions: BTreeMap<u64, u64>,
    /// Answers `busy` that name the limit.
    named: usize,
    /// What other answers `busy` said.
    hints: Vec<String>,
}

/// Submits numbers from 1 to [`EACH`] at once, and after `busy` again from the refused one on.
async fn send_all(client: &mut TestClient, board: BoardId, first_column: u64, limit: &str) -> Sent {
    let mut sent = Sent::default();
    let mut next = 1;
    while next <= EACH {
        let first = next;
        for seq in first..=EACH {
            client
                .submit(board, seq, vec![column(first_column + seq)])
                .await;
        }
        let mut retry_ms = 0;
        for _ in first..=EACH {
            let outcome = client.outcome().await;
            let seq = outcome.seq.0;
            match (outcome.result, outcome.version) {
                (OutcomeResult::Accepted, Some(version)) => {
                    assert_eq!(seq, next, "in order");
                    sent.versions.insert(seq, version.0);
                    next += 1;
                }
                (OutcomeResult::Busy, None) => {
                    let ms = outcome.retry_ms.expect("when to come back");
                    assert!(ms >= 250, "{ms}");
                    retry_ms = retry_ms.max(u64::from(ms));
                    match outcome.hint {
                        Some(hint) if hint.contains(limit) => sent.named += 1,
                        Some(hint) => sent.hints.push(hint),
                        // A lower number was refused.
                        None => {}
                    }
                }
                other => panic!("{other:?} for {seq}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(retry_ms)).await;
    }
    sent
}

/// Both sent everything once, in order, and one of them was held back.
fn assert_held_back_and_kept(sent: &[Sent; 2]) {
    let mut versions: Vec<u64> = Vec::new();
    for one in sent {
        let own: Vec<u64> = one.versions.values().copied().collect();
        assert_eq!(own.len() as u64, EACH);
        assert!(own.is_sorted(), "in the order of their numbers");
        assert_eq!(one.hints, [""; 0]);
        versions.extend(own);
    }
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len() as u64, 2 * EACH, "each command once");
    let named: usize = sent.iter().map(|one| one.named).sum();
    assert!(named > 0, "somebody was held back");
}

#[tokio::test]
async fn the_commands_of_a_user_are_counted_over_all_connections() {
    let (server, mut bob) = scene(|config| {
        config.connections.limits.commands_per_s_per_user = PER_S;
    })
    .await;
    let (mut first, mut second) = (server.client("ann").await, server.client("ann").await);
    let board = first.create_board("Busy").await;
    const { assert!(EACH < AT_ONCE && 2 * EACH > AT_ONCE) };
    let limit = "a user may send 50 commands a second over all connections";
    let (one, two, ()) = tokio::join!(
        send_all(&mut first, board, 0, limit),
        send_all(&mut second, board, EACH, limit),
        async {
            for _ in 0..10 {
                bob.is_served().await;
            }
        }
    );
    assert!(count(&server, Cause::CommandsPerSecondPerUser) > 0);
    assert_held_back_and_kept(&[one, two]);
    server.stop().await;
}

#[tokio::test]
async fn the_commands_of_a_board_are_counted_over_all_users() {
    let (server, mut bob) = scene(|config| config.rooms.commands_per_s = PER_S).await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Busy").await;
    let mut eve = join_as_editor(&server, &mut ann, board, "eve").await;
    let mut ann = server.client("ann").await;
    let limit = "a board takes 50 commands a second";
    let (one, two, ()) = tokio::join!(
        send_all(&mut ann, board, 0, limit),
        send_all(&mut eve, board, EACH, limit),
        async {
            for _ in 0..10 {
                bob.is_served().await;
            }
        }
    );
    let stats = server.server().services().rooms.stats();
    assert!(stats.over_rate.get() > 0 && stats.busy.get() >= stats.over_rate.get());
    assert_held_back_and_kept(&[one, two]);
    server.stop().await;
}

async fn join_as_editor(
    server: &TestServer,
    admin: &mut TestClient,
    board: BoardId,
    user: &str,
) -> TestClient {
    let client = server.client(user).await;
    let add = json!({"type": "member.add", "user": user, "role": "editor"});
    admin
        .say(&json!({"type": "submit", "board": board, "seq": 1, "cmds": [add]}))
        .await;
    assert_eq!(admin.outcome().await.result, OutcomeResult::Accepted);
    client
}

#[tokio::test]
async fn more_messages_than_the_rate_are_busy_and_ten_times_as_many_end_the_connection() {
    let (server, mut bob) = scene(|config| {
        config.connections.session.messages_per_s = 1;
        config.connections.session.messages_burst = 30;
    })
    .await;
    let mut ann = server.client("ann").await;
    for req in 0..40 {
        ann.say(&json!({"type": "boards.list", "req": req})).await;
    }
    let error = ann.error().await;
    assert_eq!(error.hint, "a connection may send 1 messages a second");
    bob.is_served().await;
    for req in 0..400 {
        ann.say(&json!({"type": "ping", "t": req})).await;
    }
    assert_eq!(ann.closed().await, Some(4507));
    assert!(count(&server, Cause::MessagesPerSecond) >= 200);
    assert_eq!(count(&server, Cause::Flood), 1);
    bob.is_served().await;
    server.stop().await;
}

#[tokio::test]
async fn answers_to_what_was_over_a_rate_come_in_the_order_of_the_questions() {
    let (server, mut bob) = scene(|config| {
        config.connections.limits.commands_per_s_per_user = 1;
    })
    .await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Busy").await;
    for seq in 1..=3 {
        let cmds = (0..60).map(|n| column(60 * seq + n)).collect();
        ann.submit(board, seq, cmds).await;
    }
    ann.say(&json!({"type": "ping", "t": 1})).await;
    let mut results = Vec::new();
    loop {
        match ann.next().await {
            ServerMessage::Outcome(outcome) => results.push((outcome.seq.0, outcome.result)),
            ServerMessage::Pong(_) => break,
            other => assert!(matches!(other, ServerMessage::Durable(_)), "{other:?}"),
        }
    }
    // Lists count by their commands: the second is over the 100 that fit at once.
    let refused = [(2, OutcomeResult::Busy), (3, OutcomeResult::Busy)];
    results.retain(|(seq, _)| *seq > 1);
    assert_eq!(results, refused);
    bob.is_served().await;
    server.stop().await;
}
