//! `DELETE /api/v1/admin/connections/ID`.

use boardcast_tests::harness::TestServer;
use boardcast_tests::http::Answer;
use boardcast_tests::raw;

use super::{admin, ask, client_of, get, until};

async fn close(server: &TestServer, id: &str, query: &str) -> Answer {
    let path = format!("/api/v1/admin/connections/{id}{query}");
    let admin = format!("Bearer {}", admin(server));
    ask(server, "DELETE", &path, &[("Authorization", &admin)]).await
}

#[tokio::test]
async fn a_connection_is_told_and_closed_for_good_and_no_other() {
    let server = TestServer::start().await;
    let mut ann = client_of(&server, "ann", "t/1").await;
    let board = ann.create_board("Plan").await;
    ann.subscribe(board, None).await;
    let mut bob = client_of(&server, "bob", "t/1").await;

    assert_eq!(close(&server, "1", "").await.status, 204);
    assert_eq!(ann.closed().await, Some(4505));
    let connections = &server.server().services().connections;
    until(async || (connections.count() == 1).then_some(())).await;
    assert_eq!(close(&server, "1", "").await.status, 404, "it is gone");

    let other = bob.create_board("Ideas").await;
    bob.subscribe(other, None).await;
    let stats = get(&server, "/api/v1/admin/stats").await;
    assert_eq!(stats["connections"]["closed"]["closed_by_admin"], 1);
    assert_eq!(stats["connections"]["open"], 1);
}

#[tokio::test]
async fn the_client_is_told_the_reason() {
    let server = TestServer::start().await;
    let (head, mut stream) = raw::upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(head.status, 101);
    let connections = &server.server().services().connections;
    until(async || (connections.count() == 1).then_some(())).await;
    let answer = close(&server, "1", "?reason=too%20old%20%C3%A9").await;
    assert_eq!(answer.status, 204);
    let said = raw::rest(&mut stream).await;
    assert_eq!(raw::close_code(&said), Some(4505));
    let reason = "closed by an administrator: too old é".as_bytes();
    assert!(said.ends_with(reason), "{said:?}");
}

#[tokio::test]
async fn what_cannot_be_closed_or_said_is_refused() {
    let server = TestServer::start().await;
    let mut ann = client_of(&server, "ann", "t/1").await;
    for id in ["2", "0", "x", "-1", "99999999999999999999999"] {
        let answer = close(&server, id, "").await;
        assert_eq!(answer.status, 404, "{id}");
        assert!(answer.hint().contains("GET /api/v1/admin/connections"));
    }
    let long = format!("?reason={}", "x".repeat(96));
    for query in [
        &long,
        "?reason=",
        "?reason=a%0Ab",
        "?reason=%1B%5B2J",
        "?why=x",
    ] {
        let answer = close(&server, "1", query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.hint().contains("1 to 95 bytes"), "{}", answer.hint());
    }
    ann.create_board("Plan").await;
    let longest = format!("?reason={}", "x".repeat(95));
    assert_eq!(close(&server, "1", &longest).await.status, 204);
    assert_eq!(ann.closed().await, Some(4505));
}
