//! Writes the write-ahead log back into the database: most of it from a connection beside the writer,
//! the rest from the writer, so that the log begins anew. A second connection that does it alone
//! falls behind without end.

use sqlx::{Row, SqliteConnection};

use super::fault::Fault;

const PAGE_BYTES: usize = 4_096;
/// Written pages after which the log is written back when nothing waits.
const DUE_PAGES: usize = 1_000;
/// Written pages after which it is written back in any case: 12 MiB. Commits wait for its end, for
/// longer the more there is (docs/decisions/0015).
const OVERDUE_PAGES: usize = 3_000;
/// A log longer than this part of its bound waits for readers, so that it can begin anew.
const LONG_PART: u64 = 8;

/// When the next checkpoint is due.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Pages written since the last one: at most, one for each row and those of its text.
    pages: usize,
}

impl Schedule {
    /// Takes note of what a transaction wrote.
    pub(super) fn wrote(&mut self, rows: usize, bytes: usize) {
        self.pages += rows + bytes / PAGE_BYTES;
    }

    pub(super) fn is_due(&self, versions_wait: bool) -> bool {
        self.pages
            >= if versions_wait {
                OVERDUE_PAGES
            } else {
                DUE_PAGES
            }
    }

    /// A checkpoint is made now: what was written before counts no more.
    pub(super) fn begin(&mut self) {
        self.pages = 0;
    }
}

/// Writes back as much as present readers allow; waits for them, for at most 100 ms, when the log
/// is long for its bound.
pub(super) async fn run(conn: &mut SqliteConnection, max_bytes: u64) -> Result<(), Fault> {
    let log_pages = passive(conn).await?;
    if log_pages * PAGE_BYTES as u64 > max_bytes / LONG_PART {
        truncate(conn).await?;
    }
    Ok(())
}

/// Writes back as much as present readers and the writer allow, without waiting for them; the pages
/// in the log.
pub(super) async fn passive(conn: &mut SqliteConnection) -> Result<u64, Fault> {
    checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)").await
}

/// Empties the log, waiting at most 100 ms for readers. They may keep it long: its size tells.
pub(super) async fn truncate(conn: &mut SqliteConnection) -> Result<(), Fault> {
    execute(conn, "PRAGMA busy_timeout = 100").await?;
    let result = checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    execute(conn, "PRAGMA busy_timeout = 5000").await?;
    result.map(drop)
}

async fn execute(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), Fault> {
    sqlx::query(sql)
        .fetch_all(conn)
        .await
        .map(drop)
        .map_err(|error| Fault::of_statement(&error))
}

/// The pages that are in the log.
async fn checkpoint(conn: &mut SqliteConnection, sql: &'static str) -> Result<u64, Fault> {
    let row = sqlx::query(sql)
        .fetch_one(conn)
        .await
        .map_err(|error| Fault::of_statement(&error))?;
    let pages: i64 = (row.try_get(1)).map_err(|error| Fault::of_statement(&error))?;
    // It is -1 where there is no log.
    Ok(u64::try_from(pages).unwrap_or_default())
}
