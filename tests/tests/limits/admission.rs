//! Who finds no place, or comes too often, is refused before the upgrade and told when to come back.

use std::net::Ipv4Addr;
use std::time::Duration;

use boardcast::connection::refusals::Cause;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use boardcast_tests::raw::{Head, exchange, rest, upgrade};
use tokio::net::TcpStream;

use super::{Bystander, ELSEWHERE, connect_from, count, scene};

/// Upgrades until one is refused; the refusal, and the sockets that were let in.
async fn until_refused(server: &TestServer) -> (Head, String, Vec<TcpStream>) {
    let bearer = format!("Bearer {}", server.token("ann"));
    let mut let_in = Vec::new();
    for _ in 0..100 {
        let (head, mut stream) =
            upgrade(server.address(), "/ws", &[("Authorization", &bearer)]).await;
        if head.status != 101 {
            let length = head.header("content-length").expect("a length");
            let mut body = vec![0; length.parse().expect("a number")];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut body)
                .await
                .expect("a body");
            let body = String::from_utf8(body).expect("text");
            return (head, body, let_in);
        }
        let_in.push(stream);
    }
    panic!("nobody was refused");
}

fn retry_after_s(head: &Head) -> u64 {
    let seconds = head.header("retry-after").expect("a time to come back");
    seconds.parse().expect("whole seconds")
}

/// Comes back as often as it is told to, until it is let in.
async fn come_back(server: &TestServer, mut head: Head) {
    let bearer = format!("Bearer {}", server.token("ann"));
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(retry_after_s(&head))).await;
        (head, _) = upgrade(server.address(), "/ws", &[("Authorization", &bearer)]).await;
        if head.status == 101 {
            return;
        }
    }
    panic!("never let in: {head:?}");
}

