//! `GET /api/v1/admin/stats`: the numbers of the whole, and of the busiest boards.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use boardcast_protocol::ids::BoardId;

use super::connections::Flow;
use super::scrape::Scrape;
use super::{Admin, Looks};
use crate::backups::BackupStats;
use crate::clock;
use crate::connection::Services;
use crate::connection::tally::CLOSE_CAUSES;
use crate::http::App;
use crate::http::problem::Problem;
use crate::measure::Summary;
use crate::process::Usage;
use crate::room::BoardLoad;
use crate::storage::{Health, SlowQuery};

/// Boards that are told by themselves.
const BOARDS_MAX: usize = 100;
const BOARDS: usize = 10;

/// The server at one moment; counts are since its start. Times are in the unit of their name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// The version of the program.
    pub version: String,
    /// When these numbers were taken, in milliseconds since 1970.
    pub at: u64,
    /// The connections.
    pub connections: ConnectionStats,
    /// The rooms.
    pub rooms: RoomsStats,
    /// The boards with the most deliveries in the last one to two minutes.
    pub boards: Vec<BoardStats>,
    /// The journal and the database.
    pub journal: JournalStats,
    /// What was slow in the database.
    pub slow_queries: SlowQueries,
    /// Backups that the server takes by itself.
    pub backups: BackupStats,
    /// What the process takes of the machine; nothing where the system does not tell.
    pub process: Option<Usage>,
}

/// The connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionStats {
    /// Open at this moment.
    pub open: usize,
    /// Those that have said hello.
    pub admitted: u64,
    /// Opened since the start.
    pub opened: u64,
    /// Ended since the start, by cause; causes that did not occur are left out.
    pub closed: BTreeMap<String, u64>,
    /// Requests for a WebSocket that were refused.
    pub refused: u64,
    /// Bytes written, frames queued.
    pub sent: Flow,
    /// Bytes read, text messages.
    pub received: Flow,
    /// Messages refused because of a limit of a connection.
    pub limits_hit: u64,
    /// Bytes that wait to be written.
    pub queue_bytes: u64,
    /// The most of them that wait for one connection.
    pub queue_max_bytes: u64,
}

/// The rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomsStats {
    /// Boards that are loaded.
    pub open: usize,
    /// Rough count of their bytes in memory.
    pub bytes: usize,
    /// Inputs that wait for all rooms.
    pub inputs: usize,
    /// Inputs that wait for the room with the most.
    pub inputs_max: usize,
    /// Batches queued for subscribers, each subscriber counted.
    pub deliveries: u64,
    /// Batches encoded.
    pub batches: u64,
    /// Versions of a batch.
    pub batch_versions: Summary,
    /// From a room taking a version to its batch being queued for the last subscriber, in
    /// microseconds.
    pub fan_out_us: Summary,
    /// From a submit being read to its room beginning to take it, where the room did nothing else, in
    /// microseconds.
    pub wait_us: Summary,
    /// Snapshots encoded.
    pub snapshots_encoded: u64,
    /// Subscribers that fell behind and got a snapshot in place.
    pub resyncs: u64,
    /// Subscribers that fell behind again and were closed.
    pub slow_consumers: u64,
    /// Submits that boards rejected.
    pub rejected: u64,
    /// Submits refused because room or journal had no place.
    pub busy: u64,
}

/// A board in the last one to two minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardStats {
    /// The board.
    pub board: BoardId,
    /// Subscribers at its last batch.
    pub subscribers: usize,
    /// Batches queued for subscribers, each subscriber counted.
    pub deliveries: u64,
    /// Batches, and how long they took from the room to the last subscriber, in microseconds.
    pub fan_out_us: Summary,
}

/// The journal and the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalStats {
    /// `healthy`, `degraded`, `closed` or `stopped`.
    pub health: String,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Versions that are not durable yet.
    pub queued_versions: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// Bytes of rows that wait to be written behind.
    pub queued_rows_bytes: usize,
    /// Versions that were made durable.
    pub versions: u64,
    /// From a version being handed over to its being durable, in microseconds.
    pub lag_us: Summary,
    /// Versions committed together.
    pub group_versions: Summary,
    /// From BEGIN to the end of COMMIT of a group of versions, in microseconds.
    pub commit_us: Summary,
    /// Transactions that failed and were repeated.
    pub retries: u64,
    /// Boards given up because their data breaks a rule.
    pub failed_boards: u64,
    /// Checkpoints of the write-ahead log.
    pub checkpoints: u64,
    /// Size of the database file.
    pub database_bytes: u64,
    /// Size of its write-ahead log.
    pub wal_bytes: u64,
}

/// What was slow in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlowQueries {
    /// What counts as slow, in milliseconds.
    pub above_ms: u64,
    /// How many were.
    pub count: u64,
    /// The ten slowest, the slowest first.
    pub slowest: Vec<SlowQuery>,
    /// Reads of the database, slow or not, in microseconds.
    pub read_us: Summary,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatsQuery {
    #[serde(default = "boards")]
    boards: usize,
}

