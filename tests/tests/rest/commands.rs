//! `POST /api/v1/boards/{board}/commands`.

use boardcast_protocol::position::Version;
use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{User, card};

#[tokio::test]
async fn a_hundred_cards_are_one_version_that_sockets_see_live() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut watching = server.client("ann").await;
    let id = board.rsplit('/').next().expect("an id");
    watching.subscribe(id.parse().expect("an id"), None).await;

    let cards: Vec<Value> = (0..100).map(|n| card(&format!("c{n}"))).collect();
    let done = ann.commands(&board, json!(cards)).await;
    assert_eq!(done.status, 200, "{done:?}");
    let answer = done.json();
    assert_eq!(answer["version"], 2);
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 100);
    assert_eq!(
        results[99],
        json!({"id": "c99", "outcome": "accepted", "version": 2})
    );

    let batch = watching.batch().await;
    assert_eq!((batch.from, batch.to()), (Version(1), Version(2)));
    assert_eq!(batch.v[0].by.as_str(), "ann");
    assert!(batch.v[0].ev.len() >= 100);
    let too_many: Vec<Value> = (0..101).map(|n| card(&format!("d{n}"))).collect();
    assert_eq!(
        ann.commands(&board, json!(too_many)).await.problem(),
        "invalid"
    );
    server.stop().await;
}

#[tokio::test]
async fn all_or_nothing_changes_nothing_where_one_does_not_fit() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let before = ann.get(&board).await.tag();
    let done = ann.commands(&board, json!([card("c1"), card("c1")])).await;
    assert_eq!(
        (done.status, done.problem().as_str()),
        (409, "duplicate-id")
    );
    let hint = done.json()["detail"].as_str().expect("a hint").to_owned();
    assert!(hint.starts_with("command 2 of 2"), "{hint}");
    assert_eq!(ann.get(&board).await.tag(), before);
    server.stop().await;
}

#[tokio::test]
async fn one_by_one_each_has_its_own_version_and_outcome() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let archive = json!({"type": "card.archive", "card": "c1", "archived": false});
    let body = json!({
        "mode": "each",
        "commands": [card("c1"), card("c1"), archive, card("c2")]
    });
    let done = ann.post(&format!("{board}/commands"), &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    let answer = done.json();
    let results = answer["results"].as_array().expect("results");
    let outcomes: Vec<_> = results.iter().map(|r| &r["outcome"]).collect();
    assert_eq!(outcomes, ["accepted", "rejected", "no_change", "accepted"]);
    let versions: Vec<_> = results.iter().map(|r| &r["version"]).collect();
    assert_eq!(versions, [&json!(2), &Value::Null, &Value::Null, &json!(3)]);
    assert_eq!(results[1]["reason"], "duplicate_id");
    assert_eq!(answer["version"], 3);
    server.stop().await;
}

#[tokio::test]
async fn the_server_makes_ids_that_are_left_to_it() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let card = json!({"type": "card.create", "column": "todo", "title": "No id"});
    let done = ann.commands(&board, json!([card, card])).await;
    let answer = done.json();
    let ids = [&answer["results"][0]["id"], &answer["results"][1]["id"]];
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let path = format!("{board}/cards/{}", id.as_str().expect("an id"));
        assert_eq!(ann.get(&path).await.json()["title"], "No id");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_command_is_refused_by_name() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut forged = card("c1");
    forged["owner_id"] = "eve".into();
    let mut nested = card("c1");
    nested["set"] = json!({"description": "x", "created": {"by": "eve"}});
    for (commands, named) in [
        (json!([]), "1 to 100"),
        (json!([{"type": "card.paint", "card": "c1"}]), "command 1"),
        (json!([forged]), "owner_id"),
        (json!([nested]), "created"),
        (
            json!([card("c0"), {"type": "card.create", "title": 1}]),
            "command 2",
        ),
    ] {
        let done = ann.commands(&board, commands).await;
        assert_eq!(done.status, 422, "{done:?}");
        let hint = done.json()["detail"].as_str().expect("a hint").to_owned();
        assert!(hint.contains(named), "{hint}");
    }
    assert_eq!(
        ann.get(&format!("{board}/cards")).await.json()["cards"],
        json!([])
    );
    server.stop().await;
}

#[tokio::test]
async fn r4_if_match_makes_a_list_only_onto_the_board_that_was_read() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let tag = ann.get(&board).await.tag();
    let path = format!("{board}/commands");
    let body = json!({"commands": [card("c1")]});
    let onto = [("if-match", tag.as_str())];
    assert_eq!(
        ann.send("POST", &path, &onto, Some(&body)).await.status,
        200
    );
    let body = json!({"commands": [card("c2")]});
    let stale = ann.send("POST", &path, &onto, Some(&body)).await;
    assert_eq!(
        (stale.status, stale.problem().as_str()),
        (412, "precondition-failed")
    );
    let problem = stale.json();
    assert_eq!(problem["mine"][0]["card"], "c2");
    assert_eq!(problem["theirs"]["title"], "Plans");
    assert_eq!(problem["theirs"]["etag"], ann.get(&board).await.tag());
    let each = json!({"commands": [card("c2")], "mode": "each"});
    assert_eq!(
        ann.send("POST", &path, &onto, Some(&each)).await.status,
        422
    );
    server.stop().await;
}

#[tokio::test]
async fn a_program_undoes_what_it_has_done_and_nothing_else() {
    let server = TestServer::start().await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let board = ann.board().await;
    let member = json!([{"type": "member.add", "user": "bob", "role": "editor"}]);
    assert_eq!(ann.commands(&board, member).await.status, 200);
    let made = ann.commands(&board, json!([card("c1")])).await;
    let undo = json!([{"type": "version.undo", "version": made.json()["version"]}]);
    let refused = bob.commands(&board, undo.clone()).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "forbidden")
    );

    let undone = ann.commands(&board, undo.clone()).await;
    assert_eq!(undone.status, 200, "{undone:?}");
    let cards = ann.get(&format!("{board}/cards")).await.json();
    assert_eq!(cards["cards"], json!([]));
    let redo = json!([{"type": "version.undo", "version": undone.json()["version"]}]);
    assert_eq!(ann.commands(&board, redo).await.status, 200);
    let title = json!([{"type": "card.set", "card": "c1", "set": {"title": "Bob's"}}]);
    assert_eq!(bob.commands(&board, title).await.status, 200);
    let refused = ann.commands(&board, undo).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "conflict")
    );
    server.stop().await;
}
