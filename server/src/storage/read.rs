//! Reads what is listed and looked up: boards of a user, activity, imports.

use futures::TryStreamExt;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use boardcast_protocol::board::Role;
use boardcast_protocol::ids::{BoardId, CardId, UserId};
use boardcast_protocol::message::{ActivityEntry, BoardSummary};
use boardcast_protocol::position::{MAX_SAFE_INTEGER, Timestamp, Version};

use super::{ImportRecord, StorageError};

/// Text of one page of activity; one entry may be larger.
const ACTIVITY_MAX_BYTES: usize = 1_024 * 1_024;

pub(super) const BOARDS_OF_USER: &str = "SELECT b.id, b.title, b.archived, m.role \
     FROM members AS m CROSS JOIN boards AS b ON b.id = m.board \
     WHERE m.id = ?1 AND m.board > ?2 AND b.deleted IS NULL \
     AND (?4 IS NULL OR b.archived = ?4) ORDER BY m.board LIMIT ?3";
pub(super) const BOARDS_AMONG: &str = "SELECT b.id, b.title, b.archived, m.role \
     FROM members AS m CROSS JOIN boards AS b ON b.id = m.board \
     WHERE m.id = ?1 AND m.board > ?2 AND m.board IN (SELECT value FROM json_each(?3)) \
     AND b.deleted IS NULL AND (?4 IS NULL OR b.archived = ?4) ORDER BY m.board";
pub(super) const ALL_BOARDS: &str = "SELECT id, title, archived, 'admin' FROM boards \
     WHERE id > ?2 AND deleted IS NULL AND (?4 IS NULL OR archived = ?4) ORDER BY id LIMIT ?3";

pub(super) async fn boards_of(
    readers: &SqlitePool,
    user: Option<UserId>,
    archived: Option<bool>,
    after: Option<BoardId>,
    limit: usize,
) -> Result<Vec<BoardSummary>, StorageError> {
    let rows = sqlx::query(match user {
        Some(_) => BOARDS_OF_USER,
        None => ALL_BOARDS,
    })
    .bind(user.map(|user| user.to_string()))
    .bind(after.map_or(String::new(), |board| board.to_string()))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(archived)
    .fetch_all(readers)
    .await?;
    rows.iter().map(summary).collect()
}

pub(super) async fn boards_among(
    readers: &SqlitePool,
    user: UserId,
    boards: &[BoardId],
    archived: Option<bool>,
    after: Option<BoardId>,
) -> Result<Vec<BoardSummary>, StorageError> {
    let rows = sqlx::query(BOARDS_AMONG)
        .bind(user.to_string())
        .bind(after.map_or(String::new(), |board| board.to_string()))
        .bind(serde_json::to_string(boards).map_err(decode)?)
        .bind(archived)
        .fetch_all(readers)
        .await?;
    rows.iter().map(summary).collect()
}

/// Boards whose rows are behind their log: those of an import that no room has opened yet, and those
/// that were open at a kill.
pub(super) const BEHIND: &str = "SELECT b.id FROM boards AS b WHERE b.id > ?1 AND b.deleted IS NULL AND b.version < \
     coalesce((SELECT max(version) FROM events WHERE board = b.id), 0) ORDER BY b.id LIMIT ?2";

/// See [`super::Storage::boards_behind`].
pub(super) async fn boards_behind(
    readers: &SqlitePool,
    after: Option<BoardId>,
    limit: usize,
) -> Result<Vec<BoardId>, StorageError> {
    let rows = sqlx::query(BEHIND)
        .bind(after.map_or(String::new(), |board| board.to_string()))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(readers)
        .await?;
    rows.iter().map(|row| parsed(row, 0)).collect()
}

fn summary(row: &SqliteRow) -> Result<BoardSummary, StorageError> {
    let role: &str = row.try_get(3)?;
    Ok(BoardSummary {
        board: parsed(row, 0)?,
        title: row.try_get(1)?,
        role: serde_json::from_value::<Role>(role.into()).map_err(decode)?,
        archived: row.try_get(2)?,
    })
}

pub(super) const ACTIVITY: &str = "SELECT version, by_user, at, ev, was FROM events \
     WHERE board = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3";
/// What was trimmed is older than all that is in the log.
pub(super) const TRIMMED_ACTIVITY: &str = "SELECT version, by_user, at, ev, was FROM activity \
     WHERE board = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3";
