//! Brings the clients of a run onto their boards.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use boardcast_protocol::board::Role;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{ClientId, UserId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::args::{Common, Replicas};
use crate::chronicle::Chronicle;
use crate::client::{Churn, ClientConfig, ClientHandle, Pauses};
use crate::fault::Fault;
use crate::files;
use crate::fleet::Fleet;
use crate::ledger::Ledger;
use crate::replica::Keep;
use crate::token::Token;

/// Cards times clients up to which every client keeps a whole view: about 2 GB.
const VIEW_CARDS_MAX: usize = 2_000_000;
/// Whole views that are kept at least, where there are as many clients.
const VIEWS_MIN: usize = 20;
/// Longest wait until all clients are subscribed, beyond the time of the ramp.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client to be: on which board, with which token, how it behaves.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its board.
    pub chronicle: Arc<Chronicle>,
    /// Its token.
    pub token: Token,
    /// Whether it comes and goes.
    pub churn: Option<Churn>,
    /// Whether it stops reading again and again.
    pub slow: Option<Pauses>,
}

/// How many of the clients, counted from the first, keep a whole view, and what that is called.
pub fn views(
    replicas: Replicas,
    clients: usize,
    boards: usize,
    cards: usize,
) -> (usize, &'static str) {
    let all = match replicas {
        Replicas::All => true,
        Replicas::Sample => false,
        Replicas::Auto => clients.saturating_mul(cards) <= VIEW_CARDS_MAX,
    };
    if all {
        (clients, "all")
    } else {
        (boards.max(VIEWS_MIN).min(clients), "sample")
    }
}

/// Opens the ledger and finds the server; `at_once` connections to it are opened at one time.
///
/// # Errors
/// Either fails, or there are not enough files or ports for so many clients.
pub async fn fleet(common: &Common, clients: usize, at_once: usize) -> anyhow::Result<Arc<Fleet>> {
    files::make_room(clients)?;
    let target = common.basics.server.resolve(common.basics.codec).await;
    let target = target.context("failed to find the server")?;
    let target = target.from_sources(common.basics.source_addresses)?;
    files::ports(&target, clients)?;
    let ledger = match &common.basics.ledger {
        Some(path) => {
            let made = Ledger::create(path);
            Some(made.with_context(|| format!("failed to make {}", path.display()))?)
        }
        None => None,
    };
    Ok(Fleet::connecting(target, ledger, at_once))
}

/// The commands that make users members.
pub fn admit(users: impl IntoIterator<Item = UserId>, role: Role) -> Vec<Command> {
    let mut users: Vec<_> = users.into_iter().collect();
    users.sort_unstable();
    users.dedup();
    users
        .into_iter()
        .map(|user| Command::MemberAdd {
            user,
            name: None,
            role,
        })
        .collect()
}

/// Starts a client at each post, `common.ramp` a second, with the first `views` keeping a whole
/// view, and waits until all are live.
///
/// # Errors
/// A client is refused, or not all are live in time.
pub async fn muster(
    fleet: &Arc<Fleet>,
    common: &Common,
    posts: &[Post],
    views: usize,
) -> anyhow::Result<Vec<ClientHandle>> {
    let mut rng = StdRng::seed_from_u64(common.basics.seed ^ 0x00c1_1e47);
    let mut clients = Vec::with_capacity(posts.len());
    let begun = Instant::now();
    for (index, post) in posts.iter().enumerate() {
        let due = begun + Duration::from_secs_f64(index as f64 / f64::from(common.ramp));
        tokio::time::sleep_until(due).await;
        let client = ClientId::from_u128(rng.random());
        let fault = common.plant_fault.filter(|_| index == 0);
        let config = ClientConfig {
            client,
            token: Arc::clone(&post.token.text),
            keep: if index < views {
                Keep::View
            } else {
                Keep::Position
            },
            seed: rng.random(),
            churn: post.churn,
            slow: post.slow,
            fault: fault.map(|kind| Fault::new(kind, client)),
            source: fleet.target.source(index),
        };
        clients.push(ClientHandle::spawn(fleet, &post.chronicle, config));
    }
    let until = Instant::now() + PATIENCE;
    loop {
        // A client that comes and goes may be away again already: it counts once it has come.
        let here = |client: &&ClientHandle| client.is_live() || client.version().0 > 0;
        let live = clients.iter().filter(here).count();
        if live == clients.len() {
            return Ok(clients);
        }
        if clients.iter().any(ClientHandle::has_ended) || Instant::now() >= until {
            let failures = fleet.tally().failures.clone();
            bail!(
                "{live} of {} clients are subscribed: {failures:?}",
                clients.len()
            );
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
