//! Changing a password that one knows.

use serde_json::json;

use super::{Answer, PASSWORD, Scene, secret};

const NEW: &str = "staple and battery";

async fn change(scene: &Scene, cookie: &str, old: &str, new: &str) -> Answer {
    let headers = [("Cookie", cookie), ("Origin", &scene.origin())];
    let body = json!({"old": old, "new": new});
    let path = "/api/v1/password";
    scene.ask("PUT", path, &headers, Some(&body)).await
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_their_sockets_and_keeps_this_one() {
    let scene = Scene::start().await;
    let other = scene.settle("ann").await;
    let this = scene.sign_in("ann", PASSWORD, &[]).await.sent_back();
    let bob = scene.settle("bob").await;
    let link = scene.administer("POST", "/ann/links", None).await;
    let link = secret(link.json()["link"].as_str().expect("a link"));
    let mut gone = scene.socket(&other).await;
    let mut stays = [scene.socket(&this).await, scene.socket(&bob).await];
    let mut program = scene.server.client("ann").await;
    let changed = change(&scene, &this, PASSWORD, NEW).await;
    assert_eq!(changed.status, 204, "{changed:?}");
    assert_eq!(gone.closed().await, Some(4502));
    assert!(!scene.is_live(&other).await);
    assert!(scene.is_live(&this).await && scene.is_live(&bob).await);
    for client in &mut stays {
        client.create_board("Mine").await;
    }
    program.create_board("Too").await;
    assert_eq!(scene.sign_in("ann", PASSWORD, &[]).await.status, 401);
    assert_eq!(scene.sign_in("ann", NEW, &[]).await.status, 201);
    let used = json!({"link": link, "password": "a third password"});
    assert_eq!(scene.post("/api/v1/password", &used).await.status, 401);
}

#[tokio::test]
async fn who_does_not_know_the_password_changes_nothing_and_has_few_attempts() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut socket = scene.socket(&cookie).await;
    let short = change(&scene, &cookie, PASSWORD, "short").await;
    assert_eq!(short.status, 422, "{short:?}");
    for _ in 0..10 {
        let wrong = change(&scene, &cookie, "a guess at it", NEW).await;
        assert_eq!(wrong.status, 403, "{wrong:?}");
        assert!(wrong.hint().contains("present password"), "{wrong:?}");
    }
    let late = change(&scene, &cookie, PASSWORD, NEW).await;
    assert_eq!(late.status, 429, "{late:?}");
    assert!(late.retry_after().is_some());
    assert!(scene.is_live(&cookie).await);
    socket.create_board("Mine").await;
    let body = json!({"old": PASSWORD, "new": NEW});
    let foreign = [
        ("Cookie", cookie.as_str()),
        ("Origin", "http://evil.example"),
    ];
    let path = "/api/v1/password";
    let answer = scene.ask("PUT", path, &foreign, Some(&body)).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    let nobody = scene.ask("PUT", path, &[], Some(&body)).await;
    assert_eq!(nobody.status, 401, "{nobody:?}");
}
