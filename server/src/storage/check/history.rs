//! The history of a board: its log, replayed from the base, and the activity before it.

use std::ops::ControlFlow;

use futures::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use boardcast_protocol::board::{Board, Moment, Stamp};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{BoardId, ClientId, UserId};
use boardcast_protocol::position::{Seq, Timestamp, Version};

use super::cards::CardVersions;
use super::clients::{Clients, Command};
use super::ledger::BoardLedger;
use super::report::{CheckReport, Invariant};
use super::{Check, CheckError, WATCH_EVERY, Watcher};

const LOG: &str = "SELECT version, at, by_user, client, seq, body, ev, was FROM events \
     WHERE board = ?1 AND version > ?2 AND version <= ?3 ORDER BY version";
const ACTIVITY: &str = "SELECT version, at, by_user, client, seq, NULL, ev, was FROM activity \
     WHERE board = ?1 AND version > ?2 AND version <= ?3 ORDER BY version";

/// Where a version is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// In the activity, which has gaps.
    Activity,
    /// In the log, which has none.
    Log,
}

/// What is gathered of a board while its history is read.
pub(super) struct History {
    pub(super) board: BoardId,
    /// The version from which the log is replayed.
    pub(super) base: Version,
    pub(super) rows_version: Version,
    /// The version that the log must have next.
    pub(super) next: Version,
    /// The board so far; `None` when a version did not apply.
    pub(super) replay: Option<Board>,
    pub(super) clients: Clients,
    pub(super) cards: CardVersions,
    pub(super) ledger: BoardLedger,
}

/// A version as it was read.
struct Entry {
    version: Version,
    at: Timestamp,
    by: UserId,
    command: Option<Command>,
    events: Vec<Event>,
}

impl Check<'_> {
    /// Reads the versions after `after`, up to `to`.
    pub(super) async fn read(
        &mut self,
        history: &mut History,
        source: Source,
        (after, to): (Version, Version),
    ) -> Result<(), CheckError> {
        let sql = match source {
            Source::Activity => ACTIVITY,
            Source::Log => LOG,
        };
        let mut rows = sqlx::query(sql)
            .bind(history.board.as_str())
            .bind(after.0.cast_signed())
            .bind(to.0.cast_signed())
            .fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            count(&mut self.report, self.watcher)?;
            history.take(&row, source, &mut self.report)?;
        }
        Ok(())
    }
}

fn count(report: &mut CheckReport, watcher: &Watcher<'_>) -> Result<(), CheckError> {
    report.versions += 1;
    let due = report.versions.is_multiple_of(WATCH_EVERY);
    match due.then(|| watcher(report.boards, report.versions)) {
        None | Some(ControlFlow::Continue(())) => Ok(()),
        Some(ControlFlow::Break(())) => Err(CheckError::Stopped),
    }
}

impl History {
    fn take(
        &mut self,
        row: &SqliteRow,
        source: Source,
        report: &mut CheckReport,
    ) -> Result<(), sqlx::Error> {
        let id = self.board;
        let version = Version(row.try_get::<i64, _>(0)?.cast_unsigned());
        if source == Source::Log {
            if version != self.next {
                let found = format!("the log goes on at version {version}");
                let board = Some(id.as_str());
                report.add(Invariant::VersionsContiguous, board, found, self.next);
            }
            self.next = version.next();
        }
        let entry = match entry(row, version)? {
            Ok(entry) => entry,
            Err(reason) => {
                let found = format!("version {version}: {reason}");
                let expected = "ids and events that can be read";
                report.add(Invariant::Readable, Some(id.as_str()), found, expected);
                self.replay = None;
                return Ok(());
            }
        };
        if let Some(command) = entry.command {
            self.clients.note(command, report);
            self.ledger.note(command.client, command.seq, version);
        }
        if version <= self.rows_version {
            self.cards.note(version, &entry.events);
        }
        if source == Source::Log && version > self.base {
            self.apply(&entry, report);
        }
        Ok(())
    }

    fn apply(&mut self, entry: &Entry, report: &mut CheckReport) {
        let Some(board) = &mut self.replay else {
            return;
        };
        let moment = Moment {
            version: entry.version,
            stamp: Stamp {
                by: entry.by,
                at: entry.at,
            },
        };
        if let Err(error) = board.replay([(moment, entry.events.as_slice())]) {
            report.add(
                Invariant::Replay,
                Some(self.board.as_str()),
                format_args!("version {}: {error}", entry.version),
                "events of things that are on the board",
            );
            self.replay = None;
        }
    }
}

/// A version, or why its texts cannot be read.
fn entry(row: &SqliteRow, version: Version) -> Result<Result<Entry, String>, sqlx::Error> {
    let at = Timestamp(row.try_get::<i64, _>(1)?.cast_unsigned());
    let by: &str = row.try_get(2)?;
    let client: Option<&str> = row.try_get(3)?;
    let seq: Option<i64> = row.try_get(4)?;
    let body: Option<i64> = row.try_get(5)?;
    let (ev, was): (&str, &str) = (row.try_get(6)?, row.try_get(7)?);
    let read = || {
        let command = match (client, seq) {
            (Some(client), Some(seq)) => Some(Command {
                client: client.parse::<ClientId>().map_err(|e| e.to_string())?,
                seq: Seq(seq.cast_unsigned()),
                body: body.map(i64::cast_unsigned),
                version,
                at,
            }),
            (None, None) => None,
            (_, _) => return Err("client or number alone".to_owned()),
        };
        serde_json::from_str::<Vec<Option<Event>>>(was).map_err(|error| format!("was: {error}"))?;
        Ok(Entry {
            version,
            at,
            by: by.parse::<UserId>().map_err(|error| error.to_string())?,
            command,
            events: serde_json::from_str(ev).map_err(|error| format!("ev: {error}"))?,
        })
    };
    Ok(read())
}
