//! Writes that somebody waits for: each is answered when it is committed.

use std::sync::Arc;
use std::time::Instant;

use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::{Epoch, Timestamp};

use super::accounts::{self, AccountAct};
use super::attachments::{self, FileAct};
use super::audit::{self, AuditWrite};
use super::bin::{self, BinAct};
use super::board::BoardState;
use super::fault::Fault;
use super::queue::QueuedVersion;
use super::{ImportRecord, Imported, StorageError, history, log, trim};
use crate::planted::{Bug, planted};

/// Requests that wait for the journal; further callers wait for a place.
const WAITING_MAX: usize = 256;

/// What is to be written. The answer says whether there was something to do.
#[derive(Debug)]
pub(super) enum Act {
    /// A new board with its first epoch; `false` where the id is in use. `buried` is a JSON array
    /// of ids that may not be used on it, `base` all of it as its log is replayed from. What is
    /// `imported` is its first version.
    Create {
        board: BoardId,
        doc: String,
        member: Option<(UserId, String)>,
        buried: String,
        base: String,
        epoch: Epoch,
        created: Timestamp,
        imported: Option<Box<Imported>>,
    },
    /// A room begins to write a board: it is marked with the run, and where an earlier opening did
    /// not end cleanly, `epoch` begins. `false` where there is no such board, or it is in the bin.
    Open {
        board: Arc<BoardState>,
        epoch: Epoch,
        forget_before: Timestamp,
    },
    /// A room has ended: the board is marked as closed.
    Sleep(Arc<BoardState>),
    /// A change of accounts, sessions or links.
    Account(AccountAct),
    /// A change of files and attachments.
    File(FileAct),
    /// A write of the audit log.
    Audit(AuditWrite),
    /// What an import did.
    SaveImport {
        source: String,
        record: ImportRecord,
    },
    /// Keys of requests on a board that were used last before a time are forgotten.
    ForgetKeys { board: BoardId, before: Timestamp },
    /// A board goes into the bin, comes back, or ends.
    Bin(BinAct),
    /// A step of trimming.
    Trim(trim::Step),
    /// Everything is written and the run is marked as clean; then the journal ends.
    Close,
    /// Any statement, for tests of faults.
    #[cfg(test)]
    Execute(&'static str),
}

/// An act and where its answer goes.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) act: Act,
    pub(super) reply: oneshot::Sender<Result<bool, StorageError>>,
}

impl Request {
    /// Answers; whoever asked may have gone, which changes nothing about what is written.
    pub(super) fn answer(self, result: Result<bool, StorageError>) {
        drop(self.reply.send(result));
    }

    /// About what it writes, where that is much.
    pub(super) fn bytes(&self) -> usize {
        match &self.act {
            Act::Trim(step) => step.bytes(),
            Act::Create { .. }
            | Act::Open { .. }
            | Act::Sleep(_)
            | Act::Account(_)
            | Act::File(_)
            | Act::Audit(_)
            | Act::SaveImport { .. }
            | Act::ForgetKeys { .. }
            | Act::Bin(_)
            | Act::Close => 0,
            #[cfg(test)]
            Act::Execute(_) => 0,
        }
    }

    /// Whether everything that it must come after has been written.
    pub(super) fn is_ready(&self) -> bool {
        match &self.act {
            Act::Open { board, .. } | Act::Sleep(board) => board.is_settled(),
            Act::Create { .. }
            | Act::Account(_)
            | Act::File(_)
            | Act::Audit(_)
            | Act::SaveImport { .. }
            | Act::ForgetKeys { .. }
            | Act::Bin(_)
            | Act::Trim(_)
            | Act::Close => true,
            #[cfg(test)]
            Act::Execute(_) => true,
        }
    }
}

/// The way to ask the journal.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    inbox: mpsc::Sender<Request>,
}

impl Requests {
    pub(super) fn channel() -> (Self, mpsc::Receiver<Request>) {
        let (inbox, requests) = mpsc::channel(WAITING_MAX);
        (Self { inbox }, requests)
    }

