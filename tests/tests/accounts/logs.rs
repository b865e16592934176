//! What the server writes to its log about people: no secret, and no line that they have made up.

use std::path::Path;

use boardcast_tests::client::TestClient;
use boardcast_tests::http::Answer;
use boardcast_tests::process::{Serving, run, stdout};
use boardcast_tests::raw;
use serde_json::{Value, json};

use super::{PASSWORD, ask, secret};

fn serving(dir: &Path, flags: &[&str]) -> Serving {
    Serving::start_with(dir, ([127, 0, 0, 1], 0).into(), flags)
}

/// The secret of the link that the first start prints.
fn first_link(serving: &Serving) -> String {
    let mut lines = serving.said().iter();
    let link = lines.find_map(|line| line.split_once("to make one: "));
    secret(link.expect("a link").1)
}

fn text(answer: &Answer, field: &str) -> String {
    let found = answer.json()[field].as_str().map(str::to_owned);
    found.unwrap_or_else(|| panic!("no {field}: {answer:?}"))
}

#[tokio::test]
async fn no_secret_comes_into_the_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = serving(dir.path(), &["--log", "trace"]);
    let origin = serving.url("");
    let post = async |path: &str, headers: &[(&str, &str)], body: &Value| {
        ask(&serving.url(path), "POST", headers, Some(body)).await
    };
    let first = json!({
        "link": first_link(&serving), "user": "boss", "name": "The Boss",
        "email": "boss@example.org", "password": PASSWORD,
    });
    let made = post("/api/v1/first-start", &[], &first).await;
    assert_eq!(made.status, 201, "{made:?}");
    let cookie = made.sent_back();
    let as_page = [("Cookie", cookie.as_str()), ("Origin", origin.as_str())];
    let guess = json!({"email": "boss@example.org", "password": "a guess of somebody"});
    assert_eq!(post("/api/v1/sessions", &[], &guess).await.status, 401);

    let wanted = json!({"name": "ci", "scope": "admin"});
    let program = text(&post("/api/v1/tokens", &as_page, &wanted).await, "token");
    let person = json!({"user": "ann", "name": "Ann", "email": "ann@example.org"});
    let added = post("/api/v1/admin/users", &as_page, &person).await;
    let password_link = secret(&text(&added, "link"));
    let made = post("/api/v1/boards", &as_page, &json!({"title": "Plan"})).await;
    let board = format!("/api/v1/boards/{}", text(&made, "board"));
    let link = post(&format!("{board}/links"), &as_page, &json!({})).await;
    let link = text(&link, "link");
    let wanted = json!({"role": "viewer"});
    let invitation = post(&format!("{board}/invitations"), &as_page, &wanted).await;
    let invitation = text(&invitation, "invitation");

    let data_dir = dir.path().to_str().expect("a path");
    let signed = run(&["token", "--data-dir", data_dir, "--user", "boss"]);
    let signed = stdout(&signed).trim().to_owned();
    let bearer = format!("Bearer {signed}");
    let tickets = post("/api/v1/tickets", &[("Authorization", &bearer)], &json!({})).await;
    let ticket = text(&tickets, "ticket");
    let address = serving.address();
    // Where a token must not be, and where one may be once.
    for (path, status) in [
        (format!("/api/v1/boards?token={signed}"), 401),
        (format!("/ws?token={signed}"), 401),
        (format!("/ws?access_token={program}"), 401),
        (format!("/ws?ticket={ticket}"), 101),
        (format!("/ws?ticket={ticket}"), 401),
    ] {
        let (head, _) = raw::upgrade(address, &path, &[]).await;
        assert_eq!(head.status, status, "{path}");
    }
    for token in [&signed, &program, &link] {
        let mut client = TestClient::connect(address, None).await;
        client.hello(Some(token)).await;
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str())];
        let read = ask(&serving.url(&board), "GET", &headers, None).await;
        assert_eq!(read.status, 200, "{read:?}");
    }
    let changed = json!({"old": PASSWORD, "new": "staple and battery"});
    let path = serving.url("/api/v1/password");
    let changed = ask(&path, "PUT", &as_page, Some(&changed)).await;
    assert_eq!(changed.status, 204, "{changed:?}");

    let log = serving.log();
    for seen in ["somebody signed in", "a token was made", "DEBUG", "stopped"] {
        let is_there = log.iter().any(|line| line.contains(seen));
        assert!(is_there, "{seen}: {log:#?}");
    }
    let (_, cookie) = cookie.split_once('=').expect("a value");
    for secret in [
        PASSWORD,
        "a guess of somebody",
        "staple and battery",
        cookie,
        &program,
        &password_link,
        &link,
        &invitation,
        &signed,
        &ticket,
    ] {
        let found: Vec<_> = log.iter().filter(|line| line.contains(secret)).collect();
        assert_eq!(found, [""; 0], "{secret}");
    }
}

