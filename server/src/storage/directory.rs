//! The data directory: one server at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StorageError;

pub(crate) const DATABASE: &str = "boardcast.db";
pub(crate) const LOCK: &str = "lock";

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
        let directory = Self::claim_for_restore(dir)?;
        // Closed again before SQLite opens it: closing it later would drop SQLite's own locks.
        let made = open(&directory.database);
        drop(made.map_err(|source| unwritable(dir, source))?);
        Ok(directory)
    }

    /// Makes the directory where it is missing, and takes the lock.
    pub(super) fn claim_for_restore(dir: &Path) -> Result<Self, StorageError> {
        if dir.exists() && !dir.is_dir() {
            return Err(StorageError::NotADirectory(dir.to_owned()));
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|source| unwritable(dir, source))?;
        Self::lock(dir)
    }

    /// Takes the lock of a directory that holds a database; makes nothing but the lock.
    pub(super) fn claim_existing(dir: &Path) -> Result<Self, StorageError> {
        if dir.exists() && !dir.is_dir() {
            return Err(StorageError::NotADirectory(dir.to_owned()));
        }
        if !dir.join(DATABASE).is_file() {
            return Err(StorageError::NoDatabase(dir.join(DATABASE)));
        }
        Self::lock(dir)
    }

    fn lock(dir: &Path) -> Result<Self, StorageError> {
        let lock = open(&dir.join(LOCK)).map_err(|source| unwritable(dir, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::InUse(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(unwritable(dir, source)),
        }
        Ok(Self {
            database: dir.join(DATABASE),
            _lock: lock,
        })
    }

    /// The database file.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    pub(super) fn size(&self) -> Size {
        Size::of(&self.database)
    }
}

/// How much the database takes on the disk, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) database_bytes: u64,
    /// Of its write-ahead log.
    pub(super) wal_bytes: u64,
}

impl Size {
    /// Asks the file system, without opening a file; 0 where there is none.
    pub(super) fn of(database: &Path) -> Self {
        let mut wal = database.to_owned().into_os_string();
        wal.push("-wal");
        let bytes = |metadata: fs::Metadata| metadata.len();
        Self {
            database_bytes: fs::metadata(database).map_or(0, bytes),
            wal_bytes: fs::metadata(wal).map_or(0, bytes),
        }
    }
}

fn unwritable(dir: &Path, source: io::Error) -> StorageError {
    StorageError::Unwritable {
        dir: dir.to_owned(),
        source,
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
