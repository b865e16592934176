//! `GET /api/v1/admin/connections`.

use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{admin, ask, client_of, get, until};

const LIST: &str = "/api/v1/admin/connections";

/// The numbers of the connections of a page, and how many fit the query.
async fn ids(server: &TestServer, query: &str) -> (Vec<u64>, u64) {
    let page = get(server, &format!("{LIST}?{query}")).await;
    let entries = page["connections"].as_array().expect("a list");
    let ids = entries.iter().map(|entry| entry["id"].as_u64());
    let total = page["total"].as_u64().expect("a count");
    (ids.map(|id| id.expect("a number")).collect(), total)
}

#[tokio::test]
async fn each_connection_is_told_with_what_goes_over_it() {
    let server = TestServer::with(|config| {
        config.connections.heartbeat.ping_every_ms = 50;
        config.connections.heartbeat.sweep_every_ms = 10;
    })
    .await;
    let before = boardcast::clock::now().0;
    let mut ann = client_of(&server, "ann", &format!("example/0.1{}", "x".repeat(100))).await;
    let client = ann.client_id();
    let board = ann.create_board("Plan").await;
    ann.subscribe(board, None).await;
    let _silent = TestClient::connect(server.address(), None).await;
    // It answers pings from now on.
    tokio::spawn(async move { ann.closed().await });

    let page = until(async || {
        let page = get(&server, LIST).await;
        page["connections"][0]["round_trip_us"].as_u64()?;
        (page["total"] == 2).then_some(page)
    })
    .await;
    let [first, second] = [0, 1].map(|n| &page["connections"][n]);
    assert_eq!(first["id"], 1);
    assert_eq!(first["user"], "ann");
    assert_eq!(first["client"], client.as_str());
    let agent = first["agent"].as_str().expect("an agent");
    assert!(agent.starts_with("example/0.1xxx") && agent.len() == 64);
    assert_eq!(first["boards"], json!([board]));
    assert_eq!(first["codec"], "json");
    let address = first["address"].as_str().expect("an address");
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let number = |value: &Value| value.as_u64().expect("a number");
    let (since, active) = (number(&first["since"]), number(&first["active"]));
    assert!(before <= since && since <= active);
    assert!(number(&first["ends"]) > since + 3_000_000, "an hour");
    // hello, board.create, subscribe; welcome, board.created, subscribed, snapshot, presence.
    assert_eq!(number(&first["received"]["messages"]), 3);
    assert!(number(&first["received"]["bytes"]) > 150);
    assert!(number(&first["sent"]["messages"]) >= 5);
    assert!(number(&first["sent"]["bytes"]) > 500);
    assert_eq!(first["limits_hit"], 0);

    for absent in ["user", "client", "agent", "round_trip_us"] {
        if absent != "round_trip_us" {
            assert_eq!(second[absent], Value::Null, "{absent}");
        }
    }
    assert_eq!(second["boards"], json!([]));
    assert_eq!(second["received"], json!({"bytes": 0, "messages": 0}));
    assert_eq!(second["since"], second["active"]);
    let hello_within = number(&second["ends"]) - number(&second["since"]);
    assert!((9_900..=10_000).contains(&hello_within), "{hello_within}");
}

#[tokio::test]
async fn connections_are_searched_sorted_and_paged() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for user in ["bob", "ann", "cid", "ann"] {
        clients.push(client_of(&server, user, "t/1").await);
    }
    let plan = clients[0].create_board("Plan").await;
    clients[0].subscribe(plan, None).await;
    let ideas = clients[2].create_board("Ideas").await;
    clients[2].subscribe(ideas, None).await;

    for (query, wanted, total) in [
        ("", vec![1, 2, 3, 4], 4),
        ("user=ann", vec![2, 4], 2),
        ("user=eve", vec![], 0),
        (&format!("board={plan}"), vec![1], 1),
        (&format!("board={ideas}&user=ann"), vec![], 0),
        ("board=nothing", vec![], 0),
        ("address=127.0.0.1", vec![1, 2, 3, 4], 4),
        ("address=::ffff:127.0.0.1", vec![1, 2, 3, 4], 4),
        ("address=127.0.0.2", vec![], 0),
        ("sort=-id", vec![4, 3, 2, 1], 4),
        ("sort=user", vec![2, 4, 1, 3], 4),
        ("sort=-user", vec![3, 1, 2, 4], 4),
        ("sort=user&limit=2", vec![2, 4], 4),
        ("sort=user&limit=2&offset=2", vec![1, 3], 4),
        ("offset=4", vec![], 4),
        ("offset=3&limit=200", vec![4], 4),
    ] {
        assert_eq!(ids(&server, query).await, (wanted, total), "{query}");
    }
    // Who has subscribed has got more than who has not.
    let (by_sent, _) = ids(&server, "sort=-sent").await;
    assert!(by_sent[..2].contains(&1) && by_sent[..2].contains(&3));
    for sort in [
        "active",
        "round_trip",
        "queue",
        "received",
        "limits",
        "address",
    ] {
        assert_eq!(ids(&server, &format!("sort=-{sort}")).await.1, 4, "{sort}");
    }

    let leave = json!({"type": "unsubscribe", "req": 9, "board": plan});
    clients[0].say(&leave).await;
    until(async || {
        let found = ids(&server, &format!("board={plan}")).await;
        found.0.is_empty().then_some(())
    })
    .await;
    drop(clients.remove(3));
    until(async || (ids(&server, "user=ann").await.0 == [2]).then_some(())).await;
}

#[tokio::test]
async fn a_wrong_query_is_told_what_would_be_right() {
    let server = TestServer::start().await;
    let admin = format!("Bearer {}", admin(&server));
    for (query, hint) in [
        ("limit=0", "`limit` is 1 to 200"),
        ("limit=201", "get further pages with `offset`"),
        ("limit=x", "known are `user`"),
        ("offset=-1", "known are `user`"),
        ("sort=size", "`sort` is one of id, user, address"),
        ("usr=ann", "unknown field `usr`"),
        ("address=nowhere", "invalid IP address"),
        ("user=a%20b", "A-Z a-z"),
    ] {
        let path = format!("{LIST}?{query}");
        let answer = ask(&server, "GET", &path, &[("Authorization", &admin)]).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.hint().contains(hint), "{query}: {}", answer.hint());
    }
}

#[tokio::test]
async fn limits_that_a_client_hits_are_counted() {
    let server = TestServer::with(|config| {
        config.connections.session.boards_max = 1;
        config.connections.session.messages_burst = 5;
        config.connections.session.messages_per_s = 1;
    })
    .await;
    let mut ann = client_of(&server, "ann", "t/1").await;
    let board = ann.create_board("Plan").await;
    ann.subscribe(board, None).await;
    ann.say(&json!({"type": "subscribe", "req": 3, "board": "other"}))
        .await;
    let refused = ann.error().await;
    assert_eq!(json!(refused.code), "limit");
    for _ in 0..6 {
        ann.say(&json!({"type": "boards.list", "req": 4})).await;
    }
    let refused = ann.error().await;
    assert_eq!(json!(refused.code), "busy");
    until(async || {
        let page = get(&server, LIST).await;
        let hit = page["connections"][0]["limits_hit"].as_u64()?;
        (hit >= 4).then_some(())
    })
    .await;
    let stats = get(&server, "/api/v1/admin/stats").await;
    assert!(stats["connections"]["limits_hit"].as_u64() >= Some(4));
}
