//! Public links: whoever has one sees one board, until it is revoked.

use boardcast_protocol::board::{Reason, Role};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ErrorCode, OutcomeResult, ServerMessage};
use boardcast_tests::client::TestClient;
use boardcast_tests::http::Answer;
use boardcast_tests::raw;
use boardcast_tests::scene::{Scene, email};
use serde_json::json;

use super::{add, column, send, tell, text};

struct Stage {
    scene: Scene,
    cookie: String,
    ann: TestClient,
    board: BoardId,
}

async fn stage() -> Stage {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let mut ann = scene.socket(&cookie).await;
    let board = ann.create_board("Plan").await;
    Stage {
        scene,
        cookie,
        ann,
        board,
    }
}

impl Stage {
    fn path(&self) -> String {
        format!("/api/v1/boards/{}/links", self.board)
    }

    async fn share(&self) -> Answer {
        let made = send(
            &self.scene,
            ("POST", &self.path()),
            &self.cookie,
            &json!({}),
        )
        .await;
        assert_eq!(made.status, 201, "{made:?}");
        made
    }

    async fn revoke(&self, made: &Answer) -> u16 {
        let path = format!("{}/{}", self.path(), text(made, "id"));
        self.scene
            .browse("DELETE", &path, &self.cookie)
            .await
            .status
    }

    /// Who comes by a link, as a page without a cookie does.
    async fn guest(&self, link: &str) -> TestClient {
        let mut guest = TestClient::connect(self.scene.server.address(), None).await;
        guest.hello(Some(link)).await;
        guest
    }
}

#[tokio::test]
async fn a_public_link_shows_one_board_live_and_changes_nothing() {
    let mut stage = stage().await;
    let other = stage.ann.create_board("Other").await;
    let made = stage.share().await;
    let link = text(&made, "link");
    assert!(link.starts_with("bcl_"), "{link}");
    let mut guest = stage.guest(&link).await;
    let joined = guest.subscribe(stage.board, None).await;
    assert_eq!(joined.subscribed.role, Role::Viewer);
    assert_eq!(joined.view.expect("a snapshot").title, "Plan");
    tell(&mut stage.ann, stage.board, 1, column(1)).await;
    assert_eq!(guest.batch().await.to().0, 1, "it is live");

    let outcome = tell(&mut guest, stage.board, 1, column(2)).await;
    assert_eq!(outcome.result, OutcomeResult::Rejected);
    assert_eq!(outcome.reason, Some(Reason::Forbidden));
    for board in [other, "nowhere".parse().expect("an id")] {
        guest
            .say(&json!({"type": "subscribe", "req": 3, "board": board.as_str()}))
            .await;
        assert_eq!(guest.error().await.code, ErrorCode::NoSuchBoard);
    }
    for message in [
        json!({"type": "board.create", "req": 4, "title": "Mine"}),
        json!({"type": "boards.list", "req": 5}),
    ] {
        guest.say(&message).await;
        assert_eq!(guest.error().await.code, ErrorCode::Forbidden, "{message}");
    }

    let scene = &stage.scene;
    let export = format!("/api/v1/boards/{}/export", stage.board);
    let seen = scene.bear("GET", &export, &link, None).await;
    assert_eq!(seen.status, 200);
    assert!(
        !seen.text().contains(&email("ann")),
        "no address of anybody"
    );
    let elsewhere = format!("/api/v1/boards/{other}/export");
    for (method, path, status) in [
        ("GET", elsewhere.as_str(), 404),
        ("GET", stage.path().as_str(), 403),
        ("POST", stage.path().as_str(), 403),
        ("GET", "/api/v1/sessions", 403),
        ("GET", "/api/v1/tokens", 403),
        ("GET", "/api/v1/admin/users", 403),
        ("POST", "/api/v1/tickets", 403),
        ("POST", "/api/v1/invitations/accept", 403),
    ] {
        let body = json!({});
        let body = (method == "POST").then_some(&body);
        let answer = scene.bear(method, path, &link, body).await;
        assert_eq!(answer.status, status, "{method} {path} {answer:?}");
    }
}

