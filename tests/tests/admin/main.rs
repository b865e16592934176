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
use serde_json::{Value, json};

/// What a server answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    media_type: String,
    allow: Option<String>,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// What a problem says that would be right.
    fn hint(&self) -> String {
        assert_eq!(self.media_type, "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().expect("a hint").to_owned()
    }
}

fn admin(server: &TestServer) -> String {
    let actor = Actor::new("root".parse().expect("an id"), true);
    let tokens = server.server().tokens();
    tokens
        .sign(actor, clock::now(), 3_600_000)
        .expect("a token")
}

/// Sends a request with these headers.
async fn ask(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(server.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).expect("a request");
    let asked = tokio::task::spawn_blocking(move || {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true);
        let agent: ureq::Agent = config.build().into();
        let mut answer = agent.run(request).expect("an answer");
        let header = |name| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().expect("a header").to_owned())
        };
        Answer {
            status: answer.status().as_u16(),
            media_type: header("content-type").unwrap_or_default(),
            allow: header("allow"),
            text: answer.body_mut().read_to_string().expect("a body"),
        }
    });
    asked.await.expect("an answer")
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
