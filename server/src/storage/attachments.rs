//! Which attachment of which board is which file, and what there is of files.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use boardcast_protocol::ids::{AttachmentId, BoardId, CardId};
use boardcast_protocol::position::Timestamp;

use super::requests::Act;
use super::{Storage, StorageError};
use crate::files::FileHash;

/// A file, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name.
    pub hash: FileHash,
    /// Its size.
    pub bytes: u64,
    /// Its media type.
    pub mime: &'static str,
    /// When it came first.
    pub created: Timestamp,
}

/// Where an attachment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentPlace {
    /// The board.
    pub board: BoardId,
    /// The card.
    pub card: CardId,
    /// The attachment.
    pub attachment: AttachmentId,
}

/// Bytes of files above which none is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileQuota {
    /// Of all attachments of a board, each counted, until they end.
    pub board_bytes: u64,
    /// Of all files, each counted once.
    pub server_bytes: u64,
}

/// The file of an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedFile {
    /// The card.
    pub card: CardId,
    /// The file.
    pub hash: FileHash,
    /// Its size.
    pub bytes: u64,
    /// Its media type.
    pub mime: String,
}

/// An attachment that is a file, as the upkeep sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptAttachment {
    /// The board.
    pub board: BoardId,
    /// The attachment.
    pub attachment: AttachmentId,
    /// Since when it is known not to be on the board.
    pub gone: Option<Timestamp>,
    /// Whether it is on the board.
    pub held: bool,
}

/// How many files there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTotals {
    /// Files, each counted once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is to be written. The answer says whether there was something to do; if not, nothing is
/// changed.
#[derive(Debug)]
pub(super) enum FileAct {
    /// `true` where the attachment is this file now, also where it was before.
    Attach {
        place: AttachmentPlace,
        file: StoredFile,
        quota: FileQuota,
    },
    /// The attachment is on its board, or is not since then.
    Mark {
        board: BoardId,
        attachment: AttachmentId,
        gone: Option<Timestamp>,
    },
    /// The attachment ends, if it is gone since before and is not on its board.
    End {
        board: BoardId,
        attachment: AttachmentId,
        before: Timestamp,
    },
    /// The file is forgotten, if it is no attachment.
    Forget(FileHash),
}

pub(super) const REATTACH: &str = "UPDATE attachments SET gone = NULL \
     WHERE board = ? AND attachment = ? AND card = ? AND hash = ?";
pub(super) const IS_ATTACHED: &str =
    "SELECT EXISTS (SELECT 1 FROM attachments WHERE board = ? AND attachment = ?)";
pub(super) const FITS: &str = "SELECT \
     coalesce((SELECT sum(bytes) FROM attachments WHERE board = ?1), 0) + ?2 <= ?3 \
     AND (EXISTS (SELECT 1 FROM files WHERE hash = ?4) \
         OR (SELECT bytes FROM file_totals WHERE id = 1) + ?2 <= ?5)";
pub(super) const PUT_FILE: &str = "INSERT INTO files (hash, bytes, mime, created) \
     VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING";
pub(super) const ATTACH: &str = "INSERT INTO attachments (board, attachment, card, hash, bytes) \
     VALUES (?, ?, ?, ?, ?)";
pub(super) const MARK: &str =
    "UPDATE attachments SET gone = ?3 WHERE board = ?1 AND attachment = ?2";
pub(super) const FORGET_FILE: &str = "DELETE FROM files WHERE hash = ?1 \
     AND NOT EXISTS (SELECT 1 FROM attachments WHERE hash = ?1)";

/// Whether attachment `a` is on its board: on its card, as the rows or a later version of the log
/// have it. The text is that of an id in JSON; one that only looks like it keeps the file.
macro_rules! held {
    () => {
        "(EXISTS (SELECT 1 FROM cards AS c WHERE c.board = a.board AND c.id = a.card \
             AND instr(c.doc, '\"id\":\"' || a.attachment || '\"') > 0) \
         OR EXISTS (SELECT 1 FROM events AS e WHERE e.board = a.board \
             AND e.version > (SELECT version FROM boards WHERE id = a.board) \
             AND instr(e.ev, '\"id\":\"' || a.attachment || '\"') > 0))"
    };
}

pub(super) const END: &str = concat!(
    "DELETE FROM attachments AS a WHERE a.board = ? AND a.attachment = ? AND a.gone <= ? AND NOT ",
    held!()
);
pub(super) const KEPT: &str = concat!(
    "SELECT a.board, a.attachment, a.gone, ",
    held!(),
    " FROM attachments AS a WHERE (a.board, a.attachment) > (?, ?) \
     ORDER BY a.board, a.attachment LIMIT ?"
);
pub(super) const FILE_OF: &str = "SELECT a.card, a.hash, a.bytes, f.mime FROM attachments AS a \
     JOIN files AS f ON f.hash = a.hash WHERE a.board = ? AND a.attachment = ?";
