//! Somebody who works beside the fleet and looks at each answer.

use anyhow::Context;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{Mode, OutcomeResult, ServerMessage};
use serde_json::json;

use super::site::Site;
use crate::client::TestClient;

/// Two people on a board of their own, beside the fleet.
#[derive(Debug)]
pub struct Witness {
    author: TestClient,
    watcher: TestClient,
    board: BoardId,
    token: String,
    seq: u64,
}

impl Witness {
    /// Makes the board.
    ///
    /// # Errors
    /// There are no tokens.
    pub async fn new(site: &Site) -> anyhow::Result<Self> {
        let tokens = std::fs::read_to_string(site.tokens()?)?;
        let token = tokens.lines().next().context("no token")?.to_owned();
        let mut author = client(site, &token).await;
        let board = author.create_board("Witness").await;
        author.subscribe(board, None).await;
        let mut watcher = client(site, &token).await;
        watcher.subscribe(board, None).await;
        Ok(Self {
            author,
            watcher,
            board,
            token,
            seq: 1,
        })
    }

    /// Sends the present command, and what became of it: an echo counts as accepted.
    pub async fn submit(&mut self) -> OutcomeResult {
        let command = Command::ColumnCreate {
            column: format!("column{}", self.seq).parse().expect("an id"),
            title: "A column".to_owned(),
            wip: None,
            done: false,
            place: Default::default(),
        };
        self.author
            .submit(self.board, self.seq, vec![command])
            .await;
        let (own, seq) = (self.author.client_id(), self.seq);
        self.author
            .wait_for(|message| match message {
                ServerMessage::Outcome(outcome) if outcome.seq.0 == seq => Some(outcome.result),
                ServerMessage::Batch(batch) => {
                    let mut entries = batch.v.iter();
                    entries
                        .any(|entry| entry.client == Some(own))
                        .then_some(OutcomeResult::Accepted)
                }
                _ => None,
            })
            .await
    }

    /// Waits until the present command is durable; the next one is another.
    pub async fn saved(&mut self) {
        self.author.durable(self.board, self.seq).await;
        self.seq += 1;
    }

    /// Somebody new gets the board; the watcher learns where the author is.
    pub async fn reads_go_on(&mut self, site: &Site) {
        let mut visitor = client(site, &self.token).await;
        let joined = visitor.subscribe(self.board, None).await;
        assert_eq!(joined.subscribed.mode, Mode::Snapshot);
        assert_eq!(joined.subscribed.version.0, self.seq - 1);
        let doing = ["typing", "dragging"][(self.seq % 2) as usize];
        let at = json!({"doing": doing});
        self.author
            .say(&json!({"type": "presence", "board": self.board, "at": at}))
            .await;
        self.watcher
            .wait_for(|message| match message {
                ServerMessage::Presence(presence) => {
                    json!(presence).to_string().contains(doing).then_some(())
                }
                _ => None,
            })
            .await;
    }
}

async fn client(site: &Site, token: &str) -> TestClient {
    let mut client = TestClient::connect(site.address(), Some(token)).await;
    client.hello(None).await;
    client
}