    pub(super) async fn ask(&self, act: Act) -> Result<bool, StorageError> {
        let stopped = || StorageError::Stopped("storage is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.inbox
            .send(Request { act, reply })
            .await
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// Runs an act inside a transaction.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    run: i64,
    act: &Act,
) -> Result<bool, Fault> {
    let result = match act {
        Act::Create {
            board,
            doc,
            member,
            buried,
            base,
            epoch,
            created,
            imported,
        } => {
            let rows = NewRows {
                doc,
                member: member.as_ref(),
                buried,
                base,
                version: past_of(imported.as_deref()),
            };
            let made = create(conn, *board, rows, (*epoch, *created)).await;
            match (made, imported) {
                (Ok(true), Some(imported)) => return fill(conn, *board, imported).await,
                (made, _) => made,
            }
        }
        Act::Open {
            board,
            epoch,
            forget_before,
        } => open(conn, run, board, *epoch, *forget_before).await,
        Act::Sleep(board) if board.has_failed() => {
            return Err(Fault::Data(format!("board {} has failed", board.id())));
        }
        Act::Sleep(board) => sqlx::query(SLEEP)
            .bind(Arc::clone(board.key()))
            .bind(run)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0),
        Act::Account(act) => accounts::write::execute(conn, act).await,
        Act::File(act) => attachments::execute(conn, act).await,
        Act::Audit(write) => return audit::execute(conn, write).await,
        Act::SaveImport { source, record } => save_import(conn, source, record).await,
        Act::ForgetKeys { board, before } => sqlx::query(FORGET_KEYS)
            .bind(board.as_str())
            .bind(before.0.cast_signed())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0),
        Act::Bin(act) => bin::execute(conn, act).await,
        Act::Trim(step) => trim::execute(conn, step).await,
        Act::Close => sqlx::query(MARK_CLEAN)
            .bind(run)
            .execute(conn)
            .await
            .map(|_| true),
        #[cfg(test)]
        Act::Execute(sql) => sqlx::query(*sql).fetch_all(conn).await.map(|_| true),
    };
    result.map_err(|error| Fault::of_statement(&error))
}

pub(super) const CREATE: &str = "INSERT INTO boards (id, doc, version, created) VALUES (?, ?, ?, ?) \
     ON CONFLICT (id) DO NOTHING";
pub(super) const FIRST_EPOCH: &str =
    "INSERT INTO epochs (board, number, epoch, began) VALUES (?, 1, ?, 0)";
pub(super) const FIRST_MEMBER: &str = "INSERT INTO members (board, id, doc) VALUES (?, ?, ?)";
pub(super) const FIRST_BURIED: &str =
    "INSERT INTO tombstones (board, id) SELECT ?, value FROM json_each(?)";

pub(super) const FIRST_BASE: &str = "INSERT INTO bases (board, version, doc) VALUES (?, ?, ?)";

/// What a new board begins with.
struct NewRows<'a> {
    doc: &'a str,
    member: Option<&'a (UserId, String)>,
    buried: &'a str,
    base: &'a str,
    /// The version of all of it: that of the history before it.
    version: i64,
}

/// How many versions there are before the log of a new board.
fn past_of(imported: Option<&Imported>) -> i64 {
    let past = imported.map_or(0, |imported| imported.history.len());
    i64::try_from(past).unwrap_or(i64::MAX)
}

async fn create(
    conn: &mut SqliteConnection,
    board: BoardId,
    rows: NewRows<'_>,
    (epoch, created): (Epoch, Timestamp),
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(CREATE)
        .bind(board.as_str())
        .bind(rows.doc)
        .bind(rows.version)
        .bind(created.0.cast_signed())
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(FIRST_EPOCH)
        .bind(board.as_str())
        .bind(epoch.to_string())
        .execute(&mut *conn)
        .await?;
    if let Some((user, doc)) = rows.member {
        sqlx::query(FIRST_MEMBER)
            .bind(board.as_str())
            .bind(user.as_str())
            .bind(doc)
            .execute(&mut *conn)
            .await?;
    }
    sqlx::query(FIRST_BURIED)
        .bind(board.as_str())
        .bind(rows.buried)
        .execute(&mut *conn)
        .await?;
    sqlx::query(FIRST_BASE)
        .bind(board.as_str())
        .bind(rows.version)
        .bind(rows.base)
        .execute(conn)
        .await?;
    Ok(true)
}