pub(super) const BOARD_BYTES: &str =
    "SELECT coalesce(sum(bytes), 0) FROM attachments WHERE board = ?";
pub(super) const TOTALS: &str = "SELECT files, bytes FROM file_totals WHERE id = 1";
pub(super) const UNUSED: &str = "SELECT hash FROM files AS f WHERE hash > ? \
     AND NOT EXISTS (SELECT 1 FROM attachments AS a WHERE a.hash = f.hash) \
     ORDER BY hash LIMIT ?";
pub(super) const UNKNOWN: &str = "SELECT v.value FROM json_each(?) AS v \
     WHERE NOT EXISTS (SELECT 1 FROM files WHERE hash = unhex(v.value))";

/// Performs an act inside a transaction.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    act: &FileAct,
) -> Result<bool, sqlx::Error> {
    let query = match act {
        FileAct::Attach { place, file, quota } => return attach(conn, place, file, *quota).await,
        FileAct::Mark {
            board,
            attachment,
            gone,
        } => sqlx::query(MARK)
            .bind(board.as_str())
            .bind(attachment.as_str())
            .bind(gone.map(|gone| gone.0.cast_signed())),
        FileAct::End {
            board,
            attachment,
            before,
        } => sqlx::query(END)
            .bind(board.as_str())
            .bind(attachment.as_str())
            .bind(before.0.cast_signed()),
        FileAct::Forget(hash) => sqlx::query(FORGET_FILE).bind(hash.0.as_slice()),
    };
    query
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
}

async fn attach(
    conn: &mut SqliteConnection,
    place: &AttachmentPlace,
    file: &StoredFile,
    quota: FileQuota,
) -> Result<bool, sqlx::Error> {
    let (board, attachment) = (place.board.as_str(), place.attachment.as_str());
    let hash = file.hash.0.as_slice();
    let bytes = file.bytes.cast_signed();
    let known = sqlx::query(REATTACH)
        .bind(board)
        .bind(attachment)
        .bind(place.card.as_str())
        .bind(hash)
        .execute(&mut *conn)
        .await?;
    if known.rows_affected() > 0 {
        return Ok(true);
    }
    let taken: bool = sqlx::query_scalar(IS_ATTACHED)
        .bind(board)
        .bind(attachment)
        .fetch_one(&mut *conn)
        .await?;
    let fits: bool = sqlx::query_scalar(FITS)
        .bind(board)
        .bind(bytes)
        .bind(quota.board_bytes.cast_signed())
        .bind(hash)
        .bind(quota.server_bytes.cast_signed())
        .fetch_one(&mut *conn)
        .await?;
    if taken || !fits {
        return Ok(false);
    }
    sqlx::query(PUT_FILE)
        .bind(hash)
        .bind(bytes)
        .bind(file.mime)
        .bind(file.created.0.cast_signed())
        .execute(&mut *conn)
        .await?;
    sqlx::query(ATTACH)
        .bind(board)
        .bind(attachment)
        .bind(place.card.as_str())
        .bind(hash)
        .bind(bytes)
        .execute(conn)
        .await?;
    Ok(true)
}

