//! Where people open the server: its origin, its cookie and its links.

use std::net::SocketAddr;

use boardcast::config::Settings;
use boardcast_tests::process::{Serving, run, stderr, stdout};
use boardcast_tests::raw::upgrade;
use boardcast_tests::scene::{PASSWORD, Scene};
use serde_json::json;

const URL: &str = "https://boards.example:8443";

/// A server whose settings name `url`.
pub(crate) async fn opened_at(url: &str) -> Scene {
    let settings = Settings {
        public_url: Some(url.to_owned()),
        ..Settings::default()
    };
    let made = settings.into_config().expect("the setting is right");
    Scene::with(|config| {
        config.public_url = made.public_url;
        config.allowed_origins = made.allowed_origins;
    })
    .await
}

#[tokio::test]
async fn pages_of_the_public_url_may_connect_and_sign_in_and_no_others() {
    let scene = opened_at(&format!("{URL}/")).await;
    scene.settle("ann").await;
    for (origin, status) in [
        (URL, 101),
        ("https://boards.example", 403),
        ("http://boards.example:8443", 403),
        ("https://boards.example:8443.evil.example", 403),
    ] {
        let changes = [("Origin", origin), ("Cookie", "a=b")];
        let (head, _) = upgrade(scene.server.address(), "/ws", &changes).await;
        assert_eq!(head.status, status, "{origin}");
        let answer = scene.sign_in("ann", PASSWORD, &[("Origin", origin)]).await;
        assert_eq!(answer.status == 201, status == 101, "{origin} {answer:?}");
        if let Some(cookie) = answer.cookie() {
            assert!(cookie.starts_with("__Host-boardcast="), "{cookie}");
            assert!(cookie.ends_with("; Secure"), "{cookie}");
        }
    }
}

#[tokio::test]
async fn without_tls_and_without_the_setting_the_cookie_is_as_it_was() {
    for url in ["http://boards.example", "", " "] {
        let scene = opened_at(url).await;
        let cookie = scene.settle("ann").await;
        assert!(cookie.starts_with("boardcast="), "{url:?} {cookie}");
        let person = json!({"user": "bob", "name": "Bob", "email": "bob@example.org"});
        let added = scene.administer("POST", "", Some(&person)).await.json();
        assert_eq!(
            added.get("url").is_some(),
            url.contains("boards"),
            "{added}"
        );
    }
}

#[test]
fn links_lead_to_the_public_url() {
    for url in [URL, "https://example.org/team/boards"] {
        lead_to(url);
    }
}

fn lead_to(url: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().to_str().expect("a path");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let serving = Serving::start_with(dir.path(), any, &["--public-url", url]);
    let first = format!("{url}/first-start#link=");
    let said = serving.said();
    assert!(said.iter().any(|line| line.contains(&first)), "{said:?}");

    let server = format!("http://{}", serving.address());
    let done = |args: &[&str]| {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output).trim().to_owned()
    };
    let token = done(&[
        "token",
        "--data-dir",
        data,
        "--user",
        "root",
        "--role",
        "admin",
    ]);
    let place = ["--server", server.as_str(), "--token", token.as_str()];
    let add = [
        "user",
        "add",
        "ann@example.org",
        "--name",
        "Ann",
        "--user",
        "ann",
    ];
    let elsewhere = ["--url", "http://10.0.0.5:8080/"];
    let at_password = |url: &str| format!("{url}/password#link=");
    let link = done(&[&add[..], &place[..]].concat());
    assert!(link.starts_with(&at_password(url)), "{link}");
    let reset = ["user", "reset", "ann"];
    let link = done(&[&reset[..], &place[..]].concat());
    assert!(link.starts_with(&at_password(url)), "{link}");
    // Who names another address gets that.
    let link = done(&[&reset[..], &place[..], &elsewhere[..]].concat());
    assert!(
        link.starts_with(&at_password("http://10.0.0.5:8080")),
        "{link}"
    );
}
