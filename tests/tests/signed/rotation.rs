//! A new key of the server, without throwing anybody out.

use std::time::Duration;

use boardcast_tests::harness::PATIENCE;
use boardcast_tests::http::Answer;
use boardcast_tests::process::{run, stderr, stdout};
use boardcast_tests::scene::Scene;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::answered;

/// A server that looks at its files seldom by itself, and what commands beside it do.
async fn scene() -> Scene {
    // Built before sockets are open, which answer no pings while a command runs.
    boardcast_tests::process::binary();
    Scene::with(|config| {
        config.tokens.look_every_ms = 3_600_000;
        config.tokens.look_again_ms = 0;
    })
    .await
}

fn command(scene: &Scene, words: &[&str]) -> std::process::Output {
    let dir = scene.server.data_dir().to_str().expect("a path");
    run(&[words, &["--data-dir", dir]].concat())
}

fn made_beside(scene: &Scene, user: &str) -> String {
    let output = command(scene, &["token", "--user", user]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output).trim().to_owned()
}

/// The token with another signature.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a token");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

async fn ticket(scene: &Scene, token: &str) -> String {
    let answer = scene.bear("POST", "/api/v1/tickets", token, None).await;
    let ticket = answer.json()["ticket"].as_str().map(str::to_owned);
    ticket.expect("a ticket")
}

async fn exchange(scene: &Scene, ticket: &str) -> Answer {
    let body = json!({"ticket": ticket});
    scene
        .ask("POST", "/api/v1/sessions", &[], Some(&body))
        .await
}

#[tokio::test]
async fn tokens_and_sockets_of_both_keys_are_good_until_the_old_one_is_retired() {
    let scene = scene().await;
    let old = scene.server.token("ann");
    let mut socket = scene.bearing(&old).await;
    let cookie = scene.settle("bob").await;

    assert_eq!(command(&scene, &["key", "rotate"]).status.code(), Some(0));
    // The server has not looked at its files yet, and does for this one.
    let new = made_beside(&scene, "ann");
    assert_eq!(answered(&scene, &new).await.0, 200);
    assert_eq!(answered(&scene, &old).await.0, 200);
    // What the server signs from now on is of the new key.
    let signed = scene.server.token("ann");
    let mut by_hello =
        boardcast_tests::client::TestClient::connect(scene.server.address(), None).await;
    by_hello.hello(Some(&signed)).await;
    // It was upgraded by the old key, and has not said hello.
    let mut waiting =
        boardcast_tests::client::TestClient::connect(scene.server.address(), Some(&old)).await;
    // What a ticket is exchanged for lasts no longer than the key of the token that it was for.
    let (ticket, late) = (ticket(&scene, &old).await, ticket(&scene, &old).await);
    let exchanged = exchange(&scene, &ticket).await.json()["token"].clone();
    let exchanged = exchanged.as_str().expect("a token");
    assert_eq!(answered(&scene, exchanged).await.0, 200);

    let again = command(&scene, &["key", "rotate"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("boardcast key retire"),
        "{}",
        stderr(&again)
    );

    assert_eq!(command(&scene, &["key", "retire"]).status.code(), Some(0));
    let retired = async {
        // A token that no key fits has the files looked at.
        while answered(&scene, &old).await.0 != 401 {
            let forged = forged(&new);
            answered(&scene, &forged).await;
            sleep(PATIENCE / 1_000).await;
        }
    };
    timeout(PATIENCE, retired)
        .await
        .expect("the old key is retired");
    for token in [&new, &signed] {
        assert_eq!(answered(&scene, token).await.0, 200);
    }
    assert_eq!(answered(&scene, exchanged).await.0, 401);
    assert_eq!(exchange(&scene, &late).await.status, 401);
    // Sessions are not signed, and who is connected by the new key stays.
    assert!(scene.is_live(&cookie).await);
    assert_eq!(socket.closed().await, Some(4502));
    let hello = json!({"type": "hello", "v": 1, "client": waiting.client_id().as_str()});
    waiting.say(&hello).await;
    assert_eq!(waiting.closed().await, Some(4502));
    by_hello.create_board("Plans").await;

    let none = command(&scene, &["key", "retire"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("no key before"), "{}", stderr(&none));
}

/// A socket whose `hello` brings a token of a key that the server has not seen yet.
#[tokio::test]
async fn a_socket_waits_for_the_new_key_and_forged_tokens_wait_for_nothing() {
    let scene = scene().await;
    assert_eq!(command(&scene, &["key", "rotate"]).status.code(), Some(0));
    let new = made_beside(&scene, "ann");
    let mut client =
        boardcast_tests::client::TestClient::connect(scene.server.address(), None).await;
    assert_eq!(client.hello(Some(&new)).await.user.as_str(), "ann");

    let forged = forged(&new);
    let mut client =
        boardcast_tests::client::TestClient::connect(scene.server.address(), None).await;
    let hello =
        json!({"type": "hello", "v": 1, "client": client.client_id().as_str(), "token": forged});
    client.say(&hello).await;
    let closed = timeout(PATIENCE + Duration::from_secs(1), client.closed()).await;
    assert_eq!(closed.expect("it is closed"), Some(4502));
}
