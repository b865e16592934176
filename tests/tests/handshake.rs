//! Who may open a WebSocket, and how long who does not say who they are is listened to.

use boardcast::config::Config;
use boardcast_protocol::message::ErrorCode;
use boardcast_tests::client::{TestClient, request};
use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::raw::{close_code, exchange, rest, upgrade};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep, timeout};

fn hurried(config: &mut Config) {
    config.connections.heartbeat.sweep_every_ms = 20;
}

#[tokio::test]
async fn requests_that_are_no_websocket_are_told_why() {
    let server = TestServer::start().await;
    for (changes, status) in [
        (&[("Sec-WebSocket-Key", "")][..], 400),
        (&[("Sec-WebSocket-Key", "short")], 400),
        (&[("Upgrade", "h2c")], 400),
        (&[("Connection", "close")], 400),
        (&[("Sec-WebSocket-Version", "12")], 426),
        (&[("Sec-WebSocket-Version", "")], 426),
    ] {
        let (head, _) = upgrade(server.address(), "/ws", changes).await;
        assert_eq!(head.status, status, "{changes:?}");
        if status == 426 {
            assert_eq!(head.header("sec-websocket-version"), Some("13"));
        }
        assert_eq!(
            head.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    }
    server.stop().await;
}

#[tokio::test]
async fn bad_credentials_are_refused_before_the_upgrade() {
    let server = TestServer::start().await;
    let foreign = TestServer::start().await;
    let other_key = format!("Bearer {}", foreign.token("ann"));
    let expired = format!("Bearer {}", server.token_for("ann", 0));
    // {"alg":"none"} and {"sub":"ann","exp":4102444800}
    let unsigned = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9.";
    let good = server.token("ann");
    for authorization in [
        "Bearer",
        "Bearer x",
        "Basic YW5uOmFubg==",
        &good,
        unsigned,
        &other_key,
    ] {
        let (head, _) = upgrade(server.address(), "/ws", &[("Authorization", authorization)]).await;
        assert_eq!(head.status, 401, "{authorization}");
        assert_eq!(head.header("www-authenticate"), Some("bearer"));
    }
    // Clocks may differ by 5 s.
    let (head, _) = upgrade(server.address(), "/ws", &[("Authorization", &expired)]).await;
    assert_eq!(head.status, 101);
    let (head, _) = upgrade(server.address(), &format!("/ws?token={good}"), &[]).await;
    assert_eq!(head.status, 401);
    foreign.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_opens_one_websocket() {
    let server = TestServer::start().await;
    let (url, token) = (server.url("/api/v1/tickets"), server.token("ann"));
    let ticket = tokio::task::spawn_blocking(move || {
        let mut answer = ureq::post(&url)
            .header("Authorization", format!("Bearer {token}"))
            .send_empty()
            .expect("a ticket");
        let text = answer.body_mut().read_to_string().expect("an answer");
        let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        answer["ticket"].as_str().expect("a ticket").to_owned()
    });
    let path = format!("/ws?ticket={}", ticket.await.expect("a ticket"));
    let request = request(server.address(), &path);
    let mut client = TestClient::open(server.address(), request)
        .await
        .expect("a WebSocket");
    assert_eq!(client.hello(None).await.user.as_str(), "ann");
    let (head, _) = upgrade(server.address(), &path, &[]).await;
    assert_eq!(head.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let server = TestServer::with(|config| {
        config.allowed_origins = vec!["https://boards.example".parse().expect("an origin")];
    })
    .await;
    let own = format!("http://{}", server.address());
    let bearer = format!("Bearer {}", server.token("ann"));
    let secure = own.replace("http:", "https:");
    let longer = format!("{own}.evil.example");
    for (origin, cookie, status) in [
        (own.as_str(), "", 101),
        (own.as_str(), "a=b", 101),
        ("https://boards.example", "a=b", 101),
        ("http://boards.example", "", 403),
        ("https://boards.example.evil", "", 403),
        ("http://127.0.0.1:1", "", 403),
        (secure.as_str(), "", 403),
        (longer.as_str(), "", 403),
        ("null", "", 403),
        ("", "", 101),
        ("", "a=b", 403),
    ] {
        let changes = [
            ("Origin", origin),
            ("Cookie", cookie),
            ("Authorization", &bearer),
        ];
        let (head, _) = upgrade(server.address(), "/ws", &changes).await;
        assert_eq!(head.status, status, "{origin:?} {cookie:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn extensions_are_declined_and_subprotocols_chosen() {
    let server = TestServer::start().await;
    let changes = [
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ("Sec-WebSocket-Protocol", "chat, boardcast.v1.json"),
    ];
    let (head, _) = upgrade(server.address(), "/ws", &changes).await;
    assert_eq!(head.status, 101);
    assert_eq!(head.header("sec-websocket-extensions"), None);
    assert_eq!(
        head.header("sec-websocket-protocol"),
        Some("boardcast.v1.json")
    );
    assert_eq!(
        head.header("sec-websocket-accept"),
        Some("s3pplmbitxaq9kygzzhzrbk+xoo=")
    );
    server.stop().await;
}

#[tokio::test]
async fn long_heads_are_refused() {
    let server = TestServer::start().await;
    let long = "x".repeat(40 * 1_024);
    let (head, _) = upgrade(server.address(), "/ws", &[("X-Long", &long)]).await;
    assert_eq!(head.status, 431);
    let many = "x: y\r\n".repeat(200);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    let (head, _) = exchange(server.address(), &request).await;
    assert_eq!(head.status, 431);
    server.stop().await;
}

#[tokio::test]
async fn silent_and_slow_connections_are_closed() {
    let server = TestServer::with(|config| {
        config.http.head_within_ms = 200;
        config.connections.heartbeat.hello_within_ms = 200;
        hurried(config);
    })
    .await;
    let mut silent = TcpStream::connect(server.address())
        .await
        .expect("a connection");
    assert_eq!(rest(&mut silent).await, b"");
    // However often something comes: it is the whole head that has so long.
    let (mut reading, mut writing) = TcpStream::connect(server.address())
        .await
        .expect("a connection")
        .into_split();
    let dribble = async {
        let head = format!("GET /ws HTTP/1.1\r\nHost: {}\r\n", "a".repeat(100_000));
        for byte in head.bytes() {
            if writing.write_u8(byte).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        std::future::pending().await
    };
    let mut said = Vec::new();
    tokio::select! {
        end = timeout(PATIENCE, reading.read_to_end(&mut said)) => {
            let _ = end.expect("the end in time");
        }
        () = dribble => {}
    }
    assert!(!said.starts_with(b"HTTP/1.1 2"), "{said:?}");
    let (_, mut no_hello) = upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(close_code(&rest(&mut no_hello).await), Some(4501));
    server.stop().await;
}

#[tokio::test]
async fn hello_without_upgrade_credentials_bears_the_token_and_is_short() {
    let server = TestServer::start().await;
    let mut client = TestClient::connect(server.address(), None).await;
    let token = server.token("ann");
    assert_eq!(client.hello(Some(&token)).await.user.as_str(), "ann");
    // A client that has said hello may send more than 4 KiB.
    client
        .say_text(&format!("{{\"x\": {:?}}}", "y".repeat(5_000)))
        .await;
    assert_eq!(client.error().await.code, ErrorCode::BadMessage);

    let mut client = TestClient::connect(server.address(), None).await;
    client
        .say(&json!({"type": "hello", "v": 1, "client": "c"}))
        .await;
    assert_eq!(client.error().await.code, ErrorCode::Unauthorized);
    assert_eq!(client.closed().await, Some(4502));

    let mut client = TestClient::connect(server.address(), None).await;
    client.say_text(&"x".repeat(4_097)).await;
    assert_eq!(client.closed().await, Some(1009));

    let mut client = TestClient::connect(server.address(), Some(&token)).await;
    client
        .say(&json!({"type": "hello", "v": 2, "client": "c"}))
        .await;
    assert_eq!(client.error().await.code, ErrorCode::BadMessage);
    assert_eq!(client.closed().await, Some(4503));
    server.stop().await;
}

#[tokio::test]
async fn connections_are_bounded_in_all_by_source_and_by_user() {
    let server = TestServer::with(|config| {
        config.connections.limits.total = 4;
        config.connections.limits.per_user = 2;
        config.connections.limits.unauthenticated_per_source = 1;
    })
    .await;
    let (head, _nameless) = upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(head.status, 101);
    let (head, _) = upgrade(server.address(), "/ws", &[]).await;
    assert_eq!(head.status, 429);
    assert!(head.header("retry-after").is_some());

    let _first = server.client("ann").await;
    let _second = server.client("ann").await;
    let token = server.token("ann");
    let mut third = TestClient::connect(server.address(), Some(&token)).await;
    third
        .say(&json!({"type": "hello", "v": 1, "client": "c"}))
        .await;
    let (head, _) = upgrade(
        server.address(),
        "/ws",
        &[("Authorization", &format!("Bearer {token}"))],
    )
    .await;
    assert_eq!(head.status, 503);
    assert_eq!(third.closed().await, Some(4504));
    server.stop().await;
}

#[tokio::test]
async fn r4_the_newer_connection_of_a_client_replaces_the_older() {
    let server = TestServer::start().await;
    let mut older = server.client("ann").await;
    let token = server.token("ann");
    let mut newer = TestClient::connect(server.address(), Some(&token))
        .await
        .as_client(older.client_id());
    newer.hello(None).await;
    assert_eq!(older.closed().await, Some(4500));
    newer.create_board("still here").await;
    server.stop().await;
}

#[tokio::test]
async fn an_open_connection_ends_with_its_token_and_with_its_life() {
    let server = TestServer::with(|config| {
        config.connections.heartbeat.ping_every_ms = 100;
        config.connections.heartbeat.pong_within_ms = 200;
        hurried(config);
    })
    .await;
    let token = server.token_for("ann", 1);
    let mut expiring = TestClient::connect(server.address(), Some(&token)).await;
    expiring.hello(None).await;
    assert_eq!(
        expiring.closed().await,
        Some(4002),
        "its pongs keep it alive until then"
    );

    let bearer = format!("Bearer {}", server.token("ann"));
    let (head, mut dead) = upgrade(server.address(), "/ws", &[("Authorization", &bearer)]).await;
    assert_eq!(head.status, 101);
    let sent = rest(&mut dead).await;
    assert!(sent.starts_with(&[0x89, 4]), "a ping: {sent:?}");
    assert_eq!(close_code(&sent), Some(4000));
    server.stop().await;
}

#[tokio::test]
async fn plain_http_is_answered_and_bounded() {
    let server = TestServer::with(|config| config.http.connections_max = 1).await;
    let (head, mut first) =
        exchange(server.address(), "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(head.status, 200);
    let (head, _) = exchange(server.address(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(head.status, 503);
    let mut body = [0; 18];
    first.read_exact(&mut body).await.expect("a body");
    assert_eq!(&body, b"{\"status\":\"ready\"}");
    server.stop().await;
}
