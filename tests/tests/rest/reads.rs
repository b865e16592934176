//! Reads come from the room: tags, pages, filters, and no statement for a hot board.

use boardcast_protocol::board::{View, view_hash};
use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{User, card};

#[tokio::test]
async fn a_board_is_its_view_and_its_tag_is_its_position() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    assert_eq!(ann.commands(&board, json!([card("c1")])).await.status, 200);
    let read = ann.get(&board).await;
    let view: View = serde_json::from_str(read.text()).expect("a view");
    let mut client = server.client("ann").await;
    let joined = client.subscribe(view.id, None).await;
    let seen = joined.view.expect("a snapshot");
    assert_eq!(view_hash(&view), view_hash(&seen));
    let (epoch, version) = (joined.subscribed.epoch, joined.subscribed.version);
    assert_eq!(read.tag(), format!("\"{epoch}:{version}\""));

    let known = [("if-none-match", &*read.tag())];
    let again = ann.send("GET", &board, &known, None).await;
    assert_eq!((again.status, again.text()), (304, ""));
    assert_eq!(again.tag(), read.tag());
    for path in [
        "columns",
        "cards",
        "labels",
        "members",
        "cards/c1",
        "columns/todo",
    ] {
        let path = format!("{board}/{path}");
        let tag = ann.get(&path).await.tag();
        for known in [tag.clone(), format!("\"x\", W/{tag}")] {
            let answer = ann
                .send("GET", &path, &[("if-none-match", &known)], None)
                .await;
            assert_eq!(answer.status, 304, "{path}");
        }
    }
    assert_eq!(ann.commands(&board, json!([card("c2")])).await.status, 200);
    let newer = ann.send("GET", &board, &known, None).await;
    assert_eq!(newer.status, 200);
    assert_ne!(newer.tag(), read.tag());
    server.stop().await;
}

#[tokio::test]
async fn reads_of_a_hot_board_ask_the_disk_nothing() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    assert_eq!(ann.commands(&board, json!([card("c1")])).await.status, 200);
    let storage = &server.server().services().storage;
    let reads = || storage.observed().read_us.read().count();
    let before = reads();
    for _ in 0..10 {
        for path in [
            "",
            "/columns",
            "/cards",
            "/cards/c1",
            "/cards/c1/comments",
            "/labels",
        ] {
            assert_eq!(ann.get(&format!("{board}{path}")).await.status, 200);
        }
    }
    assert_eq!(reads() - before, 0);
    assert_eq!(
        server.server().services().rooms.stats().views_encoded.get(),
        1
    );
    server.stop().await;
}

#[tokio::test]
async fn a_cold_board_is_one_read_however_much_it_holds() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let mut boards = Vec::new();
    for cards in [1, 100] {
        let board = ann.board().await;
        let cards: Vec<Value> = (0..cards).map(|n| card(&format!("c{n}"))).collect();
        assert_eq!(ann.commands(&board, json!(cards)).await.status, 200);
        boards.push(board);
    }
    let server = server.restart().await;
    let ann = User::of(&server, "ann");
    let storage = &server.server().services().storage;
    for board in boards {
        for path in ["/cards", "", "/cards/c0"] {
            let cold = path == "/cards";
            let before = storage.observed().read_us.read().count();
            assert_eq!(ann.get(&format!("{board}{path}")).await.status, 200);
            let count = storage.observed().read_us.read().count() - before;
            assert_eq!(count, u64::from(cold), "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn cards_are_filtered_and_come_a_page_at_a_time() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut list = vec![
        json!({"type": "column.create", "column": "done", "title": "Done"}),
        json!({"type": "label.create", "label": "bug", "name": "Bug"}),
    ];
    for n in 0..50 {
        let column = if n % 2 == 0 { "todo" } else { "done" };
        // The last one is placed first: the order of a column is not that of the ids.
        let mut card = json!({"type": "card.create", "card": format!("c{n:02}"), "column": column,
            "title": "x", "place": {"before": format!("c{:02}", if n < 2 { 0 } else { n - 2 })}});
        if n % 5 == 0 {
            card["labels"] = json!(["bug"]);
        }
        if n % 10 == 0 {
            card["assignees"] = json!(["ann"]);
        }
        list.push(card);
    }
    list.push(json!({"type": "card.archive", "card": "c00", "archived": true}));
    assert_eq!(ann.commands(&board, json!(list)).await.status, 200);

    let ids = async |query: &str| {
        let (mut ids, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = ann
                .get(&format!("{board}/cards?limit=7{query}{cursor}"))
                .await
                .json();
            let cards = page["cards"].as_array().expect("cards").clone();
            assert!(cards.len() <= 7);
            ids.extend(
                cards
                    .iter()
                    .map(|c| c["id"].as_str().expect("an id").to_owned()),
            );
            pages += 1;
            let Some(next) = page["next"].as_str() else {
                return (ids, pages);
            };
            cursor = format!("&cursor={next}");
        }
    };
    let all: Vec<String> = (0..50).map(|n| format!("c{n:02}")).collect();
    assert_eq!(ids("").await, (all.clone(), 8));
    let mut todo: Vec<String> = all.iter().step_by(2).cloned().collect();
    todo.reverse();
    assert_eq!(ids("&column=todo").await, (todo, 4));
    assert_eq!(ids("&label=bug").await.0.len(), 10);
    assert_eq!(ids("&assignee=ann&column=todo").await.0.len(), 5);
    assert_eq!(ids("&archived=true").await.0, ["c00"]);
    assert_eq!(ids("&archived=false&label=bug").await.0.len(), 9);
    assert_eq!(ids("&column=none").await.0.len(), 0);
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=%2f",
        "colour=red",
        "label=a%20b",
    ] {
        let answer = ann.get(&format!("{board}/cards?{query}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad-request"),
            "{query}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn boards_columns_and_activity_come_a_page_at_a_time() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(ann.board().await);
    }
    made.sort();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ann
            .get(&format!("/api/v1/boards?limit=2{cursor}"))
            .await
            .json();
        for entry in page["boards"].as_array().expect("boards") {
            assert_eq!(
                (&entry["title"], &entry["role"]),
                (&json!("Plans"), &json!("admin"))
            );
            found.push(format!(
                "/api/v1/boards/{}",
                entry["id"].as_str().expect("an id")
            ));
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, made);

    let board = &made[0];
    for (id, before) in [("a", "todo"), ("b", "a"), ("c", "b")] {
        let new = json!({"id": id, "title": id, "before": before});
        assert_eq!(
            ann.post(&format!("{board}/columns"), &new).await.status,
            201
        );
    }
    let first = ann.get(&format!("{board}/columns?limit=3")).await.json();
    let ids: Vec<_> = (0..3).map(|n| first["columns"][n]["id"].clone()).collect();
    assert_eq!(ids, ["c", "b", "a"]);
    let next = first["next"].as_str().expect("a cursor");
    let second = ann
        .get(&format!("{board}/columns?cursor={next}"))
        .await
        .json();
    assert_eq!(second["columns"][0]["id"], "todo");
    assert_eq!(second["next"], Value::Null);

    let newest = ann.get(&format!("{board}/activity?limit=3")).await.json();
    let versions: Vec<_> = (0..3).map(|n| newest["activity"][n]["n"].clone()).collect();
    assert_eq!(versions, [4, 3, 2]);
    let oldest = ann
        .get(&format!("{board}/activity?cursor={}", newest["next"]))
        .await
        .json();
    assert_eq!(oldest["activity"][0]["n"], 1);
    assert_eq!(oldest["next"], Value::Null);
    server.stop().await;
}
