//! WebSockets of people who are signed in, and of those who are not any more.

use boardcast::clock;
use boardcast_protocol::message::ServerMessage;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use boardcast_tests::raw;
use serde_json::json;

use super::{PASSWORD, Scene, secret};

#[tokio::test]
async fn a_cookie_opens_a_socket_of_its_user_with_the_name_of_the_account() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut ann = scene.socket(&cookie).await;
    let board = ann.create_board("Plan").await;
    let joined = ann.subscribe(board, None).await;
    let view = joined.view.expect("a snapshot");
    let members: Vec<_> = view.members.values().collect();
    assert_eq!(
        (members[0].id.as_str(), members[0].name.as_str()),
        ("ann", "ann")
    );
    // A signed token of the same user is the same member.
    let mut program = scene.server.client("ann").await;
    assert!(program.subscribe(board, None).await.view.is_some());
}

#[tokio::test]
async fn a_cookie_needs_an_origin_and_one_that_has_ended_is_as_none() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let origin = scene.origin();
    let address = scene.server.address();
    let secure = origin.replace("http:", "https:");
    let longer = format!("{origin}.evil.example");
    let other_port = format!("http://127.0.0.1:{}", address.port() ^ 1);
    for (origin, status) in [
        ("", 403),
        ("http://evil.example", 403),
        ("null", 403),
        (secure.as_str(), 403),
        (longer.as_str(), 403),
        (other_port.as_str(), 403),
        (origin.as_str(), 101),
    ] {
        let headers = [("Cookie", cookie.as_str()), ("Origin", origin)];
        let (head, _) = raw::upgrade(address, "/ws", &headers).await;
        assert_eq!(head.status, status, "{origin}");
    }
    let headers = [("Cookie", "boardcast=old"), ("Origin", origin.as_str())];
    let (head, _) = raw::upgrade(address, "/ws", &headers).await;
    assert_eq!(head.status, 101, "hello says who it is");
    let token = format!("Bearer {}", scene.server.token("bob"));
    let (head, _) = raw::upgrade(address, "/ws", &[("Authorization", &token)]).await;
    assert_eq!(head.status, 101, "a program names no origin");
}

#[tokio::test]
async fn a_token_in_hello_goes_before_the_cookie_that_comes_by_itself() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut opening = boardcast_tests::client::request(scene.server.address(), "/ws");
    let headers = opening.headers_mut();
    headers.insert("Cookie", cookie.parse().expect("a header"));
    headers.insert("Origin", scene.origin().parse().expect("a header"));
    let opened = TestClient::open(scene.server.address(), opening).await;
    let mut client = opened.expect("a WebSocket");
    let welcome = client.hello(Some(&scene.server.token("bob"))).await;
    assert_eq!(welcome.user.as_str(), "bob");
}

#[tokio::test]
async fn ending_a_session_closes_its_sockets_and_no_others() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let other = scene.sign_in("ann", PASSWORD, &[]).await.sent_back();
    let mut ended = [scene.socket(&cookie).await, scene.socket(&cookie).await];
    let mut stays = scene.socket(&other).await;
    let mut program = scene.server.client("ann").await;
    let path = "/api/v1/sessions/current";
    assert_eq!(scene.browse("DELETE", path, &cookie).await.status, 204);
    for client in &mut ended {
        assert_eq!(client.closed().await, Some(4502));
    }
    stays.create_board("Mine").await;
    program.create_board("Too").await;
}

#[tokio::test]
async fn a_new_password_closes_the_sockets_of_the_sessions_before() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut before = scene.socket(&cookie).await;
    let answer = scene.administer("POST", "/ann/links", None).await;
    let link = secret(answer.json()["link"].as_str().expect("a link"));
    let sent = json!({"link": link, "password": "another password"});
    let set = scene.post("/api/v1/password", &sent).await;
    assert_eq!(set.status, 200);
    assert_eq!(before.closed().await, Some(4502));
    scene
        .socket(&set.sent_back())
        .await
        .create_board("Mine")
        .await;
}

#[tokio::test]
async fn a_session_that_ends_between_upgrade_and_hello_opens_nothing() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut opening = boardcast_tests::client::request(scene.server.address(), "/ws");
    let headers = opening.headers_mut();
    headers.insert("Cookie", cookie.parse().expect("a header"));
    headers.insert("Origin", scene.origin().parse().expect("a header"));
    let opened = TestClient::open(scene.server.address(), opening).await;
    let mut client = opened.expect("a WebSocket");
    let path = "/api/v1/sessions/current";
    assert_eq!(scene.browse("DELETE", path, &cookie).await.status, 204);
    let hello = json!({"type": "hello", "v": 1, "client": client.client_id().as_str()});
    client.say(&hello).await;
    assert_eq!(client.closed().await, Some(4502));
}

#[tokio::test]
async fn an_open_socket_ends_with_its_session() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    // A session lasts 30 days: this one has lasted all but the last seconds of them.
    let dir = scene.server.stop().await;
    let ends = i64::try_from(clock::now().0 + 4_000).expect("a time");
    let database = rusqlite::Connection::open(dir.path().join("boardcast.db"));
    let changed = database
        .expect("the database")
        .execute("UPDATE sessions SET expires = ?1", [ends]);
    assert_eq!(changed.expect("a change"), 1);
    let server = TestServer::over(dir).await;
    let scene = Scene { server };
    let mut ann = scene.socket(&cookie).await;
    assert_eq!(ann.closed().await, Some(4002));
    assert!(!scene.is_live(&cookie).await);
}

#[tokio::test]
async fn a_disabled_person_has_no_sockets_sessions_or_tokens_until_enabled() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let token = scene.server.token("ann");
    let address = scene.server.address();
    let mut sockets = [
        scene.socket(&cookie).await,
        scene.server.client("ann").await,
    ];
    let mut waiting = TestClient::connect(address, Some(&token)).await;
    let mut bob = scene.server.client("bob").await;
    let disable = json!({"disabled": true});
    let done = scene.administer("PATCH", "/ann", Some(&disable)).await;
    assert_eq!(done.status, 204, "{done:?}");
    for client in &mut sockets {
        assert_eq!(client.closed().await, Some(4505));
    }
    let hello = json!({"type": "hello", "v": 1, "client": waiting.client_id().as_str()});
    waiting.say(&hello).await;
    assert_eq!(waiting.closed().await, Some(4505), "it had not said hello");
    assert!(!scene.is_live(&cookie).await);
    let headers = [("Authorization", format!("Bearer {token}"))];
    let headers = [(headers[0].0, headers[0].1.as_str())];
    let answer = scene.ask("GET", "/api/v1/sessions", &headers, None).await;
    assert_eq!(answer.status, 401);
    assert!(answer.hint().contains("disabled"), "{answer:?}");
    let mut late = TestClient::connect(address, None).await;
    let hello = json!({
        "type": "hello", "v": 1, "client": late.client_id().as_str(), "token": token,
    });
    late.say(&hello).await;
    assert!(matches!(late.next().await, ServerMessage::Error(_)));
    assert_eq!(late.closed().await, Some(4502));
    bob.create_board("Mine").await;

    let server = scene.server.restart().await;
    let scene = Scene { server };
    let answer = scene.ask("GET", "/api/v1/sessions", &headers, None).await;
    assert_eq!(answer.status, 401, "a restart changes nothing");
    let enable = json!({"disabled": false});
    let done = scene.administer("PATCH", "/ann", Some(&enable)).await;
    assert_eq!(done.status, 204);
    let answer = scene.ask("GET", "/api/v1/sessions", &headers, None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(scene.sign_in("ann", PASSWORD, &[]).await.status, 201);
}
