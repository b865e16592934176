//! Trims the log: versions that nobody resumes from any more leave it, and what people see of them
//! goes on as activity.
//!
//! In the order of the writes: the base moves forward to the last version that goes, in one
//! transaction; then the versions up to it leave the log, some at a time, and in the same transaction
//! those that are seen become activity. So at any moment a version up to the base is in the log or in
//! the activity and never in both, the log has no gap, and it begins at the latest after the base: a
//! crash leaves nothing to repair, and the next round goes on.

mod step;

use futures::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::SqlitePool;
use tokio::task::spawn_blocking;

use boardcast_protocol::board::{Board, Moment, Stamp};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::{Timestamp, Version};

use super::base::Base;
use super::load::corrupt;
use super::requests::{Act, Requests};
use super::seen::is_seen;
use super::{StorageError, StoredVersion, past};
#[cfg(test)]
pub(super) use step::{
    END_LOG, FORGET_CARD_VERSIONS, FORGET_RUNS, IS_BASED, KEEP_ACTIVITY, MOVE_BASE,
};
pub(super) use step::{Step, execute};

/// Fewer versions than this, or than a quarter of the log where that is less, stay where they are:
/// moving the base writes the whole board.
const WORTH_VERSIONS: u64 = 1_000;
/// Versions that one call trims at most.
const CALL_VERSIONS: u64 = 20_000;
/// Versions of one transaction, and about their bytes.
const STEP_VERSIONS: i64 = 500;
const STEP_BYTES: usize = 1_024 * 1_024;

/// How long versions stay in the log, from which clients resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Versions stay at least so long, in milliseconds.
    pub keep_ms: u64,
    /// The newest versions of each board stay however old they are.
    pub keep_versions: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_ms: 14 * 24 * 60 * 60 * 1_000,
            keep_versions: 2_000,
        }
    }
}

/// What trimming has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Versions that have left the log.
    pub versions: u64,
    /// Those of them that have become activity.
    pub seen: u64,
}

/// Trims the log of a board, by a bounded number of versions; to be called until it trims nothing.
pub(super) async fn trim(
    readers: &SqlitePool,
    requests: &Requests,
    board: BoardId,
    (now, retention): (Timestamp, Retention),
) -> Result<Trimmed, StorageError> {
    let before = Timestamp(now.0.saturating_sub(retention.keep_ms));
    let Some(log) = Log::find(readers, board).await? else {
        return Ok(Trimmed::default());
    };
    let Some(limit) = log.limit(readers, before, retention.keep_versions).await? else {
        return Ok(Trimmed::default());
    };
    let (end, doc) = log.replay(readers, before, limit).await?;
    if end > log.base {
        let (from, to) = (log.base, end);
        let step = Step::MoveBase {
            board,
            from,
            to,
            doc,
        };
        if !requests.ask(Act::Trim(step)).await? {
            return Ok(Trimmed::default());
        }
    }
    end_log(readers, requests, board, end).await
}

pub(super) const EXTENT: &str = "SELECT b.version, s.version, \
         (SELECT min(version) FROM events WHERE board = ?1), \
         (SELECT max(version) FROM events WHERE board = ?1) \
     FROM boards AS b CROSS JOIN bases AS s ON s.board = b.id WHERE b.id = ?1";
pub(super) const WRITTEN_AT: &str = "SELECT at FROM events WHERE board = ? AND version = ?";

/// The log of a board.
struct Log {
    board: BoardId,
    /// The version of the board's rows.
    rows: Version,
    base: Version,
    first: Version,
    last: Version,
}

impl Log {
    /// `None` where there is no board, or nothing in its log.
    async fn find(readers: &SqlitePool, board: BoardId) -> Result<Option<Self>, StorageError> {
        let row = sqlx::query(EXTENT)
            .bind(board.as_str())
            .fetch_optional(readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let version = |index| -> Result<Option<Version>, sqlx::Error> {
            let version: Option<i64> = row.try_get(index)?;
            Ok(version.map(|version| Version(version.cast_unsigned())))
        };
        let found = (version(0)?, version(1)?, version(2)?, version(3)?);
        let (Some(rows), Some(base), Some(first), Some(last)) = found else {
            return Ok(None);
        };
        Ok(Some(Self {
            board,
            rows,
            base,
            first,
            last,
        }))
    }

    /// The last version that may go, going by counts; `None` where too few may.
    async fn limit(
        &self,
        readers: &SqlitePool,
        before: Timestamp,
        keep_versions: u64,
    ) -> Result<Option<Version>, StorageError> {
        let limit = (self.rows.0).min(self.last.0.saturating_sub(keep_versions));
        let worth = ((self.last.0 - self.first.0).div_ceil(4)).clamp(1, WORTH_VERSIONS);
        let probe = self.first.0 + worth - 1;
        if probe > limit {
            return Ok(None);
        }
        let at: Option<i64> = sqlx::query_scalar(WRITTEN_AT)
            .bind(self.board.as_str())
            .bind(probe.cast_signed())
            .fetch_optional(readers)
            .await?;
        let is_old = at.is_some_and(|at| at.cast_unsigned() < before.0);
        let limit = limit.min(self.first.0 + CALL_VERSIONS - 1);
        Ok(is_old.then_some(Version(limit)))
    }

    /// The last version that goes, and the board as it stands then (empty where the base is there
    /// already).
    async fn replay(
        &self,
        readers: &SqlitePool,
        before: Timestamp,
        limit: Version,
    ) -> Result<(Version, String), StorageError> {
        let id = self.board;
        if self.first > self.base.next() {
            let reason = format!(
                "the base is at {}, the log begins at {}",
                self.base, self.first
            );
            return Err(corrupt(id, &reason));
        }
        let mut board = base(readers, id).await?;
        let mut end = Version(self.first.0.saturating_sub(1));
        while end < limit {
            let mut part = past::read(readers, id, (end, limit), STEP_BYTES).await?;
            let read = part.len();
            let old = part
                .iter()
                .take_while(|version| version.at < before)
                .count();
            part.truncate(old);
            let Some(last) = part.last() else { break };
            end = last.version;
            part.retain(|version| version.version > self.base);
            board = off_thread(id, move || replay(board, &part)).await?;
            if old < read {
                break;
            }
        }
        if end <= self.base {
            return Ok((end, String::new()));
        }
        let doc = off_thread(id, move || {
            serde_json::to_string(&Base::from(&board)).map_err(|error| corrupt(id, &error))
        });
        Ok((end, doc.await?))
    }
}

pub(super) const BASE: &str = "SELECT doc FROM bases WHERE board = ?";

async fn base(readers: &SqlitePool, id: BoardId) -> Result<Board, StorageError> {
    let doc: String = sqlx::query_scalar(BASE)
        .bind(id.as_str())
        .fetch_one(readers)
        .await?;
    off_thread(id, move || {
        let base: Base = serde_json::from_str(&doc).map_err(|error| corrupt(id, &error))?;
        Ok(base.into())
    })
    .await
}

fn replay(mut board: Board, part: &[StoredVersion]) -> Result<Board, StorageError> {
    let id = board.view().id;
    for stored in part {
        let events: Vec<Event> =
            serde_json::from_slice(&stored.events).map_err(|error| corrupt(id, &error))?;
        let moment = Moment {
            version: stored.version,
            stamp: Stamp {
                by: stored.by,
                at: stored.at,
            },
        };
        board
            .replay([(moment, events.as_slice())])
            .map_err(|error| corrupt(id, &format!("version {}: {error}", stored.version)))?;
    }
    Ok(board)
}

/// Large boards take milliseconds: not on a thread that serves connections.
async fn off_thread<T: Send + 'static>(
    id: BoardId,
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    spawn_blocking(work)
        .await
        .map_err(|error| corrupt(id, &error))?
}

