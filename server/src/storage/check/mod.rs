//! Whether a database keeps every promise. It is read and nothing else: board by board, the log as
//! a stream, so that memory holds one board and what the ledgers say.
//!
//! In reading order: what is found, the database as a whole, one board, its history, its rows,
//! the search index, and the ledgers of clients.

mod report;

mod database;

mod board;
mod cards;
mod clients;
mod epochs;
mod files;
mod history;
mod index;
mod ledger;
mod rows;

use std::ops::ControlFlow;
use std::path::PathBuf;

use sqlx::SqliteConnection;

pub use report::{CheckReport, Invariant, LISTED_MAX, LedgerCounts, Violation};

use super::StorageError;
use super::connect::{self, Schema};
use super::directory::Directory;
use super::handle::FILES;
use crate::files::{FileStore, FilesPlace};
use index::Index;
use ledger::Ledgers;

/// Versions between two calls of the watcher.
const WATCH_EVERY: u64 = 1_024;

/// What to check.
#[derive(Clone, Debug)]
pub enum CheckTarget {
    /// The database of a data directory, which is locked meanwhile, and its files at their place.
    Directory(PathBuf, FilesPlace),
    /// A file that nobody writes, such as a backup.
    File(PathBuf),
}

/// Why a check could not be carried out. The message fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database cannot be opened or read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A ledger cannot be read.
    #[error("read the ledger {}: {reason}", file.display())]
    Ledger {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The watcher stopped it.
    #[error("finish the check: it was stopped; nothing was changed")]
    Stopped,
}

impl From<sqlx::Error> for CheckError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Is told of the progress, boards and versions so far, every thousand versions or so; may stop it.
pub type Watcher<'a> = dyn Fn(u64, u64) -> ControlFlow<()> + Sync + 'a;

/// Checks every invariant of a database, and that it has what the ledgers say. After a crash it
/// needs no start of a server in between.
///
/// # Errors
/// The check could not be carried out. What it finds is not an error.
pub async fn check(
    target: &CheckTarget,
    ledgers: &[PathBuf],
    watcher: &Watcher<'_>,
) -> Result<CheckReport, CheckError> {
    let ledgers = Ledgers::read(ledgers)?;
    let (file, files, _claim) = match target {
        CheckTarget::Directory(dir, place) => {
            let claim = Directory::claim_existing(dir)?;
            let files = FileStore::open_to_read(&dir.join(FILES), place).await;
            let files = files.map_err(StorageError::from)?;
            (claim.database().to_owned(), Some(files), Some(claim))
        }
        CheckTarget::File(file) if !file.is_file() => {
            return Err(StorageError::NoDatabase(file.clone()).into());
        }
        CheckTarget::File(file) => (file.clone(), None, None),
    };
    let mut conn = connect::reader(&file).await?;
    let mut check = Check {
        conn: &mut conn,
        report: CheckReport::default(),
        files,
        ledgers,
        index: Index::default(),
        watcher,
    };
    let schema = connect::schema(check.conn, &file).await?;
    match schema {
        Schema::Empty => {}
        Schema::Lacks(migration) => return Err(StorageError::Older { file, migration }.into()),
        Schema::Current => check.run().await?,
    }
    let mut report = check.report;
    check.ledgers.finish(&mut report);
    Ok(report)
}

/// A check under way.
struct Check<'a> {
    conn: &'a mut SqliteConnection,
    report: CheckReport,
    /// The store of files; `None` for a database that is alone.
    files: Option<FileStore>,
    ledgers: Ledgers,
    index: Index,
    watcher: &'a Watcher<'a>,
}

impl Check<'_> {
    fn watch(&self) -> Result<(), CheckError> {
        match (self.watcher)(self.report.boards, self.report.versions) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(CheckError::Stopped),
        }
    }
}
