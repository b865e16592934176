//! The data directory: one server at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StorageError;

const DATABASE: &str = "boardcast.db";
const LOCK: &str = "lock";

/// A data directory that nobody else uses as long as this is alive.
#[derive(Debug)]
pub(super) struct Directory {
    database: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory (mode 0700) and the database file (mode 0600) where they are missing,
    /// and takes the lock.
    pub(super) fn claim(dir: &Path) -> Result<Self, StorageError> {
        let unwritable = |source: io::Error| StorageError::Unwritable {
            dir: dir.to_owned(),
            source,
        };
        if dir.exists() && !dir.is_dir() {
            return Err(StorageError::NotADirectory(dir.to_owned()));
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(unwritable)?;
        let lock = open(&dir.join(LOCK)).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::InUse(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(unwritable(source)),
        }
        let database = dir.join(DATABASE);
        // Closed again before SQLite opens it: closing it later would drop SQLite's own locks.
        drop(open(&database).map_err(unwritable)?);
        Ok(Self {
            database,
            _lock: lock,
        })
    }

    /// The database file.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// The size of the write-ahead log, without opening it; 0 where there is none.
    pub(super) fn wal_bytes(&self) -> u64 {
        let mut name = self.database.clone().into_os_string();
        name.push("-wal");
        fs::metadata(name).map_or(0, |metadata| metadata.len())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
