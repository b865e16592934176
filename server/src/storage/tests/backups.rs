//! A restore that is cut short, and backups that cannot be taken.

use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use boardcast_protocol::ids::BoardId;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use super::harness::{TestRoom, copy_of, options, start};
use crate::files::FilesPlace;
use crate::storage::restore::stage;
use crate::storage::{
    BackupError, CheckTarget, Storage, StorageError, check, put, restore, unfinished,
};

fn database(dir: &TempDir) -> PathBuf {
    dir.path().join("boardcast.db")
}

/// The versions of a database, which must be clean.
async fn versions(file: &Path) -> u64 {
    let target = CheckTarget::File(file.to_owned());
    let report = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    let report = report.unwrap();
    assert_eq!(report.violations, []);
    report.versions
}

/// What a kill leaves of a database whose last versions stand in its write-ahead log, and a backup
/// of it from before them.
struct Killed {
    dir: TempDir,
    backup: PathBuf,
    board: BoardId,
    at_backup: u64,
    at_end: u64,
}

impl Killed {
    async fn new() -> Self {
        let (live, storage) = start().await;
        let mut room = TestRoom::create(&storage).await;
        room.furnish();
        room.durable().await;
        let at_backup = room.version.0;
        let backup = storage.backup().await.unwrap();
        room.change();
        room.durable().await;
        let dir = copy_of(live.path());
        let mut file = unfinished(dir.path()).unwrap();
        let mut made = backup.file;
        std::io::copy(&mut made, file.as_file_mut()).unwrap();
        let path = dir.path().join("kept");
        put(file, &path, false).await.unwrap();
        Self {
            dir,
            backup: path,
            board: room.id(),
            at_backup,
            at_end: room.version.0,
        }
    }

    fn replaced(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let prefix = database(&self.dir).display().to_string() + ".replaced-";
        paths
            .filter(|path| {
                let name = path.display().to_string();
                name.starts_with(&prefix) && !name.ends_with("-wal")
            })
            .collect()
    }

    /// The backup is in place, the old database is kept whole, and nothing else is left.
    async fn assert_restored(&self) {
        let storage = Storage::open(options(self.dir.path())).await.unwrap();
        let room = TestRoom::open(&storage, self.board).await;
        assert_eq!(room.version.0, self.at_backup);
        drop(room);
        storage.close().await.unwrap();
        assert_eq!(versions(&database(&self.dir)).await, self.at_backup);
        let replaced = self.replaced();
        assert!(!replaced.is_empty());
        for file in replaced {
            assert_eq!(versions(&file).await, self.at_end);
        }
        assert!(!database(&self.dir).with_extension("db.restored").exists());
    }
}

#[tokio::test]
async fn a_restore_keeps_the_old_database_with_its_write_ahead_log() {
    let killed = Killed::new().await;
    assert!(killed.at_end > killed.at_backup);
    assert_eq!(versions(&database(&killed.dir)).await, killed.at_end);
    let restored = restore((killed.dir.path(), &FilesPlace::Directory), &killed.backup)
        .await
        .unwrap();
    assert_eq!(restored.replaced, killed.replaced().pop());
    killed.assert_restored().await;
}

#[tokio::test]
async fn a_restore_that_was_cut_short_goes_on_at_the_next_start() {
    let link: fn(&Killed) = |killed| {
        let database = database(&killed.dir);
        let aside = database.with_extension("db.replaced-1");
        fs::hard_link(&database, &aside).unwrap();
        let log = database.with_extension("db-wal");
        fs::hard_link(log, aside.with_extension("replaced-1-wal")).unwrap();
    };
    for after in [None, Some(link)] {
        let killed = Killed::new().await;
        let files = crate::files::FileStore::in_memory();
        stage(&database(&killed.dir), &killed.backup, &files)
            .await
            .unwrap();
        assert_eq!(versions(&database(&killed.dir)).await, killed.at_end);
        if let Some(after) = after {
            after(&killed);
        }
        killed.assert_restored().await;
    }
}

#[tokio::test]
async fn what_was_not_staged_to_its_end_goes_at_the_next_start() {
    let (dir, storage) = start().await;
    storage.close().await.unwrap();
    let left = dir.path().join("unfinished-abc");
    fs::write(&left, "half a backup").unwrap();
    let _storage = Storage::open(options(dir.path())).await.unwrap();
    assert!(!left.exists());
}

#[tokio::test]
async fn one_backup_at_a_time() {
    let (_dir, storage) = start().await;
    let first = storage.backup().await.unwrap();
    let second = storage.backup().await.unwrap_err();
    assert!(matches!(second, BackupError::Running), "{second}");
    drop(first);
    storage.backup().await.unwrap();
}

#[tokio::test]
async fn without_room_for_a_backup_nothing_is_migrated() {
    let dir = TempDir::new().unwrap();
    let mut conn = SqliteConnectOptions::new()
        .filename(database(&dir))
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut migrator = sqlx::migrate::Migrator::new(migrations).await.unwrap();
    migrator.migrations.to_mut().truncate(1);
    migrator.run(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    // A sparse file: the header counts a thousand gigabytes of pages, more than is free here.
    let pages: u32 = 1 << 28;
    let file = OpenOptions::new().write(true).open(database(&dir)).unwrap();
    file.write_all_at(&pages.to_be_bytes(), 28).unwrap();
    file.set_len(u64::from(pages) * 4_096).unwrap();
    drop(file);

    let error = Storage::open(options(dir.path())).await.unwrap_err();
    assert!(
        matches!(error, StorageError::NoBackup { migration: 2, .. }),
        "{error}"
    );
    let told = error.to_string();
    assert!(told.contains("has room for"), "{told}");
    assert!(told.contains("nothing was changed"), "{told}");
    let target = CheckTarget::File(database(&dir));
    let unchanged = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    let unchanged = unchanged.unwrap_err().to_string();
    assert!(unchanged.contains("lacks migration 2"), "{unchanged}");
    let names = fs::read_dir(dir.path()).unwrap();
    let before = names
        .map(|entry| entry.unwrap().file_name())
        .find(|name| name.to_string_lossy().contains("before-"));
    assert_eq!(before, None);
}
