//! Invitations: whoever accepts one becomes a member, live.

use boardcast_protocol::board::Role;
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::BoardId;
use boardcast_tests::client::TestClient;
use boardcast_tests::http::Answer;
use boardcast_tests::scene::Scene;
use serde_json::{Value, json};

use super::{add, send, text};

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
        format!("/api/v1/boards/{}/invitations", self.board)
    }

    async fn invite(&self, wanted: &Value) -> Answer {
        send(&self.scene, ("POST", &self.path()), &self.cookie, wanted).await
    }

    async fn accept(&self, user: &str, invitation: &str) -> Answer {
        let token = self.scene.server.token(user);
        let path = "/api/v1/invitations/accept";
        let body = json!({"invitation": invitation});
        self.scene.bear("POST", path, &token, Some(&body)).await
    }
}

#[tokio::test]
async fn who_accepts_an_invitation_is_a_member_at_once_and_everybody_sees_it() {
    let mut stage = stage().await;
    stage.ann.subscribe(stage.board, None).await;
    let made = stage.invite(&json!({"role": "editor"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["uses"], 1);
    let invitation = text(&made, "invitation");
    let accepted = stage.accept("bob", &invitation).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    assert_eq!(accepted.json()["role"], "editor");
    let batch = stage.ann.batch().await;
    let Event::MemberPut { member } = &batch.v[0].ev[0] else {
        panic!("{batch:?}");
    };
    assert_eq!((member.id.as_str(), member.role), ("bob", Role::Editor));
    assert_eq!(batch.v[0].by.as_str(), "bob");
    let mut bob = stage.scene.server.client("bob").await;
    let joined = bob.subscribe(stage.board, None).await;
    assert_eq!(joined.subscribed.role, Role::Editor);
    let again = stage.accept("eve", &invitation).await;
    assert_eq!(again.status, 404, "it was for one: {again:?}");
}

#[tokio::test]
async fn an_invitation_for_many_counts_and_one_for_one_is_taken_once() {
    let stage = stage().await;
    let made = stage.invite(&json!({"role": "viewer", "uses": 3})).await;
    let invitation = text(&made, "invitation");
    let users: Vec<_> = (0..8).map(|n| format!("u{n}")).collect();
    let asked = users.iter().map(|user| stage.accept(user, &invitation));
    let answers = futures::future::join_all(asked).await;
    let count = |status| answers.iter().filter(|a| a.status == status).count();
    assert_eq!((count(200), count(404)), (3, 5), "{answers:?}");
    let winners: Vec<_> = users.iter().zip(&answers).collect();
    let winner = winners.iter().find(|(_, answer)| answer.status == 200);
    let (winner, _) = winner.expect("a member");
    let again = stage.accept(winner, &invitation).await;
    assert_eq!(again.status, 200, "the same answer again: {again:?}");
}

#[tokio::test]
async fn a_member_loses_nothing_by_an_invitation_and_takes_no_use() {
    let mut stage = stage().await;
    add(&mut stage.ann, stage.board, 1, "bob", Role::Editor).await;
    let made = stage.invite(&json!({"role": "commenter"})).await;
    let invitation = text(&made, "invitation");
    for user in ["ann", "bob"] {
        let accepted = stage.accept(user, &invitation).await;
        assert_eq!(accepted.status, 200, "{accepted:?}");
        let role = if user == "ann" { "admin" } else { "editor" };
        assert_eq!(accepted.json()["role"], role);
    }
    assert_eq!(
        stage.accept("eve", &invitation).await.json()["role"],
        "commenter"
    );
    let made = stage.invite(&json!({"role": "editor"})).await;
    let raised = stage.accept("eve", &text(&made, "invitation")).await;
    assert_eq!(raised.json()["role"], "editor");
}

#[tokio::test]
async fn what_is_no_valid_invitation_has_one_answer() {
    let stage = stage().await;
    let made = stage.invite(&json!({"role": "viewer"})).await;
    let revoked = text(&made, "invitation");
    let path = format!("{}/{}", stage.path(), text(&made, "id"));
    let revoke = async || {
        stage
            .scene
            .browse("DELETE", &path, &stage.cookie)
            .await
            .status
    };
    assert_eq!((revoke().await, revoke().await), (204, 404));
    let ends = boardcast::clock::now().0 + 300;
    let made = stage
        .invite(&json!({"role": "viewer", "expires": ends}))
        .await;
    let expired = text(&made, "invitation");
    while boardcast::clock::now().0 <= ends {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let link = format!("/api/v1/boards/{}/links", stage.board);
    let link = send(&stage.scene, ("POST", &link), &stage.cookie, &json!({})).await;
    let link = text(&link, "link");
    let never = format!("bci_{}", "A".repeat(43));
    for invitation in ["", "x", &never, &revoked, &expired, &link] {
        let answer = stage.accept("bob", invitation).await;
        assert_eq!(answer.status, 404, "{invitation} {answer:?}");
        assert!(answer.hint().contains("ask for a new one"), "{answer:?}");
    }
    let token = stage.scene.token_of(&stage.cookie, "admin", None).await;
    let body = json!({"invitation": never});
    let path = "/api/v1/invitations/accept";
    let program = stage.scene.bear("POST", path, &token, Some(&body)).await;
    assert_eq!(program.status, 403, "a person accepts: {program:?}");
}

#[tokio::test]
async fn invitations_are_made_and_listed_by_admins_of_the_board_and_bounded() {
    let mut stage = stage().await;
    let made = stage.invite(&json!({"role": "admin", "uses": 1_000})).await;
    assert_eq!(made.status, 201, "{made:?}");
    for wanted in [
        json!({}),
        json!({"role": "owner"}),
        json!({"role": "viewer", "uses": 0}),
        json!({"role": "viewer", "uses": 1_001}),
        json!({"role": "viewer", "uses": -1}),
        json!({"role": "viewer", "expires": 0}),
        json!({"role": "viewer", "board": "other"}),
    ] {
        let answer = stage.invite(&wanted).await;
        assert_eq!(answer.status, 422, "{wanted} {answer:?}");
    }
    add(&mut stage.ann, stage.board, 1, "ed", Role::Editor).await;
    let path = stage.path();
    let listed = stage.scene.browse("GET", &path, &stage.cookie).await;
    assert!(
        !listed.text().contains(&text(&made, "invitation")),
        "shown once"
    );
    assert_eq!(listed.json()["invitations"][0]["uses"], 1_000);
    let other = stage.ann.create_board("Other").await;
    let id = text(&made, "id");
    let elsewhere = format!("/api/v1/boards/{other}/invitations/{id}");
    let as_link = format!("/api/v1/boards/{}/links/{id}", stage.board);
    for wrong in [elsewhere, as_link] {
        let answer = stage.scene.browse("DELETE", &wrong, &stage.cookie).await;
        assert_eq!(answer.status, 404, "{wrong} {answer:?}");
    }
    for (user, status) in [("ed", 403), ("eve", 404)] {
        let token = stage.scene.server.token(user);
        let wanted = json!({"role": "viewer"});
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("POST", path.clone(), Some(&wanted)),
            ("DELETE", format!("{path}/{id}"), None),
        ] {
            let answer = stage.scene.bear(method, &path, &token, body).await;
            assert_eq!(answer.status, status, "{user} {method} {path}");
        }
    }
}
