//! Tokens for programs: what they are good for, over HTTP and over WebSockets, and how they end.

use boardcast::clock;
use boardcast_protocol::board::{Reason, Role};
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::message::{ErrorCode, OutcomeResult, ServerMessage};
use boardcast_tests::client::{Joined, TestClient};
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::raw;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{Answer, Scene};

const TOKENS: &str = "/api/v1/tokens";

fn column(number: u128) -> Command {
    Command::ColumnCreate {
        column: boardcast_protocol::ids::ColumnId::from_u128(number),
        title: "To do".to_owned(),
        wip: None,
        done: false,
        place: Place::default(),
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_digest_and_says_what_it_is_for() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let ends = clock::now().0 + 60_000;
    let wanted = json!({"name": "build", "scope": "write", "boards": ["b1"], "expires": ends});
    let made = scene.make_token(&cookie, &wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = made.json()["token"].as_str().expect("a token").to_owned();
    assert!(text.starts_with("bct_") && text.len() == 47, "{text}");
    let listed = scene.browse("GET", TOKENS, &cookie).await;
    assert!(!listed.text().contains(&text[4..]), "{listed:?}");
    let entry = &listed.json()["tokens"][0];
    for (field, value) in [
        ("name", json!("build")),
        ("user", json!("ann")),
        ("scope", json!("write")),
        ("boards", json!(["b1"])),
        ("expires", json!(ends)),
        ("used", Value::Null),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    let dir = scene.server.stop().await;
    for entry in std::fs::read_dir(dir.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        // Files of attachments are in a folder of their own.
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(path).expect("its bytes");
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
        assert!(!holds(text.as_bytes()) && !holds(&text.as_bytes()[4..]));
    }
}

#[tokio::test]
async fn a_token_opens_http_the_upgrade_and_hello_and_its_use_is_noted() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let token = scene.token_of(&cookie, "write", None).await;
    let mut by_header = scene.bearing(&token).await;
    let board = by_header.create_board("Plan").await;
    let mut by_hello = TestClient::connect(scene.server.address(), None).await;
    let welcome = by_hello.hello(Some(&token)).await;
    assert_eq!(welcome.user.as_str(), "ann");
    let Joined { subscribed, .. } = by_hello.subscribe(board, None).await;
    assert_eq!(
        subscribed.role,
        Role::Editor,
        "no scope but `admin` administers"
    );
    let path = format!("/api/v1/boards/{board}/export");
    assert_eq!(scene.bear("GET", &path, &token, None).await.status, 200);
    let noted = async {
        loop {
            let listed = scene.browse("GET", TOKENS, &cookie).await.json();
            if listed["tokens"][0]["used"].is_u64() {
                break;
            }
            sleep(PATIENCE / 200).await;
        }
    };
    timeout(PATIENCE, noted).await.expect("its use is noted");
}

#[tokio::test]
async fn what_follows_a_hello_whose_token_is_looked_up_may_be_as_long_as_any_message() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let token = scene.token_of(&cookie, "write", None).await;
    let mut client = TestClient::connect(scene.server.address(), None).await;
    let hello = json!({
        "type": "hello", "v": 1, "client": client.client_id().as_str(), "token": token,
    });
    client.say(&hello).await;
    for req in 1..=3 {
        let create = json!({"type": "board.create", "req": req, "title": "Plan"});
        client.say(&create).await;
        client
            .say_text(&format!(
                r#"{{"type":"ping","t":{req}}}{}"#,
                " ".repeat(6_000)
            ))
            .await;
    }
    let mut made = 0;
    loop {
        match client.next().await {
            ServerMessage::BoardCreated(_) => made += 1,
            ServerMessage::Pong(pong) if pong.t.0 == 3 => break,
            ServerMessage::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    assert_eq!(made, 3);
}

#[tokio::test]
async fn a_token_for_reading_changes_nothing_over_http_or_a_socket() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut ann = scene.socket(&cookie).await;
    let board = ann.create_board("Plan").await;
    let token = scene.token_of(&cookie, "read", None).await;
    for (method, path) in [
        ("POST", "/api/v1/import?format=json"),
        ("POST", "/api/v1/tickets"),
        ("POST", TOKENS),
        ("DELETE", "/api/v1/sessions/current"),
        ("POST", "/api/v1/restore"),
        ("PATCH", "/api/v1/admin/users/ann"),
    ] {
        let answer = scene.bear(method, path, &token, Some(&json!({}))).await;
        assert_eq!(answer.status, 403, "{method} {path} {answer:?}");
        assert!(answer.hint().contains("for reading"), "{answer:?}");
    }
    let path = format!("/api/v1/boards/{board}/export");
    assert_eq!(scene.bear("GET", &path, &token, None).await.status, 200);
    let mut reader = scene.bearing(&token).await;
    let joined = reader.subscribe(board, None).await;
    assert_eq!(joined.subscribed.role, Role::Viewer);
    reader.submit(board, 1, vec![column(1)]).await;
    let outcome = reader.outcome().await;
    assert_eq!(outcome.result, OutcomeResult::Rejected);
    assert_eq!(outcome.reason, Some(Reason::Forbidden));
    let create = json!({"type": "board.create", "req": 9, "title": "Mine"});
    reader.say(&create).await;
    let error = reader.error().await;
    assert_eq!((error.code, error.req), (ErrorCode::Forbidden, Some(9)));
    reader.say(&json!({"type": "boards.list", "req": 10})).await;
    let boards = reader.wait_for(|message| match message {
        ServerMessage::Boards(boards) => Some(boards.boards),
        _ => None,
    });
    let roles: Vec<_> = boards.await.iter().map(|summary| summary.role).collect();
    assert_eq!(roles, [Role::Viewer]);
    // The member's own socket may still do it.
    ann.submit(board, 1, vec![column(1)]).await;
    ann.durable(board, 1).await;
    assert_eq!(reader.batch().await.to().0, 1, "and the reader sees it");
}

#[tokio::test]
async fn a_board_outside_the_list_of_a_token_is_no_board() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut ann = scene.socket(&cookie).await;
    let inside = ann.create_board("Inside").await;
    let outside = ann.create_board("Outside").await;
    let token = scene.token_of(&cookie, "admin", Some(&[inside])).await;
    let export = async |board: &str| {
        let path = format!("/api/v1/boards/{board}/export");
        scene.bear("GET", &path, &token, None).await
    };
    assert_eq!(export(inside.as_str()).await.status, 200);
    let (hidden, missing) = (export(outside.as_str()).await, export("nowhere").await);
    assert_eq!((hidden.status, missing.status), (404, 404));
    assert_eq!(hidden.text(), missing.text(), "the same answer");

    let mut program = scene.bearing(&token).await;
    program.subscribe(inside, None).await;
    let mut hints = Vec::new();
    for board in [outside, "nowhere".parse().expect("an id")] {
        let told = async |program: &mut TestClient, message: Value| {
            program.say(&message).await;
            let error = program.error().await;
            assert_eq!(error.code, ErrorCode::NoSuchBoard, "{message}");
            error.hint.replace(board.as_str(), "BOARD")
        };
        let name = board.as_str();
        let column = json!({"type": "column.create", "column": "c1", "title": "To do"});
        for message in [
            json!({"type": "subscribe", "req": 5, "board": name}),
            json!({"type": "submit", "board": name, "seq": 1, "cmds": [column]}),
            json!({"type": "card.open", "req": 6, "board": name, "card": "x"}),
            json!({"type": "activity", "req": 7, "board": name, "limit": 5}),
        ] {
            hints.push(told(&mut program, message).await);
        }
    }
    let half = hints.len() / 2;
    assert_eq!(hints[..half], hints[half..], "the same answers");
    program.say(&json!({"type": "boards.list", "req": 8})).await;
    let boards = program.wait_for(|message| match message {
        ServerMessage::Boards(boards) => Some(boards.boards),
        _ => None,
    });
    let listed: Vec<_> = boards.await.iter().map(|summary| summary.board).collect();
    assert!(!listed.contains(&outside), "{listed:?}");
    let create = json!({"type": "board.create", "req": 9, "title": "Mine"});
    program.say(&create).await;
    assert_eq!(program.error().await.code, ErrorCode::Forbidden);
    let path = "/api/v1/import?format=json";
    let import = scene.bear("POST", path, &token, Some(&json!({}))).await;
    assert_eq!(import.status, 403);
}

#[tokio::test]
async fn no_token_reaches_what_is_ones_own_or_becomes_more_than_it_is() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let token = scene.token_of(&cookie, "admin", None).await;
    let wanted = json!({"name": "more", "scope": "admin"});
    for (method, path, body) in [
        ("GET", "/api/v1/sessions", None),
        ("GET", TOKENS, None),
        ("POST", TOKENS, Some(&wanted)),
        ("DELETE", "/api/v1/tokens/1", None),
        ("DELETE", "/api/v1/sessions/1", None),
        ("GET", "/api/v1/admin/users", None),
    ] {
        let answer = scene.bear(method, path, &token, body).await;
        assert_eq!(answer.status, 403, "{method} {path} {answer:?}");
    }
    let ticket = scene.bear("POST", "/api/v1/tickets", &token, None).await;
    let ticket = ticket.json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned();
    let exchanged = scene
        .post("/api/v1/sessions", &json!({"ticket": ticket}))
        .await;
    assert_eq!(exchanged.status, 403, "{exchanged:?}");

    // The same for an administrator, whose token of a lesser scope administers nothing.
    let boss = json!({"user": "boss", "name": "B", "email": super::email("boss"), "admin": true});
    let added = scene.administer("POST", "", Some(&boss)).await;
    let link = super::secret(added.json()["link"].as_str().expect("a link"));
    let set = json!({"link": link, "password": super::PASSWORD});
    let cookie = scene.post("/api/v1/password", &set).await.sent_back();
    for (scope, boards, status) in [
        ("write", None, 403),
        ("admin", Some(&["b1".parse().expect("an id")][..]), 403),
        ("admin", None, 200),
    ] {
        let token = scene.token_of(&cookie, scope, boards).await;
        for path in ["/api/v1/admin/users", "/api/v1/admin/stats"] {
            let answer = scene.bear("GET", path, &token, None).await.status;
            assert_eq!(answer, status, "{scope} {boards:?} {path}");
        }
    }
}

