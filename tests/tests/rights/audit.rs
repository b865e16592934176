//! The audit log: who did what, from where and when, for administrators.

use boardcast::clock;
use boardcast_protocol::board::Role;
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::scene::{PASSWORD, Scene, secret};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{add, send, tell, text};

const AUDIT: &str = "/api/v1/admin/audit";

/// Entries that fit the query, oldest first, once there are as many.
async fn entries(scene: &Scene, query: &str, count: usize) -> Vec<Value> {
    let root = scene.server.token_of_admin("root");
    let path = format!("{AUDIT}?limit=200&{query}");
    let written = async {
        loop {
            let answer = scene.bear("GET", &path, &root, None).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let found = answer.json()["entries"]
                .as_array()
                .expect("entries")
                .clone();
            if found.len() >= count {
                return found.into_iter().rev().collect();
            }
            sleep(PATIENCE / 200).await;
        }
    };
    let written: Vec<Value> = timeout(PATIENCE, written).await.expect("the entries");
    assert_eq!(written.len(), count, "{written:#?}");
    written
}

fn acts(entries: &[Value]) -> Vec<&str> {
    let acts = entries.iter().map(|entry| entry["act"].as_str());
    acts.map(|act| act.expect("a word")).collect()
}

#[tokio::test]
async fn what_people_do_about_their_accounts_is_in_the_log_without_any_secret() {
    let scene = Scene::start().await;
    let began = clock::now().0;
    scene.settle("ann").await;
    assert_eq!(scene.sign_in("ann", "a wrong guess", &[]).await.status, 401);
    let cookie = scene.sign_in("ann", PASSWORD, &[]).await.sent_back();
    let change = async |old: &str| {
        let body = json!({"old": old, "new": "staple and battery"});
        send(&scene, ("PUT", "/api/v1/password"), &cookie, &body).await
    };
    assert_eq!(change("a wrong guess").await.status, 403);
    assert_eq!(change(PASSWORD).await.status, 204);
    let wanted = json!({"name": "ci", "scope": "read", "boards": ["b"]});
    let made = scene.make_token(&cookie, &wanted).await;
    let path = format!("/api/v1/tokens/{}", text(&made, "id"));
    assert_eq!(scene.browse("DELETE", &path, &cookie).await.status, 204);
    let path = "/api/v1/sessions/current";
    assert_eq!(scene.browse("DELETE", path, &cookie).await.status, 204);
    for disabled in [true, false] {
        let body = json!({"disabled": disabled});
        scene.administer("PATCH", "/ann", Some(&body)).await;
    }
    let link = scene.administer("POST", "/ann/links", None).await;

    let all = entries(&scene, "", 12).await;
    let expected = [
        "account_made",
        "password_set",
        "sign_in_refused",
        "sign_in",
        "password_refused",
        "password_changed",
        "token_made",
        "token_revoked",
        "session_ended",
        "account_disabled",
        "account_enabled",
        "password_link_made",
    ];
    assert_eq!(acts(&all), expected);
    let now = clock::now().0;
    for (entry, number) in all.iter().zip(1..) {
        assert_eq!(entry["id"], number);
        assert_eq!(entry["address"], "127.0.0.1", "{entry}");
        let at = entry["at"].as_u64().expect("a time");
        assert!((began..=now).contains(&at), "{entry}");
        let by = match entry["act"].as_str().expect("a word") {
            "sign_in_refused" => Value::Null,
            "account_made" | "account_disabled" | "account_enabled" | "password_link_made" => {
                json!("root")
            }
            _ => json!("ann"),
        };
        assert_eq!(entry["by"], by, "{entry}");
    }
    assert_eq!(all[2]["detail"]["email"], "ann@example.org");
    assert_eq!(all[6]["detail"]["scope"], "read");
    assert_eq!(all[6]["detail"]["boards"], json!(["b"]));
    let all = format!("{all:?}");
    let secrets = [
        text(&made, "token"),
        secret(&text(&link, "link")),
        PASSWORD.to_owned(),
        "a wrong guess".to_owned(),
    ];
    for secret in secrets {
        assert!(!all.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn what_is_done_about_the_rights_on_a_board_is_in_the_log() {
    let scene = Scene::start().await;
    let mut ann = scene.server.client("ann").await;
    let board = ann.create_board("Plan").await;
    add(&mut ann, board, 1, "bob", Role::Viewer).await;
    add(&mut ann, board, 2, "bob", Role::Editor).await;
    let remove = boardcast_protocol::command::Command::MemberRemove {
        user: "bob".parse().expect("an id"),
    };
    tell(&mut ann, board, 3, remove).await;
    let (ann, eve) = (scene.server.token("ann"), scene.server.token("eve"));
    let ask = async |method: &str, path: &str, token: &str, body: Option<&Value>| {
        let path = format!("/api/v1/{path}");
        let answer = scene.bear(method, &path, token, body).await;
        assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
        answer
    };
    let invitations = format!("boards/{board}/invitations");
    let wanted = json!({"role": "commenter", "uses": 2});
    let made = ask("POST", &invitations, &ann, Some(&wanted)).await;
    let invitation = json!({"invitation": text(&made, "invitation")});
    ask("POST", "invitations/accept", &eve, Some(&invitation)).await;
    let path = format!("{invitations}/{}", text(&made, "id"));
    ask("DELETE", &path, &ann, None).await;
    let links = format!("boards/{board}/links");
    let made = ask("POST", &links, &ann, Some(&json!({}))).await;
    let path = format!("{links}/{}", text(&made, "id"));
    ask("DELETE", &path, &ann, None).await;
    let file = ask("GET", &format!("boards/{board}/export"), &ann, None).await;
    let mut file = file.json();
    file["title"] = json!("Another");
    ask("POST", "import?format=json", &ann, Some(&file)).await;

    let all = entries(&scene, &format!("board={board}"), 10).await;
    // The room notes what it does; the request behind it comes a moment later.
    let expected = [
        "role_changed",
        "role_changed",
        "role_changed",
        "invitation_made",
        "role_changed",
        "invitation_accepted",
        "invitation_revoked",
        "link_made",
        "link_revoked",
        "imported",
    ];
    assert_eq!(acts(&all), expected);
    let roles: Vec<_> = all[..3].iter().map(|e| &e["detail"]["role"]).collect();
    assert_eq!(roles, [&json!("viewer"), &json!("editor"), &Value::Null]);
    for entry in &all[..3] {
        assert_eq!(
            (&entry["by"], &entry["about"]),
            (&json!("ann"), &json!("bob"))
        );
        assert_eq!(entry["address"], "127.0.0.1");
    }
    assert_eq!(all[4]["about"], "eve");
    assert_eq!(all[5]["address"], "127.0.0.1");
    assert!(!format!("{all:?}").contains(&text(&made, "link")));
}

#[tokio::test]
async fn the_log_is_paged_and_filtered_and_for_administrators_alone() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    for user in ["bob", "eve", "zoe"] {
        scene.settle(user).await;
    }
    entries(&scene, "", 8).await;
    assert_eq!(entries(&scene, "act=password_set", 4).await.len(), 4);
    assert_eq!(entries(&scene, "by=root", 4).await.len(), 4);
    let about = entries(&scene, "about=bob", 2).await;
    assert_eq!(acts(&about), ["account_made", "password_set"]);
    let root = scene.server.token_of_admin("root");
    let (mut seen, mut path) = (Vec::new(), format!("{AUDIT}?limit=3"));
    loop {
        let page = scene.bear("GET", &path, &root, None).await.json();
        let entries = page["entries"].as_array().expect("entries");
        seen.extend(entries.iter().map(|entry| entry["id"].as_u64()));
        match page["next"].as_u64() {
            Some(next) => path = format!("{AUDIT}?limit=3&before={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (1..=8).rev().map(Some).collect();
    assert_eq!(seen, expected);
    for query in [
        "limit=0",
        "limit=201",
        "act=nothing",
        "by=a%20b",
        "by=ann&about=ann",
        "offset=3",
        "before=x",
    ] {
        let answer = scene
            .bear("GET", &format!("{AUDIT}?{query}"), &root, None)
            .await;
        assert_eq!(answer.status, 400, "{query} {answer:?}");
        answer.hint();
    }
    assert_eq!(scene.ask("GET", AUDIT, &[], None).await.status, 401);
    assert_eq!(scene.browse("GET", AUDIT, &cookie).await.status, 403);
    let token = scene.token_of(&cookie, "admin", None).await;
    assert_eq!(scene.bear("GET", AUDIT, &token, None).await.status, 403);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = scene.bear(method, AUDIT, &root, None).await;
        assert_eq!(answer.status, 405, "{method}");
    }
}

#[tokio::test]
async fn the_log_is_whole_after_a_stop() {
    let scene = Scene::start().await;
    scene.settle("ann").await;
    let server = scene.server.restart().await;
    let scene = Scene { server };
    let all = entries(&scene, "", 2).await;
    assert_eq!(acts(&all), ["account_made", "password_set"]);
}