#[tokio::test]
async fn nobody_writes_a_line_of_the_log_by_a_name_with_line_breaks() {
    const FORGED: &str = "1999-12-31T23:59:59Z  INFO forged";
    let dir = tempfile::tempdir().expect("a folder");
    let flags = ["--log", "trace", "--trusted-proxies", "127.0.0.1"];
    let serving = serving(dir.path(), &flags);
    let origin = serving.url("");
    let named = format!("x\r\n{FORGED}\u{1b}[31m");
    let escaped: String = named.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let first = |name: &str, email: &str| {
        json!({
            "link": first_link(&serving), "user": "boss", "name": name, "email": email,
            "password": PASSWORD,
        })
    };
    let good = "boss@example.org";
    let path = serving.url("/api/v1/first-start");
    for (name, email) in [(named.as_str(), good), ("Boss", named.as_str())] {
        let refused = ask(&path, "POST", &[], Some(&first(name, email))).await;
        assert_eq!(refused.status, 422, "{refused:?}");
    }
    // What a header may hold: the proxy is believed, what it sends is no address.
    let told = [("X-Forwarded-For", FORGED), ("User-Agent", FORGED)];
    let made = ask(&path, "POST", &told, Some(&first("Boss", good))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let cookie = made.sent_back();
    let as_page = [("Cookie", cookie.as_str()), ("Origin", origin.as_str())];
    let guess = json!({"email": named, "password": named});
    for (method, path, body, status) in [
        ("POST", "/api/v1/sessions", guess, 401),
        ("POST", "/api/v1/boards", json!({"title": named}), 422),
        (
            "POST",
            "/api/v1/tokens",
            json!({"name": named, "scope": "read"}),
            422,
        ),
        ("POST", "/api/v1/admin/bots", json!({"name": named}), 422),
        (
            "POST",
            "/api/v1/import?format=json",
            json!({"title": named}),
            422,
        ),
        (
            "POST",
            "/api/v1/import?format=trello",
            json!({"id": named, "name": named, "lists": [], "cards": []}),
            201,
        ),
        (
            "DELETE",
            &format!("/api/v1/admin/connections/1?reason={escaped}"),
            Value::Null,
            400,
        ),
        (
            "GET",
            &format!("/api/v1/boards/{escaped}"),
            Value::Null,
            404,
        ),
        (
            "GET",
            &format!("/api/v1/search?q={escaped}"),
            Value::Null,
            200,
        ),
        ("GET", &format!("/{escaped}"), Value::Null, 404),
    ] {
        let body = (!body.is_null()).then_some(&body);
        let answer = ask(&serving.url(path), method, &as_page, body).await;
        assert_eq!(answer.status, status, "{method} {path} {answer:?}");
    }
    let (head, _) = raw::upgrade(serving.address(), &format!("/ws?ticket={escaped}"), &[]).await;
    assert_eq!(head.status, 401);

    let log = serving.log();
    let forged: Vec<_> = log.iter().filter(|line| line.contains("forged")).collect();
    assert!(!forged.is_empty(), "what a proxy sends is told: {log:#?}");
    for line in forged {
        assert!(!line.starts_with("1999"), "{line:?}");
    }
    let is_raw = |line: &&String| line.contains(char::is_control);
    let raw: Vec<_> = log.iter().filter(is_raw).collect();
    assert_eq!(raw, [""; 0]);
}
