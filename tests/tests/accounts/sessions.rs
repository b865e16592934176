//! Sessions: the cookie, where it counts, and how it ends.

use serde_json::json;

use super::{PASSWORD, Scene};

const SESSIONS: &str = "/api/v1/sessions";

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_bound_to_tls_where_there_is_tls() {
    let scene = Scene::start().await;
    scene.settle("ann").await;
    let plain = scene.sign_in("ann", PASSWORD, &[]).await;
    let cookie = plain.cookie().expect("a cookie");
    assert!(cookie.starts_with("boardcast="), "{cookie}");
    assert!(
        cookie.contains("; Path=/;") && cookie.contains("; HttpOnly"),
        "{cookie}"
    );
    assert!(cookie.ends_with("; SameSite=Lax"), "{cookie}");

    let origin = "https://boards.example";
    let scene = Scene::with(|config| {
        config.allowed_origins = vec![origin.parse().expect("an origin")];
    })
    .await;
    scene.settle("ann").await;
    let over_tls = scene.sign_in("ann", PASSWORD, &[("Origin", origin)]).await;
    let cookie = over_tls.cookie().expect("a cookie");
    assert!(cookie.starts_with("__Host-boardcast="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let cookie = over_tls.sent_back();
    assert!(scene.is_live(&cookie).await);
    let plain = cookie.trim_start_matches("__Host-");
    assert!(
        !scene.is_live(plain).await,
        "the name without TLS is not read"
    );
}

#[tokio::test]
async fn a_sign_in_rotates_the_session_of_its_browser_and_leaves_others() {
    let scene = Scene::start().await;
    let first = scene.settle("ann").await;
    let elsewhere = scene.sign_in("ann", PASSWORD, &[]).await.sent_back();
    let planted = [("Cookie", "boardcast=planted")];
    let own = scene.sign_in("ann", PASSWORD, &planted).await.sent_back();
    assert_ne!(own, "boardcast=planted", "no session is taken over");
    let headers = [("Cookie", first.as_str())];
    let second = scene.sign_in("ann", PASSWORD, &headers).await.sent_back();
    assert_ne!(first, second);
    assert!(!scene.is_live(&first).await);
    for cookie in [&second, &elsewhere, &own] {
        assert!(scene.is_live(cookie).await);
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_alone() {
    let scene = Scene::start().await;
    let agent = [("User-Agent", "Browser/1\tof ann")];
    scene.settle("ann").await;
    let first = scene.sign_in("ann", PASSWORD, &agent).await;
    let (cookie, id) = (first.sent_back(), first.json()["session"].clone());
    let other = scene.sign_in("ann", PASSWORD, &[]).await.sent_back();
    let bob = scene.settle("bob").await;

    let listed = scene.browse("GET", SESSIONS, &cookie).await.json();
    let listed = listed["sessions"].as_array().expect("sessions").clone();
    assert_eq!(listed.len(), 3);
    let current: Vec<_> = listed.iter().filter(|s| s["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["id"], id);
    assert_eq!(current[0]["agent"], "Browser/1 of ann");
    assert_eq!(current[0]["address"], "127.0.0.1");
    let secret = cookie.split_once('=').expect("a value").1;
    assert!(
        !json!(listed).to_string().contains(secret),
        "no secret is listed"
    );

    let path = format!("{SESSIONS}/{}", id.as_str().expect("an id"));
    assert_eq!(scene.browse("DELETE", &path, &bob).await.status, 404);
    assert_eq!(scene.browse("DELETE", &path, &other).await.status, 204);
    assert!(!scene.is_live(&cookie).await);
    assert_eq!(scene.browse("DELETE", &path, &other).await.status, 404);
    let unknown = format!("{SESSIONS}/x");
    assert_eq!(scene.browse("DELETE", &unknown, &other).await.status, 404);

    let current = format!("{SESSIONS}/current");
    let ended = scene.browse("DELETE", &current, &other).await;
    assert_eq!(ended.status, 204);
    assert!(ended.cookie().expect("a cookie").contains("Max-Age=0"));
    assert!(!scene.is_live(&other).await);
    assert!(scene.is_live(&bob).await);
    // A program sees and ends the sessions of its user, and has none of its own.
    let token = format!("Bearer {}", scene.server.token("bob"));
    let headers = [("Authorization", token.as_str())];
    let listed = scene.ask("GET", SESSIONS, &headers, None).await.json();
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        scene.ask("DELETE", &current, &headers, None).await.status,
        404
    );
}

#[tokio::test]
async fn a_change_by_cookie_needs_the_origin_of_a_page_of_the_server() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let current = format!("{SESSIONS}/current");
    let host = scene.server.address();
    for origin in [
        None,
        Some("null".to_owned()),
        Some("http://evil.example".to_owned()),
        Some(format!("https://{host}")),
        Some(format!("http://{host}.evil.example")),
        Some(format!("http://127.0.0.1:{}", host.port().wrapping_add(1))),
    ] {
        let mut headers = vec![("Cookie", cookie.as_str())];
        headers.extend(origin.as_deref().map(|origin| ("Origin", origin)));
        let answer = scene.ask("DELETE", &current, &headers, None).await;
        assert_eq!(answer.status, 403, "{origin:?} {answer:?}");
    }
    assert!(scene.is_live(&cookie).await);
    let foreign = [("Origin", "http://evil.example")];
    let answer = scene.sign_in("ann", PASSWORD, &foreign).await;
    assert_eq!(answer.status, 403, "nobody is signed in by a foreign page");
    let headers = [("Cookie", cookie.as_str()), ("Origin", &scene.origin())];
    let ticket = scene.ask("POST", "/api/v1/tickets", &headers, None).await;
    assert_eq!(
        ticket.status, 403,
        "a token of a ticket would outlive the session"
    );
}

#[tokio::test]
async fn a_twenty_first_session_ends_the_oldest() {
    let scene = Scene::with(|config| config.accounts.sign_ins_per_account = 100).await;
    let oldest = scene.settle("ann").await;
    for _ in 0..19 {
        assert_eq!(scene.sign_in("ann", PASSWORD, &[]).await.status, 201);
    }
    assert!(scene.is_live(&oldest).await);
    let newest = scene.sign_in("ann", PASSWORD, &[]).await.sent_back();
    assert!(!scene.is_live(&oldest).await);
    let listed = scene.browse("GET", SESSIONS, &newest).await.json();
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn sessions_outlive_a_restart() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let server = scene.server.restart().await;
    let scene = Scene { server };
    assert!(scene.is_live(&cookie).await);
}

#[tokio::test]
async fn the_body_of_a_sign_in_is_either_form_and_no_mixture() {
    let scene = Scene::start().await;
    for body in [
        json!({}),
        json!({"email": "a@b.c"}),
        json!({"ticket": "x", "email": "a@b.c", "password": "p"}),
        json!({"email": "a@b.c", "password": "p", "admin": true}),
        json!({"email": 1, "password": "p"}),
    ] {
        let answer = scene.post(SESSIONS, &body).await;
        assert_eq!(answer.status, 422, "{body} {answer:?}");
        answer.hint();
    }
    let large = json!({"email": "a@b.c", "password": "x".repeat(1_000_000)});
    assert_eq!(scene.post(SESSIONS, &large).await.status, 413);
}

#[tokio::test]
async fn a_ticket_is_exchanged_once_and_says_for_whom() {
    let scene = Scene::start().await;
    let token = scene.server.token("ann");
    let ticket = scene.bear("POST", "/api/v1/tickets", &token, None).await;
    let sent = json!({"ticket": ticket.json()["ticket"]});
    let exchanged = scene.post("/api/v1/sessions", &sent).await;
    assert_eq!(exchanged.status, 200, "{exchanged:?}");
    let exchanged = exchanged.json();
    assert_eq!(exchanged["user"], "ann");
    let token = exchanged["token"].as_str().expect("a token");
    let boards = scene.bear("GET", "/api/v1/boards", token, None).await;
    assert_eq!(boards.status, 200, "{boards:?}");
    assert_eq!(scene.post("/api/v1/sessions", &sent).await.status, 401);
}
