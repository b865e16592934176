//! Conflicts are shown: a command with a stale revision overwrites nothing, and both values come.

use boardcast_protocol::board::Reason;
use boardcast_protocol::message::{Outcome, OutcomeResult};
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

/// Submits one command with the revisions that the person saw.
async fn submit(client: &mut TestClient, board: &Value, seq: u64, command: &Value, seen: &Value) {
    let message = json!({"type": "submit", "board": board, "seq": seq, "cmds": [command],
        "seen": seen});
    client.say(&message).await;
}

async fn told(
    client: &mut TestClient,
    board: &Value,
    seq: u64,
    command: &Value,
    seen: &Value,
) -> Outcome {
    submit(client, board, seq, command, seen).await;
    client.outcome().await
}

#[tokio::test]
async fn each_command_looks_at_the_revision_of_what_it_sets() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let board = json!(ann.create_board("Conflicts").await);
    let prepare = json!({"type": "submit", "board": board, "seq": 1, "cmds": [
        {"type": "column.create", "column": "todo", "title": "To do"},
        {"type": "column.create", "column": "done", "title": "Done"},
        {"type": "label.create", "label": "bug", "name": "bug"},
        {"type": "field.create", "field": "cost", "name": "Cost", "kind": "number"},
        {"type": "sprint.create", "sprint": "s1", "title": "Sprint"},
        {"type": "card.create", "card": "k0", "column": "todo", "title": "Other"},
        {"type": "card.create", "card": "k1", "column": "todo", "title": "One"},
    ]});
    ann.say(&prepare).await;
    assert_eq!(ann.outcome().await.result, OutcomeResult::Accepted);

    let set = |field: &str, value: Value| json!({"type": "card.set", "card": "k1", "set": {field: value}});
    let cases = [
        (
            "title",
            set("title", json!("Mine")),
            json!("Mine"),
            json!("One"),
        ),
        (
            "description",
            set("description", json!("Mine")),
            json!("Mine"),
            json!(""),
        ),
        (
            "priority",
            set("priority", json!("high")),
            json!("high"),
            Value::Null,
        ),
        ("start", set("start", json!(5)), json!(5), Value::Null),
        ("due", set("due", json!(6)), json!(6), Value::Null),
        (
            "complete",
            set("complete", json!(true)),
            json!(true),
            Value::Null,
        ),
        ("estimate", set("estimate", json!(3)), json!(3), Value::Null),
        (
            "parent",
            set("parent", json!("k0")),
            json!("k0"),
            Value::Null,
        ),
        (
            "sprint",
            set("sprint", json!("s1")),
            json!("s1"),
            Value::Null,
        ),
        (
            "cover",
            set("cover", json!("blue")),
            json!("blue"),
            Value::Null,
        ),
        (
            "archived",
            json!({"type": "card.archive", "card": "k1", "archived": true}),
            json!(true),
            Value::Null,
        ),
        (
            "labels",
            json!({"type": "card.label", "card": "k1", "label": "bug", "on": true}),
            json!(["bug"]),
            Value::Null,
        ),
        (
            "assignees",
            json!({"type": "card.assign", "card": "k1", "user": "ann", "on": true}),
            json!(["ann"]),
            Value::Null,
        ),
        (
            "blocked_by",
            json!({"type": "card.block", "card": "k1", "by": "k0", "on": true}),
            json!(["k0"]),
            Value::Null,
        ),
        (
            "fields",
            json!({"type": "card.field", "card": "k1", "field": "cost", "value": {"number": "1"}}),
            json!([{"id": "cost", "value": {"number": "1"}}]),
            Value::Null,
        ),
    ];
    let mut seq = 1;
    for (field, command, mine, theirs) in &cases {
        seq += 1;
        let outcome = told(&mut ann, &board, seq, command, &json!({*field: 99})).await;
        assert_eq!(outcome.result, OutcomeResult::Rejected, "{field}");
        assert_eq!(outcome.reason, Some(Reason::Conflict), "{field}");
        let conflict = json!(outcome.conflict.expect(field));
        assert_eq!(
            conflict,
            json!({"field": field, "mine": mine, "theirs": theirs})
        );
    }
    seq += 1;
    let to_done = json!({"type": "card.move", "card": "k1", "column": "done"});
    let outcome = told(&mut ann, &board, seq, &to_done, &json!({"place": 99})).await;
    let conflict = json!(outcome.conflict.expect("places"));
    assert_eq!(conflict["mine"]["column"], "done");
    assert_eq!(conflict["theirs"]["column"], "todo");

    // Nothing was overwritten, and a revision of another field is not looked at.
    for (field, command, ..) in &cases {
        seq += 1;
        let other = if *field == "title" { "due" } else { "title" };
        let seen = json!({*field: 0, other: 99});
        let outcome = told(&mut ann, &board, seq, command, &seen).await;
        assert_eq!(
            outcome.result,
            OutcomeResult::Accepted,
            "{field}: {outcome:?}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_conflict_is_told_again_after_a_reconnect_and_mine_may_win_by_the_present_revision() {
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let id = ann.create_board("Conflicts").await;
    let board = json!(id);
    let make = json!({"type": "submit", "board": board, "seq": 1, "cmds": [
        {"type": "column.create", "column": "todo", "title": "To do"},
        {"type": "card.create", "card": "k1", "column": "todo", "title": "One"},
    ]});
    ann.say(&make).await;
    assert_eq!(ann.outcome().await.result, OutcomeResult::Accepted);
    let title = |title: &str| json!({"type": "card.set", "card": "k1", "set": {"title": title}});
    let theirs = told(&mut ann, &board, 2, &title("Theirs"), &json!({"title": 0})).await;
    let now = theirs.version.expect("a version");

    let seen = json!({"title": 0});
    let mut both = Vec::new();
    both.push(told(&mut ann, &board, 3, &title("Mine"), &seen).await);
    let client = TestClient::connect(server.address(), Some(&server.token("ann"))).await;
    let mut again = client.as_client(ann.client_id());
    again.hello(None).await;
    both.push(told(&mut again, &board, 3, &title("Mine"), &seen).await);
    assert_eq!(both[0], both[1]);
    let conflict = json!(both[0].conflict.as_ref().expect("both values"));
    assert_eq!(
        conflict,
        json!({"field": "title", "mine": "Mine", "theirs": "Theirs"})
    );

    let mine = told(
        &mut again,
        &board,
        4,
        &title("Mine"),
        &json!({"title": now}),
    )
    .await;
    assert_eq!(mine.result, OutcomeResult::Accepted);
    let view = again.subscribe(id, None).await.view.expect("a snapshot");
    let card = view.cards.values().next().expect("the card");
    assert_eq!(card.title, "Mine");
    server.stop().await;
}
