//! Connections to the database, and the settings that durability rests on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection};

use super::fault::primary_code;
use super::{StorageError, backup, search};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// "Bcst", as the first migration sets it.
pub(super) const APPLICATION_ID: i64 = 1_113_813_876;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOTADB: i32 = 26;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a reader waits for a connection before the read fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// The write-ahead log is cut to this size when it begins anew.
const WAL_KEPT_BYTES: &str = "67108864";

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .pragma("mmap_size", "0")
}

/// Pages that the writer keeps, in KiB where negative. A commit that follows a split of a page looks
/// through all of them (SQLite moves pages by way of a page number beyond the end), so more of them
/// cost more than they save: the system keeps the file's pages, too.
const WRITER_CACHE_KIB: &str = "-16384";

/// Opens the writer, checks its settings, and brings the schema up to date.
pub(super) async fn writer(file: &Path) -> Result<SqliteConnection, StorageError> {
    let damaged = |error: sqlx::Error| damage(file, error);
    let mut conn = options(file)
        .page_size(4_096)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", WRITER_CACHE_KIB)
        .pragma("journal_size_limit", WAL_KEPT_BYTES)
        // The journal checkpoints itself: an automatic one hides its errors.
        .pragma("wal_autocheckpoint", "0")
        .statement_cache_capacity(256)
        .connect()
        .await
        .map_err(damaged)?;
    verify(&mut conn, file).await?;
    if let Schema::Lacks(migration) = schema(&mut conn, file).await? {
        backup::before_migration(&mut conn, file, migration).await?;
    }
    MIGRATIONS
        .run(&mut conn)
        .await
        .map_err(|error| migration_error(file, error))?;
    search::fill::bring_up_to_date(&mut conn, file).await?;
    Ok(conn)
}

/// A second connection beside the writer, which writes back what the writer has committed.
pub(super) async fn second_writer(file: &Path) -> Result<SqliteConnection, StorageError> {
    options(file)
        .pragma("wal_autocheckpoint", "0")
        .connect()
        .await
        .map_err(|error| damage(file, error))
}

/// A pool of readers: they are never replaced for their age, and cannot write.
pub(super) fn readers(file: &Path, count: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(count.max(1))
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_lazy_with(options(file).read_only(true))
}

/// A connection that reads a database nobody writes, and changes nothing: after a crash SQLite reads
/// the write-ahead log, and leaves it where it is.
pub(super) async fn reader(file: &Path) -> Result<SqliteConnection, StorageError> {
    options(file)
        .read_only(true)
        .pragma("cache_size", "-65536")
        .connect()
        .await
        .map_err(|error| damage(file, error))
}

/// A connection that writes, to a database that nobody uses; its journal stays as it is.
pub(super) async fn plain(file: &Path) -> Result<SqliteConnection, StorageError> {
    options(file)
        .connect()
        .await
        .map_err(|error| damage(file, error))
}

/// How the schema of a database relates to that of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// There is none: a first start was cut short before its first migration was committed.
    Empty,
    /// It lacks this migration and later ones.
    Lacks(i64),
    /// It is that of this program.
    Current,
}

/// The schema of a database of ours.
///
/// # Errors
/// It is not a database, not ours, newer than this program, or cannot be read.
pub(super) async fn schema(
    conn: &mut SqliteConnection,
    file: &Path,
) -> Result<Schema, StorageError> {
    let damaged = |error: sqlx::Error| damage(file, error);
    if is_being_made(conn).await.map_err(damaged)? {
        return Ok(Schema::Empty);
    }
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *conn)
        .await
        .map_err(damaged)?;
    let has_migrations: bool = sqlx::query_scalar(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE tbl_name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(damaged)?;
    if id != APPLICATION_ID || !has_migrations {
        return Err(StorageError::Foreign(file.to_owned()));
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(conn)
            .await
            .map_err(damaged)?;
    let known = || MIGRATIONS.iter().map(|migration| migration.version);
    if let Some(migration) = applied.iter().find(|id| known().all(|known| known != **id)) {
        return Err(StorageError::Newer {
            file: file.to_owned(),
            migration: *migration,
        });
    }
    let lacks = known().find(|known| !applied.contains(known));
    Ok(lacks.map_or(Schema::Current, Schema::Lacks))
}

async fn verify(conn: &mut SqliteConnection, file: &Path) -> Result<(), StorageError> {
    let damaged = |error: sqlx::Error| damage(file, error);
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *conn)
        .await
        .map_err(damaged)?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *conn)
        .await
        .map_err(damaged)?;
    if tables > 0 && id != APPLICATION_ID && !is_being_made(conn).await.map_err(damaged)? {
        return Err(StorageError::Foreign(file.to_owned()));
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *conn)
        .await
        .map_err(damaged)?;
    expect("journal_mode", mode, "wal")?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *conn)
        .await
        .map_err(damaged)?;
    expect("synchronous", synchronous.to_string(), "2")?;
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys")
        .fetch_one(&mut *conn)
        .await
        .map_err(damaged)?;
    expect("foreign_keys", foreign_keys.to_string(), "1")
}

/// Whether a first start was cut short before its first migration was committed.
async fn is_being_made(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'",
    )
    .fetch_one(conn)
    .await?;
    Ok(others == 0)
}

fn expect(setting: &'static str, found: String, wanted: &'static str) -> Result<(), StorageError> {
    if found == wanted {
        return Ok(());
    }
    Err(StorageError::Setting {
        setting,
        found,
        wanted,
    })
}

pub(super) fn damage(file: &Path, error: sqlx::Error) -> StorageError {
    match primary_code(&error) {
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => StorageError::Damaged {
            file: file.to_owned(),
            reason: error.to_string(),
        },
        Some(SQLITE_FULL) => StorageError::Full {
            file: file.to_owned(),
            reason: error.to_string(),
        },
        Some(_) | None => StorageError::Read(error),
    }
}

fn migration_error(file: &Path, error: MigrateError) -> StorageError {
    let file: PathBuf = file.to_owned();
    if let MigrateError::VersionMissing(migration) = error {
        return StorageError::Newer { file, migration };
    }
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
        return damage(&file, error);
    }
    StorageError::Migration {
        file,
        source: Box::new(error),
    }
}
