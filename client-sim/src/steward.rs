//! Makes and fills boards before clients come, over one connection that subscribes to nothing.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, bail};
use boardcast_protocol::PROTOCOL_VERSION;
use boardcast_protocol::board::Seen;
use boardcast_protocol::codec;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::limits::SUBMIT_COMMANDS_MAX;
use boardcast_protocol::message::{
    BoardCreate, ClientMessage, Hello, Outcome, OutcomeResult, ServerMessage, Submit,
};
use boardcast_protocol::position::Seq;
use futures::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::link::{ConnectError, Socket, Target};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of the commands of one submit; the server takes 512 KiB.
const SUBMIT_BYTES: usize = 256 * 1_024;

/// A connection that makes boards and fills them.
#[derive(Debug)]
pub struct Steward {
    socket: Box<Socket>,
    seqs: HashMap<BoardId, Seq>,
    req: u32,
}

impl Steward {
    /// Connects and says hello.
    ///
    /// # Errors
    /// The server is not there, refuses the token, or does not answer.
    pub async fn connect(target: &Target, token: &str, client: ClientId) -> anyhow::Result<Self> {
        let opening = timeout(PATIENCE, target.connect(token, None));
        let socket = match opening.await.context("the server does not answer")? {
            Ok(socket) => socket,
            Err(ConnectError::Refused(status)) => {
                bail!("the server refused the connection: {status}; is the token of this server?")
            }
            Err(ConnectError::Later(why, _)) => bail!("no connection to the server: {why}"),
        };
        let mut steward = Self {
            socket,
            seqs: HashMap::new(),
            req: 0,
        };
        let hello = Hello {
            v: PROTOCOL_VERSION,
            client,
            token: None,
            agent: Some("boardcast-sim".into()),
            boards: Vec::new(),
        };
        steward.send(&ClientMessage::Hello(hello)).await?;
        steward
            .wait(|message| matches!(message, ServerMessage::Welcome(_)).then_some(()))
            .await?;
        Ok(steward)
    }

    /// Makes a board.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn create(&mut self, title: &str) -> anyhow::Result<BoardId> {
        self.req += 1;
        let req = self.req;
        let title = title.to_owned();
        self.send(&ClientMessage::BoardCreate(BoardCreate { req, title }))
            .await?;
        self.wait(|message| {
            if let ServerMessage::BoardCreated(created) = message {
                return (created.req == req).then_some(created.board);
            }
            None
        })
        .await
    }

    /// Carries out commands, in lists as long as the server takes them.
    ///
    /// # Errors
    /// The server rejects a list.
    pub async fn apply(&mut self, board: BoardId, commands: &[Command]) -> anyhow::Result<()> {
        let mut list = Vec::new();
        let mut bytes = 0;
        for command in commands {
            let size = codec::encode(command).len();
            if list.len() == SUBMIT_COMMANDS_MAX || bytes + size > SUBMIT_BYTES {
                self.submit(board, std::mem::take(&mut list)).await?;
                bytes = 0;
            }
            bytes += size;
            list.push(command.clone());
        }
        if list.is_empty() {
            return Ok(());
        }
        self.submit(board, list).await
    }

    async fn submit(&mut self, board: BoardId, cmds: Vec<Command>) -> anyhow::Result<()> {
        let seq = self.seqs.entry(board).or_insert(Seq(0));
        *seq = Seq(seq.0 + 1);
        let seq = *seq;
        let message = ClientMessage::Submit(Submit {
            board,
            seq,
            cmds,
            seen: Seen::new(),
        });
        loop {
            self.send(&message).await?;
            let outcome = self.outcome(board, seq).await?;
            match outcome.result {
                OutcomeResult::Accepted | OutcomeResult::NoChange => return Ok(()),
                OutcomeResult::Busy | OutcomeResult::Unavailable => {
                    let pause = u64::from(outcome.retry_ms.unwrap_or(100));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                OutcomeResult::Rejected | OutcomeResult::Forgotten => bail!(
                    "the server rejects what fills board {board}: {:?}, {}",
                    outcome.reason,
                    outcome.hint.unwrap_or_default()
                ),
            }
        }
    }

    async fn outcome(&mut self, board: BoardId, seq: Seq) -> anyhow::Result<Outcome> {
        self.wait(|message| {
            if let ServerMessage::Outcome(outcome) = message {
                return (outcome.board == board && outcome.seq == seq).then_some(outcome);
            }
            None
        })
        .await
    }

    /// Closes the connection.
    pub async fn close(mut self) {
        // The boards stand already: how the connection ends changes nothing.
        let _ = timeout(Duration::from_secs(1), self.socket.close()).await;
    }

    async fn send(&mut self, message: &ClientMessage) -> anyhow::Result<()> {
        let text = Utf8Bytes::try_from(codec::encode(message))?;
        let sending = self.socket.send(Message::Text(text));
        timeout(PATIENCE, sending)
            .await
            .context("the server does not read")?
            .context("the connection was lost")
    }

    async fn wait<T>(&mut self, want: impl Fn(ServerMessage) -> Option<T>) -> anyhow::Result<T> {
        loop {
            let frame = timeout(PATIENCE, self.socket.next())
                .await
                .context("the server does not answer")?
                .context("the server closed the connection")??;
            let text = match &frame {
                Message::Text(text) => text.to_string(),
                Message::Close(close) => bail!("the server closed the connection: {close:?}"),
                Message::Binary(bytes) => {
                    let mut text = String::new();
                    let mut inflater = flate2::read::DeflateDecoder::new(&bytes[..]);
                    std::io::Read::read_to_string(&mut inflater, &mut text)?;
                    text
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            match codec::decode_server(&text)? {
                Some(ServerMessage::Error(error)) => {
                    bail!("the server answers {:?}: {}", error.code, error.hint)
                }
                Some(message) => {
                    if let Some(found) = want(message) {
                        return Ok(found);
                    }
                }
                None => {}
            }
        }
    }
}
