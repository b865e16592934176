//! What commands beside a server leave for its audit log: a file each in the data directory. Whoever
//! writes the log next takes them in, so no command needs the database, or waits for who has it open.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::audit::{AuditAct, AuditEntry};
use crate::reload::read_small;

/// Where they are, below the data directory.
const NOTES: &str = "notes";
/// Notes that may wait; further ones are refused.
const NOTES_MAX: usize = 1_000;
/// Largest note, in bytes; one that is larger is none.
const NOTE_MAX_BYTES: u64 = 4_096;
/// How files begin that are not finished. What a crash leaves of them is taken for a note that is lost.
const UNFINISHED: &str = "unfinished-";

/// An entry as it waits: nobody is signed in at a shell, and it has no address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    at: Timestamp,
    act: String,
    about: Option<UserId>,
    detail: Value,
}

/// Leaves an entry for the audit log of a data directory, which is there: at the moment, about whom,
/// and its detail. On return it is on the disk.
///
/// # Errors
/// 1,000 wait, or it cannot be written.
pub fn leave_note(data_dir: &Path, entry: &AuditEntry) -> io::Result<()> {
    let dir = data_dir.join(NOTES);
    DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
    if fs::read_dir(&dir)?.count() >= NOTES_MAX {
        let hint = format!(
            "{NOTES_MAX} entries wait in {}; start the server once",
            dir.display()
        );
        return Err(io::Error::other(hint));
    }
    let note = Note {
        at: entry.at,
        act: entry.act.name().to_owned(),
        about: entry.about,
        detail: entry.detail.clone(),
    };
    let mut file = NamedTempFile::with_prefix_in(UNFINISHED, &dir)?;
    serde_json::to_writer(&mut file, &note)?;
    file.flush()?;
    file.as_file().sync_all()?;
    // Root's notes are to be readable, and removable, for the user that the server runs as.
    let owner = fs::metadata(data_dir)?;
    for path in [file.path(), &dir] {
        let there = fs::metadata(path)?;
        if (there.uid(), there.gid()) != (owner.uid(), owner.gid()) {
            // Others than root may not, and need not.
            let _ = chown(path, Some(owner.uid()), Some(owner.gid()));
        }
    }
    let name = format!("{:013}-{:016x}", entry.at.0, rand::random::<u64>());
    file.persist_noclobber(dir.join(name))?;
    File::open(&dir)?.sync_all()
}

/// The notes of a data directory.
#[derive(Debug)]
pub(super) struct Notes {
    dir: PathBuf,
    /// What is in the log, and could not be removed.
    taken: Mutex<BTreeSet<PathBuf>>,
    /// Whether it was told that the directory cannot be read.
    is_told: AtomicBool,
}

impl Notes {
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            dir: data_dir.join(NOTES),
            taken: Mutex::default(),
            is_told: AtomicBool::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paths(&self) -> io::Result<BTreeSet<PathBuf>> {
        match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            files => files?.map(|file| file.map(|file| file.path())).collect(),
        }
    }

    /// Those that wait, the oldest first. One that cannot be read is an entry that is lost.
    pub(super) fn waiting(&self, now: Timestamp) -> Vec<(PathBuf, AuditEntry)> {
        let paths = self.paths().unwrap_or_else(|error| {
            if !self.is_told.swap(true, Ordering::Relaxed) {
                tracing::warn!(dir = %self.dir.display(), %error, "notes for the audit log cannot be read");
            }
            BTreeSet::new()
        });
        let taken = self.taken().clone();
        let mut waiting = Vec::new();
        for path in paths.difference(&taken) {
            if is_being_written(path) {
                continue;
            }
            let entry = read(path).unwrap_or_else(|error| {
                tracing::warn!(path = %path.display(), %error, "a note for the audit log cannot be read");
                AuditEntry {
                    detail: json!({"count": 1}),
                    ..AuditEntry::new(AuditAct::EntriesLost, now)
                }
            });
            waiting.push((path.clone(), entry));
        }
        waiting
    }

    /// Removes notes that are in the log now.
    pub(super) fn remove(&self, paths: Vec<PathBuf>) {
        for path in paths {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a note that is in the audit log cannot be removed; the next start takes it in again");
                self.taken().insert(path);
            }
        }
    }
}

/// Whether it is a draft: its name says so, and that it is not old.
fn is_being_written(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let is_draft = name.is_some_and(|name| name.starts_with(UNFINISHED));
    let age = || fs::metadata(path).ok()?.modified().ok()?.elapsed().ok();
    is_draft && age().is_none_or(|age| age.as_secs() < 60)
}

fn read(path: &Path) -> io::Result<AuditEntry> {
    let note: Note = serde_json::from_slice(&read_small(path, NOTE_MAX_BYTES)?)?;
    let act = AuditAct::of(&note.act).ok_or_else(|| {
        io::Error::other(format!("{:?} is not an act that can be noted", note.act))
    })?;
    Ok(AuditEntry {
        about: note.about,
        detail: note.detail,
        ..AuditEntry::new(act, note.at)
    })
}
