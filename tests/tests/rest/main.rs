//! Boards over HTTP: reads from the room, writes that sockets see live, lists of commands.

mod access;
mod answers;
mod commands;
mod events;
mod imports;
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
use boardcast_tests::http::{Answer, ask};
use serde_json::{Value, json};

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
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        ask(&format!("{}{path}", self.base), method, &all, body).await
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
