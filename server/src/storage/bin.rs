//! Boards in the bin, and their end.
//!
//! A board in the bin keeps all its rows; nothing opens, lists or finds it, so to everybody else it
//! does not exist. After [`BIN_KEPT_MS`] it is marked as one that does not come back, and its rows
//! are removed a few at a time, those of the board itself last: a crash leaves a board that the next
//! round goes on with.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use boardcast_protocol::board::{Actor, Role};
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::requests::Act;
use super::{Storage, StorageError};

/// How long a board stays in the bin, in milliseconds: 30 days.
pub const BIN_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Rows that are removed in one transaction: versions of people wait for it.
const REMOVED_MAX: i64 = 200;

/// A board in the bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinnedBoard {
    /// The board.
    pub board: BoardId,
    /// Its title.
    pub title: String,
    /// Since when it is there.
    pub deleted: Timestamp,
    /// Who put it there.
    pub by: UserId,
}

/// Which part of the bin is asked for.
#[derive(Clone, Copy, Debug)]
pub struct BinPage<'a> {
    /// The boards of which this user is an admin; `None` for all.
    pub user: Option<UserId>,
    /// Only these; `None` for no such limit.
    pub among: Option<&'a [BoardId]>,
    /// Behind which board.
    pub after: Option<BoardId>,
    /// Boards of the page at most.
    pub limit: usize,
}

/// What is to be written. The answer says whether there was something to do.
#[derive(Debug)]
pub(super) enum BinAct {
    /// The board goes into the bin.
    Put {
        board: BoardId,
        by: UserId,
        at: Timestamp,
    },
    /// It is in use again, if it went into the bin after that.
    TakeOut { board: BoardId, after: Timestamp },
    /// It does not come back, if it went into the bin until then.
    Condemn { board: BoardId, until: Timestamp },
    /// Some of the rows of a board that does not come back; `false` where none is left.
    Remove(BoardId),
}

pub(super) const PUT: &str =
    "UPDATE boards SET deleted = ?2, deleted_by = ?3 WHERE id = ?1 AND deleted IS NULL";
pub(super) const TAKE_OUT: &str =
    "UPDATE boards SET deleted = NULL, deleted_by = NULL WHERE id = ?1 AND deleted > ?2";
pub(super) const CONDEMN: &str = "UPDATE boards SET deleted = 0 WHERE id = ?1 AND deleted <= ?2";
pub(super) const ENDED: &str =
    "SELECT id FROM boards WHERE deleted <= ? ORDER BY deleted, id LIMIT 1";
pub(super) const SINCE: &str = "SELECT deleted FROM boards WHERE id = ?1 AND deleted > ?2";
pub(super) const BIN_OF_USER: &str = "SELECT b.id, b.title, b.deleted, b.deleted_by \
     FROM members AS m CROSS JOIN boards AS b ON b.id = m.board \
     WHERE m.id = ?1 AND m.board > ?2 AND m.role = 'admin' AND b.deleted > ?4 \
     AND (?5 IS NULL OR m.board IN (SELECT value FROM json_each(?5))) \
     ORDER BY m.board LIMIT ?3";
pub(super) const WHOLE_BIN: &str = "SELECT b.id, b.title, b.deleted, b.deleted_by \
     FROM boards AS b INDEXED BY boards_in_bin WHERE b.id > ?2 AND b.deleted > ?4 \
     AND (?5 IS NULL OR b.id IN (SELECT value FROM json_each(?5))) \
     ORDER BY b.id LIMIT ?3";

macro_rules! some_of {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE rowid IN (SELECT rowid FROM ",
            $table,
            " WHERE board = ?1 LIMIT ?2)"
        )
    };
}

/// Cards of the index go with what the index says of them.
pub(super) const REMOVE_TOKENS: &str = "DELETE FROM card_index WHERE rowid IN \
     (SELECT id FROM indexed_cards WHERE board = ?1 ORDER BY card LIMIT ?2)";
pub(super) const REMOVE_INDEXED: &str = "DELETE FROM indexed_cards WHERE id IN \
     (SELECT id FROM indexed_cards WHERE board = ?1 ORDER BY card LIMIT ?2)";