impl Storage {
    /// Notes that an attachment is this file, before it comes onto its board; `true` also where that
    /// was noted before. `false`, and nothing is changed, where the attachment is another file, or the
    /// board or all files have as many bytes as may be.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn attach(
        &self,
        place: AttachmentPlace,
        file: StoredFile,
        quota: FileQuota,
    ) -> Result<bool, StorageError> {
        let attach = FileAct::Attach { place, file, quota };
        self.inner.requests.ask(Act::File(attach)).await
    }

    /// Notes since when an attachment is not on its board, or that it is.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn mark_attachment(
        &self,
        board: BoardId,
        attachment: AttachmentId,
        gone: Option<Timestamp>,
    ) -> Result<(), StorageError> {
        let mark = FileAct::Mark {
            board,
            attachment,
            gone,
        };
        self.inner.requests.ask(Act::File(mark)).await.map(drop)
    }

    /// Forgets an attachment that is gone since `before` or earlier; `false` where it is not, or where
    /// it is on its board after all.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn end_attachment(
        &self,
        board: BoardId,
        attachment: AttachmentId,
        before: Timestamp,
    ) -> Result<bool, StorageError> {
        let end = FileAct::End {
            board,
            attachment,
            before,
        };
        self.inner.requests.ask(Act::File(end)).await
    }

    /// Forgets a file; `false` where it is an attachment, or there is none.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn forget_file(&self, hash: FileHash) -> Result<bool, StorageError> {
        let forget = Act::File(FileAct::Forget(hash));
        self.inner.requests.ask(forget).await
    }

    /// The file of an attachment; `None` where there is none.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn file_of(
        &self,
        board: BoardId,
        attachment: AttachmentId,
    ) -> Result<Option<AttachedFile>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query(FILE_OF).bind(board.as_str());
            let row = query.bind(attachment.as_str()).fetch_optional(pool).await?;
            Ok(row.as_ref().map(attached).transpose()?)
        };
        self.observed().read("look up a file", read).await
    }

    /// The bytes of all attachments of a board that have not ended.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn board_file_bytes(&self, board: BoardId) -> Result<u64, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query_scalar(BOARD_BYTES).bind(board.as_str());
            let bytes: i64 = query.fetch_one(pool).await?;
            Ok(bytes.cast_unsigned())
        };
        self.observed()
            .read("count the files of a board", read)
            .await
    }

    /// How many files there are.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn file_totals(&self) -> Result<FileTotals, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let row = sqlx::query(TOTALS).fetch_one(pool).await?;
            Ok(FileTotals {
                files: row.try_get::<i64, _>(0)?.cast_unsigned(),
                bytes: row.try_get::<i64, _>(1)?.cast_unsigned(),
            })
        };
        self.observed().read("count the files", read).await
    }

    /// Attachments that are files, by board and id, behind one of them.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn kept_attachments(
        &self,
        after: Option<(BoardId, AttachmentId)>,
        limit: usize,
    ) -> Result<Vec<KeptAttachment>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let (board, attachment) = match &after {
            Some((board, attachment)) => (board.as_str(), attachment.as_str()),
            None => ("", ""),
        };
        let read = async {
            let query = sqlx::query(KEPT).bind(board).bind(attachment);
            let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = query.fetch_all(pool).await?;
            let kept: Result<Vec<_>, sqlx::Error> = rows.iter().map(kept).collect();
            Ok(kept?)
        };
        self.observed().read("list attachments", read).await
    }

    /// Files that are no attachment, in the order of their names, behind one of them.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn unused_files(
        &self,
        after: Option<FileHash>,
        limit: usize,
    ) -> Result<Vec<FileHash>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let after = after.map_or(Vec::new(), |hash| hash.0.to_vec());
        let read = async {
            let query = sqlx::query(UNUSED).bind(after);
            let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = query.fetch_all(pool).await?;
            let hashes: Result<Vec<_>, sqlx::Error> = rows.iter().map(|row| hash(row, 0)).collect();
            Ok(hashes?)
        };
        self.observed().read("list unused files", read).await
    }

    /// Those of the files that the database does not know.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn unknown_files(&self, files: &[FileHash]) -> Result<Vec<FileHash>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let names: Vec<String> = files.iter().map(ToString::to_string).collect();
        let names = serde_json::Value::from(names).to_string();
        let read = async {
            let rows: Vec<String> = sqlx::query_scalar(UNKNOWN)
                .bind(names)
                .fetch_all(pool)
                .await?;
            let hashes: Result<Vec<_>, sqlx::Error> = rows
                .iter()
                .map(|name| name.parse().map_err(decode))
                .collect();
            Ok(hashes?)
        };
        self.observed().read("look up files", read).await
    }
}

fn attached(row: &SqliteRow) -> Result<AttachedFile, sqlx::Error> {
    Ok(AttachedFile {
        card: row.try_get::<&str, _>(0)?.parse().map_err(decode)?,
        hash: hash(row, 1)?,
        bytes: row.try_get::<i64, _>(2)?.cast_unsigned(),
        mime: row.try_get(3)?,
    })
}

fn kept(row: &SqliteRow) -> Result<KeptAttachment, sqlx::Error> {
    let gone: Option<i64> = row.try_get(2)?;
    Ok(KeptAttachment {
        board: row.try_get::<&str, _>(0)?.parse().map_err(decode)?,
        attachment: row.try_get::<&str, _>(1)?.parse().map_err(decode)?,
        gone: gone.map(|gone| Timestamp(gone.cast_unsigned())),
        held: row.try_get(3)?,
    })
}

pub(super) fn hash(row: &SqliteRow, column: usize) -> Result<FileHash, sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map(FileHash).map_err(decode)
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
