//! Each way in which storage cannot start says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use super::harness::{options, start};
use crate::storage::base::Base;
use crate::storage::{Health, Storage, StorageError};

async fn error_of(dir: &std::path::Path) -> StorageError {
    match Storage::open(options(dir)).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_directory_in_use_is_refused_until_it_is_free() {
    let (dir, storage) = start().await;
    let error = error_of(dir.path()).await.to_string();
    let path = dir.path().display();
    let wanted =
        format!("data directory {path} is in use by another server; stop it or use --server URL");
    assert!(error.ends_with(&wanted), "{error}");

    storage.close().await.unwrap();
    assert_eq!(storage.status().health, Health::Closed);
    storage.close().await.unwrap();
    Storage::open(options(dir.path())).await.unwrap();
}

#[tokio::test]
async fn what_it_makes_is_for_its_user_alone() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("a/b");
    let _storage = Storage::open(options(&data)).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in ["boardcast.db", "boardcast.db-wal", "lock"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_path_that_is_a_file_is_refused() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        error_of(&file).await,
        StorageError::NotADirectory(_)
    ));
    assert!(matches!(
        error_of(&file.join("below")).await,
        StorageError::Unwritable { .. }
    ));
}

#[tokio::test]
async fn a_place_where_nothing_can_be_written_is_refused() {
    // Even root cannot make directories there.
    let error = error_of(std::path::Path::new("/proc/boardcast")).await;
    assert!(matches!(error, StorageError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("--data-dir"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let dir = TempDir::new().unwrap();
    fs::write(
        dir.path().join("boardcast.db"),
        "not a database ".repeat(500),
    )
    .unwrap();
    let error = error_of(dir.path()).await;
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

async fn run_sql(dir: &TempDir, sql: &'static str) {
    let mut conn = SqliteConnectOptions::new()
        .filename(dir.path().join("boardcast.db"))
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let (dir, storage) = start().await;
    storage.close().await.unwrap();
    run_sql(
        &dir,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await;
    let error = error_of(dir.path()).await;
    assert!(
        matches!(
            error,
            StorageError::Newer {
                migration: 9_999,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let dir = TempDir::new().unwrap();
    run_sql(&dir, "CREATE TABLE theirs (x)").await;
    assert!(matches!(
        error_of(dir.path()).await,
        StorageError::Foreign(_)
    ));
}

#[tokio::test]
async fn the_bundled_sqlite_has_no_bug_that_loses_data() {
    let (_dir, storage) = start().await;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(storage.readers())
        .await
        .unwrap();
    let parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert!(parts >= vec![3, 51, 3], "{version}");
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_dir, storage) = start().await;
    let result = sqlx::query("DELETE FROM users")
        .execute(storage.readers())
        .await;
    assert!(result.is_err());
}

#[tokio::test]
async fn boards_from_before_the_bases_get_one_from_their_rows() {
    let dir = TempDir::new().unwrap();
    run_sql(
        &dir,
        include_str!("../../../../migrations/0001_create_boards.sql"),
    )
    .await;
    run_sql(
        &dir,
        r#"INSERT INTO boards (id, doc, version, created)
               VALUES ('b1', '{"id":"b1","title":"Old","next_number":2}', 7, 0);
           INSERT INTO members VALUES ('b1', 'ann', '{"id":"ann","name":"Ann","role":"admin"}');
           INSERT INTO tombstones VALUES ('b1', 'c9'), ('b1', 'c8');"#,
    )
    .await;
    run_sql(
        &dir,
        include_str!("../../../../migrations/0002_keep_bases.sql"),
    )
    .await;
    let mut conn = SqliteConnectOptions::new()
        .filename(dir.path().join("boardcast.db"))
        .connect()
        .await
        .unwrap();
    let (version, doc): (i64, String) = sqlx::query_as("SELECT version, doc FROM bases")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(version, 7);
    let base: Base = serde_json::from_str(&doc).unwrap();
    assert_eq!(base.view.title, "Old");
    assert_eq!(base.view.members.len(), 1);
    assert!(base.details.is_empty() && base.view.cards.is_empty());
    let buried: Vec<_> = base.buried.iter().map(ToString::to_string).collect();
    assert_eq!(buried, ["c8", "c9"]);
}