pub(super) const REMOVE_ACTIVITY: &str = some_of!("activity");
pub(super) const REMOVE_ATTACHMENTS: &str = some_of!("attachments");
pub(super) const REMOVE_BASE: &str = some_of!("bases");
pub(super) const REMOVE_CARDS: &str = some_of!("cards");
pub(super) const REMOVE_CARD_VERSIONS: &str = some_of!("card_versions");
pub(super) const REMOVE_CLIENTS: &str = some_of!("clients");
pub(super) const REMOVE_COLUMNS: &str = some_of!("columns");
pub(super) const REMOVE_DETAILS: &str = some_of!("details");
pub(super) const REMOVE_EPOCHS: &str = some_of!("epochs");
pub(super) const REMOVE_EVENTS: &str = some_of!("events");
pub(super) const REMOVE_FIELDS: &str = some_of!("fields");
pub(super) const REMOVE_IMPORTS: &str = some_of!("imports");
pub(super) const REMOVE_LABELS: &str = some_of!("labels");
pub(super) const REMOVE_LINKS: &str = some_of!("board_links");
pub(super) const REMOVE_MEMBERS: &str = some_of!("members");
pub(super) const REMOVE_NUMBER: &str = some_of!("indexed_boards");
pub(super) const REMOVE_SPRINTS: &str = some_of!("sprints");
pub(super) const REMOVE_TOMBSTONES: &str = some_of!("tombstones");
pub(super) const IS_CONDEMNED: &str =
    "SELECT EXISTS (SELECT 1 FROM boards WHERE id = ? AND deleted = 0)";
pub(super) const REMOVE_BOARD: &str = "DELETE FROM boards WHERE id = ? AND deleted = 0";

/// The rows of a board, in the order in which they end.
const REMOVED: [&str; 18] = [
    REMOVE_NUMBER,
    REMOVE_LINKS,
    REMOVE_ATTACHMENTS,
    REMOVE_DETAILS,
    REMOVE_CARDS,
    REMOVE_COLUMNS,
    REMOVE_LABELS,
    REMOVE_FIELDS,
    REMOVE_SPRINTS,
    REMOVE_TOMBSTONES,
    REMOVE_CARD_VERSIONS,
    REMOVE_CLIENTS,
    REMOVE_EVENTS,
    REMOVE_ACTIVITY,
    REMOVE_IMPORTS,
    REMOVE_BASE,
    REMOVE_EPOCHS,
    REMOVE_MEMBERS,
];

/// Performs an act inside a transaction.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    act: &BinAct,
) -> Result<bool, sqlx::Error> {
    let query = match act {
        BinAct::Put { board, by, at } => sqlx::query(PUT)
            .bind(board.as_str())
            .bind(at.0.cast_signed())
            .bind(by.as_str()),
        BinAct::TakeOut { board, after } => sqlx::query(TAKE_OUT)
            .bind(board.as_str())
            .bind(after.0.cast_signed()),
        BinAct::Condemn { board, until } => sqlx::query(CONDEMN)
            .bind(board.as_str())
            .bind(until.0.cast_signed()),
        BinAct::Remove(board) => return remove(conn, *board).await,
    };
    query
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
}

/// Removes some rows of a board that does not come back; `false` when it is no more.
async fn remove(conn: &mut SqliteConnection, board: BoardId) -> Result<bool, sqlx::Error> {
    let is_condemned: bool = sqlx::query_scalar(IS_CONDEMNED)
        .bind(board.as_str())
        .fetch_one(&mut *conn)
        .await?;
    if !is_condemned {
        return Ok(false);
    }
    sqlx::query(REMOVE_TOKENS)
        .bind(board.as_str())
        .bind(REMOVED_MAX)
        .execute(&mut *conn)
        .await?;
    for sql in [REMOVE_INDEXED].into_iter().chain(REMOVED) {
        let done = sqlx::query(sql)
            .bind(board.as_str())
            .bind(REMOVED_MAX)
            .execute(&mut *conn)
            .await?;
        if done.rows_affected() > 0 {
            return Ok(true);
        }
    }
    sqlx::query(REMOVE_BOARD)
        .bind(board.as_str())
        .execute(conn)
        .await?;
    Ok(false)
}

