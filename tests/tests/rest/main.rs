//! Boards over HTTP: reads from the room, writes that sockets see live, lists of commands.

mod access;
mod answers;
mod commands;
mod events;
mod keys;
mod openapi;
mod reads;
mod scripts;
mod search;
mod table;
#[path = "../schema/validator.rs"]
mod validator;
mod writes;

use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

/// What a server answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn tag(&self) -> String {
        self.header("etag").expect("a tag").to_owned()
    }

    /// The name of a problem, which has a hint as well.
    fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(!problem["detail"].as_str().expect("a hint").is_empty());
        let name = problem["type"].as_str().expect("a type");
        name.strip_prefix("/api/#").expect("a place").to_owned()
    }
}

/// A user of a server, over HTTP.
#[derive(Clone, Debug)]
struct User {
    base: String,
    token: String,
}

impl User {
    fn of(server: &TestServer, name: &str) -> Self {
        Self {
            base: server.url(""),
            token: server.token(name),
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(Value::to_string);
        let request = match &body {
            Some(_) => request.header("content-type", "application/json"),
            None => request,
        };
        let request = request.body(body.unwrap_or_default()).expect("a request");
        let asked = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .allow_non_standard_methods(true);
            let agent: ureq::Agent = config.build().into();
            let mut answer = agent.run(request).expect("an answer");
            let headers = answer.headers().iter();
            let headers = headers.map(|(name, value)| {
                let value = value.to_str().expect("a header").to_owned();
                (name.as_str().to_owned(), value)
            });
            Answer {
                status: answer.status().as_u16(),
                headers: headers.collect(),
                text: answer.body_mut().read_to_string().expect("a body"),
            }
        });
        asked.await.expect("an answer")
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], Some(body)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, &[], Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None).await
    }

    /// Makes a board with a column `todo`; its path.
    async fn board(&self) -> String {
        let made = self
            .post("/api/v1/boards", &json!({"title": "Plans"}))
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let board = made.header("location").expect("a place").to_owned();
        let column = json!({"id": "todo", "title": "To do"});
        let made = self.post(&format!("{board}/columns"), &column).await;
        assert_eq!(made.status, 201, "{made:?}");
        board
    }

    /// Sends commands, all or nothing.
    async fn commands(&self, board: &str, commands: Value) -> Answer {
        let body = json!({"commands": commands});
        self.post(&format!("{board}/commands"), &body).await
    }

    async fn add(&self, board: &str, user: &str, role: &str) {
        let body = json!({"user": user, "role": role});
        let added = self.post(&format!("{board}/members"), &body).await;
        assert_eq!(added.status, 201, "{added:?}");
    }
}

fn card(id: &str) -> Value {
    json!({"type": "card.create", "card": id, "column": "todo", "title": id})
}