fn boards() -> usize {
    BOARDS
}

/// The numbers.
pub(super) async fn stats(
    State(app): State<App>,
    Extension(looks): Extension<Looks>,
    _: Admin,
    query: Result<Query<StatsQuery>, QueryRejection>,
) -> Result<Json<Stats>, Problem> {
    let boards = query.ok().map(|Query(query)| query.boards);
    let Some(boards) = boards.filter(|boards| *boards <= BOARDS_MAX) else {
        let hint = format!("`boards` is 0 to {BOARDS_MAX}; nothing else is known here");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    };
    let services = app.services;
    let stats = looks.look(move || Stats::of(&services, boards)).await?;
    Ok(Json(Stats {
        backups: app.backups.read(),
        ..stats
    }))
}

impl Stats {
    fn of(services: &Services, boards: usize) -> Self {
        let scrape = Scrape::of(services);
        let observed = services.storage.observed();
        let busiest = services.rooms.busiest(boards);
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: clock::now().0,
            connections: connections(services, &scrape),
            rooms: rooms(services, &scrape),
            boards: busiest.into_iter().map(BoardStats::from).collect(),
            journal: journal(services, &scrape),
            slow_queries: SlowQueries {
                above_ms: u64::try_from(crate::storage::SLOW.as_millis()).unwrap_or(u64::MAX),
                count: observed.slow.get(),
                slowest: observed.slowest(),
                read_us: observed.read_us.read().summary(),
            },
            backups: BackupStats::default(),
            process: scrape.process,
        }
    }
}

impl From<BoardLoad> for BoardStats {
    fn from(load: BoardLoad) -> Self {
        Self {
            board: load.board,
            subscribers: load.subscribers,
            deliveries: load.deliveries,
            fan_out_us: load.fan_out_us.summary(),
        }
    }
}

fn connections(services: &Services, scrape: &Scrape) -> ConnectionStats {
    let tally = &services.connections.tally;
    let totals = &scrape.totals;
    let closed = CLOSE_CAUSES.into_iter().enumerate();
    let closed = closed.map(|(place, cause)| (cause.to_owned(), tally.closed.of(place).get()));
    ConnectionStats {
        open: scrape.connections,
        admitted: totals.admitted,
        opened: tally.opened.get(),
        closed: closed.filter(|(_, count)| *count > 0).collect(),
        refused: tally.upgrades_refused.total(),
        sent: Flow {
            bytes: totals.written_bytes,
            messages: totals.frames,
        },
        received: Flow {
            bytes: totals.read_bytes,
            messages: totals.messages,
        },
        limits_hit: totals.limits_hit,
        queue_bytes: totals.pending_bytes,
        queue_max_bytes: totals.pending_bytes_max,
    }
}

fn rooms(services: &Services, scrape: &Scrape) -> RoomsStats {
    let stats = services.rooms.stats();
    RoomsStats {
        open: scrape.loaded.boards,
        bytes: scrape.loaded.bytes,
        inputs: scrape.inboxes.waiting,
        inputs_max: scrape.inboxes.longest,
        deliveries: stats.deliveries.get(),
        batches: stats.batches.get(),
        batch_versions: stats.sizes.batch_versions.read().summary(),
        fan_out_us: stats.sizes.fan_out_us.read().summary(),
        wait_us: services.storage.lag().reports().read().summary(),
        snapshots_encoded: stats.snapshots_encoded.get(),
        resyncs: stats.resyncs.get(),
        slow_consumers: stats.slow_consumers.get(),
        rejected: stats.rejected.total(),
        busy: stats.busy.get(),
    }
}

fn journal(services: &Services, scrape: &Scrape) -> JournalStats {
    let (status, observed) = (&scrape.journal, services.storage.observed());
    let (health, reason) = match &status.health {
        Health::Healthy => ("healthy", None),
        Health::Closed => ("closed", None),
        Health::Degraded { reason } => ("degraded", Some(reason.clone())),
        Health::Stopped { reason } => ("stopped", Some(reason.clone())),
    };
    let counters = &status.counters;
    JournalStats {
        health: health.to_owned(),
        reason,
        queued_versions: status.queued_versions,
        queued_bytes: status.queued_bytes,
        queued_rows_bytes: status.queued_rows_bytes,
        versions: counters.versions,
        lag_us: observed.lag_us.read().summary(),
        group_versions: observed.group_versions.read().summary(),
        commit_us: observed.commit_us.read().summary(),
        retries: counters.retries,
        failed_boards: counters.failed_boards,
        checkpoints: counters.checkpoints,
        database_bytes: status.database_bytes,
        wal_bytes: status.wal_bytes,
    }
}
