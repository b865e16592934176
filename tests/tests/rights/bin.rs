//! Boards that are archived, deleted into the bin and restored from it.

use boardcast_protocol::board::Role;
use boardcast_protocol::command::Command;
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ErrorCode, OutcomeResult, ServerMessage};
use boardcast_tests::client::TestClient;
use boardcast_tests::http::Answer;
use boardcast_tests::scene::Scene;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{add, column, tell, text};

/// A board of `ann` with an editor `bob`, and their clients, which are on it.
struct Stage {
    scene: Scene,
    ann: TestClient,
    bob: TestClient,
    board: BoardId,
}

impl Stage {
    async fn start() -> Self {
        let scene = Scene::start().await;
        let mut ann = scene.server.client("ann").await;
        let board = ann.create_board("Plan").await;
        add(&mut ann, board, 1, "bob", Role::Editor).await;
        let mut bob = scene.server.client("bob").await;
        ann.subscribe(board, None).await;
        bob.subscribe(board, None).await;
        Self {
            scene,
            ann,
            bob,
            board,
        }
    }

    async fn ask(&self, user: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let token = self.scene.server.token(user);
        let path = format!("/api/v1/{path}");
        self.scene.bear(method, &path, &token, body).await
    }

    async fn delete(&self, user: &str) -> u16 {
        let path = format!("boards/{}", self.board);
        self.ask(user, "DELETE", &path, None).await.status
    }

    async fn restore(&self, user: &str) -> u16 {
        let path = format!("bin/{}/restore", self.board);
        self.ask(user, "POST", &path, None).await.status
    }

