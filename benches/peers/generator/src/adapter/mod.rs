//! One adapter for each protocol: how to join, publish and stay alive.
//!
//! Deliveries need no adapter: the generator finds the markers by itself, however many operations
//! a server puts into a frame.

pub(crate) mod boardcast;
mod floor;
mod hocuspocus;
mod json;
mod mqtt;
mod nats;
mod socketio;

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use crate::args::RunArgs;
use crate::marker::Op;
use crate::ws::Out;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Boardcast,
    Floor,
    Hocuspocus,
    Json,
    Mqtt,
    Nats,
    Socketio,
}

/// What an adapter knows of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// Its number among those that load the server; none for one that only opens boards.
    pub(crate) number: Option<usize>,
    /// The boards that it joins: one, unless it only opens boards.
    pub(crate) boards: Range<u32>,
    /// How far joining has come, as the adapter counts.
    pub(crate) stage: u32,
    /// Operations that it has published.
    pub(crate) sent: u64,
}

impl Seat {
    /// The first of its boards.
    pub(crate) fn board(&self) -> u32 {
        self.boards.start
    }
}

/// The request that turns a connection into a WebSocket.
#[derive(Debug, Default)]
pub(crate) struct Upgrade {
    pub(crate) path: String,
    pub(crate) subprotocol: Option<&'static str>,
    pub(crate) bearer: Option<String>,
}

impl Upgrade {
    fn at(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }
}

/// What a message without operations says about the connection's own ones.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Nothing.
    Other,
    /// An operation was turned away, or deliveries were passed over.
    Refused(String),
}

pub(crate) trait Adapter {
    /// None where frames begin at once, without HTTP.
    fn upgrade(&self, seat: &Seat) -> Option<Upgrade>;

    /// Says what comes first on an open connection.
    fn open(&self, _seat: &Seat, _out: &mut Out) {}

    /// Takes a message before the connection is ready. Whether it is now.
    ///
    /// # Errors
    /// The server does not let it in.
    fn join(&self, seat: &mut Seat, message: &[u8], out: &mut Out) -> anyhow::Result<bool>;

    /// Publishes one operation.
    fn publish(&self, seat: &Seat, op: &Op, out: &mut Out);

    /// Takes a message that holds no operation: keep-alives, answers.
    fn control(&self, _message: &[u8], _out: &mut Out) -> Control {
        Control::Other
    }

    /// Whether a message is `control`'s although it may hold markers.
    fn is_control(&self, _message: &[u8]) -> bool {
        false
    }

    /// Whether frames cut a stream of bytes anywhere, markers included.
    fn is_stream(&self) -> bool {
        false
    }

    /// How to learn what is durable, where the server says so.
    fn durability(&self) -> Option<&dyn Durability> {
        None
    }

    /// Boards that one connection can open, where boards live on without subscribers and there
    /// are credentials for it.
    fn boards_of_an_opener(&self) -> Option<u32> {
        None
    }
}

/// Reads what a server says about the disk.
pub(crate) trait Durability {
    /// The version that the operation became whose marker stands at `at`.
    fn version_at(&self, message: &[u8], at: usize) -> Option<u64>;

    /// The version up to which the board is durable, where the message says it.
    fn durable(&self, message: &[u8]) -> Option<u64>;
}

/// The adapter for the server that `args` name.
///
/// # Errors
/// The token file is missing or cannot be read.
pub(crate) fn adapter(args: &RunArgs) -> anyhow::Result<Box<dyn Adapter>> {
    Ok(match args.protocol {
        Protocol::Boardcast => {
            let users = tokens(
                args.token_file
                    .as_deref()
                    .context("--token-file is needed")?,
            )?;
            let openers = args.opener_token_file.as_deref().map(tokens).transpose()?;
            let boards = args.loads.iter().map(|load| load.boards).sum();
            Box::new(boardcast::Boardcast::new(
                users,
                openers.unwrap_or_default(),
                boards,
            ))
        }
        Protocol::Floor => Box::new(floor::Floor),
        Protocol::Hocuspocus => Box::new(hocuspocus::Hocuspocus),
        Protocol::Json => Box::new(json::Json),
        Protocol::Mqtt => Box::new(mqtt::Mqtt),
        Protocol::Nats => Box::new(nats::Nats),
        Protocol::Socketio => Box::new(socketio::Socketio),
    })
}

/// The tokens in a file, at least one.
fn tokens(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("failed to read {}", file.display()))?;
    let tokens: Vec<String> = text.lines().map(str::to_owned).collect();
    ensure!(!tokens.is_empty(), "{} holds no token", file.display());
    Ok(tokens)
}

fn contains(bytes: &[u8], part: &str) -> bool {
    memchr::memmem::find(bytes, part.as_bytes()).is_some()
}
