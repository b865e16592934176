//! What a failed write means, by SQLite's result code.

use sqlx::SqliteConnection;

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;

const IOERR_WRITE: i32 = IOERR | (3 << 8);
const IOERR_FSYNC: i32 = IOERR | (4 << 8);
const IOERR_DIR_FSYNC: i32 = IOERR | (5 << 8);
const IOERR_SHMSIZE: i32 = IOERR | (19 << 8);

/// Why a transaction was not committed, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Somebody else writes: the same again, soon.
    Busy(String),
    /// The disk is full or does not take writes: the same again, until it does.
    Disk(String),
    /// The data breaks a rule: the same again would fail again.
    Data(String),
    /// What is on the disk is not known: nothing may be written any more. After a failed sync the
    /// kernel may have forgotten which pages it still has to write.
    Unclear(String),
}

impl Fault {
    /// Of a statement inside a transaction: nothing of it is committed.
    pub(super) fn of_statement(error: &sqlx::Error) -> Self {
        let text = error.to_string();
        let Some(code) = extended_code(error) else {
            return Self::Unclear(text);
        };
        if code == IOERR_FSYNC || code == IOERR_DIR_FSYNC {
            return Self::Unclear(text);
        }
        match code & 0xff {
            BUSY | LOCKED => Self::Busy(text),
            NOMEM | READONLY | IOERR | FULL | CANTOPEN => Self::Disk(text),
            TOOBIG | CONSTRAINT | MISMATCH => Self::Data(text),
            _ => Self::Unclear(text),
        }
    }

    /// Of COMMIT: only what fails before the commit is in the write-ahead log may be repeated.
    pub(super) fn of_commit(error: &sqlx::Error) -> Self {
        let text = error.to_string();
        let Some(code) = extended_code(error) else {
            return Self::Unclear(text);
        };
        match (code, code & 0xff) {
            (_, BUSY) => Self::Busy(text),
            (_, FULL) | (IOERR_WRITE | IOERR_SHMSIZE, _) => Self::Disk(text),
            (_, CONSTRAINT) => Self::Data(text),
            _ => Self::Unclear(text),
        }
    }
}

fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The result code without its detail.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    extended_code(error).map(|code| code & 0xff)
}

// Transactions are plain statements: sqlx counts their depth, and when SQLite has rolled back by
// itself, as it does on a full disk, that count is never right again.

/// Begins a transaction that is sure to be able to write.
pub(super) async fn begin(conn: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query("BEGIN IMMEDIATE")
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| Fault::of_statement(&error))
}

/// Commits. Never to be raced against a time-out: a cancelled commit has an unknown outcome.
pub(super) async fn commit(conn: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query("COMMIT")
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| Fault::of_commit(&error))
}

/// Ends a transaction that has failed. It fails where SQLite has rolled back already; should the
/// transaction still be open, the next `begin` finds out.
pub(super) async fn roll_back(conn: &mut SqliteConnection) {
    if let Err(error) = sqlx::query("ROLLBACK").execute(conn).await {
        tracing::debug!(%error, "a transaction was rolled back already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Coded(i32);

    impl std::fmt::Display for Coded {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "code {}", self.0)
        }
    }

    impl std::error::Error for Coded {}

    impl sqlx::error::DatabaseError for Coded {
        fn message(&self) -> &str {
            "failed"
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.to_string().into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    fn error(code: i32) -> sqlx::Error {
        sqlx::Error::Database(Box::new(Coded(code)))
    }

    #[test]
    fn a_failed_sync_is_never_repeated() {
        for code in [IOERR_FSYNC, IOERR_DIR_FSYNC] {
            assert!(matches!(Fault::of_commit(&error(code)), Fault::Unclear(_)));
            assert!(matches!(
                Fault::of_statement(&error(code)),
                Fault::Unclear(_)
            ));
        }
        assert!(matches!(
            Fault::of_commit(&sqlx::Error::WorkerCrashed),
            Fault::Unclear(_)
        ));
    }

    #[test]
    fn a_commit_is_repeated_only_where_it_surely_failed() {
        assert!(matches!(Fault::of_commit(&error(FULL)), Fault::Disk(_)));
        assert!(matches!(
            Fault::of_commit(&error(IOERR_WRITE)),
            Fault::Disk(_)
        ));
        assert!(matches!(Fault::of_commit(&error(IOERR)), Fault::Unclear(_)));
        assert!(matches!(Fault::of_statement(&error(IOERR)), Fault::Disk(_)));
    }

    #[test]
    fn a_broken_rule_is_the_fault_of_the_data() {
        assert!(matches!(Fault::of_statement(&error(1555)), Fault::Data(_)));
        assert!(matches!(Fault::of_statement(&error(BUSY)), Fault::Busy(_)));
    }
}
