//! Bad input gets an exact answer, and the rest of the server does not notice.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use boardcast::clock;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ErrorCode, ErrorMessage, ServerMessage};
use boardcast_protocol::position::Version;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use boardcast_tests::http::ask;
use boardcast_tests::process::{Serving, run, stderr};
use boardcast_tests::raw::{close_code, rest, upgrade};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn what_is_not_a_message_is_answered_and_again_and_again_ends_the_connection() {
    let server = TestServer::start().await;
    let mut witness = server.client("bob").await;
    let mut client = server.client("ann").await;
    let deep = "[".repeat(100_000);
    for (text, code, req) in [
        ("not json", ErrorCode::NotJson, None),
        (deep.as_str(), ErrorCode::NotJson, None),
        (
            r#"{"type":"dance","req":7}"#,
            ErrorCode::UnknownType,
            Some(7),
        ),
        (
            r#"{"type":"subscribe","req":8}"#,
            ErrorCode::BadMessage,
            Some(8),
        ),
    ] {
        client.say_text(text).await;
        let error = client.error().await;
        assert_eq!(error.req, req);
        let is_deep = text.starts_with("[[");
        assert!(is_deep || error.code == code, "{error:?}");
        assert!(!error.hint.is_empty());
    }
    for _ in 0..30 {
        client.say_text("x").await;
    }
    assert_eq!(client.closed().await, Some(1008));
    witness.create_board("not disturbed").await;
    server.stop().await;
}

#[tokio::test]
async fn what_a_client_claims_about_a_command_is_overwritten() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Plans").await;
    ann.subscribe(board, None).await;
    let began = clock::now();
    let claimed = json!({
        "type": "submit", "board": board.as_str(), "seq": 1, "client": "other", "by": "eve",
        "user": "eve", "at": 1, "version": 99, "n": 99, "admin": true,
        "cmds": [{
            "type": "column.create", "column": "c", "title": "To do", "by": "eve", "at": 1,
            "rank": "zz", "created": {"by": "eve", "at": 1},
        }],
    });
    ann.say(&claimed).await;
    let batch = ann.batch().await;
    let [version] = batch.v.as_slice() else {
        panic!("not one version: {batch:?}");
    };
    assert_eq!((version.n, version.by.as_str()), (Version(1), "ann"));
    assert!((began..=clock::now()).contains(&version.at), "{version:?}");
    server.stop().await;
}

#[tokio::test]
async fn the_title_of_a_new_board_is_one_line() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let bearer = format!("Bearer {}", server.token("ann"));
    let headers = [("Authorization", bearer.as_str())];
    let long = "x".repeat(2_049);
    for title in ["", "  ", "a\nb", "a\u{1b}[31m", &long] {
        let create = json!({"type": "board.create", "req": 3, "title": title});
        ann.say(&create).await;
        let error = ann.error().await;
        assert_eq!((error.code, error.req), (ErrorCode::BadMessage, Some(3)));
        let body = json!({"title": title});
        let answer = ask(&server.url("/api/v1/boards"), "POST", &headers, Some(&body)).await;
        assert_eq!(answer.status, 422, "{title:?}: {answer:?}");
    }
    let board = ann.create_board(" Plans ").await;
    let view = ann.subscribe(board, None).await.view.expect("a snapshot");
    assert_eq!(view.title, "Plans");
    server.stop().await;
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_connection_with_their_code() {
    let server = TestServer::start().await;
    let mut witness = server.client("bob").await;
    let mut client = server.client("ann").await;
    client.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.closed().await, Some(1003));
    let mut client = server.client("ann").await;
    client.say_text(&"x".repeat(512 * 1_024 + 1)).await;
    assert_eq!(client.closed().await, Some(1009));

    let bearer = format!("Bearer {}", server.token("ann"));
    for (frame, code) in [
        (&[0x81, 0x01, b'x'][..], 1002),
        (&[0xc1, 0x80, 0, 0, 0, 0], 1002),
        (&[0x83, 0x80, 0, 0, 0, 0], 1002),
        (&[0x80, 0x80, 0, 0, 0, 0], 1002),
        (&[0x09, 0x80, 0, 0, 0, 0], 1002),
        (&[0x88, 0x81, 0, 0, 0, 0, 3], 1002),
        (&[0x88, 0x82, 0, 0, 0, 0, 3, 0xed], 1002),
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
        (&[0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009),
        (&[0x88, 0x80, 0, 0, 0, 0], 1000),
        (&[0x88, 0x82, 0, 0, 0, 0, 0x0b, 0xb8], 3000),
    ] {
        let headers = [("Authorization", bearer.as_str())];
        let (head, mut stream) = upgrade(server.address(), "/ws", &headers).await;
        assert_eq!(head.status, 101);
        stream.write_all(frame).await.expect("a write");
        assert_eq!(
            close_code(&rest(&mut stream).await),
            Some(code),
            "{frame:x?}"
        );
    }
    witness.create_board("not disturbed").await;
    server.stop().await;
}

