//! Files to import that are too much, or broken: all of the board comes in, or nothing does.

use std::future::pending;

use boardcast_protocol::limits::{CARDS_MAX, TEXT_MAX_BYTES};
use boardcast_tests::harness::{PATIENCE, TestServer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::User;

const STAMP: &str = r#"{"by":"ann","at":1}"#;

/// A file with a column of these cards, as JSON.
fn file(cards: &str) -> String {
    format!(
        r#"{{"format":"boardcast.board","version":1,"id":"big","title":"Big","columns":[{{"id":"k","title":"To do","cards":[{cards}]}}]}}"#
    )
}

/// A card, as JSON; `more` is a field of its own, with a comma before it.
fn card(number: usize, more: &str) -> String {
    format!(
        r#"{{"id":"c{number}","number":{number},"title":"t","created":{STAMP},"changed":{STAMP}{more}}}"#
    )
}

/// The status and the body of the answer.
async fn import(server: &TestServer, user: &User, format: &str, text: &str) -> (u16, Value) {
    let address = server.address();
    let request = format!(
        "POST /api/v1/import?format={format} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        user.token,
        text.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (mut reading, mut writing) = stream.split();
    // A server may answer and close before it has read everything.
    let write = async {
        let _ = writing.write_all(request.as_bytes()).await;
        pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = write => {}
        end = timeout(6 * PATIENCE, reading.read_to_end(&mut answer)) => {
            let _ = end.expect("an answer in time");
        }
    }
    let answer = String::from_utf8(answer).expect("a text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    (status.expect("a status"), body)
}

async fn boards(user: &User) -> usize {
    let listed = user.get("/api/v1/boards").await.json();
    listed["boards"].as_array().expect("boards").len()
}

#[tokio::test]
async fn a_file_of_50_mb_is_imported_whole_while_others_go_on() {
    let server = TestServer::start().await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let board = bob.board().await;
    let text = "x".repeat(TEXT_MAX_BYTES);
    let count = 50_000_000 / text.len() + 1;
    let cards = (1..=count).map(|n| card(n, &format!(r#","description":"{text}""#)));
    let whole = file(&cards.collect::<Vec<_>>().join(","));
    assert!(whole.len() > 50_000_000);
    let work = async {
        for n in 0..20 {
            let title = json!({"title": format!("{n}")});
            assert_eq!(bob.patch(&board, &title).await.status, 200);
        }
    };
    let ((status, imported), ()) = tokio::join!(import(&server, &ann, "json", &whole), work);
    assert_eq!(status, 201, "{imported}");
    let id = imported["board"].as_str().expect("a board");
    let last = ann
        .get(&format!("/api/v1/boards/{id}/cards/c{count}"))
        .await;
    let last = last.json();
    assert_eq!(last["description"].as_str().map(str::len), Some(text.len()));
    server.stop().await;
}

#[tokio::test]
async fn files_that_are_bombs_are_refused_and_leave_no_board() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let deep = "[".repeat(1_000_000);
    let unknown = format!(r#"{{"format":"boardcast.board","extra":{deep}"#);
    let deep_trello = format!(r#"{{"id":"5a1532fe1a583c9b3bb5bc8b","name":"B","extra":{deep}"#);
    let cards = |range: std::ops::RangeInclusive<usize>| {
        let all: Vec<_> = range.map(|n| card(n, "")).collect();
        file(&all.join(","))
    };
    let around: Vec<_> = (1..=1_000)
        .map(|n| card(n, &format!(r#","parent":"c{}""#, n % 1_000 + 1)))
        .collect();
    for (what, format, text, hint) in [
        ("deep", "json", deep.clone(), "not readable"),
        ("deep inside", "json", unknown, "not readable"),
        ("deep", "trello", deep, "not readable"),
        ("deep inside", "trello", deep_trello, "not readable"),
        (
            "a million cards",
            "json",
            cards(1..=1_000_000),
            "more than 20000",
        ),
        ("links around", "json", file(&around.join(",")), "lead back"),
        (
            "ids twice",
            "json",
            file(&[card(1, ""), card(2, ""), card(1, "")].join(",")),
            "stands twice",
        ),
        (
            "cut in the middle",
            "json",
            cards(1..=1_000)[..50_000].to_owned(),
            "not readable",
        ),
    ] {
        let (status, problem) = import(&server, &ann, format, &text).await;
        assert_eq!(status, 422, "{what} {format}: {problem}");
        assert_eq!(problem["type"], "/api/#invalid");
        let told = problem["detail"].as_str().expect("a hint");
        assert!(told.contains(hint), "{what} {format}: {told}");
        assert!(
            told.len() < 1_000,
            "{what}: a hint repeats little of the file"
        );
        assert_eq!(boards(&ann).await, 0, "{what} {format}");
    }
    let (status, most) = import(&server, &ann, "json", &cards(1..=CARDS_MAX)).await;
    assert_eq!(status, 201, "{most}");
    let board = most["board"].as_str().expect("an id");
    let path = format!("/api/v1/boards/{board}/cards/c{CARDS_MAX}");
    assert_eq!(ann.get(&path).await.status, 200);
    server.stop().await;
}