#[tokio::test]
async fn revoking_a_token_closes_its_sockets_and_no_others() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let made = scene
        .make_token(&cookie, &json!({"name": "ci", "scope": "write"}))
        .await;
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let other = scene.token_of(&cookie, "write", None).await;
    let mut ended = [scene.bearing(&token).await, scene.bearing(&token).await];
    let mut stay = [scene.bearing(&other).await, scene.socket(&cookie).await];
    // It was upgraded, and has not said hello.
    let mut waiting = TestClient::connect(scene.server.address(), Some(&token)).await;
    let bob = scene.settle("bob").await;
    let path = format!("{TOKENS}/{}", id(&made));
    assert_eq!(scene.browse("DELETE", &path, &bob).await.status, 404);
    assert_eq!(scene.browse("DELETE", &path, &cookie).await.status, 204);
    for client in &mut ended {
        assert_eq!(client.closed().await, Some(4502));
    }
    for client in &mut stay {
        client.create_board("Mine").await;
    }
    let hello = json!({"type": "hello", "v": 1, "client": waiting.client_id().as_str()});
    waiting.say(&hello).await;
    assert_eq!(waiting.closed().await, Some(4502));
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let (head, _) = raw::upgrade(scene.server.address(), "/ws", &headers).await;
    assert_eq!(head.status, 401);
    let mut late = TestClient::connect(scene.server.address(), None).await;
    let hello = json!({
        "type": "hello", "v": 1, "client": late.client_id().as_str(), "token": token,
    });
    late.say(&hello).await;
    assert_eq!(late.error().await.code, ErrorCode::Unauthorized);
    assert_eq!(late.closed().await, Some(4502));
    assert_eq!(scene.browse("DELETE", &path, &cookie).await.status, 404);
}

