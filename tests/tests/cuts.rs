//! Fifty clients edit one board while connections of half of them are cut again and again.

use std::collections::HashSet;

use boardcast_protocol::board::view_hash;
use boardcast_protocol::ids::BoardId;
use boardcast_sim::run::run;
use boardcast_tests::fixture::run_args;
use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

const CLIENTS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_fifty_clients_agree_after_cuts_of_their_connections() {
    let server = TestServer::start().await;
    let users: Vec<_> = (1..=10).map(|n| format!("sim-{n}")).collect();
    let tokens: Vec<_> = users.iter().map(|user| server.token(user)).collect();
    let file = server.data_dir().join("tokens");
    std::fs::write(&file, tokens.join("\n")).expect("a token file");

    let flags = format!(
        "--clients {CLIENTS} --rate 80 --duration 6s --churn 0.5 --cards 60 --settle 60s --seed 7"
    );
    let args = run_args(&server, &flags, file.to_str().expect("a path"));
    let report = Box::pin(run(&args)).await.expect("a run");
    let text = report.json().expect("a report");
    assert!(report.is_clean(), "{text}");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["settled"], json!(true), "{text}");
    assert_eq!(report["violations"]["total"], json!(0), "{text}");

    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64);
    let resumed = number("/connections/resumed_with_events");
    assert!(resumed > Some(0), "somebody came back: {text}");
    assert!(number("/deliveries/resumed") > Some(0), "to news: {text}");
    assert!(number("/commands/sent") > Some(0), "{text}");
    assert_eq!(number("/commands/unanswered"), Some(0), "{text}");
    assert_eq!(
        number("/deliveries/received"),
        number("/deliveries/expected")
    );

    // Each of the fifty kept a whole view of its own, and each was compared with this one.
    let end = &report["ends"][0];
    assert_eq!(end["replicas"], json!(CLIENTS), "{text}");
    let board: BoardId = serde_json::from_value(end["board"].clone()).expect("a board");
    let mut witness = server.client("sim-1").await;
    let joined = witness.subscribe(board, None).await;
    assert_eq!(json!(joined.subscribed.version), end["version"]);
    let view = joined.view.expect("a snapshot");
    assert_eq!(json!(view_hash(&view)), end["hash"]);
    let members: HashSet<_> = view.members.keys().map(|user| user.to_string()).collect();
    assert_eq!(members, users.into_iter().collect());
    server.stop().await;
}
