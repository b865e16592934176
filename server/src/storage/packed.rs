//! Files inside a backup: a table that no database in use has holds their bytes, so that a backup is
//! one file, made and put back whole.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use rustix::fs::statvfs;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::attachments::hash;
use super::backup::{BackupError, failed, parent};
use super::connect;
use crate::files::{FileBytes, FileError, FileHash, FileStore};

/// Bytes of a file in one row.
const PART_BYTES: usize = 1_024 * 1_024;

const MAKE: &str = "CREATE TABLE packed_files (hash BLOB NOT NULL, part INTEGER NOT NULL, \
     bytes BLOB NOT NULL, PRIMARY KEY (hash, part)) STRICT";
const IS_PACKED: &str = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'packed_files'";
const HAS_FILES: &str = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'files'";
const NEXT: &str = "SELECT hash FROM files WHERE hash > ? ORDER BY hash LIMIT 1";
const BYTES: &str = "SELECT coalesce(sum(bytes), 0) FROM files";
const PUT: &str = "INSERT INTO packed_files (hash, part, bytes) VALUES (?, ?, ?)";
const TAKE_BACK: &str = "DELETE FROM packed_files WHERE hash = ?";
const NEXT_PACKED: &str = "SELECT hash FROM packed_files WHERE hash > ? ORDER BY hash LIMIT 1";
const PARTS: &str = "SELECT bytes FROM packed_files WHERE hash = ? ORDER BY part";

/// Adds the files that a snapshot knows to it. A file that is missing or damaged is left out, told in
/// the log, and found by a check of the backup.
///
/// # Errors
/// There is no space, or something cannot be read or written.
pub(super) async fn pack(snapshot: &Path, files: &FileStore) -> Result<(), BackupError> {
    let mut conn = connect::plain(snapshot).await?;
    let packed = pack_all(&mut conn, snapshot, files).await;
    let closed = conn.close().await;
    packed?;
    closed.map_err(BackupError::Snapshot)
}

async fn pack_all(
    conn: &mut SqliteConnection,
    snapshot: &Path,
    files: &FileStore,
) -> Result<(), BackupError> {
    // One that is older than files of attachments.
    if !asked(conn, HAS_FILES).await? {
        return Ok(());
    }
    let bytes: i64 = sqlx::query_scalar(BYTES)
        .fetch_one(&mut *conn)
        .await
        .map_err(BackupError::Snapshot)?;
    require_space(parent(snapshot), bytes.cast_unsigned())?;
    // Nobody knows the file yet: it is synced before it has its name.
    for sql in [
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        MAKE,
    ] {
        sqlx::query(sql)
            .fetch_all(&mut *conn)
            .await
            .map_err(BackupError::Snapshot)?;
    }
    let mut last = None;
    while let Some(name) = next(conn, NEXT, last).await? {
        last = Some(name);
        let packed = match files.read(name, None).await {
            Ok(bytes) => pack_one(conn, name, bytes).await?,
            Err(error) => Err(error),
        };
        match packed {
            Ok(()) => {}
            Err(error @ (FileError::Missing(_) | FileError::Damaged { .. })) => {
                tracing::error!(%error, "the backup is without a file that is not whole");
                sqlx::query(TAKE_BACK)
                    .bind(name.0.as_slice())
                    .execute(&mut *conn)
                    .await
                    .map_err(BackupError::Snapshot)?;
            }
            Err(error) => return Err(BackupError::Files(error)),
        }
    }
    Ok(())
}

async fn pack_one(
    conn: &mut SqliteConnection,
    name: FileHash,
    mut bytes: FileBytes,
) -> Result<Result<(), FileError>, BackupError> {
    let (mut part, mut rest) = (0_i64, BytesMut::new());
    loop {
        let piece = match bytes.next().await {
            Ok(piece) => piece,
            Err(error) => return Ok(Err(error)),
        };
        let is_last = piece.is_none();
        rest.extend_from_slice(&piece.unwrap_or_default());
        while rest.len() >= PART_BYTES || (is_last && !rest.is_empty()) {
            let row = rest.split_to(PART_BYTES.min(rest.len()));
            sqlx::query(PUT)
                .bind(name.0.as_slice())
                .bind(part)
                .bind(&row[..])
                .execute(&mut *conn)
                .await
                .map_err(BackupError::Snapshot)?;
            part += 1;
        }
        if is_last {
            return Ok(Ok(()));
        }
    }
}

