//! What one person may have: connections, subscriptions, time for `hello`, loaded boards.

use boardcast::connection::limits::Yields;
use boardcast::connection::refusals::Cause;
use boardcast_protocol::close::reconnects;
use boardcast_protocol::message::ErrorCode;
use boardcast_tests::client::TestClient;
use boardcast_tests::raw::{close_code, rest, upgrade};
use serde_json::json;

use super::{count, scene};

#[tokio::test]
async fn the_newest_connection_of_a_user_yields_by_default_and_for_good() {
    let (server, mut bob) = scene(|config| config.connections.limits.per_user = 2).await;
    let mut first = server.client("ann").await;
    let _second = server.client("ann").await;
    let mut third = TestClient::connect(server.address(), Some(&server.token("ann"))).await;
    third
        .say(&json!({"type": "hello", "v": 1, "client": "c"}))
        .await;
    assert_eq!(third.closed().await, Some(4504));
    assert!(!reconnects(4504));
    first.create_board("still here").await;
    bob.is_served().await;
    assert_eq!(count(&server, Cause::ConnectionsPerUser), 1);
    server.stop().await;
}

#[tokio::test]
async fn the_oldest_connection_of_a_user_yields_where_that_is_chosen_and_for_good() {
    let (server, mut bob) = scene(|config| {
        config.connections.limits.per_user = 2;
        config.connections.limits.yields = Yields::Oldest;
    })
    .await;
    let mut first = server.client("ann").await;
    let mut second = server.client("ann").await;
    let mut third = server.client("ann").await;
    assert_eq!(first.closed().await, Some(4506));
    assert!(!reconnects(4506), "two tabs do not chase each other");
    second.create_board("still here").await;
    third.create_board("here now").await;
    bob.is_served().await;
    assert_eq!(count(&server, Cause::Yielded), 1);
    assert_eq!(count(&server, Cause::ConnectionsPerUser), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_connection_takes_so_many_subscriptions_and_keeps_those_it_has() {
    let (server, mut bob) = scene(|config| config.connections.session.boards_max = 1).await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("first").await;
    let other = ann.create_board("second").await;
    ann.subscribe(board, None).await;
    ann.say(&json!({"type": "subscribe", "req": 9, "board": other}))
        .await;
    let error = ann.error().await;
    assert_eq!((error.code, error.req), (ErrorCode::Limit, Some(9)));
    assert_eq!(error.hint, "a connection takes at most 1 subscriptions");
    ann.submit(board, 1, vec![super::column(1)]).await;
    ann.durable(board, 1).await;
    bob.is_served().await;
    assert_eq!(count(&server, Cause::BoardsPerConnection), 1);

    let mut greedy = TestClient::connect(server.address(), Some(&server.token("ann"))).await;
    let boards = [json!({"board": board}), json!({"board": other})];
    greedy
        .say(&json!({"type": "hello", "v": 1, "client": "c", "boards": boards}))
        .await;
    let error = greedy.error().await;
    assert_eq!(error.hint, "`hello` subscribes to at most 1 boards");
    assert_eq!(greedy.closed().await, Some(1008));
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_say_hello_in_time_goes_and_others_stay() {
    let (server, mut bob) = scene(|config| {
        config.connections.heartbeat.hello_within_ms = 200;
        config.connections.heartbeat.sweep_every_ms = 20;
    })
    .await;
    let (head, mut silent) = upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(head.status, 101);
    assert_eq!(close_code(&rest(&mut silent).await), Some(4501));
    assert_eq!(count(&server, Cause::HelloTime), 1);
    bob.is_served().await;
    server.stop().await;
}

#[tokio::test]
async fn boards_in_use_take_so_much_memory_and_a_further_one_is_answered_busy() {
    let (server, mut bob) = scene(|config| config.rooms.loaded_bytes = 1).await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("one too many").await;
    ann.say(&json!({"type": "subscribe", "req": 3, "board": board}))
        .await;
    let error = ann.error().await;
    assert_eq!((error.code, error.req), (ErrorCode::Busy, Some(3)));
    assert_eq!(
        error.hint,
        "too many boards are in use at the moment; try again in 250 ms"
    );
    ann.submit(board, 1, vec![super::column(1)]).await;
    let outcome = ann.outcome().await;
    assert_eq!(outcome.retry_ms, Some(250));
    assert_eq!(count(&server, Cause::LoadedBytes), 2);
    bob.is_served().await;
    server.stop().await;
}