/// The versions after the rows, which the table of cards' versions does not know.
pub(super) const LATE_CARD_ACTIVITY: &str = "SELECT version, by_user, at, ev, was FROM events \
     WHERE board = ?1 AND version < ?2 \
     AND version > (SELECT version FROM boards WHERE id = ?1) \
     AND EXISTS (SELECT 1 FROM json_each(ev) AS x \
         WHERE json_extract(x.value, '$.card') = ?4 OR json_extract(x.value, '$.card.id') = ?4) \
     ORDER BY version DESC LIMIT ?3";
/// A version is in the log or, once it has been trimmed, in the activity.
pub(super) const CARD_ACTIVITY: &str = "SELECT c.version, coalesce(e.by_user, a.by_user), \
         coalesce(e.at, a.at), coalesce(e.ev, a.ev), coalesce(e.was, a.was) \
     FROM card_versions AS c \
     LEFT JOIN events AS e ON e.board = c.board AND e.version = c.version \
     LEFT JOIN activity AS a ON a.board = c.board AND a.version = c.version \
     WHERE c.board = ?1 AND c.card = ?4 AND c.version < ?2 \
     AND (e.version IS NOT NULL OR a.version IS NOT NULL) ORDER BY c.version DESC LIMIT ?3";

/// A page under way.
struct Page {
    entries: Vec<ActivityEntry>,
    limit: usize,
    bytes: usize,
}

impl Page {
    /// Adds an entry; whether another may follow.
    fn add(&mut self, row: &SqliteRow) -> Result<bool, StorageError> {
        let ev: &str = row.try_get(3)?;
        let was: &str = row.try_get(4)?;
        self.bytes += ev.len() + was.len();
        if self.bytes > ACTIVITY_MAX_BYTES && !self.entries.is_empty() {
            return Ok(false);
        }
        self.entries.push(ActivityEntry {
            n: Version(row.try_get::<i64, _>(0)?.cast_unsigned()),
            by: parsed(row, 1)?,
            at: Timestamp(row.try_get::<i64, _>(2)?.cast_unsigned()),
            ev: serde_json::from_str(ev).map_err(decode)?,
            was: serde_json::from_str(was).map_err(decode)?,
        });
        Ok(self.entries.len() < self.limit)
    }
}

pub(super) async fn activity(
    readers: &SqlitePool,
    board: BoardId,
    card: Option<CardId>,
    before: Option<Version>,
    limit: usize,
) -> Result<Vec<ActivityEntry>, StorageError> {
    let before = before.map_or(MAX_SAFE_INTEGER, |version| version.0);
    let mut page = Page {
        entries: Vec::new(),
        limit,
        bytes: 0,
    };
    if limit == 0 {
        return Ok(page.entries);
    }
    let parts = match card {
        None => [ACTIVITY, TRIMMED_ACTIVITY],
        Some(_) => [LATE_CARD_ACTIVITY, CARD_ACTIVITY],
    };
    let mut snapshot = readers.begin().await?;
    for sql in parts {
        if !fill(&mut snapshot, sql, board, card, before, &mut page).await? {
            break;
        }
    }
    snapshot.rollback().await?;
    Ok(page.entries)
}

/// Fills a page from a query; whether there is place for more.
async fn fill(
    conn: &mut SqliteConnection,
    sql: &'static str,
    board: BoardId,
    card: Option<CardId>,
    before: u64,
    page: &mut Page,
) -> Result<bool, StorageError> {
    let left = page.limit - page.entries.len();
    let mut query = sqlx::query(sql)
        .bind(board.as_str())
        .bind(before.cast_signed())
        .bind(i64::try_from(left).unwrap_or(i64::MAX));
    if let Some(card) = card {
        query = query.bind(card.to_string());
    }
    let mut rows = query.fetch(conn);
    while let Some(row) = rows.try_next().await? {
        if !page.add(&row)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) const IMPORT: &str = "SELECT board, digest, ids FROM imports WHERE source = ?";

pub(super) async fn import_record(
    readers: &SqlitePool,
    source: &str,
) -> Result<Option<ImportRecord>, StorageError> {
    let row = sqlx::query(IMPORT)
        .bind(source)
        .fetch_optional(readers)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ImportRecord {
        board: parsed(&row, 0)?,
        digest: row.try_get(1)?,
        ids: serde_json::from_str(row.try_get(2)?).map_err(decode)?,
    }))
}

fn parsed<T>(row: &SqliteRow, index: usize) -> Result<T, StorageError>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: &str = row.try_get(index)?;
    text.parse().map_err(decode)
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> StorageError {
    StorageError::Read(sqlx::Error::Decode(Box::new(error)))
}