pub(super) const ENDING: &str = "SELECT version, ev, was FROM events \
     WHERE board = ?1 AND version <= ?2 ORDER BY version LIMIT ?3";

/// Ends the log up to a version, a step at a time.
async fn end_log(
    readers: &SqlitePool,
    requests: &Requests,
    board: BoardId,
    end: Version,
) -> Result<Trimmed, StorageError> {
    let mut trimmed = Trimmed::default();
    loop {
        let mut ending = Ending::default();
        let mut rows = sqlx::query(ENDING)
            .bind(board.as_str())
            .bind(end.0.cast_signed())
            .bind(STEP_VERSIONS)
            .fetch(readers);
        while ending.bytes < STEP_BYTES
            && let Some(row) = rows.try_next().await?
        {
            let version = Version(row.try_get::<i64, _>(0)?.cast_unsigned());
            ending.add(board, version, (row.try_get(1)?, row.try_get(2)?))?;
        }
        drop(rows);
        if ending.versions == 0 {
            return Ok(trimmed);
        }
        trimmed.versions += ending.versions;
        trimmed.seen += ending.versions - ending.unseen.len() as u64;
        let step = ending.step(board)?;
        if !requests.ask(Act::Trim(step)).await? {
            return Ok(trimmed);
        }
    }
}

/// The versions of one step.
#[derive(Default)]
struct Ending {
    versions: u64,
    last: Version,
    unseen: Vec<Version>,
    unseen_cards: Vec<(String, Version)>,
    bytes: usize,
}

impl Ending {
    fn add(
        &mut self,
        board: BoardId,
        version: Version,
        (ev, was): (&str, &str),
    ) -> Result<(), StorageError> {
        let bad = |error| corrupt(board, &format!("version {version}: {error}"));
        let events: Vec<Event> = serde_json::from_str(ev).map_err(bad)?;
        let was_events: Vec<Option<Event>> = serde_json::from_str(was).map_err(bad)?;
        self.versions += 1;
        self.last = version;
        self.bytes += 2 * (ev.len() + was.len());
        if !is_seen(&events, &was_events) {
            self.unseen.push(version);
            let cards = events.iter().filter_map(Event::card);
            (self.unseen_cards).extend(cards.map(|card| (card.to_string(), version)));
        }
        Ok(())
    }

    fn step(self, board: BoardId) -> Result<Step, StorageError> {
        let json = |error: serde_json::Error| StorageError::Refused(error.to_string());
        Ok(Step::EndLog {
            board,
            to: self.last,
            unseen: serde_json::to_string(&self.unseen).map_err(json)?,
            unseen_cards: serde_json::to_string(&self.unseen_cards).map_err(json)?,
            bytes: self.bytes,
        })
    }
}

/// Runs that no board refers to, without the present one, which is the last: the oldest first, a few
/// at a time, because deleting one looks through the boards.
pub(super) const OLD_RUNS: &str = "SELECT json_group_array(id) FROM (\
         SELECT id FROM runs WHERE id < (SELECT max(id) FROM runs) \
         AND id NOT IN (SELECT run FROM boards WHERE run IS NOT NULL) ORDER BY id LIMIT 4)";

/// Forgets some runs that no board refers to; whether there were any.
pub(super) async fn forget_runs(
    readers: &SqlitePool,
    requests: &Requests,
) -> Result<bool, StorageError> {
    let ids: String = sqlx::query_scalar(OLD_RUNS).fetch_one(readers).await?;
    if ids == "[]" {
        return Ok(false);
    }
    requests.ask(Act::Trim(Step::ForgetRuns(ids))).await
}
