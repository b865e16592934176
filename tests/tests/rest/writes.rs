//! Single writes: each is a command, and sockets see it.

use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{User, card};

#[tokio::test]
async fn everything_of_a_board_is_made_changed_and_deleted() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let make = async |path: &str, body: Value| {
        let made = ann.post(&format!("{board}/{path}"), &body).await;
        assert_eq!(made.status, 201, "{path}: {made:?}");
        let receipt = made.json();
        assert_eq!(receipt["outcome"], "accepted");
        let place = made.header("location").expect("a place").to_owned();
        let last = place.rsplit('/').next().expect("an id");
        assert_eq!(receipt["id"], last);
        place
    };
    let done = make("columns", json!({"title": "Done", "done": true})).await;
    let column = done.rsplit('/').next().expect("an id").to_owned();
    let label = make("labels", json!({"name": "bug", "color": "red"})).await;
    let label_id = label.rsplit('/').next().expect("an id").to_owned();
    make("members", json!({"user": "bob", "role": "viewer"})).await;
    let new = json!({"column": "todo", "title": "Card", "description": "*x*", "due": 5,
        "priority": "high", "estimate": 3, "labels": [label_id], "assignees": ["bob"]});
    let card = make("cards", new).await;
    let id = card.rsplit('/').next().expect("an id").to_owned();
    let checklist = make(&format!("cards/{id}/checklists"), json!({"title": "Steps"})).await;
    let list = checklist.rsplit('/').next().expect("an id").to_owned();
    let items = format!("cards/{id}/checklists/{list}/items");
    let first = make(&items, json!({"text": "One"})).await;
    let first_id = first.rsplit('/').next().expect("an id").to_owned();
    let second = make(&items, json!({"text": "Two", "before": first_id})).await;
    let comment = make(&format!("cards/{id}/comments"), json!({"text": "Good"})).await;

    let patch = async |place: &str, body: Value| {
        let changed = ann.patch(place, &body).await;
        assert_eq!(changed.status, 200, "{place}: {changed:?}");
        assert_eq!(changed.json()["outcome"], "accepted");
    };
    patch(&board, json!({"title": "New", "background": "ocean"})).await;
    patch(
        &done,
        json!({"title": "Finished", "before": "todo", "wip": {"limit": 9, "kind": "soft"}}),
    )
    .await;
    patch(&label, json!({"name": "fault", "color": null})).await;
    patch(&format!("{board}/members/bob"), json!({"role": "editor"})).await;
    patch(
        &card,
        json!({"title": "Moved", "due": null, "column": column, "archived": true}),
    )
    .await;
    patch(&checklist, json!({"title": "Way"})).await;
    patch(
        &second,
        json!({"done": true, "assignee": "bob", "after": first_id}),
    )
    .await;
    patch(&comment, json!({"text": "Better"})).await;

    let read = ann.get(&card).await.json();
    assert_eq!(read["title"], "Moved");
    assert_eq!(
        (&read["due"], &read["archived"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(read["column"], json!(column));
    assert_eq!(
        (&read["description"], &read["priority"]),
        (&json!("*x*"), &json!("high"))
    );
    assert_eq!(read["comments"][0]["text"], "Better");
    let lists = ann.get(&format!("{card}/checklists")).await.json();
    assert_eq!(lists["checklists"][0]["title"], "Way");
    assert_eq!(
        lists["checklists"][0]["items"]
            .as_array()
            .expect("items")
            .len(),
        2
    );
    let columns = ann.get(&format!("{board}/columns")).await.json();
    assert_eq!(columns["columns"][0]["title"], "Finished");
    let labels = ann.get(&format!("{board}/labels")).await.json();
    assert_eq!(
        labels["labels"][0],
        json!({"id": label_id, "name": "fault"})
    );
    let members = ann.get(&format!("{board}/members")).await.json();
    assert_eq!(members["members"][1]["role"], "editor");

    for place in [
        format!("{card}/labels/{label_id}"),
        format!("{card}/assignees/bob"),
    ] {
        assert_eq!(ann.delete(&place).await.json()["outcome"], "accepted");
        assert_eq!(ann.delete(&place).await.json()["outcome"], "no_change");
        assert_eq!(
            ann.send("PUT", &place, &[], None).await.json()["outcome"],
            "accepted"
        );
    }
    let bob = format!("{board}/members/bob");
    let full = ann.delete(&done).await;
    assert_eq!((full.status, full.problem().as_str()), (409, "not-empty"));
    for place in [&comment, &first, &checklist, &label, &bob, &card, &done] {
        assert_eq!(ann.delete(place).await.status, 200, "{place}");
        assert_eq!(ann.delete(place).await.status, 404, "{place}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_written_is_seen_live_and_attributed() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    ann.add(&board, "bob", "editor").await;
    let mut watching = server.client("ann").await;
    let id = board.rsplit('/').next().expect("an id");
    watching.subscribe(id.parse().expect("an id"), None).await;
    let bob = User::of(&server, "bob");
    let new = json!({"column": "todo", "title": "Seen"});
    let made = bob.post(&format!("{board}/cards"), &new).await.json();
    let batch = watching.batch().await;
    assert_eq!(json!(batch.to()), made["version"]);
    let [entry] = batch.v.as_slice() else {
        panic!("one version")
    };
    assert_eq!(
        (entry.by.as_str(), entry.client, entry.seq),
        ("bob", None, None)
    );
    server.stop().await;
}

#[tokio::test]
async fn if_match_shows_both_values_where_somebody_was_faster() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    assert_eq!(ann.commands(&board, json!([card("c1")])).await.status, 200);
    let place = format!("{board}/cards/c1");
    let tag = ann.get(&place).await.tag();
    let onto = [("if-match", tag.as_str())];
    let first = ann
        .send("PATCH", &place, &onto, Some(&json!({"title": "First"})))
        .await;
    assert_eq!(first.status, 200, "{first:?}");
    let second = ann
        .send("PATCH", &place, &onto, Some(&json!({"title": "Second"})))
        .await;
    assert_eq!(
        (second.status, second.problem().as_str()),
        (412, "precondition-failed")
    );
    let problem = second.json();
    assert_eq!(problem["mine"][0]["set"]["title"], "Second");
    assert_eq!(problem["theirs"]["title"], "First");
    let etag = problem["theirs"]["etag"].as_str().expect("a tag");
    let onto = [("if-match", etag)];
    let second = ann
        .send("PATCH", &place, &onto, Some(&json!({"title": "Second"})))
        .await;
    assert_eq!(second.status, 200, "{second:?}");
    let none = [("if-match", "")];
    let empty = ann.send("DELETE", &place, &none, None).await;
    assert_eq!(
        (empty.status, empty.problem().as_str()),
        (400, "bad-request")
    );
    let any = [("if-match", "*")];
    let gone = ann
        .send("DELETE", &format!("{board}/cards/none"), &any, None)
        .await;
    assert_eq!(gone.status, 404);
    assert_eq!(ann.send("DELETE", &place, &any, None).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn r8_more_commands_a_second_than_a_user_may_send_are_429() {
    let server = TestServer::with(|config| {
        config.connections.limits.commands_per_s_per_user = 1;
    })
    .await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let cards: Vec<Value> = (0..98).map(|n| card(&format!("c{n}"))).collect();
    assert_eq!(ann.commands(&board, json!(cards)).await.status, 200);
    let refused = ann
        .commands(&board, json!([card("d"), card("e"), card("f")]))
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (429, "too-many-requests")
    );
    let wait: u64 = refused
        .header("retry-after")
        .expect("when")
        .parse()
        .expect("seconds");
    assert!((1..=100).contains(&wait));
    server.stop().await;
}
