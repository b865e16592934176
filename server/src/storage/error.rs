//! What can go wrong with what is kept.

use std::io;
use std::path::PathBuf;

use boardcast_protocol::ids::BoardId;

use crate::files::FileError;

/// Why storage cannot do something. The message fits after "failed to" and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process holds the lock of the data directory.
    #[error(
        "open storage: data directory {} is in use by another server; stop it or use --server URL",
        .0.display()
    )]
    InUse(PathBuf),
    /// The path names something else.
    #[error(
        "open storage: {} is not a directory; give a directory with --data-dir",
        .0.display()
    )]
    NotADirectory(PathBuf),
    /// The data directory cannot be made, or nothing can be written into it.
    #[error(
        "open storage: data directory {} cannot be written ({source}); \
         give this user the right to write there or choose another with --data-dir",
        dir.display()
    )]
    Unwritable {
        /// The data directory.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no space for what a start writes.
    #[error(
        "open storage: the disk of {} is full ({reason}); make space there and start again",
        file.display()
    )]
    Full {
        /// The database file.
        file: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The database file is not a database, or a part of it cannot be read.
    #[error("open storage: {} is damaged ({reason}); restore a backup", file.display())]
    Damaged {
        /// The database file.
        file: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The database file was made by something else.
    #[error(
        "open storage: {} belongs to another program; choose another directory with --data-dir",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The database has migrations that this program does not know.
    #[error(
        "open storage: {} was written by a newer version of boardcast (it has migration \
         {migration}); use that version or restore a backup of this one",
        file.display()
    )]
    Newer {
        /// The database file.
        file: PathBuf,
        /// The unknown migration.
        migration: i64,
    },
    /// The system gives no thread for what writes.
    #[error(
        "open storage: no thread could be started ({0}); raise the limit of processes and threads \
         of this user"
    )]
    NoThread(io::Error),
    /// There is no database where one was to be read.
    #[error(
        "open storage: there is no database {}; name the data directory of a server with --data-dir",
        .0.display()
    )]
    NoDatabase(PathBuf),
    /// The database lacks migrations of this program, and only reads were asked for.
    #[error(
        "open storage: {} was written by an older version of boardcast (it lacks migration \
         {migration}); start `boardcast serve` on it once, which brings it up to date",
        file.display()
    )]
    Older {
        /// The database file.
        file: PathBuf,
        /// The first migration that it lacks.
        migration: i64,
    },
    /// There is no backup of the database as it was before a migration.
    #[error(
        "open storage: no backup could be taken before migration {migration}: failed to {reason}; \
         nothing was changed, so start again when that is put right"
    )]
    NoBackup {
        /// The migration.
        migration: i64,
        /// Why.
        reason: String,
    },
    /// A backup that was staged cannot be put in place.
    #[error("open storage: a restored backup could not be put in place: failed to {0}")]
    NotRestored(String),
    /// A migration failed, or an applied one differs from ours.
    #[error("open storage: {} cannot be brought up to date ({source})", file.display())]
    Migration {
        /// The database file.
        file: PathBuf,
        /// What failed.
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// The search index could not be made.
    #[error(
        "open storage: the search index of {} could not be made ({reason}); start again when that is \
         put right, it goes on from where it stopped",
        file.display()
    )]
    NoIndex {
        /// The database file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// SQLite does not run as durability needs it.
    #[error(
        "open storage: SQLite runs with {setting} = {found} instead of {wanted}; \
         use a local disk with a common file system"
    )]
    Setting {
        /// The name of the pragma.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The directory of files cannot be used.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A board is written by one room at a time.
    #[error("open board {0}: it is open already")]
    BoardOpen(BoardId),
    /// What is stored of a board contradicts itself.
    #[error("open board {board}: its rows and its log do not fit together ({reason})")]
    Corrupt {
        /// The board.
        board: BoardId,
        /// What does not fit.
        reason: String,
    },
    /// Nothing can be written at the moment.
    #[error("write to the database at the moment: {0}")]
    Unavailable(String),
    /// The write breaks a rule of the database.
    #[error("write what the database refuses: {0}")]
    Refused(String),
    /// Nothing can be written before the next start.
    #[error("write to the database: the journal has stopped ({0})")]
    Stopped(String),
    /// Not everything was written before the stop; the next start begins new epochs.
    #[error("stop cleanly: {0}")]
    NotClean(String),
    /// Reading failed.
    #[error("read the database: {0}")]
    Read(#[from] sqlx::Error),
}
