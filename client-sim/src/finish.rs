//! The end of a run: everything answered, everybody at one version, all replicas equal.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use boardcast_protocol::board::{View, view_hash};
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Epoch, Position, Version};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use tokio::time::Instant;

use crate::chronicle::Chronicle;
use crate::client::{ClientConfig, ClientHandle};
use crate::fleet::Fleet;
use crate::replica::{Keep, Replica};
use crate::violation::Violation;

/// Time between two looks at the clients.
const LOOK: Duration = Duration::from_millis(20);
/// Longest wait for a fresh snapshot.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(30);
/// Fresh snapshots that are fetched at one time.
const SNAPSHOTS_AT_ONCE: usize = 32;

/// How a board stands at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BoardEnd {
    /// The board.
    pub board: BoardId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its version.
    pub version: Version,
    /// The hash of a fresh snapshot.
    pub hash: String,
    /// Its cards.
    pub cards: usize,
    /// Clients whose whole view was compared with the snapshot.
    pub replicas: usize,
    /// Clients whose position was compared, and whose versions had the content on record.
    pub followers: usize,
}

/// What was found at the end.
#[derive(Debug, Default)]
pub struct Conclusion {
    /// Each board.
    pub boards: Vec<BoardEnd>,
    /// Commands that were not answered, or not durable.
    pub unanswered: u64,
    /// Versions that live subscribers still lacked.
    pub missing: u64,
    /// Clients that ended before they were told to, and why.
    pub ended: Vec<String>,
}

/// Waits until all clients are connected, all their commands durable and the clients of each board
/// at one version. Whether that came within `limit`.
pub async fn settle(clients: &[ClientHandle], limit: Duration) -> bool {
    for client in clients {
        client.settle().await;
    }
    let until = Instant::now() + limit;
    loop {
        if is_settled(clients) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn is_settled(clients: &[ClientHandle]) -> bool {
    let mut versions: HashMap<BoardId, Version> = HashMap::new();
    clients
        .iter()
        .filter(|client| !client.has_ended())
        .all(|client| {
            let version = client.version();
            let same = *versions
                .entry(client.chronicle().board())
                .or_insert(version)
                == version;
            same && client.is_live() && client.is_done()
        })
}

/// Fetches a fresh snapshot of each board, ends all clients and compares.
///
/// # Errors
/// A snapshot cannot be fetched, or a client's task has panicked.
pub async fn conclude(
    fleet: &Arc<Fleet>,
    clients: Vec<ClientHandle>,
    seed: u64,
) -> anyhow::Result<Conclusion> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut tokens: HashMap<BoardId, Arc<str>> = HashMap::new();
    let mut boards: Vec<&Arc<Chronicle>> = Vec::new();
    for client in &clients {
        let chronicle = client.chronicle();
        let token = Arc::clone(client.token());
        if tokens.insert(chronicle.board(), token).is_none() {
            boards.push(chronicle);
        }
    }
    // Those who fetch fresh snapshots are no part of the run.
    let joins = fleet.tally().join_us.clone();
    let mut fresh: HashMap<BoardId, Replica> = HashMap::new();
    let mut references: HashMap<BoardId, (Position, Box<View>)> = HashMap::new();
    for some in boards.chunks(SNAPSHOTS_AT_ONCE) {
        let fetching = some.iter().map(|chronicle| {
            let board = chronicle.board();
            let client = ClientId::from_u128(rng.random());
            fetch(fleet, board, client, Arc::clone(&tokens[&board]))
        });
        for replica in futures::future::join_all(fetching).await {
            let (board, replica) = replica?;
            fresh.insert(board, replica);
        }
    }
    fleet.tally().join_us = joins;
    for chronicle in &boards {
        chronicle.with_view(|reference| {
            if let Some((at, view)) = reference {
                references.insert(chronicle.board(), (at, Box::new(view.clone())));
            }
        });
    }
    let mut conclusion = Conclusion::default();
    let mut counts: HashMap<BoardId, (usize, usize)> = HashMap::new();
    // All at once: closing takes a round trip each.
    for client in &clients {
        client.stop().await;
    }
    for client in clients {
        let board = client.chronicle().board();
        let finished = client.finish().await?;
        conclusion.ended.extend(finished.ended);
        let replica = &finished.replica;
        let open = replica.pending().len() as u64;
        conclusion.unanswered += open;
        for _ in 0..open {
            fleet.tally().violate(Violation::Unanswered, || {
                let client = replica.client();
                format!("a command of client {client} was not answered, or not durable, at the end")
            });
        }
        let count = counts.entry(board).or_default();
        match replica.view() {
            Some(_) => count.0 += 1,
            None => count.1 += 1,
        }
        if let Some(fresh) = fresh.get(&board) {
            conclusion.missing += compare(fleet, fresh, replica);
        }
    }
    for (board, replica) in fresh {
        let (Some(at), Some(view)) = (replica.position(), replica.view()) else {
            continue;
        };
        compare_reference(fleet, references.get(&board), at, view);
        let (replicas, followers) = counts.get(&board).copied().unwrap_or_default();
        conclusion.boards.push(BoardEnd {
            board,
            epoch: at.epoch,
            version: at.version,
            hash: view_hash(view),
            cards: view.cards.len(),
            replicas,
            followers,
        });
    }
    conclusion.boards.sort_by_key(|end| end.board);
    Ok(conclusion)
}

/// A replica that has just been filled from a snapshot, by a connection and a record of its own.
async fn fetch(
    fleet: &Arc<Fleet>,
    board: BoardId,
    client: ClientId,
    token: Arc<str>,
) -> anyhow::Result<(BoardId, Replica)> {
    let config = ClientConfig {
        client,
        token,
        keep: Keep::View,
        seed: 0,
        churn: None,
        slow: None,
        fault: None,
        source: None,
    };
    let handle = ClientHandle::spawn(fleet, &Arc::new(Chronicle::new(board)), config);
    let until = Instant::now() + SNAPSHOT_PATIENCE;
    while !handle.is_live() && !handle.has_ended() && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
    let live = handle.is_live();
    let finished = handle.finish().await.context("a client's task failed")?;
    if !live {
        let why = finished.ended.unwrap_or_else(|| "it does not come".into());
        bail!("no fresh snapshot of board {board}: {why}");
    }
    Ok((board, finished.replica))
}

/// Compares a client's replica with a fresh one; the count of versions that it lacks.
fn compare(fleet: &Fleet, fresh: &Replica, replica: &Replica) -> u64 {
    let client = replica.client();
    let (at, own) = (fresh.position(), replica.position());
    let version = |at: Option<Position>| at.map_or(0, |at| at.version.0);
    if at != own {
        fleet.tally().violate(Violation::Diverged, || {
            format!("client {client} ended at {own:?}, the board is at {at:?}")
        });
    } else if let (Some(fresh), Some(view)) = (fresh.view(), replica.view())
        && fresh != view
    {
        fleet.tally().violate(Violation::Diverged, || {
            let (theirs, own) = (view_hash(fresh), view_hash(view));
            format!("client {client} ended with hash {own}, the snapshot has {theirs}")
        });
    }
    version(at).saturating_sub(version(own))
}

fn compare_reference(
    fleet: &Fleet,
    reference: Option<&(Position, Box<View>)>,
    at: Position,
    view: &View,
) {
    let Some((known, reference)) = reference else {
        return;
    };
    if *known == at && **reference != *view {
        fleet.tally().violate(Violation::Diverged, || {
            format!(
                "the versions that were received do not lead to the snapshot of {}",
                view.id
            )
        });
    }
}
