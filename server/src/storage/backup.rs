//! Backups: the database as it stands at one moment, in a file of its own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{Connection, SqliteConnection};
use tempfile::NamedTempFile;
use tokio::sync::{
    OwnedRwLockReadGuard, OwnedSemaphorePermit, RwLock, RwLockWriteGuard, Semaphore,
};
use tokio::task::spawn_blocking;

use super::connect::{self, Schema};
use super::directory::Directory;
use super::handle::FILES;
use super::{Storage, StorageError, packed};
use crate::files::{FileError, FileStore, FilesPlace};

/// How files begin that are not finished. What a crash leaves of them goes at the next start.
const UNFINISHED: &str = "unfinished-";

/// Why there is no backup. The message fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another backup or restore is under way.
    #[error("begin: another backup or restore is under way; try again when it is done")]
    Running,
    /// The file would not fit.
    #[error(
        "write {needed_bytes} bytes: {} has room for {free_bytes}; make room there",
        dir.display()
    )]
    NoSpace {
        /// Where it was to be.
        dir: PathBuf,
        /// What it may need.
        needed_bytes: u64,
        /// What is free for this user.
        free_bytes: u64,
    },
    /// A file cannot be made, written or put in its place.
    #[error("write {}: {source}; make room there or give this user the right to write", file.display())]
    File {
        /// The file or its directory.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite cannot write the snapshot.
    #[error("write a snapshot of the database: {0}; make room there, or check the database")]
    Snapshot(sqlx::Error),
    /// The file is not whole.
    #[error("use {}: it is not whole ({reason}); use another backup", file.display())]
    NotWhole {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// There is nothing in the database.
    #[error("use {}: it is an empty database; name another file", .0.display())]
    Empty(PathBuf),
    /// The files of attachments cannot be read or kept.
    #[error(transparent)]
    Files(FileError),
    /// The database cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A backup in a file without a name, which goes when this is dropped. As long as it is there no
/// other one is made.
#[derive(Debug)]
pub struct Backup {
    /// The file, at its beginning.
    pub file: File,
    /// Its size.
    pub bytes: u64,
    /// To be kept until the file is no longer needed.
    pub place: BackupPlace,
}

/// The right to make a large file in the data directory; there is one.
#[derive(Debug)]
pub struct BackupPlace {
    permit: OwnedSemaphorePermit,
}

impl BackupPlace {
    /// Nobody has the place again before the next start.
    pub(super) fn keep(self) {
        self.permit.forget();
    }
}

/// Makes backups of a database in use.
#[derive(Clone, Debug)]
pub(super) struct Backups {
    pub(super) database: PathBuf,
    pub(super) files: FileStore,
    place: Arc<Semaphore>,
    /// Files are removed by one, and not while a backup copies them.
    removals: Arc<RwLock<()>>,
}

impl Backups {
    pub(super) fn of(database: &Path, files: &FileStore) -> Self {
        Self {
            database: database.to_owned(),
            files: files.clone(),
            place: Arc::new(Semaphore::new(1)),
            removals: Arc::default(),
        }
    }

    pub(super) fn place(&self) -> Result<BackupPlace, BackupError> {
        let place = Arc::clone(&self.place).try_acquire_owned();
        place
            .map(|permit| BackupPlace { permit })
            .map_err(|_| BackupError::Running)
    }

    /// One consistent snapshot, made beside the database and checked. It goes on to its end when
    /// the caller goes away.
    pub(super) async fn make(&self) -> Result<Backup, BackupError> {
        let place = self.place()?;
        let (database, files) = (self.database.clone(), self.files.clone());
        let kept = self.keep_files().await;
        let made = tokio::spawn(async move {
            // What the snapshot knows stays until it is copied.
            let _kept = kept;
            let mut conn = connect::reader(&database).await?;
            let made = snapshot(&mut conn, parent(&database)).await;
            let closed = conn.close().await;
            let made = made?;
            closed.map_err(BackupError::Snapshot)?;
            packed::pack(made.path(), &files).await?;
            let (file, path) = made.into_parts();
            let failed = |source| BackupError::File {
                file: database,
                source,
            };
            path.close().map_err(failed.clone())?;
            let bytes = file.metadata().map_err(failed)?.len();
            Ok(Backup { file, bytes, place })
        });
        made.await.map_err(|error| BackupError::File {
            file: self.database.clone(),
            source: io::Error::other(error),
        })?
    }
}

impl Backups {
    /// No file is removed as long as this is alive.
    pub(super) async fn keep_files(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.removals).read_owned().await
    }
}

impl Storage {
    /// The right to remove files for the caller alone; `None` while a backup copies them.
    pub fn removal(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.backups().removals.try_write().ok()
    }

    /// One consistent snapshot of everything that is durable, files of attachments included, while the
    /// database is in use. One at a time. It reads for as long as it writes, and the write-ahead log grows meanwhile.
    ///
    /// # Errors
    /// Another one is under way, there is no room for it, or the database cannot be read.
    pub async fn backup(&self) -> Result<Backup, BackupError> {
        self.backups().make().await
    }
}

/// Writes a backup of a data directory that no server uses, with the files at its place, to `to`; its
/// size in bytes. A file that
/// is there already is replaced only when `replace` says so.
///
/// # Errors
/// A server uses the directory, there is no room, or the database cannot be read. `to` is as before.
pub async fn back_up(
    (dir, place): (&Path, &FilesPlace),
    to: &Path,
    replace: bool,
) -> Result<u64, BackupError> {
    let claim = Directory::claim_existing(dir)?;
    let mut conn = connect::reader(claim.database()).await?;
    if connect::schema(&mut conn, claim.database()).await? == Schema::Empty {
        return Err(BackupError::Empty(claim.database().to_owned()));
    }
    let made = snapshot(&mut conn, parent(to)).await?;
    conn.close().await.map_err(BackupError::Snapshot)?;
    let files = FileStore::open(&dir.join(FILES), place).await;
    let files = files.map_err(BackupError::Files)?;
    packed::pack(made.path(), &files).await?;
    let bytes = fs::metadata(made.path()).map(|metadata| metadata.len());
    let bytes = bytes.map_err(|source| failed(to, source))?;
    put(made, to, replace).await?;
    Ok(bytes)
}

/// Checks that a file is a whole database of ours, not newer than this program.
///
/// # Errors
/// It is not.
pub async fn verify_backup(file: &Path) -> Result<(), BackupError> {
    verify(file, "PRAGMA quick_check(1)").await
}

pub(super) async fn verify(file: &Path, pragma: &'static str) -> Result<(), BackupError> {
    let mut conn = connect::reader(file).await?;
    if connect::schema(&mut conn, file).await? == Schema::Empty {
        return Err(BackupError::Empty(file.to_owned()));
    }
    let found = sqlx::query_scalar(pragma).fetch_one(&mut conn).await;
    let found: String = found.unwrap_or_else(|error: sqlx::Error| error.to_string());
    if found != "ok" {
        return Err(BackupError::NotWhole {
            file: file.to_owned(),
            reason: found,
        });
    }
    conn.close().await.map_err(BackupError::Snapshot)
}

/// A file in `dir` for this user alone, which goes when it is dropped.
///
/// # Errors
/// It cannot be made.
pub fn unfinished(dir: &Path) -> Result<NamedTempFile, BackupError> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(dir)
        .map_err(|source| failed(dir, source))
}

