//! What every answer bears: the rate of requests, and compression where it is worth it.

use std::io::Read;

use boardcast::connection::refusals::Cause;
use boardcast_tests::harness::TestServer;
use boardcast_tests::raw::{exchange, rest};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::{User, card};

fn numbers(field: &str) -> Vec<u64> {
    assert!(field.starts_with("\"requests\";"), "{field}");
    let parts = field.split(';').skip(1);
    parts
        .map(|part| part[2..].parse().expect("a number"))
        .collect()
}

#[tokio::test]
async fn every_answer_tells_how_many_requests_may_follow() {
    let server = TestServer::with(|config| {
        config.connections.limits.requests_per_s_per_user = 10;
    })
    .await;
    let ann = User::of(&server, "ann");
    let mut nobody = ann.clone();
    nobody.token = "none".to_owned();
    for (user, path, status) in [
        (&ann, "/api/v1/boards", 200),
        (&ann, "/api/v1/boards/none", 404),
        (&ann, "/api/v1/none", 404),
        (&ann, "/api/v1/sessions", 200),
        (&nobody, "/api/v1/boards", 401),
    ] {
        let answer = user.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        let policy = answer.header("ratelimit-policy").expect("a policy");
        assert_eq!(policy, "\"requests\";q=40;w=4");
        let [left, reset] = numbers(answer.header("ratelimit").expect("a state"))[..] else {
            panic!("two numbers");
        };
        assert!(left < 40 && (1..=4).contains(&reset), "{left} {reset}");
    }
    assert_eq!(ann.get("/healthz").await.header("ratelimit"), None);
    server.stop().await;
}

#[tokio::test]
async fn r8_more_requests_a_second_than_the_limit_are_429_and_others_go_on() {
    let server = TestServer::with(|config| {
        config.connections.limits.requests_per_s_per_user = 1;
    })
    .await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let refused = loop {
        let answer = ann.get("/api/v1/boards").await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (429, "too-many-requests")
    );
    let wait: u64 = refused
        .header("retry-after")
        .expect("when")
        .parse()
        .expect("seconds");
    assert!((1..=4).contains(&wait));
    assert_eq!(numbers(refused.header("ratelimit").expect("a state"))[0], 0);
    assert!(refused.header("content-security-policy").is_some());
    assert_eq!(bob.get("/api/v1/boards").await.status, 200);
    let refusals = &server.server().services().refusals;
    assert!(refusals.count(Cause::RequestsPerSecondPerUser) > 0);
    server.stop().await;
}

/// The head of an answer to a client that takes an encoding, and its body.
async fn taken(server: &TestServer, user: &User, path: &str, coding: &str) -> (String, Vec<u8>) {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Accept-Encoding: {coding}\r\n\r\n",
        user.token
    );
    let (head, mut socket) = exchange(server.address(), &request).await;
    assert_eq!(head.status, 200, "{head:?}");
    let body = rest(&mut socket).await;
    (head.text, body)
}

/// A body in chunks as one.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = chunks
            .windows(2)
            .position(|two| two == b"\r\n")
            .expect("a size");
        let size = std::str::from_utf8(&chunks[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[end + 2 + size + 2..];
    }
}

#[tokio::test]
async fn answers_above_a_kibibyte_are_compressed_as_the_client_takes_it() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let (head, _) = taken(&server, &ann, &board, "gzip, br, zstd").await;
    assert!(!head.contains("content-encoding"), "too small: {head}");
    let cards: Vec<Value> = (0..100).map(|n| card(&format!("c{n}"))).collect();
    assert_eq!(ann.commands(&board, json!(cards)).await.status, 200);
    let plain = ann.get(&board).await;
    for coding in ["gzip", "br", "zstd"] {
        let (head, body) = taken(&server, &ann, &board, coding).await;
        assert!(
            head.contains(&format!("content-encoding: {coding}\r\n")),
            "{head}"
        );
        assert!(head.contains("vary: accept-encoding\r\n"), "{head}");
        let body = joined(&body);
        assert!(
            body.len() * 2 < plain.text().len(),
            "{coding}: {} bytes",
            body.len()
        );
        if coding == "gzip" {
            let mut text = String::new();
            GzDecoder::new(body.as_slice())
                .read_to_string(&mut text)
                .expect("gzip");
            assert_eq!(text, plain.text());
        }
    }
    let (head, body) = taken(&server, &ann, &board, "identity").await;
    assert!(!head.contains("content-encoding"), "{head}");
    assert_eq!(body, plain.text().as_bytes());
    server.stop().await;
}