    /// The ids of a list of boards.
    async fn listed(&self, user: &str, path: &str) -> Vec<Value> {
        let answer = self.ask(user, "GET", path, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let boards = answer.json()["boards"].as_array().expect("a list").clone();
        boards
            .into_iter()
            .map(|board| board["id"].clone())
            .collect()
    }
}

/// The next word about a role: of which board, and whether one is left.
async fn role_told(client: &mut TestClient) -> (BoardId, Option<Role>) {
    client
        .wait_for(|message| match message {
            ServerMessage::Role(change) => Some((change.board, change.role)),
            _ => None,
        })
        .await
}

fn archive(archived: bool) -> Command {
    Command::BoardSet {
        title: None,
        background: None,
        archived: Some(archived),
    }
}

#[tokio::test]
async fn an_archived_board_is_read_only_live_and_left_out_of_lists_unless_asked_for() {
    let mut stage = Stage::start().await;
    let board = stage.board;
    let id = json!(board.as_str());
    stage.ann.submit(board, 2, vec![archive(true)]).await;
    let batch = stage.bob.batch().await;
    let Event::BoardSet { archived, .. } = &batch.v[0].ev[0] else {
        panic!("{batch:?}");
    };
    assert_eq!(*archived, Some(true), "everybody on it sees it");

    // The rows that lists read are written within about a second.
    while stage.listed("bob", "boards?archived=true").await.is_empty() {}
    for user in ["ann", "bob"] {
        assert_eq!(stage.listed(user, "boards").await, [0; 0]);
        assert_eq!(stage.listed(user, "boards?archived=false").await, [0; 0]);
        let archived = stage.listed(user, "boards?archived=true").await;
        assert_eq!(json!(archived), json!([id]));
    }
    let list = json!({"type": "boards.list", "req": 1});
    let asked = json!({"type": "boards.list", "req": 2, "archived": true});
    for (message, count) in [(list, 0), (asked, 1)] {
        stage.bob.say(&message).await;
        let boards = stage.bob.wait_for(|message| match message {
            ServerMessage::Boards(boards) => Some(boards.boards),
            _ => None,
        });
        assert_eq!(boards.await.len(), count, "{message}");
    }

    let rejected = tell(&mut stage.bob, board, 1, column(1)).await;
    assert_eq!(rejected.result, OutcomeResult::Rejected);
    assert!(rejected.hint.expect("a hint").contains("archived"));
    let path = format!("boards/{board}");
    let title = json!({"title": "Another"});
    let refused = stage.ask("ann", "PATCH", &path, Some(&title)).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let export = stage
        .ask("ann", "GET", &format!("{path}/export"), None)
        .await;
    let mut file = export.json();
    file["title"] = json!("From a file");
    let refused = stage
        .ask("ann", "POST", "import?format=json", Some(&file))
        .await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let members = format!("{path}/members/bob");
    let demoted = stage
        .ask("ann", "PATCH", &members, Some(&json!({"role": "viewer"})))
        .await;
    assert_eq!(demoted.status, 200, "rights go on: {demoted:?}");

    let restored = json!({"archived": false, "title": "Again"});
    let restored = stage.ask("ann", "PATCH", &path, Some(&restored)).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    let seen = stage.ask("bob", "GET", &path, None).await.json();
    assert_eq!(
        (&seen["title"], &seen["archived"]),
        (&json!("Again"), &Value::Null)
    );
}

#[tokio::test]
async fn a_deleted_board_ends_for_everybody_on_it_and_exists_nowhere() {
    let mut stage = Stage::start().await;
    let board = stage.board;
    let path = format!("boards/{board}");
    stage.bob.submit(board, 1, vec![column(1)]).await;
    stage.bob.batch().await;
    let card = json!({"id": "k1", "column": column_id(), "title": "Needle"});
    let made = stage
        .ask("ann", "POST", &format!("{path}/cards"), Some(&card))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let invitations = format!("{path}/invitations");
    let made = stage
        .ask(
            "ann",
            "POST",
            &invitations,
            Some(&json!({"role": "viewer"})),
        )
        .await;
    let invitation = json!({"invitation": text(&made, "invitation")});
    let made = stage
        .ask("ann", "POST", &format!("{path}/links"), Some(&json!({})))
        .await;
    let link = text(&made, "link");
    let mut guest = TestClient::connect(stage.scene.server.address(), None).await;
    guest.hello(Some(&link)).await;
    guest.subscribe(board, None).await;
    while stage
        .ask("ann", "GET", "search?q=needle", None)
        .await
        .json()["hits"]
        == json!([])
    {}

    assert_eq!(stage.delete("bob").await, 403);
    assert_eq!(stage.delete("eve").await, 404);
    assert_eq!(stage.delete("ann").await, 204);
    for client in [&mut stage.ann, &mut stage.bob, &mut guest] {
        assert_eq!(role_told(client).await, (board, None));
        client.submit(board, 9, vec![column(2)]).await;
        let error = client.error().await;
        assert_eq!(error.code, ErrorCode::NoSuchBoard, "{error:?}");
        let again = json!({"type": "subscribe", "req": 7, "board": board.as_str()});
        client.say(&again).await;
        assert_eq!(client.error().await.code, ErrorCode::NoSuchBoard);
    }
    for user in ["ann", "bob"] {
        for (method, rest, body) in [
            ("GET", "", None),
            ("GET", "/cards/k1", None),
            ("GET", "/cards", None),
            ("GET", "/activity", None),
            ("GET", "/events", None),
            ("GET", "/export", None),
            ("GET", "/attachments/a1", None),
            ("GET", "/links", None),
            ("POST", "/invitations", Some(json!({"role": "viewer"}))),
            ("POST", "/columns", Some(json!({"title": "More"}))),
            ("POST", "/cards/k1/attachments?name=a", Some(json!({}))),
            ("DELETE", "", None),
        ] {
            let answer = stage
                .ask(user, method, &format!("{path}{rest}"), body.as_ref())
                .await;
            assert_eq!(answer.status, 404, "{method} {rest} by {user}: {answer:?}");
        }
        let hits = stage.ask(user, "GET", "search?q=needle", None).await.json();
        assert_eq!(hits["hits"], json!([]));
        assert_eq!(stage.listed(user, "boards").await, [0; 0]);
    }
    let accepted = stage
        .ask("eve", "POST", "invitations/accept", Some(&invitation))
        .await;
    assert_eq!(accepted.status, 404, "{accepted:?}");
    let seen = stage
        .scene
        .bear("GET", &format!("/api/v1/{path}"), &link, None)
        .await;
    assert_eq!(seen.status, 404, "for public links as well: {seen:?}");
    let root = stage.scene.server.token_of_admin("root");
    let seen = stage
        .scene
        .bear("GET", &format!("/api/v1/{path}"), &root, None)
        .await;
    assert_eq!(seen.status, 404, "for administrators as well: {seen:?}");

    // The bin shows it to those who may restore it.
    assert_eq!(stage.listed("bob", "bin").await, [0; 0]);
    let bin = stage.ask("ann", "GET", "bin", None).await.json();
    let binned = &bin["boards"][0];
    assert_eq!(
        (&binned["id"], &binned["title"]),
        (&json!(board.as_str()), &json!("Plan"))
    );
    assert_eq!(binned["deleted_by"], "ann");
    let day_ms = 24 * 60 * 60 * 1_000;
    let (since, ends) = (binned["deleted"].as_u64(), binned["ends"].as_u64());
    assert_eq!(ends.expect("a time") - since.expect("a time"), 30 * day_ms);
    let all = stage
        .scene
        .bear("GET", "/api/v1/bin", &root, None)
        .await
        .json();
    assert_eq!(all, bin, "administrators see all of it");

    assert_eq!(stage.restore("bob").await, 403);
    assert_eq!(stage.restore("eve").await, 404);
    assert_eq!(stage.restore("ann").await, 204);
    assert_eq!(stage.restore("ann").await, 404, "it is there no longer");
    let joined = stage.bob.subscribe(board, None).await;
    assert_eq!(joined.view.expect("a snapshot").cards.len(), 1);
    let seen = stage
        .scene
        .bear("GET", &format!("/api/v1/{path}"), &link, None)
        .await;
    assert_eq!(seen.status, 200, "its links work again: {seen:?}");
    let accepted = stage
        .ask("eve", "POST", "invitations/accept", Some(&invitation))
        .await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
}

fn column_id() -> Value {
    json!(boardcast_protocol::ids::ColumnId::from_u128(1))
}

#[tokio::test]
async fn what_was_durable_when_a_busy_board_was_deleted_is_there_when_it_is_restored() {
    let stage = Stage::start().await;
    let board = stage.board;
    let writers = (0..4_u64).map(|writer| {
        let scene = &stage.scene;
        async move {
            let mut client = scene.server.client("bob").await;
            let (mut accepted, mut seq) = (Vec::new(), 0);
            loop {
                seq += 1;
                let id = u128::from(1_000 * (writer + 1) + seq);
                client.submit(board, seq, vec![column(id)]).await;
                // Whoever is not on the board is told both: accepted, then durable or nothing.
                let told = client.wait_for(|message| match message {
                    ServerMessage::Outcome(outcome) => Some(Ok(outcome)),
                    ServerMessage::Error(error) => Some(Err(error)),
                    _ => None,
                });
                match told.await {
                    Ok(outcome) if outcome.result == OutcomeResult::Accepted => {
                        let version = outcome.version.expect("a version");
                        client.durable(board, version.0).await;
                        accepted.push(id);
                    }
                    Ok(outcome) => assert_ne!(outcome.result, OutcomeResult::Busy, "{outcome:?}"),
                    Err(error) => {
                        assert_eq!(error.code, ErrorCode::NoSuchBoard, "{error:?}");
                        return accepted;
                    }
                }
            }
        }
    });
    let deleting = async {
        let root = stage.scene.server.token_of_admin("root");
        let path = format!("/api/v1/boards/{board}");
        let count = async || {
            let board = stage.scene.bear("GET", &path, &root, None).await.json();
            board["columns"].as_array().map_or(0, Vec::len)
        };
        while count().await < 20 {}
        assert_eq!(stage.delete("ann").await, 204);
    };
    let (accepted, ()) = tokio::join!(join_all(writers), deleting);
    assert_eq!(stage.restore("ann").await, 204);
    let mut ann = stage.scene.server.client("ann").await;
    let columns = ann
        .subscribe(board, None)
        .await
        .view
        .expect("a snapshot")
        .columns;
    let accepted: Vec<u128> = accepted.into_iter().flatten().collect();
    assert!(accepted.len() >= 20, "{}", accepted.len());
    for id in &accepted {
        let id = boardcast_protocol::ids::ColumnId::from_u128(*id);
        assert!(columns.contains_key(&id), "{id} was durable");
    }
    assert_eq!(columns.len(), accepted.len(), "and nothing else came");
}

#[tokio::test]
async fn a_board_stays_in_the_bin_over_a_restart_and_comes_back_with_the_same_history() {
    let mut stage = Stage::start().await;
    let board = stage.board;
    stage.bob.submit(board, 1, vec![column(1)]).await;
    stage.bob.batch().await;
    let before = stage.ann.subscribe(board, None).await.subscribed;
    assert_eq!(stage.delete("ann").await, 204);
    let Stage {
        scene, ann, bob, ..
    } = stage;
    drop((ann, bob));
    let server = scene.server.restart().await;
    let (ann, bob) = (server.client("ann").await, server.client("bob").await);
    let mut stage = Stage {
        scene: Scene { server },
        ann,
        bob,
        board,
    };
    assert_eq!(stage.listed("ann", "boards").await, [0; 0]);
    assert_eq!(stage.listed("ann", "bin").await, [json!(board.as_str())]);
    assert_eq!(stage.restore("ann").await, 204);
    let after = stage.ann.subscribe(board, None).await.subscribed;
    assert_eq!((after.epoch, after.version), (before.epoch, before.version));
}

#[tokio::test]
async fn tokens_for_programs_need_the_scope_and_the_board() {
    let mut stage = Stage::start().await;
    let cookie = stage.scene.settle("cat").await;
    let mut cat = stage.scene.socket(&cookie).await;
    let (first, second) = (cat.create_board("One").await, cat.create_board("Two").await);
    let own = stage.ann.create_board("Another").await;
    let scene = &stage.scene;
    let write = scene.token_of(&cookie, "write", None).await;
    let admin = scene.token_of(&cookie, "admin", Some(&[first])).await;
    let ask = async |method: &str, path: String, token: &str| {
        let path = format!("/api/v1/{path}");
        scene.bear(method, &path, token, None).await
    };
    assert_eq!(
        ask("DELETE", format!("boards/{first}"), &write)
            .await
            .status,
        403
    );
    assert_eq!(ask("GET", "bin".to_owned(), &write).await.status, 403);
    for other in [second, own] {
        assert_eq!(
            ask("DELETE", format!("boards/{other}"), &admin)
                .await
                .status,
            404
        );
    }
    for board in [first, second] {
        let path = format!("/api/v1/boards/{board}");
        assert_eq!(scene.browse("DELETE", &path, &cookie).await.status, 204);
    }
    let bin = ask("GET", "bin".to_owned(), &admin).await.json();
    assert_eq!(bin["boards"].as_array().expect("a list").len(), 1, "{bin}");
    assert_eq!(bin["boards"][0]["id"], first.as_str());
    assert_eq!(
        ask("POST", format!("bin/{second}/restore"), &admin)
            .await
            .status,
        404
    );
    assert_eq!(
        ask("POST", format!("bin/{first}/restore"), &admin)
            .await
            .status,
        204
    );
}