/// Puts the files of a copy of a backup into the store, and leaves the copy without them.
///
/// # Errors
/// A file is damaged, there is no space, or something cannot be read or written. The store may have
/// some of the files, which changes nothing for whoever uses it.
pub(super) async fn unpack(copy: &Path, files: &FileStore) -> Result<(), BackupError> {
    let mut conn = connect::plain(copy).await?;
    let unpacked = unpack_all(&mut conn, copy, files).await;
    let closed = conn.close().await;
    unpacked?;
    closed.map_err(BackupError::Snapshot)
}

async fn unpack_all(
    conn: &mut SqliteConnection,
    copy: &Path,
    files: &FileStore,
) -> Result<(), BackupError> {
    if !asked(conn, IS_PACKED).await? {
        return Ok(());
    }
    let mut last = None;
    while let Some(name) = next(conn, NEXT_PACKED, last).await? {
        last = Some(name);
        if files.sound(name).await.is_ok() {
            continue;
        }
        let mut file = files.receive().await.map_err(BackupError::Files)?;
        let mut parts = sqlx::query(PARTS).bind(name.0.to_vec()).fetch(&mut *conn);
        while let Some(row) = parts.try_next().await.map_err(BackupError::Snapshot)? {
            let part: &[u8] = row.try_get(0).map_err(BackupError::Snapshot)?;
            let part = Bytes::copy_from_slice(part);
            file.write(&part).await.map_err(BackupError::Files)?;
        }
        drop(parts);
        let received = file.finish().await.map_err(BackupError::Files)?;
        if received.hash != name {
            return Err(BackupError::NotWhole {
                file: copy.to_owned(),
                reason: format!("the file {name} in it is damaged"),
            });
        }
        received.keep().await.map_err(BackupError::Files)?;
    }
    for sql in ["DROP TABLE packed_files", "VACUUM"] {
        sqlx::query(sql)
            .execute(&mut *conn)
            .await
            .map_err(BackupError::Snapshot)?;
    }
    Ok(())
}

/// The hash of what a backup has of a file; `None` where it has nothing.
pub(super) async fn hash_packed(
    conn: &mut SqliteConnection,
    name: FileHash,
) -> Result<Option<FileHash>, sqlx::Error> {
    let mut digest = None;
    let mut parts = sqlx::query(PARTS).bind(name.0.to_vec()).fetch(conn);
    while let Some(row) = parts.try_next().await? {
        let part: &[u8] = row.try_get(0)?;
        digest.get_or_insert_with(Sha256::new).update(part);
    }
    Ok(digest.map(|digest| FileHash(digest.finalize().into())))
}

/// Whether a database has files in it, as backups do.
pub(super) async fn is_packed(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(IS_PACKED).fetch_one(conn).await
}

async fn asked(conn: &mut SqliteConnection, sql: &'static str) -> Result<bool, BackupError> {
    let asked = sqlx::query_scalar(sql).fetch_one(conn).await;
    asked.map_err(BackupError::Snapshot)
}

async fn next(
    conn: &mut SqliteConnection,
    sql: &'static str,
    last: Option<FileHash>,
) -> Result<Option<FileHash>, BackupError> {
    let last = last.map_or(Vec::new(), |last| last.0.to_vec());
    let row = sqlx::query(sql).bind(last).fetch_optional(conn).await;
    let row = row.map_err(BackupError::Snapshot)?;
    let name = row.as_ref().map(|row| hash(row, 0)).transpose();
    name.map_err(BackupError::Snapshot)
}

/// Refuses a backup whose files would not fit.
pub(super) fn require_space(dir: &Path, needed_bytes: u64) -> Result<(), BackupError> {
    let space = statvfs(dir).map_err(|error| failed(dir, error.into()))?;
    let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
    if free_bytes < needed_bytes {
        return Err(BackupError::NoSpace {
            dir: dir.to_owned(),
            needed_bytes,
            free_bytes,
        });
    }
    Ok(())
}
