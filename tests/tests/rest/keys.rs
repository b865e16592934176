//! `Idempotency-Key`: the same answer for the same request, once (R4), also after a crash.

use boardcast_tests::harness::TestServer;
use boardcast_tests::process::{self, Serving};
use serde_json::{Value, json};

use super::{User, card};

#[tokio::test]
async fn r4_the_same_key_and_body_is_one_change_and_the_same_answer() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let path = format!("{board}/cards");
    let key = [("idempotency-key", "card-1")];
    let new = json!({"column": "todo", "title": "Once"});
    let first = ann.send("POST", &path, &key, Some(&new)).await;
    let again = ann.send("POST", &path, &key, Some(&new)).await;
    assert_eq!((first.status, first.text()), (again.status, again.text()));
    assert_eq!(first.header("location"), again.header("location"));
    let cards = ann.get(&path).await.json();
    assert_eq!(cards["cards"].as_array().expect("cards").len(), 1);

    let other = json!({"column": "todo", "title": "Another"});
    let other = ann.send("POST", &path, &key, Some(&other)).await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (422, "key-reused")
    );
    server.stop().await;
}

#[tokio::test]
async fn r4_the_key_of_one_user_is_nothing_to_another() {
    let server = TestServer::start().await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let board = ann.board().await;
    ann.add(&board, "bob", "editor").await;
    let key = [("idempotency-key", "1")];
    for user in [&ann, &bob] {
        let new = json!({"column": "todo", "title": "Own"});
        let path = format!("{board}/cards");
        let made = user.send("POST", &path, &key, Some(&new)).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let cards = ann.get(&format!("{board}/cards")).await.json();
    assert_eq!(cards["cards"].as_array().expect("cards").len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn r4_a_board_is_made_once_for_a_key() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let key = [("idempotency-key", "board")];
    let new = json!({"title": "Plans"});
    let first = ann.send("POST", "/api/v1/boards", &key, Some(&new)).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = ann.send("POST", "/api/v1/boards", &key, Some(&new)).await;
    assert_eq!((first.status, first.text()), (again.status, again.text()));
    let other = json!({"title": "Others"});
    let other = ann.send("POST", "/api/v1/boards", &key, Some(&other)).await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (422, "key-reused")
    );
    let boards = ann.get("/api/v1/boards").await.json();
    assert_eq!(boards["boards"].as_array().expect("boards").len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn r4_a_list_one_by_one_is_finished_by_sending_it_again() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let cards: Vec<Value> = (0..100).map(|n| card(&format!("c{n}"))).collect();
    let body = json!({"mode": "each", "commands": cards});
    let path = format!("{board}/commands");
    let key = [("idempotency-key", "list")];
    let first = ann.send("POST", &path, &key, Some(&body)).await.json();
    let tag = ann.get(&board).await.tag();
    let again = ann.send("POST", &path, &key, Some(&body)).await.json();
    assert_eq!(first, again);
    assert_eq!(first["version"], 101);
    assert_eq!(ann.get(&board).await.tag(), tag, "nothing has changed");
    server.stop().await;
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let new = json!({"title": "Plans"});
    for key in ["", "a b", &"x".repeat(256)] {
        let key = [("idempotency-key", key)];
        let made = ann.send("POST", "/api/v1/boards", &key, Some(&new)).await;
        assert_eq!((made.status, made.problem().as_str()), (400, "bad-request"));
    }
    server.stop().await;
}

#[tokio::test]
async fn r4_r5_a_key_that_was_answered_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a folder");
    let data_dir = dir.path().to_str().expect("a path");
    let serving = Serving::start(dir.path());
    let tokens = process::run(&["token", "--data-dir", data_dir, "--user", "ann"]);
    let token = String::from_utf8(tokens.stdout).expect("a token");
    let user = |serving: &Serving| User {
        base: format!("http://{}", serving.address()),
        token: token.trim().to_owned(),
    };
    let ann = user(&serving);
    let board = ann.board().await;
    let path = format!("{board}/cards");
    let key = [("idempotency-key", "once")];
    let new = json!({"column": "todo", "title": "Once"});
    let first = ann.send("POST", &path, &key, Some(&new)).await;
    assert_eq!(first.status, 201, "{first:?}");
    serving.kill();

    let serving = Serving::start(dir.path());
    let ann = user(&serving);
    let again = ann.send("POST", &path, &key, Some(&new)).await;
    assert_eq!((first.status, first.text()), (again.status, again.text()));
    let cards = ann.get(&path).await.json();
    assert_eq!(cards["cards"].as_array().expect("cards").len(), 1);
    assert_eq!(serving.terminate(), Some(0));
    let checked = process::run(&["check", "--data-dir", data_dir]);
    assert!(checked.status.success(), "{checked:?}");
}