/// Appends what an import puts on a board that was just made, and notes the import.
async fn fill(
    conn: &mut SqliteConnection,
    board: BoardId,
    imported: &Imported,
) -> Result<bool, Fault> {
    history::write(conn, board, &imported.history).await?;
    if let Some(first) = &imported.first {
        let version = QueuedVersion {
            board: Arc::new(BoardState::new(board)),
            entry: first.clone(),
            since: Instant::now(),
        };
        log::write(conn, &[version]).await?;
    }
    save_import(conn, &imported.source, &imported.record)
        .await
        .map_err(|error| Fault::of_statement(&error))
}

/// Whether the last opening of a board ended cleanly.
pub(super) const ENDED_CLEANLY: &str = "SELECT b.run IS NULL OR r.clean = 1 \
     FROM boards AS b LEFT JOIN runs AS r ON r.id = b.run WHERE b.id = ? AND b.deleted IS NULL";
pub(super) const NEXT_EPOCH: &str = "INSERT INTO epochs (board, number, epoch, began) \
     SELECT ?1, \
         coalesce((SELECT max(number) FROM epochs WHERE board = ?1), 0) + 1, ?2, \
         coalesce((SELECT max(version) FROM events WHERE board = ?1), \
             (SELECT version FROM bases WHERE board = ?1), 0)";
pub(super) const MARK_OPEN: &str = "UPDATE boards SET run = ?2 WHERE id = ?1";
pub(super) const FORGET_CLIENTS: &str = "DELETE FROM clients WHERE board = ? AND seen < ?";

async fn open(
    conn: &mut SqliteConnection,
    run: i64,
    board: &BoardState,
    epoch: Epoch,
    forget_before: Timestamp,
) -> Result<bool, sqlx::Error> {
    let clean: Option<bool> = sqlx::query_scalar(ENDED_CLEANLY)
        .bind(Arc::clone(board.key()))
        .fetch_optional(&mut *conn)
        .await?;
    let Some(clean) = clean else {
        return Ok(false);
    };
    if begins_epoch(clean) {
        sqlx::query(NEXT_EPOCH)
            .bind(Arc::clone(board.key()))
            .bind(epoch.to_string())
            .execute(&mut *conn)
            .await?;
    }
    sqlx::query(MARK_OPEN)
        .bind(Arc::clone(board.key()))
        .bind(run)
        .execute(&mut *conn)
        .await?;
    sqlx::query(FORGET_CLIENTS)
        .bind(Arc::clone(board.key()))
        .bind(forget_before.0.cast_signed())
        .execute(conn)
        .await?;
    Ok(true)
}

/// A tail that people have seen may be lost where the last opening did not end cleanly (rule R2).
pub(super) fn begins_epoch(ended_cleanly: bool) -> bool {
    !ended_cleanly && !planted(Bug::ForgetEpoch)
}

/// The clients that stand for keys lie together in the order of the index.
pub(super) const FORGET_KEYS: &str = "DELETE FROM clients \
     WHERE board = ? AND client >= 'key-' AND client < 'key.' AND seen < ?";

pub(super) const SLEEP: &str = "UPDATE boards SET run = NULL WHERE id = ? AND run = ?";
pub(super) const SAVE_IMPORT: &str = "INSERT INTO imports (source, board, digest, ids) VALUES (?, ?, ?, ?) \
     ON CONFLICT (source) DO UPDATE SET \
     board = excluded.board, digest = excluded.digest, ids = excluded.ids";
pub(super) const MARK_CLEAN: &str = "UPDATE runs SET clean = 1 WHERE id = ?";

async fn save_import(
    conn: &mut SqliteConnection,
    source: &str,
    record: &ImportRecord,
) -> Result<bool, sqlx::Error> {
    let ids =
        serde_json::to_string(&record.ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(SAVE_IMPORT)
        .bind(source)
        .bind(record.board.as_str())
        .bind(&record.digest)
        .bind(ids)
        .execute(conn)
        .await
        .map(|_| true)
}