#[tokio::test]
async fn an_open_socket_ends_with_its_token() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let ends = clock::now().0 + 2_000;
    let wanted = json!({"name": "short", "scope": "read", "expires": ends});
    let made = scene.make_token(&cookie, &wanted).await;
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let mut client = scene.bearing(&token).await;
    assert_eq!(client.closed().await, Some(4002));
    let answer = scene
        .bear("GET", "/api/v1/boards/x/export", &token, None)
        .await;
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[tokio::test]
async fn what_a_token_may_be_is_bounded_and_a_user_has_fifty() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let year_ms = 366 * 24 * 60 * 60 * 1_000_u64;
    let many: Vec<_> = (0..21).map(|n| format!("b{n}")).collect();
    for wanted in [
        json!({"scope": "read"}),
        json!({"name": "ci"}),
        json!({"name": "", "scope": "read"}),
        json!({"name": "a\nb", "scope": "read"}),
        json!({"name": "ci", "scope": "root"}),
        json!({"name": "ci", "scope": "read", "boards": []}),
        json!({"name": "ci", "scope": "read", "boards": many}),
        json!({"name": "ci", "scope": "read", "boards": ["a b"]}),
        json!({"name": "ci", "scope": "read", "expires": 1}),
        json!({"name": "ci", "scope": "read", "expires": clock::now().0 + year_ms + 60_000}),
        json!({"name": "ci", "scope": "read", "user": "bob"}),
    ] {
        let answer = scene.make_token(&cookie, &wanted).await;
        assert_eq!(answer.status, 422, "{wanted} {answer:?}");
        answer.hint();
    }
    for _ in 0..50 {
        scene.token_of(&cookie, "read", None).await;
    }
    let wanted = json!({"name": "ci", "scope": "read"});
    let further = scene.make_token(&cookie, &wanted).await;
    assert_eq!(further.status, 409, "{further:?}");
    assert!(further.hint().contains("revoke one"), "{further:?}");
    let listed = scene.browse("GET", TOKENS, &cookie).await.json();
    let listed = listed["tokens"].as_array().expect("tokens");
    assert_eq!(listed.len(), 50);
    let path = format!("{TOKENS}/{}", listed[0]["id"].as_str().expect("an id"));
    assert_eq!(scene.browse("DELETE", &path, &cookie).await.status, 204);
    scene.token_of(&cookie, "read", None).await;
    let no_account = scene
        .bear("POST", TOKENS, &scene.server.token("zoe"), Some(&wanted))
        .await;
    assert_eq!(no_account.status, 404, "{no_account:?}");
}

