//! Puts a backup in the place of the database.
//!
//! In two steps: the backup is staged beside the database, checked and marked, under its own name;
//! then it takes the database's name. A start of storage finds a staged file and does the second
//! step, so that a crash leaves the old or the new database whole, whenever it comes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};
use tokio::task::spawn_blocking;

use super::backup::{self, BackupError};
use super::connect;
use super::directory::Directory;
use super::handle::FILES;
use super::{BackupPlace, Storage, StorageError, packed};
use crate::clock;
use crate::files::{FileStore, FilesPlace};

/// Every board counts as open in a run that did not end cleanly: its next opening begins an epoch,
/// so that nobody goes on from what came after the backup.
const UNCLEAN_RUN: &str = "INSERT INTO runs (started, clean) VALUES (?, 0)";
const MARK_ALL: &str = "UPDATE boards SET run = (SELECT max(id) FROM runs)";

/// What a restore has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where the database is that was there before; `None` where there was none.
    pub replaced: Option<PathBuf>,
}

/// Puts `file` in the place of the database of a directory that no server uses, and its files into a
/// place, which has them from then on. The directory is made where it is missing. The old database is
/// kept under another name.
///
/// # Errors
/// A server uses the directory, the file is not a whole backup or newer than this program, or
/// something cannot be written. The old database or the backup is in place, whole.
pub async fn restore(
    (dir, place): (&Path, &FilesPlace),
    file: &Path,
) -> Result<Restored, BackupError> {
    if !file.is_file() {
        return Err(StorageError::NoDatabase(file.to_owned()).into());
    }
    let claim = Directory::claim_for_restore(dir)?;
    backup::sweep(dir);
    let of_files = dir.join(FILES);
    let files = FileStore::open_to_fill(&of_files, place).await;
    stage(claim.database(), file, &files.map_err(BackupError::Files)?).await?;
    let restored = put_in_place(claim.database()).await?;
    FileStore::settle(&of_files, place).map_err(BackupError::Files)?;
    Ok(restored)
}

impl Storage {
    /// The right to receive a backup that is to be restored, and to stage it.
    ///
    /// # Errors
    /// A backup or another restore is under way.
    pub fn restore_place(&self) -> Result<BackupPlace, BackupError> {
        self.backups().place()
    }

    /// Checks `file` and stages it: the next [`Storage::open`] of this directory puts it in place.
    /// Until then no backup is made, and nothing else is staged.
    ///
    /// # Errors
    /// It is not a whole backup, is newer than this program, or there is no room for it.
    pub async fn stage(&self, place: BackupPlace, file: &Path) -> Result<(), BackupError> {
        let backups = self.backups();
        let kept = backups.keep_files().await;
        stage(&backups.database, file, &backups.files).await?;
        place.keep();
        // No file is removed before the next start: what is staged needs those that it brought.
        std::mem::forget(kept);
        Ok(())
    }
}

fn staged(database: &Path) -> PathBuf {
    with(database, ".restored")
}

fn with(database: &Path, end: &str) -> PathBuf {
    let mut name = database.to_owned().into_os_string();
    name.push(end);
    name.into()
}

pub(super) async fn stage(
    database: &Path,
    file: &Path,
    files: &FileStore,
) -> Result<(), BackupError> {
    backup::verify(file, "PRAGMA integrity_check(1)").await?;
    let mut source = connect::reader(file).await?;
    // Not copied as a file: what is in a write-ahead log beside it belongs to it.
    let made = backup::snapshot(&mut source, backup::parent(database)).await?;
    source.close().await.map_err(BackupError::Snapshot)?;
    packed::unpack(made.path(), files).await?;
    let mut conn = connect::plain(made.path()).await?;
    let marked = mark(&mut conn).await;
    let closed = conn.close().await;
    marked.and(closed).map_err(BackupError::Snapshot)?;
    backup::put(made, &staged(database), true).await
}

async fn mark(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query(UNCLEAN_RUN)
        .bind(clock::now().0.cast_signed())
        .execute(&mut *conn)
        .await?;
    sqlx::query(MARK_ALL).execute(conn).await.map(drop)
}

/// Puts a staged backup in place, if there is one. The directory is locked.
///
/// The name of the database passes from the old file to the new one in one step. Before that the
/// old one takes in its write-ahead log, which would otherwise be taken for that of the new one.
pub(super) async fn put_in_place(database: &Path) -> Result<Restored, BackupError> {
    let mut restored = Restored { replaced: None };
    let staged = staged(database);
    if !staged.exists() {
        return Ok(restored);
    }
    if fs::metadata(database).is_ok_and(|metadata| metadata.len() > 0) {
        fold(database).await;
        let at = clock::now();
        let aside = backup::free_name(database, &format!("replaced-{at}"));
        restored.replaced = Some(aside);
    }
    let (name, aside) = (database.to_owned(), restored.replaced.clone());
    let swapped = spawn_blocking(move || swap(&staged, &name, aside.as_deref())).await;
    let swapped = swapped.map_err(io::Error::other).and_then(|done| done);
    swapped.map_err(|source| backup::failed(database, source))?;
    tracing::warn!(
        replaced = restored
            .replaced
            .as_ref()
            .map(|path| path.display().to_string()),
        "a backup was put in the place of the database; boards begin new epochs"
    );
    Ok(restored)
}

/// Writes the write-ahead log of the old database back. Where it is too damaged for that, log and
/// file are kept side by side.
async fn fold(database: &Path) {
    let folded = async {
        let mut conn = connect::plain(database).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut conn)
            .await?;
        conn.close().await?;
        Ok::<_, StorageError>(())
    };
    if let Err(error) = folded.await {
        tracing::warn!(%error, "the database that is replaced is kept with its write-ahead log");
    }
}

fn swap(staged: &Path, database: &Path, aside: Option<&Path>) -> io::Result<()> {
    let log = with(database, "-wal");
    if let Some(aside) = aside {
        keep(database, aside)?;
        if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > 0) {
            keep(&log, &with(aside, "-wal"))?;
        }
        backup::sync_directory(backup::parent(database))?;
    }
    for left in [log, with(database, "-shm")] {
        match fs::remove_file(left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    backup::sync_directory(backup::parent(database))?;
    fs::rename(staged, database)?;
    backup::sync_directory(backup::parent(database))
}

/// Gives a file a second name; on file systems without that, a copy.
fn keep(file: &Path, aside: &Path) -> io::Result<()> {
    if fs::hard_link(file, aside).is_ok() {
        return Ok(());
    }
    fs::copy(file, aside)?;
    fs::File::open(aside)?.sync_all()
}
