//! The settings in force, over HTTP.

use std::net::SocketAddr;

use boardcast_tests::http::ask;
use boardcast_tests::process::{Serving, run, stdout};
use serde_json::{Value, json};

#[tokio::test]
async fn the_settings_of_a_running_server_are_those_of_boardcast_config() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().to_str().expect("a path");
    let flags = ["--max-connections", "123", "--keep-days", "9"];
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Serving::start_with(dir.path(), free, &flags);
    let who = [
        "token",
        "--data-dir",
        path,
        "--user",
        "root",
        "--role",
        "admin",
    ];
    let bearer = format!("Bearer {}", stdout(&run(&who)).trim());
    let headers = [("Authorization", bearer.as_str())];
    let url = server.url("/api/v1/admin/settings");
    let answer = ask(&url, "GET", &headers, None).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let listen = free.to_string();
    let told = [
        "--listen",
        &listen,
        "--data-dir",
        path,
        "--return-window-ms",
        "200",
        "--json",
    ];
    let printed = stdout(&run(&[&["config"], &flags[..], &told[..]].concat()));
    let lines = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let expected: Vec<Value> = lines.collect();
    assert!(expected.len() > 40, "{printed}");
    assert_eq!(answer.json()["settings"], json!(expected));
    let limit = json!({"name": "max_connections", "value": 123, "from": "flag"});
    assert!(expected.contains(&limit));
}