/// Puts a file that is written to its end in its place, so that a crash leaves it there whole or
/// not at all.
///
/// # Errors
/// It cannot be written, or there is a file already and `replace` is false.
pub async fn put(file: NamedTempFile, to: &Path, replace: bool) -> Result<(), BackupError> {
    let path = to.to_owned();
    let put = spawn_blocking(move || {
        file.as_file().sync_all()?;
        if replace {
            file.persist(&path)?;
        } else {
            file.persist_noclobber(&path)?;
        }
        sync_directory(parent(&path))
    });
    let put = put.await.map_err(io::Error::other);
    put.and_then(|done| done)
        .map_err(|source| failed(to, source))
}

pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The directory of a file.
pub fn parent(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    }
}

pub(super) fn failed(file: &Path, source: io::Error) -> BackupError {
    BackupError::File {
        file: file.to_owned(),
        source,
    }
}

/// Writes what the connection sees to a file in `dir`, and checks it.
pub(super) async fn snapshot(
    conn: &mut SqliteConnection,
    dir: &Path,
) -> Result<NamedTempFile, BackupError> {
    require_space(conn, dir).await?;
    let file = unfinished(dir)?;
    let path = file.path().to_str().ok_or_else(|| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8");
        failed(dir, source)
    })?;
    sqlx::query("VACUUM INTO ?")
        .bind(path)
        .execute(conn)
        .await
        .map_err(BackupError::Snapshot)?;
    verify(file.path(), "PRAGMA quick_check(1)").await?;
    Ok(file)
}

async fn require_space(conn: &mut SqliteConnection, dir: &Path) -> Result<(), BackupError> {
    let needed: i64 = sqlx::query_scalar(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    )
    .fetch_one(conn)
    .await
    .map_err(BackupError::Snapshot)?;
    packed::require_space(dir, needed.cast_unsigned())
}

/// Removes what a crash has left of files that were not finished.
pub(crate) fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(?name, %error, "a file of a backup that was cut short stays");
        }
    }
}

/// Takes a backup of a database that lacks migrations, before they are made: beside it, as
/// `boardcast.db.before-NNNN`, NNNN being the first of them.
///
/// # Errors
/// It cannot be taken; then nothing was changed.
pub(super) async fn before_migration(
    conn: &mut SqliteConnection,
    database: &Path,
    migration: i64,
) -> Result<(), StorageError> {
    let made = async {
        let made = snapshot(conn, parent(database)).await?;
        let to = free_name(database, &format!("before-{migration:04}"));
        put(made, &to, false).await?;
        Ok::<_, BackupError>(to)
    };
    let to = made.await.map_err(|error| StorageError::NoBackup {
        migration,
        reason: error.to_string(),
    })?;
    tracing::warn!(
        migration,
        backup = %to.display(),
        "the database is older than this program and is brought up to date; a backup was taken"
    );
    Ok(())
}

/// `database` with `.what` behind it, and a number where that is taken.
pub(super) fn free_name(database: &Path, what: &str) -> PathBuf {
    let named = |end: &str| {
        let mut name = database.to_owned().into_os_string();
        name.push(format!(".{what}{end}"));
        PathBuf::from(name)
    };
    let first = named("");
    if !first.exists() {
        return first;
    }
    (2_u64..)
        .map(|number| named(&format!("-{number}")))
        .find(|name| !name.exists())
        .unwrap_or(first)
}