#[tokio::test]
async fn a_full_server_refuses_with_503_and_a_place_comes_back() {
    let (server, mut bob) = scene(|config| config.connections.limits.total = 3).await;
    let (head, body, let_in) = until_refused(&server).await;
    assert_eq!((head.status, let_in.len()), (503, 2));
    assert!((5..=10).contains(&retry_after_s(&head)), "{head:?}");
    assert!(body.contains("as many connections as it takes"), "{body}");
    assert_eq!(count(&server, Cause::Connections), 1);
    bob.is_served().await;
    drop(let_in);
    come_back(&server, head).await;
    server.stop().await;
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_others_go_on_coming() {
    let (server, mut bob) = scene(|config| config.connections.limits.per_source = 2).await;
    let (head, body, let_in) = until_refused(&server).await;
    assert_eq!((head.status, let_in.len()), (429, 2));
    assert!((5..=10).contains(&retry_after_s(&head)), "{head:?}");
    assert!(
        body.contains("too many connections come from this address"),
        "{body}"
    );
    assert_eq!(count(&server, Cause::ConnectionsPerAddress), 1);
    bob.is_served().await;
    let stream = connect_from(ELSEWHERE, &server).await;
    let second = TestClient::over(stream, &server.token("bob")).await;
    second
        .expect("another address has places")
        .hello(None)
        .await;
    server.stop().await;
}

#[tokio::test]
async fn who_says_no_name_has_few_places_and_takes_none_from_who_does() {
    let (server, mut bob) = scene(|config| {
        config.connections.limits.unauthenticated_per_source = 1;
    })
    .await;
    let (head, _nameless) = upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(head.status, 101);
    let (head, _) = upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(head.status, 429);
    assert!((5..=10).contains(&retry_after_s(&head)), "{head:?}");
    assert_eq!(count(&server, Cause::UnauthenticatedPerAddress), 1);
    server.client("ann").await;
    bob.is_served().await;
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_connects_too_often_is_refused_and_others_are_let_in() {
    let (server, mut bob) = scene(|config| {
        config.connections.limits.connects_per_s_per_source = 1;
    })
    .await;
    let (head, body, _let_in) = until_refused(&server).await;
    assert_eq!(head.status, 429);
    assert!((1..=3).contains(&retry_after_s(&head)), "{head:?}");
    assert!(
        body.contains("connections a second come from this address"),
        "{body}"
    );
    for _ in 0..20 {
        upgrade(server.address(), "/ws", &[]).await;
    }
    assert_eq!(count(&server, Cause::ConnectsPerSecond), 0);
    assert!(count(&server, Cause::ConnectsPerSecondPerAddress) > 10);
    bob.is_served().await;
    let mut eve = Bystander::arrive_from(&server, Ipv4Addr::new(127, 0, 0, 3)).await;
    eve.is_served().await;
    come_back(&server, head).await;
    server.stop().await;
}

#[tokio::test]
async fn more_connects_a_second_than_are_let_in_are_refused_and_come_back() {
    let (server, mut bob) = scene(|config| config.connections.limits.connects_per_s = 1).await;
    let (head, body, _let_in) = until_refused(&server).await;
    assert_eq!(head.status, 503);
    assert!((1..=4).contains(&retry_after_s(&head)), "{head:?}");
    assert!(body.contains("more connections come a second"), "{body}");
    assert!(count(&server, Cause::ConnectsPerSecond) >= 1);
    bob.is_served().await;
    come_back(&server, head).await;
    server.stop().await;
}

#[tokio::test]
async fn plain_http_has_so_many_connections_and_websockets_go_on() {
    let (server, mut bob) = scene(|config| config.http.connections_max = 1).await;
    let request = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
    let (head, kept) = exchange(server.address(), request).await;
    assert_eq!(head.status, 200);
    let (head, _) = exchange(server.address(), request).await;
    assert_eq!(head.status, 503);
    assert!((2..=4).contains(&retry_after_s(&head)), "{head:?}");
    assert_eq!(count(&server, Cause::HttpConnections), 1);
    bob.is_served().await;
    drop(kept);
    server.stop().await;
}

#[tokio::test]
async fn who_comes_while_the_server_stops_is_told_when_to_come_back() {
    let (server, mut bob) = scene(|_| {}).await;
    server.server().services().begin_draining(1_000);
    let (head, body, let_in) = until_refused(&server).await;
    assert_eq!((head.status, let_in.len()), (503, 0));
    assert!((2..=4).contains(&retry_after_s(&head)), "{head:?}");
    assert!(body.contains("the server is stopping"), "{body}");
    assert_eq!(count(&server, Cause::Draining), 1);
    bob.is_served().await;
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_is_not_used_up_by_a_refusal() {
    let (server, mut bob) = scene(|config| config.connections.limits.per_source = 1).await;
    let (url, token) = (server.url("/api/v1/tickets"), server.token("ann"));
    let asking = tokio::task::spawn_blocking(move || {
        let request = ureq::post(&url).header("Authorization", format!("Bearer {token}"));
        let mut answer = request.send_empty().expect("a ticket");
        answer.body_mut().read_to_string().expect("an answer")
    });
    let answer: serde_json::Value =
        serde_json::from_str(&asking.await.expect("an answer")).expect("JSON");
    let path = format!(
        "/ws?ticket={}",
        answer["ticket"].as_str().expect("a ticket")
    );
    let (_, _, let_in) = until_refused(&server).await;
    let (head, _) = upgrade(server.address(), &path, &[]).await;
    assert_eq!(head.status, 429);
    bob.is_served().await;
    for mut stream in let_in {
        // A masked close frame without a code.
        let close = [0x88, 0x80, 0, 0, 0, 0];
        tokio::io::AsyncWriteExt::write_all(&mut stream, &close)
            .await
            .expect("a socket");
        rest(&mut stream).await;
    }
    while server.server().services().door.taken().0 > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (head, _) = upgrade(server.address(), &path, &[]).await;
    assert_eq!(head.status, 101);
    server.stop().await;
}
