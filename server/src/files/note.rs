//! What a data directory knows of the bucket that has its files.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::place::address;
use super::{BucketRules, FileError};
use crate::chance;

/// Of the bucket that has the files.
const NOTE: &str = "bucket.json";
/// Of the bucket that will have them: one that a first start or a restore claims.
const NEXT: &str = "bucket.next.json";

/// A bucket, and the name by which it knows the data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    bucket: String,
    prefix: String,
    pub(super) owner: String,
}

impl Note {
    pub(super) fn new(rules: &BucketRules) -> Self {
        Self {
            bucket: rules.bucket.clone(),
            prefix: rules.prefix.clone(),
            owner: format!(
                "{:016x}{:016x}",
                chance::up_to(u64::MAX),
                chance::up_to(u64::MAX)
            ),
        }
    }

    pub(super) fn is_of(&self, rules: &BucketRules) -> bool {
        self.bucket == rules.bucket && self.prefix == rules.prefix
    }

    /// Of the bucket that has the files of `dir`; `None` where they are in it.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, FileError> {
        read(&dir.join(NOTE))
    }

    /// Of the bucket that will have the files of `dir`.
    pub(super) fn read_next(dir: &Path) -> Result<Option<Self>, FileError> {
        read(&dir.join(NEXT))
    }

    pub(super) fn write_next(&self, dir: &Path) -> Result<(), FileError> {
        write(self, &dir.join(NEXT))
    }

    /// The files are in `dir` from now on.
    pub(super) fn remove(dir: &Path) -> Result<(), FileError> {
        let path = dir.join(NOTE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(&path, source)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The files are in the bucket that was to have them.
    pub(super) fn put_next_in_place(dir: &Path) -> Result<(), FileError> {
        let next = dir.join(NEXT);
        fs::rename(&next, dir.join(NOTE)).map_err(|source| failed(&next, source))?;
        sync(dir).map_err(|source| failed(dir, source))
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&address(&self.bucket, &self.prefix))
    }
}

fn read(path: &Path) -> Result<Option<Note>, FileError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| failed(path, io::Error::other(error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(path, source)),
    }
}

/// Whole and synced, or not at all.
fn write(note: &Note, path: &Path) -> Result<(), FileError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let written = || {
        fs::create_dir_all(dir)?;
        let mut file = NamedTempFile::new_in(dir)?;
        file.write_all(&serde_json::to_vec(note)?)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync(dir)
    };
    written().map_err(|source: io::Error| failed(path, source))
}

fn sync(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

fn failed(path: &Path, source: io::Error) -> FileError {
    FileError::Directory {
        dir: PathBuf::from(path),
        source,
    }
}