#[tokio::test]
async fn revoking_a_link_cuts_its_live_viewers_and_no_others() {
    let stage = stage().await;
    let (made, other) = (stage.share().await, stage.share().await);
    let link = text(&made, "link");
    let mut viewers = [stage.guest(&link).await, stage.guest(&link).await];
    let mut stays = stage.guest(&text(&other, "link")).await;
    for viewer in viewers.iter_mut().chain([&mut stays]) {
        viewer.subscribe(stage.board, None).await;
    }
    // It was upgraded, and has not said hello.
    let mut waiting = TestClient::connect(stage.scene.server.address(), Some(&link)).await;
    assert_eq!(stage.revoke(&made).await, 204);
    for viewer in &mut viewers {
        assert_eq!(viewer.closed().await, Some(4502));
    }
    let hello = json!({"type": "hello", "v": 1, "client": waiting.client_id().as_str()});
    waiting.say(&hello).await;
    assert_eq!(waiting.closed().await, Some(4502));
    let bearer = format!("Bearer {link}");
    let headers = [("Authorization", bearer.as_str())];
    let (head, _) = raw::upgrade(stage.scene.server.address(), "/ws", &headers).await;
    assert_eq!(head.status, 401);
    let export = format!("/api/v1/boards/{}/export", stage.board);
    let answer = stage.scene.bear("GET", &export, &link, None).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(stage.revoke(&made).await, 404);
    let mut ann = stage.ann;
    tell(&mut ann, stage.board, 1, column(1)).await;
    assert_eq!(
        stays.batch().await.to().0,
        1,
        "the other link still shows it"
    );
}

#[tokio::test]
async fn who_comes_by_a_link_is_nobody_that_is_remembered() {
    let stage = stage().await;
    let link = text(&stage.share().await, "link");
    let mut users = Vec::new();
    for _ in 0..2 {
        let mut guest = TestClient::connect(stage.scene.server.address(), None).await;
        users.push(guest.hello(Some(&link)).await.user);
        guest.subscribe(stage.board, None).await;
        for seq in 1..=3 {
            tell(&mut guest, stage.board, seq, column(9)).await;
        }
        let joined = guest.subscribe(stage.board, None).await;
        assert_eq!(joined.subscribed.last_seq.0, 0, "no number is kept");
    }
    assert_ne!(users[0], users[1]);
    let server = stage.scene.server.restart().await;
    let data = server.stop().await;
    for file in std::fs::read_dir(data.path()).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(path).expect("its bytes");
        for user in &users {
            let user = user.as_str().as_bytes();
            assert!(!bytes.windows(user.len()).any(|part| part == user));
        }
    }
}

#[tokio::test]
async fn a_board_has_so_many_links_and_they_are_told_to_its_admins_alone() {
    let mut stage = stage().await;
    let bob = stage.scene.settle("bob").await;
    let path = stage.path();
    let first = stage.share().await;
    let asked = async |cookie: &str| stage.scene.browse("GET", &path, cookie).await;
    assert_eq!(asked(&bob).await.status, 404, "no member");
    add(&mut stage.ann, stage.board, 1, "bob", Role::Editor).await;
    assert_eq!(asked(&bob).await.status, 403, "no admin");
    let listed = asked(&stage.cookie).await;
    assert!(!listed.text().contains(&text(&first, "link")), "shown once");
    let links = listed.json();
    assert_eq!(links["links"][0]["made_by"], "ann");
    assert_eq!(links["links"][0]["expires"], json!(null));
    for _ in 1..100 {
        stage.share().await;
    }
    let further = send(&stage.scene, ("POST", &path), &stage.cookie, &json!({})).await;
    assert_eq!(further.status, 409, "{further:?}");
    assert_eq!(stage.revoke(&first).await, 204);
    stage.share().await;
    for body in [
        json!({"expires": 1}),
        json!({"expires": u64::MAX >> 12}),
        json!({"role": "admin"}),
    ] {
        let answer = send(&stage.scene, ("POST", &path), &stage.cookie, &body).await;
        assert_eq!(answer.status, 422, "{body} {answer:?}");
    }
}

#[tokio::test]
async fn a_socket_that_came_by_a_link_ends_with_it() {
    let stage = stage().await;
    let ends = boardcast::clock::now().0 + 2_000;
    let body = json!({"expires": ends});
    let made = send(&stage.scene, ("POST", &stage.path()), &stage.cookie, &body).await;
    let mut guest = stage.guest(&text(&made, "link")).await;
    guest.subscribe(stage.board, None).await;
    assert_eq!(guest.closed().await, Some(4002));
    let mut late = TestClient::connect(stage.scene.server.address(), None).await;
    let hello = json!({
        "type": "hello", "v": 1, "client": late.client_id().as_str(), "token": text(&made, "link"),
    });
    late.say(&hello).await;
    assert!(matches!(late.next().await, ServerMessage::Error(_)));
    assert_eq!(late.closed().await, Some(4502));
}
