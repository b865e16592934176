//! Reads parts of the log for those who resume from before what a room has in memory.

use futures::TryStreamExt;
use sqlx::sqlite::SqlitePool;

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

use super::{StorageError, StoredVersion, load};

pub(super) const PAST: &str = "SELECT version, at, by_user, client, seq, body, ev \
     FROM events WHERE board = ?1 AND version > ?2 AND version <= ?3 ORDER BY version";

/// One short read, so that the write-ahead log is held for the time of one part only.
pub(super) async fn read(
    readers: &SqlitePool,
    board: BoardId,
    (after, to): (Version, Version),
    max_bytes: usize,
) -> Result<Vec<StoredVersion>, StorageError> {
    let mut part = Part::after(after, max_bytes);
    let mut rows = sqlx::query(PAST)
        .bind(board.as_str())
        .bind(after.0.cast_signed())
        .bind(to.0.cast_signed())
        .fetch(readers);
    while let Some(row) = rows.try_next().await? {
        if !part.add(load::stored(board, &row)?) {
            break;
        }
    }
    Ok(part.into_log())
}

/// Versions without a gap, taken forwards, of about `max_bytes` at most but one at least.
pub(super) struct Part {
    log: Vec<StoredVersion>,
    bytes: usize,
    max_bytes: usize,
    next: Version,
}

impl Part {
    pub(super) fn after(after: Version, max_bytes: usize) -> Self {
        Self {
            log: Vec::new(),
            bytes: 0,
            max_bytes,
            next: after.next(),
        }
    }

    /// Takes the next version; `false` when it is enough.
    pub(super) fn add(&mut self, entry: StoredVersion) -> bool {
        self.bytes += entry.events.len();
        // A version that is missing was trimmed: what comes after it is of no use.
        if entry.version != self.next || (self.bytes > self.max_bytes && !self.log.is_empty()) {
            return false;
        }
        self.next = entry.version.next();
        self.log.push(entry);
        true
    }

    pub(super) fn into_log(self) -> Vec<StoredVersion> {
        self.log
    }
}
