//! Backups that the server takes by itself, and how many of them stay.

mod name;

use std::cmp::Reverse;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use boardcast_protocol::position::Timestamp;

use self::name::BackupName;
use crate::clock;
use crate::storage::{
    AuditAct, AuditEntry, Backup, BackupError, Storage, put, sweep_unfinished, unfinished,
    verify_backup,
};

/// Where backups go, how often, and how many stay.
#[derive(Clone, Debug)]
pub struct BackupRules {
    /// A directory for these backups alone, made where it is missing.
    pub dir: PathBuf,
    /// From one to the next.
    pub every_ms: u64,
    /// Backups that stay, the newest: older ones are removed behind a backup that was taken.
    pub keep: usize,
    /// From the start of the server to the first, at least: whoever comes back goes first.
    pub first_after_ms: u64,
    /// From one that failed to the next.
    pub retry_after_ms: u64,
}

impl BackupRules {
    /// A backup each day, of which fourteen stay.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            every_ms: 24 * 60 * 60 * 1_000,
            keep: 14,
            first_after_ms: 60_000,
            retry_after_ms: 10 * 60 * 1_000,
        }
    }
}

/// What has become of the backups since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupStats {
    /// Whether the server takes any.
    pub scheduled: bool,
    /// Those that were taken.
    pub taken: u64,
    /// Those that failed.
    pub failed: u64,
    /// When the newest in the directory was taken, in milliseconds since 1970.
    pub newest: Option<u64>,
    /// Why the last one failed, until one is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What has become of them, for who asks.
#[derive(Clone, Debug, Default)]
pub struct BackupReport(Arc<Mutex<BackupStats>>);

impl BackupReport {
    /// At this moment.
    pub fn read(&self) -> BackupStats {
        self.with(|stats| stats.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut BackupStats) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes backups until `stop`. One that is under way then is given up, and nothing of it stays.
pub(crate) async fn back_up_now_and_then(
    storage: Storage,
    rules: BackupRules,
    report: BackupReport,
    stop: CancellationToken,
) {
    let newest = newest(&rules.dir);
    report.with(|stats| {
        stats.scheduled = true;
        stats.newest = newest.map(|at| at.0);
    });
    sweep_unfinished(&rules.dir);
    let schedule = async {
        let due_ms = newest.map_or(0, |at| at.0.saturating_add(rules.every_ms));
        let left_ms = due_ms.saturating_sub(clock::now().0);
        // One that was taken while the clock was ahead does not hold up the others for longer.
        let mut wait_ms = left_ms.min(rules.every_ms).max(rules.first_after_ms);
        loop {
            sleep(Duration::from_millis(wait_ms)).await;
            wait_ms = match take(&storage, &rules, &report).await {
                true => rules.every_ms,
                false => rules.retry_after_ms.min(rules.every_ms),
            };
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = schedule => {}
    }
}

/// Whether one was taken.
async fn take(storage: &Storage, rules: &BackupRules, report: &BackupReport) -> bool {
    let now = clock::now();
    let taken = BackupName::at(now);
    let name = taken.to_string();
    let bytes = match write(storage, &rules.dir, &name).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = format!("failed to {error}");
            tracing::error!(error = reason, "a backup was not taken; it is tried again");
            report.with(|stats| {
                stats.failed += 1;
                stats.reason = Some(reason);
            });
            return false;
        }
    };
    tracing::info!(file = name, bytes, "a backup was taken");
    storage.audit(AuditEntry {
        detail: json!({"file": name, "bytes": bytes}),
        ..AuditEntry::new(AuditAct::BackupTaken, now)
    });
    report.with(|stats| {
        stats.taken += 1;
        stats.newest = Some(now.0);
        stats.reason = None;
    });
    if let Err(error) = remove_old(&rules.dir, taken, rules.keep) {
        tracing::warn!(%error, "old backups stay; the next one tries again to remove them");
    }
    true
}

/// Writes a backup to a file of this name, which is there whole or not at all.
async fn write(storage: &Storage, dir: &Path, name: &str) -> Result<u64, BackupError> {
    let failed = |source| BackupError::File {
        file: dir.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed)?;
    let Backup { file, bytes, place } = storage.backup().await?;
    let copy = unfinished(dir)?;
    let mut to = File::from_std(copy.as_file().try_clone().map_err(failed)?);
    let copied = async {
        let count = tokio::io::copy(&mut File::from_std(file), &mut to).await?;
        to.flush().await?;
        io::Result::Ok(count)
    };
    let count = copied.await.map_err(failed)?;
    drop(place);
    if count != bytes {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    verify_backup(copy.path()).await?;
    put(copy, &dir.join(name), false).await?;
    Ok(bytes)
}

/// Removes all but the newest, of which `taken` is the first: those of a later time were taken while
/// the clock was ahead, and go before all others. Files with other names stay.
fn remove_old(dir: &Path, taken: BackupName, keep: usize) -> io::Result<()> {
    let mut names = names(dir)?;
    names.sort_unstable_by_key(|name| (*name > taken, Reverse(*name)));
    for name in names.into_iter().skip(keep) {
        fs::remove_file(dir.join(name.to_string()))?;
    }
    Ok(())
}

fn newest(dir: &Path) -> Option<Timestamp> {
    let names = names(dir).ok()?;
    names.into_iter().max().map(BackupName::taken)
}

fn names(dir: &Path) -> io::Result<Vec<BackupName>> {
    let names = fs::read_dir(dir)?.map(|entry| {
        let name = entry?.file_name();
        Ok(name.to_str().and_then(BackupName::parse))
    });
    names.filter_map(Result::transpose).collect()
}
