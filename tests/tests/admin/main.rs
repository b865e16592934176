//! What administrators see and do: connections, statistics, metrics, `boardcast stats`.

mod access;
mod closing;
mod command;
mod connections;
mod metrics;
mod pages;
mod settings;
mod stats;

use std::time::Duration;

use boardcast::clock;
use boardcast_protocol::board::Actor;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::http::{self, Answer};
use serde_json::{Value, json};

fn admin(server: &TestServer) -> String {
    let actor = Actor::new("root".parse().expect("an id"), true);
    let tokens = server.server().tokens();
    tokens
        .sign(actor, clock::now(), 3_600_000)
        .expect("a token")
}

/// Sends a request with these headers.
async fn ask(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    http::ask(&server.url(path), method, headers, None).await
}

/// Gets something with an admin's token.
async fn get(server: &TestServer, path: &str) -> Value {
    let bearer = format!("Bearer {}", admin(server));
    let answer = ask(server, "GET", path, &[("Authorization", &bearer)]).await;
    assert_eq!(answer.status, 200, "{path} {answer:?}");
    answer.json()
}

/// Asks again and again until the answer is as wanted.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("what is wanted, in time")
}

/// A client that has said hello as this program.
async fn client_of(server: &TestServer, user: &str, agent: &str) -> TestClient {
    let mut client = TestClient::connect(server.address(), Some(&server.token(user))).await;
    let id = client.client_id();
    let hello = json!({"type": "hello", "v": 1, "client": id.as_str(), "agent": agent});
    client.say(&hello).await;
    client.next().await;
    client
}

/// Makes a column on a board that the client is subscribed to, and waits until it is on disk.
async fn add_column(client: &mut TestClient, board: BoardId, n: u64) {
    let command = json!([{"type": "column.create", "column": format!("c{n}"), "title": "x"}]);
    let commands: Vec<Command> = serde_json::from_value(command).expect("a command");
    client.submit(board, n, commands).await;
    client.durable(board, n).await;
}
