//! The link that makes the first administrator.

use boardcast_tests::harness::TestServer;
use boardcast_tests::process::Serving;
use serde_json::{Value, json};

use super::{PASSWORD, Scene, ask, secret};

fn administrator(link: &str) -> Value {
    json!({
        "link": link, "user": "boss", "name": "The Boss", "email": "Boss@Example.org",
        "password": PASSWORD,
    })
}

#[tokio::test]
async fn the_link_of_the_first_start_makes_one_administrator_and_signs_it_in() {
    let scene = Scene::start().await;
    let sent = administrator(&scene.first_link());
    let made = scene.post("/api/v1/first-start", &sent).await;
    assert_eq!(made.status, 201, "{made:?}");
    let welcome = made.json();
    assert_eq!(
        (&welcome["user"], &welcome["admin"]),
        (&json!("boss"), &json!(true))
    );
    let cookie = made.sent_back();
    let users = scene.browse("GET", "/api/v1/admin/users", &cookie).await;
    assert_eq!(users.status, 200, "{users:?}");
    let users = users.json();
    assert_eq!(users["users"].as_array().map(Vec::len), Some(1));
    assert_eq!(users["users"][0]["email"], "Boss@Example.org");
    assert_eq!(users["users"][0]["has_password"], true);

    let mut again = administrator(&scene.first_link());
    again["user"] = json!("eve");
    again["email"] = json!("eve@example.org");
    let refused = scene.post("/api/v1/first-start", &again).await;
    assert_eq!(refused.status, 401);
    assert!(refused.hint().contains("works once"), "{refused:?}");
}

#[tokio::test]
async fn a_start_without_an_administrator_replaces_the_link_of_the_one_before() {
    let scene = Scene::start().await;
    let old = scene.first_link();
    let server = scene.server.restart().await;
    let scene = Scene { server };
    let path = "/api/v1/first-start";
    assert_eq!(scene.post(path, &administrator(&old)).await.status, 401);
    let link = scene.first_link();
    assert_ne!(link, old);
    assert_eq!(scene.post(path, &administrator(&link)).await.status, 201);
    let server: TestServer = scene.server.restart().await;
    assert!(server.server().first_start().is_none(), "there is one");
}

#[tokio::test]
async fn what_is_wrong_is_said_and_leaves_the_link_as_it_is() {
    let scene = Scene::start().await;
    let link = scene.first_link();
    let path = "/api/v1/first-start";
    let good = administrator(&link);
    for (field, value, status, hint) in [
        ("password", json!("short"), 422, "10 to 256 characters"),
        (
            "password",
            json!("x".repeat(257)),
            422,
            "10 to 256 characters",
        ),
        ("password", json!("x".repeat(1_000_000)), 413, "limit"),
        ("email", json!("boss"), 422, "NAME@HOST"),
        ("name", json!(" "), 422, "1 to 256 bytes"),
        ("user", json!("a b"), 422, "A-Z a-z 0-9 _ -"),
        ("is_admin", json!(true), 422, "is_admin"),
        ("link", json!("x"), 401, "not valid"),
    ] {
        let mut sent = good.clone();
        sent[field] = value;
        let answer = scene.post(path, &sent).await;
        assert_eq!(answer.status, status, "{field} {answer:?}");
        assert!(answer.hint().contains(hint), "{field} {answer:?}");
        assert!(answer.cookie().is_none());
    }
    let as_text = [("Content-Type", "text/plain")];
    let answer = scene.ask("POST", path, &as_text, Some(&good)).await;
    assert_eq!(answer.status, 415);
    let foreign = [("Origin", "http://evil.example")];
    let answer = scene.ask("POST", path, &foreign, Some(&good)).await;
    assert_eq!(answer.status, 403);
    assert_eq!(scene.post(path, &good).await.status, 201);
}

#[tokio::test]
async fn a_server_prints_the_link_and_serves_its_page() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(dir.path());
    let link = serving.said().iter().find_map(|line| {
        let (_, link) = line.split_once("to make one: ")?;
        Some(link.to_owned())
    });
    let link = link.expect("a link");
    let (page, _) = link.split_once('#').expect("a fragment");
    let shown = ask(page, "GET", &[], None).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.text().matches("<script").count(), 1);
    let origin = page.strip_suffix("/first-start").expect("the page");
    let sent = administrator(&secret(&link));
    let made = ask(
        &format!("{origin}/api/v1/first-start"),
        "POST",
        &[],
        Some(&sent),
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(serving.terminate(), Some(0));
    let serving = Serving::start(dir.path());
    let asks = |line: &String| line.contains("first-start");
    assert!(!serving.said().iter().any(asks), "there is one");
}

#[tokio::test]
async fn the_pages_that_sign_in_run_nothing_but_the_script_of_the_server() {
    let scene = Scene::start().await;
    for path in ["/first-start", "/password", "/sign-in"] {
        let page = scene.ask("GET", path, &[], None).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.media_type().starts_with("text/html"), "{path}");
        assert_eq!(page.text().matches("<script").count(), 1, "{path}");
        let (_, named) = page.text().split_once("src=\"").expect("a script");
        let (script, _) = named.split_once('"').expect("a path");
        let script = scene.ask("GET", script, &[], None).await;
        assert!(script.media_type().starts_with("text/javascript"));
        for endpoint in [
            "/api/v1/first-start",
            "/api/v1/password",
            "/api/v1/sessions",
        ] {
            assert!(script.text().contains(endpoint), "{endpoint}");
        }
    }
}