#[tokio::test]
async fn ten_thousand_pings_are_borne() {
    let server = TestServer::start().await;
    let mut client = server.client("ann").await;
    for _ in 0..10_000 {
        client.send(Message::Ping(vec![7; 125].into())).await;
    }
    client.create_board("alive").await;
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_board_and_a_missing_one_get_the_same_answer() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let mut eve = server.client("eve").await;
    let foreign = ann.create_board("Plans").await;
    ann.subscribe(foreign, None).await;
    let missing = BoardId::from_u128(rand::random());
    for message in [
        json!({"type": "subscribe", "req": 5}),
        json!({"type": "submit", "seq": 1, "cmds": [{"type": "column.create", "column": "c", "title": "c"}]}),
        json!({"type": "card.open", "req": 6, "card": "c"}),
        json!({"type": "activity", "req": 7, "limit": 10}),
        json!({"type": "subscribe", "req": 8, "at": {"epoch": "0000000000000001", "version": 3}}),
    ] {
        let mut answers = Vec::new();
        for board in [foreign, missing] {
            let mut message = message.clone();
            message["board"] = json!(board);
            eve.say(&message).await;
            let error = eve.error().await;
            assert_eq!(error.board, Some(board));
            answers.push(ErrorMessage {
                board: None,
                ..error
            });
        }
        assert_eq!(answers[0], answers[1], "{message}");
        assert_eq!(answers[0].code, ErrorCode::NoSuchBoard);
        assert_eq!(json!(answers[0].req), message["req"]);
        assert_eq!(json!(answers[0].seq), message["seq"]);
    }
    // Presence is not answered, and nobody there hears of it: of who comes after it they do.
    let at = json!({"doing": "typing"});
    eve.say(&json!({"type": "presence", "board": foreign, "at": at}))
        .await;
    eve.say(&json!({"type": "ping", "t": 1})).await;
    assert!(matches!(eve.next().await, ServerMessage::Pong(_)));
    let add = json!({"type": "member.add", "user": "bob", "role": "viewer"});
    ann.say(&json!({"type": "submit", "board": foreign, "seq": 1, "cmds": [add]}))
        .await;
    ann.durable(foreign, 1).await;
    let mut bob = server.client("bob").await;
    bob.subscribe(foreign, None).await;
    loop {
        let told = json!(ann.next().await).to_string();
        assert!(!told.contains("\"eve\""), "{told}");
        if told.contains("\"presence\"") && told.contains("\"bob\"") {
            break;
        }
    }
    server.stop().await;
}

fn serve(data_dir: &Path, listen: &str) -> (Option<i32>, String) {
    let data_dir = data_dir.to_str().expect("a path");
    let output = run(&["serve", "--listen", listen, "--data-dir", data_dir]);
    (output.status.code(), stderr(&output))
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let dir = tempfile::tempdir().expect("a folder");
    let (code, said) = serve(dir.path(), &address);
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&format!(
            "failed to listen on {address}: the port is in use"
        )),
        "{said}"
    );
    assert!(
        !dir.path().join("boardcast.db").exists(),
        "nothing was touched"
    );
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("a file");
    let (code, said) = serve(&file.join("data"), "127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(said.contains("file/data"), "{said}");
    let (code, said) = serve(&file, "127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(said.contains("is not a directory"), "{said}");
    let (code, said) = serve(Path::new("/proc/boardcast"), "127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(said.contains("/proc/boardcast cannot be written"), "{said}");
}

#[tokio::test]
async fn a_data_directory_in_use_is_refused_and_its_server_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(dir.path());
    let (code, said) = serve(dir.path(), "127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(said.contains("is in use by another server"), "{said}");

    let tokens = run(&[
        "token",
        "--data-dir",
        dir.path().to_str().expect("a path"),
        "--user",
        "ann",
    ]);
    let token = String::from_utf8(tokens.stdout).expect("a token");
    let mut client = TestClient::connect(serving.address(), Some(token.trim())).await;
    client.hello(None).await;
    assert_eq!(serving.terminate(), Some(0));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let dir = TestServer::start().await.stop().await;
    let database = format!("sqlite://{}", dir.path().join("boardcast.db").display());
    let pool = sqlx::SqlitePool::connect(&database)
        .await
        .expect("the database");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'newer', 1, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.expect("a row");
    pool.close().await;
    let (code, said) = serve(dir.path(), "127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(
        said.contains("was written by a newer version of boardcast"),
        "{said}"
    );
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let data_dir = dir.path().to_str().expect("a path");
    let token = run(&[
        "token",
        "--data-dir",
        data_dir,
        "--user",
        "ann",
        "--count",
        "3",
    ]);
    assert_eq!(String::from_utf8_lossy(&token.stdout).lines().count(), 3);
    let key = dir.path().join("secret.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let (code, said) = serve(dir.path(), "127.0.0.1:0");
    assert_eq!(code, Some(1));
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("boardcast.toml");
    fs::write(&file, "max_conections = 5\n").expect("a file");
    let file = file.to_str().expect("a path");
    for (args, expected) in [
        (&["serve", "--config", file][..], "max_conections"),
        (
            &["serve", "--max-connections", "0"],
            "`max_connections` is 0",
        ),
        (&["serve", "--listen", "nowhere"], "`listen` is \"nowhere\""),
        (&["serve", "--log", "a=b=c"], "`log` is"),
        (&["token", "--user", "ann"], "--data-dir"),
        (
            &["token", "--data-dir", "x", "--user", "a b"],
            "A-Z a-z 0-9",
        ),
        (
            &["token", "--data-dir", "x", "--user", "ann", "--ttl", "1"],
            "1h30m",
        ),
        (&["dance"], "dance"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            stderr(&output).contains(expected),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

/// A browser and most libraries send a whole body before they look for an answer.
#[tokio::test]
async fn an_answer_that_comes_before_its_body_was_read_is_not_lost() {
    const BODY_BYTES: usize = 3_000_000;
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         content-length: {BODY_BYTES}\r\n\r\n",
        server.address()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; BODY_BYTES]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.stop().await;
}
