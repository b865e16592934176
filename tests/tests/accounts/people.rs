//! What administrators do about accounts.

use boardcast_tests::client::TestClient;
use serde_json::json;

use super::{PASSWORD, Scene, email, secret};

#[tokio::test]
async fn only_administrators_see_and_change_accounts() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let token = format!("Bearer {}", scene.server.token("ann"));
    for (method, path) in [
        ("GET", "/api/v1/admin/users"),
        ("POST", "/api/v1/admin/users"),
        ("PATCH", "/api/v1/admin/users/ann"),
        ("POST", "/api/v1/admin/users/ann/links"),
    ] {
        let body = json!({"disabled": false});
        let body = (method != "GET").then_some(&body);
        let nobody = scene.ask(method, path, &[], body).await;
        assert_eq!(nobody.status, 401, "{method} {path}");
        let member = scene.browse(method, path, &cookie).await;
        assert_eq!(member.status, 403, "{method} {path}");
        let headers = [("Authorization", token.as_str())];
        let member = scene.ask(method, path, &headers, body).await;
        assert_eq!(member.status, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn accounts_are_told_apart_by_user_and_by_address_without_case() {
    let scene = Scene::start().await;
    scene.settle("ann").await;
    for (user, address) in [("ann", "other@example.org"), ("eve", "ANN@Example.org")] {
        let person = json!({"user": user, "name": "X", "email": address});
        let answer = scene.administer("POST", "", Some(&person)).await;
        assert_eq!(answer.status, 409, "{answer:?}");
    }
    let person = json!({"name": "X", "email": "x@example.org", "has_password": true});
    let answer = scene.administer("POST", "", Some(&person)).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let signed_in = scene.sign_in("Ann", PASSWORD, &[]).await;
    assert_eq!(signed_in.status, 201);
    assert_eq!(signed_in.json()["user"], "ann");
}

#[tokio::test]
async fn accounts_are_listed_in_pages_without_what_is_secret() {
    let scene = Scene::start().await;
    for number in 0..5 {
        let user = format!("p{number}");
        let person = json!({"user": user, "name": "P", "email": email(&user)});
        scene.administer("POST", "", Some(&person)).await;
    }
    let mut users = Vec::new();
    let mut path = "?limit=2".to_owned();
    loop {
        let answer = scene.administer("GET", &path, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.text().contains("argon2"), "{answer:?}");
        let page = answer.json();
        for user in page["users"].as_array().expect("users") {
            users.push(user["user"].as_str().expect("an id").to_owned());
        }
        match page["next"].as_str() {
            Some(next) => path = format!("?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(users, ["p0", "p1", "p2", "p3", "p4"]);
    for query in ["?limit=0", "?limit=201", "?offset=1", "?after=a%20b"] {
        let answer = scene.administer("GET", query, None).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_a_newer_one_replaces_it() {
    let scene = Scene::start().await;
    let before = scene.settle("ann").await;
    let link = async || {
        let answer = scene.administer("POST", "/ann/links", None).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        secret(answer.json()["link"].as_str().expect("a link"))
    };
    let (old, new) = (link().await, link().await);
    let set = async |link: &str, password: &str| {
        let sent = json!({"link": link, "password": password});
        scene.post("/api/v1/password", &sent).await
    };
    assert_eq!(set(&old, "another password").await.status, 401);
    assert_eq!(set(&new, "short").await.status, 422);
    assert!(scene.is_live(&before).await, "nothing was set yet");
    let answer = set(&new, "another password").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(scene.is_live(&answer.sent_back()).await);
    assert!(!scene.is_live(&before).await, "other sessions end");
    assert_eq!(set(&new, "a third password").await.status, 401);
    assert_eq!(scene.sign_in("ann", PASSWORD, &[]).await.status, 401);
    let signed_in = scene.sign_in("ann", "another password", &[]).await;
    assert_eq!(signed_in.status, 201);
    let missing = scene.administer("POST", "/nobody/links", None).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn the_last_administrator_cannot_be_disabled() {
    let scene = Scene::start().await;
    let person = json!({"user": "boss", "name": "B", "email": email("boss"), "admin": true});
    assert_eq!(
        scene.administer("POST", "", Some(&person)).await.status,
        201
    );
    let disable = json!({"disabled": true});
    let refused = scene.administer("PATCH", "/boss", Some(&disable)).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.hint().contains("last administrator"));
    let missing = scene.administer("PATCH", "/nobody", Some(&disable)).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn who_becomes_an_administrator_may_administer_and_who_ceases_is_signed_out() {
    let scene = Scene::start().await;
    let boss = json!({"user": "boss", "name": "B", "email": email("boss"), "admin": true});
    assert_eq!(scene.administer("POST", "", Some(&boss)).await.status, 201);
    let cookie = scene.settle("ann").await;
    let token = scene.token_of(&cookie, "admin", None).await;
    let path = "/api/v1/admin/users";
    let statuses = async || {
        let browsed = scene.browse("GET", path, &cookie).await.status;
        (browsed, scene.bear("GET", path, &token, None).await.status)
    };
    let set = async |admin: bool| {
        let change = json!({"admin": admin});
        let done = scene.administer("PATCH", "/ann", Some(&change)).await;
        assert_eq!(done.status, 204, "{done:?}");
    };
    assert_eq!(statuses().await, (403, 403));
    let mut program = scene.bearing(&token).await;
    set(true).await;
    assert_eq!(
        program.closed().await,
        Some(4002),
        "it comes back with more"
    );
    assert_eq!(statuses().await, (200, 200));
    let mine = scene.browse("GET", "/api/v1/sessions", &cookie).await;
    assert_eq!(mine.json()["admin"], true);

    let mut page = scene.socket(&cookie).await;
    let mut program = scene.bearing(&token).await;
    let mut waiting = TestClient::connect(scene.server.address(), Some(&token)).await;
    set(false).await;
    assert_eq!(page.closed().await, Some(4502));
    assert_eq!(program.closed().await, Some(4002));
    let hello = json!({"type": "hello", "v": 1, "client": waiting.client_id().as_str()});
    waiting.say(&hello).await;
    assert_eq!(waiting.closed().await, Some(4002), "it had not said hello");
    assert_eq!(statuses().await, (401, 403));
    scene.bearing(&token).await.create_board("Mine").await;
}

#[tokio::test]
async fn the_last_administrator_stays_one_and_a_change_says_one_thing() {
    let scene = Scene::start().await;
    let boss = json!({"user": "boss", "name": "B", "email": email("boss"), "admin": true});
    assert_eq!(scene.administer("POST", "", Some(&boss)).await.status, 201);
    let none = json!({"admin": false});
    let refused = scene.administer("PATCH", "/boss", Some(&none)).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.hint().contains("last administrator"));
    let missing = scene.administer("PATCH", "/nobody", Some(&none)).await;
    assert_eq!(missing.status, 404);
    for change in [json!({}), json!({"admin": true, "disabled": false})] {
        let refused = scene.administer("PATCH", "/boss", Some(&change)).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.hint().contains("one of"));
    }
}