/// What went into the bin until this moment has been there for long enough.
fn until(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(BIN_KEPT_MS))
}

impl Storage {
    /// Puts a board into the bin; `false` where there is no such board, or it is there already. Its
    /// room is the caller's to end.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn put_into_bin(
        &self,
        board: BoardId,
        by: UserId,
        at: Timestamp,
    ) -> Result<bool, StorageError> {
        let put = BinAct::Put { board, by, at };
        self.inner.requests.ask(Act::Bin(put)).await
    }

    /// Takes a board out of the bin; `false` where it is not there, or has been for [`BIN_KEPT_MS`].
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn take_out_of_bin(
        &self,
        board: BoardId,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let after = until(now);
        let take_out = BinAct::TakeOut { board, after };
        self.inner.requests.ask(Act::Bin(take_out)).await
    }

    /// What somebody is on a board in the bin; `None` where it is not there, and for strangers.
    ///
    /// # Errors
    /// Reading failed, or what is stored contradicts itself.
    pub async fn role_in_bin(
        &self,
        board: BoardId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<Role>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let since: Option<i64> = sqlx::query_scalar(SINCE)
                .bind(board.as_str())
                .bind(until(now).0.cast_signed())
                .fetch_optional(pool)
                .await?;
            if since.is_none() {
                return Ok(None);
            }
            // Its rows may be behind its log, as they are after a crash: the log counts as well.
            let loaded = self.inner.readers.load(board, now, 0).await?;
            Ok(loaded.and_then(|loaded| loaded.board.board.role_of(actor)))
        };
        self.observed().read("load a board of the bin", read).await
    }

    /// A page of the bin, by id.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn bin(
        &self,
        page: BinPage<'_>,
        now: Timestamp,
    ) -> Result<Vec<BinnedBoard>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let among = page.among.map(serde_json::to_string).transpose();
        let among = among.map_err(|error| sqlx::Error::Decode(error.into()))?;
        let sql = match page.user {
            Some(_) => BIN_OF_USER,
            None => WHOLE_BIN,
        };
        let read = async {
            let rows = sqlx::query(sql)
                .bind(page.user.map(|user| user.to_string()))
                .bind(page.after.map_or(String::new(), |board| board.to_string()))
                .bind(i64::try_from(page.limit).unwrap_or(i64::MAX))
                .bind(until(now).0.cast_signed())
                .bind(among)
                .fetch_all(pool)
                .await?;
            let boards: Result<Vec<_>, sqlx::Error> = rows.iter().map(binned).collect();
            Ok(boards?)
        };
        self.observed().read("list the bin", read).await
    }

    /// A board that has been in the bin for [`BIN_KEPT_MS`], and does not come back from now on; its
    /// rows are to be [removed](Storage::remove_some). `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub async fn ended_board(&self, now: Timestamp) -> Result<Option<BoardId>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let until = until(now);
        let ended: Option<String> = sqlx::query_scalar(ENDED)
            .bind(until.0.cast_signed())
            .fetch_optional(pool)
            .await?;
        let Some(ended) = ended else { return Ok(None) };
        let board = ended.parse().map_err(decode)?;
        let condemn = BinAct::Condemn { board, until };
        let is_ended = self.inner.requests.ask(Act::Bin(condemn)).await?;
        Ok(is_ended.then_some(board))
    }

    /// Removes at most 200 rows of a board that does not come back; `false` when it is no more. Its
    /// files end as others that nothing refers to.
    ///
    /// # Errors
    /// It cannot be written; what was removed before stays so.
    pub async fn remove_some(&self, board: BoardId) -> Result<bool, StorageError> {
        let remove = Act::Bin(BinAct::Remove(board));
        self.inner.requests.ask(remove).await
    }
}

fn binned(row: &SqliteRow) -> Result<BinnedBoard, sqlx::Error> {
    let by: Option<&str> = row.try_get(3)?;
    Ok(BinnedBoard {
        board: row.try_get::<&str, _>(0)?.parse().map_err(decode)?,
        title: row.try_get(1)?,
        deleted: Timestamp(row.try_get::<i64, _>(2)?.cast_unsigned()),
        by: by.unwrap_or_default().parse().map_err(decode)?,
    })
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
