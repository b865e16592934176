//! Who may do what: the table of rights over HTTP and WebSockets, invitations, public links.

mod audit;
mod bin;
mod endpoints;
mod invitations;
mod links;
mod members;
mod noted;
mod page;
mod table;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{BoardId, ColumnId};
use boardcast_protocol::message::{Outcome, OutcomeResult};
use boardcast_tests::client::TestClient;
use boardcast_tests::http::Answer;
use boardcast_tests::scene::Scene;
use serde_json::Value;

/// A command that an editor may send.
fn column(number: u128) -> Command {
    Command::ColumnCreate {
        column: ColumnId::from_u128(number),
        title: "To do".to_owned(),
        wip: None,
        done: false,
        place: Place::default(),
    }
}

fn member(user: &str, role: Role) -> Command {
    Command::MemberAdd {
        user: user.parse().expect("an id"),
        name: None,
        role,
    }
}

/// Submits one command and waits for what becomes of it.
async fn tell(client: &mut TestClient, board: BoardId, seq: u64, command: Command) -> Outcome {
    client.submit(board, seq, vec![command]).await;
    client.outcome().await
}

/// Puts a member on a board, by a client that does not subscribe to it.
async fn add(client: &mut TestClient, board: BoardId, seq: u64, user: &str, role: Role) {
    let outcome = tell(client, board, seq, member(user, role)).await;
    assert_eq!(outcome.result, OutcomeResult::Accepted, "{outcome:?}");
}

/// A text of an answer.
fn text(answer: &Answer, field: &str) -> String {
    let found = answer.json()[field].as_str().map(str::to_owned);
    found.unwrap_or_else(|| panic!("no {field}: {answer:?}"))
}

/// Asks as a page of the server, with a body.
async fn send(scene: &Scene, (method, path): (&str, &str), cookie: &str, body: &Value) -> Answer {
    let headers = [("Cookie", cookie), ("Origin", &scene.origin())];
    scene.ask(method, path, &headers, Some(body)).await
}
