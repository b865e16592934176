//! Writes the write-ahead log back into the database, from the writer itself: a second connection
//! that does it falls behind without end.

use sqlx::{Row, SqliteConnection};

use super::fault::Fault;

const PAGE_BYTES: usize = 4_096;
/// Written pages after which the log is written back when nothing waits.
const DUE_PAGES: usize = 2_000;
/// Written pages after which it is written back in any case: 32 MiB.
const OVERDUE_PAGES: usize = 8_000;
/// Pages in the log above which readers are waited for, so that it can begin anew: 128 MiB.
const LONG_PAGES: i64 = 32_768;

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

    /// Writes back as much as present readers allow; waits for them, for at most 100 ms, when the
    /// log has become long.
    pub(super) async fn run(&mut self, conn: &mut SqliteConnection) -> Result<(), Fault> {
        self.pages = 0;
        let log_pages = checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)").await?;
        if log_pages > LONG_PAGES {
            truncate(conn).await?;
        }
        Ok(())
    }
}

/// Empties the log, waiting at most 100 ms for readers.
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
async fn checkpoint(conn: &mut SqliteConnection, sql: &'static str) -> Result<i64, Fault> {
    let row = sqlx::query(sql)
        .fetch_one(conn)
        .await
        .map_err(|error| Fault::of_statement(&error))?;
    row.try_get(1).map_err(|error| Fault::of_statement(&error))
}