#[tokio::test]
async fn a_bot_signs_in_by_tokens_that_administrators_make() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let root = scene.server.token_of_admin("root");
    let bot = json!({"user": "robot", "name": "Robot"});
    let path = "/api/v1/admin/bots";
    assert_eq!(scene.browse("POST", path, &cookie).await.status, 403);
    let added = scene.bear("POST", path, &root, Some(&bot)).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(added.json()["bot"], true);
    assert_eq!(
        scene.bear("POST", path, &root, Some(&bot)).await.status,
        409
    );
    let reset = scene.administer("POST", "/robot/links", None).await;
    assert_eq!(reset.status, 409, "a bot has no password: {reset:?}");

    let wanted = json!({"name": "ci", "scope": "write"});
    let for_person = scene.administer("POST", "/ann/tokens", Some(&wanted)).await;
    assert_eq!(for_person.status, 409, "{for_person:?}");
    let made = scene
        .administer("POST", "/robot/tokens", Some(&wanted))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let mut robot = scene.bearing(&token).await;
    let board = robot.create_board("By a robot").await;
    let view = robot.subscribe(board, None).await.view.expect("a snapshot");
    let members: Vec<_> = view.members.values().map(|m| m.name.as_str()).collect();
    assert_eq!(members, ["Robot"]);

    let listed = scene.administer("GET", "/robot/tokens", None).await.json();
    assert_eq!(listed["tokens"][0]["id"], made.json()["id"]);
    let path = format!("/robot/tokens/{}", id(&made));
    assert_eq!(scene.administer("DELETE", &path, None).await.status, 204);
    assert_eq!(robot.closed().await, Some(4502));

    let made = scene
        .administer("POST", "/robot/tokens", Some(&wanted))
        .await;
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let mut robot = scene.bearing(&token).await;
    let disable = json!({"disabled": true});
    assert_eq!(
        scene
            .administer("PATCH", "/robot", Some(&disable))
            .await
            .status,
        204
    );
    assert_eq!(robot.closed().await, Some(4505));
    let export = format!("/api/v1/boards/{board}/export");
    assert_eq!(scene.bear("GET", &export, &token, None).await.status, 401);
    let enable = json!({"disabled": false});
    assert_eq!(
        scene
            .administer("PATCH", "/robot", Some(&enable))
            .await
            .status,
        204
    );
    assert_eq!(scene.bear("GET", &export, &token, None).await.status, 200);
}
