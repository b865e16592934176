//! What the journal writes to and what reads are answered from: SQLite, or the disk of the
//! simulation. Everything above this seam is the same for both.

use std::sync::Arc;

use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;

use boardcast_protocol::ids::{BoardId, CardId, ClientId, UserId};
use boardcast_protocol::message::{ActivityEntry, BoardSummary};
use boardcast_protocol::position::{Timestamp, Version};

use super::directory::{Directory, Size};
use super::fault::{self, Fault};
use super::load::{self, Loaded};
use super::queue::{QueuedRows, QueuedVersion};
use super::requests::{self, Act, Requests};
#[cfg(test)]
use super::simulation::Disk;
use super::users::{self, QueuedUser};
use super::{
    ClientRecord, ImportRecord, Retention, StorageError, StoredVersion, Trimmed, checkpoint,
    client, connect, log, past, read, rows, trim,
};

pub(super) const BEGIN_RUN: &str = "INSERT INTO runs (started) VALUES (?)";

/// The one connection that writes. Each call that writes is one transaction: after an error nothing
/// of it is kept, except that after [`Fault::Unclear`] nobody knows.
pub(super) enum Writer {
    Sqlite(SqliteWriter),
    #[cfg(test)]
    Simulated(Disk),
}

/// The database file, opened for writing, in a directory that nobody else uses.
pub(super) struct SqliteWriter {
    conn: SqliteConnection,
    /// Writes the write-ahead log back, beside the writer.
    ahead: Arc<Mutex<SqliteConnection>>,
    directory: Directory,
}

impl Writer {
    /// Opens the database of a directory, makes it where it is missing and brings it up to date.
    pub(super) async fn open(directory: Directory) -> Result<Self, StorageError> {
        let conn = connect::writer(directory.database()).await?;
        let ahead = connect::second_writer(directory.database()).await?;
        Ok(Self::Sqlite(SqliteWriter {
            conn,
            ahead: Arc::new(Mutex::new(ahead)),
            directory,
        }))
    }

    /// Whether it is the disk of a simulation, which runs on one thread with paused time.
    pub(super) fn is_simulated(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(test)]
            Self::Simulated(_) => true,
        }
    }

    /// The same with a fault in it, to prove that tests see it.
    #[cfg(feature = "planted-faults")]
    pub(super) async fn planted(
        mut self,
        fault: Option<super::PlantedFault>,
    ) -> Result<Self, StorageError> {
        if let (Self::Sqlite(sqlite), Some(fault)) = (&mut self, fault) {
            fault.plant(&mut sqlite.conn).await?;
        }
        Ok(self)
    }

    /// Notes that a server has started; the number of its run.
    pub(super) async fn begin_run(&mut self, now: Timestamp) -> Result<i64, StorageError> {
        match self {
            Self::Sqlite(sqlite) => {
                let done = sqlx::query(BEGIN_RUN)
                    .bind(now.0.cast_signed())
                    .execute(&mut sqlite.conn)
                    .await
                    .map_err(|error| connect::damage(sqlite.directory.database(), error))?;
                Ok(done.last_insert_rowid())
            }
            #[cfg(test)]
            Self::Simulated(disk) => disk.begin_run().await,
        }
    }

    /// Appends versions to the log.
    pub(super) async fn append(&mut self, versions: &[QueuedVersion]) -> Result<(), Fault> {
        match self {
            Self::Sqlite(SqliteWriter { conn, .. }) => {
                fault::begin(conn).await?;
                let written = log::write(conn, versions).await;
                finish(conn, written).await
            }
            #[cfg(test)]
            Self::Simulated(disk) => disk.append(versions).await,
        }
    }

    /// Writes rows of boards, whose log is committed up to their versions.
    pub(super) async fn put_rows(&mut self, all: &[QueuedRows]) -> Result<(), Fault> {
        match self {
            Self::Sqlite(SqliteWriter { conn, .. }) => {
                fault::begin(conn).await?;
                let written = rows::write(conn, all).await;
                finish(conn, written).await
            }
            #[cfg(test)]
            Self::Simulated(disk) => disk.put_rows(all).await,
        }
    }

    /// Writes users and their names.
    pub(super) async fn put_users(&mut self, users: &[QueuedUser]) -> Result<(), Fault> {
        match self {
            Self::Sqlite(SqliteWriter { conn, .. }) => {
                fault::begin(conn).await?;
                let written = users::write(conn, users).await;
                finish(conn, written).await.map(drop)
            }
            #[cfg(test)]
            Self::Simulated(disk) => disk.put_users(users).await,
        }
    }

    /// Performs acts; for each, whether there was something to do.
    pub(super) async fn perform(&mut self, run: i64, acts: &[&Act]) -> Result<Vec<bool>, Fault> {
        match self {
            Self::Sqlite(SqliteWriter { conn, .. }) => {
                fault::begin(conn).await?;
                let performed = perform_all(conn, run, acts).await;
                finish(conn, performed).await
            }
            #[cfg(test)]
            Self::Simulated(disk) => disk.perform(run, acts).await,
        }
    }

    /// Writes most of the write-ahead log back while the writer goes on; [`Writer::checkpoint`] does
    /// the rest. `None` where nothing can be done ahead.
    pub(super) fn checkpoint_ahead(
        &self,
    ) -> Option<impl Future<Output = Result<(), Fault>> + Send + 'static> {
        match self {
            Self::Sqlite(SqliteWriter { ahead, .. }) => {
                let ahead = Arc::clone(ahead);
                Some(async move {
                    checkpoint::passive(&mut *ahead.lock().await)
                        .await
                        .map(drop)
                })
            }
            #[cfg(test)]
            Self::Simulated(_) => None,
        }
    }

    /// Writes the write-ahead log back, as far as present readers allow.
    pub(super) async fn checkpoint(&mut self, max_bytes: u64) -> Result<(), Fault> {
        match self {
            Self::Sqlite(SqliteWriter { conn, .. }) => checkpoint::run(conn, max_bytes).await,
            #[cfg(test)]
            Self::Simulated(disk) => disk.checkpoint().await,
        }
    }

    /// The sizes of the database's files.
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Sqlite(SqliteWriter { directory, .. }) => directory.size(),
            #[cfg(test)]
            Self::Simulated(_) => Size::default(),
        }
    }

    /// Closes the database and frees the directory.
    pub(super) async fn leave(self) {
        let SqliteWriter {
            mut conn,
            ahead,
            directory,
        } = match self {
            Self::Sqlite(sqlite) => sqlite,
            #[cfg(test)]
            Self::Simulated(_) => return,
        };
        // Only the journal uses it, which has ended: nobody else holds it.
        if let Some(ahead) = Arc::into_inner(ahead)
            && let Err(error) = ahead.into_inner().close().await
        {
            tracing::warn!(%error, "a connection to the database was not closed in order");
        }
        if let Err(fault) = checkpoint::truncate(&mut conn).await {
            tracing::warn!(
                ?fault,
                "the write-ahead log was not written back; the next start does it"
            );
        }
        if let Err(error) = conn.close().await {
            tracing::warn!(%error, "the database was not closed in order");
        }
        drop(directory);
    }

    /// Leaves the database as it is, and the directory locked, until the process ends: to close the
    /// last connection would write the write-ahead log back.
    pub(super) fn abandon(self) {
        match self {
            Self::Sqlite(sqlite) => std::mem::forget(sqlite),
            #[cfg(test)]
            Self::Simulated(_) => {}
        }
    }

    /// Runs a statement of a test outside a transaction.
    #[cfg(test)]
    pub(super) async fn execute(&mut self, sql: &'static str) -> Result<(), Fault> {
        match self {
            Self::Sqlite(SqliteWriter { conn, .. }) => {
                requests::execute(conn, 0, &Act::Execute(sql))
                    .await
                    .map(drop)
            }
            Self::Simulated(_) => Err(Fault::Data("the simulated disk knows no SQL".to_owned())),
        }
    }
}

async fn perform_all(
    conn: &mut SqliteConnection,
    run: i64,
    acts: &[&Act],
) -> Result<Vec<bool>, Fault> {
    let mut done = Vec::with_capacity(acts.len());
    for act in acts {
        done.push(requests::execute(conn, run, act).await?);
    }
    Ok(done)
}

/// Commits what was written, or rolls it back.
async fn finish<T>(conn: &mut SqliteConnection, written: Result<T, Fault>) -> Result<T, Fault> {
    let result = match written {
        Ok(done) => fault::commit(conn).await.map(|()| done),
        Err(fault) => Err(fault),
    };
    if result.is_err() {
        fault::roll_back(conn).await;
    }
    result
}

/// Where reads are answered from. Clones share their connections.
#[derive(Clone, Debug)]
pub(super) enum Readers {
    Sqlite(SqlitePool),
    #[cfg(test)]
    Simulated(Disk),
}

impl Readers {
    /// At most `count` connections to the database of a directory; further reads wait.
    pub(super) fn open(directory: &Directory, count: u32) -> Self {
        Self::Sqlite(connect::readers(directory.database(), count))
    }

    /// The connections themselves, for what only SQLite keeps.
    ///
    /// # Errors
    /// The simulated disk has none.
    #[cfg_attr(
        not(test),
        expect(clippy::unnecessary_wraps, reason = "the disk of tests has none")
    )]
    pub(super) fn pool(&self) -> Result<&SqlitePool, StorageError> {
        match self {
            Self::Sqlite(pool) => Ok(pool),
            #[cfg(test)]
            Self::Simulated(_) => Err(StorageError::Unavailable(
                "the simulated disk keeps no accounts".to_owned(),
            )),
        }
    }

    /// A board; `None` where there is none.
    pub(super) async fn load(
        &self,
        id: BoardId,
        clients_since: Timestamp,
        clients_max: usize,
    ) -> Result<Option<Loaded>, StorageError> {
        match self {
            Self::Sqlite(pool) => {
                let Some(found) = load::find(pool, id, clients_since, clients_max).await? else {
                    return Ok(None);
                };
                // Thousands of cards take milliseconds to parse: not on a thread that serves
                // connections.
                tokio::task::spawn_blocking(move || found.assemble())
                    .await
                    .map_err(|error| load::corrupt(id, &error))?
                    .map(Some)
            }
            #[cfg(test)]
            Self::Simulated(disk) => match disk.find(id, clients_since, clients_max).await? {
                Some(found) => found.assemble().map(Some),
                None => Ok(None),
            },
        }
    }

    /// See [`super::Storage::client`].
    pub(super) async fn client(
        &self,
        board: BoardId,
        client: ClientId,
    ) -> Result<Option<ClientRecord>, StorageError> {
        match self {
            Self::Sqlite(pool) => client::read(pool, board, client).await,
            #[cfg(test)]
            Self::Simulated(disk) => disk.client(board, client).await,
        }
    }

    /// See [`super::Storage::boards_of`].
    pub(super) async fn boards_of(
        &self,
        user: Option<UserId>,
        archived: Option<bool>,
        after: Option<BoardId>,
        limit: usize,
    ) -> Result<Vec<BoardSummary>, StorageError> {
        match self {
            Self::Sqlite(pool) => read::boards_of(pool, user, archived, after, limit).await,
            #[cfg(test)]
            Self::Simulated(disk) => disk.boards_of(user, archived, after, limit).await,
        }
    }

    /// See [`super::Storage::activity`].
    pub(super) async fn activity(
        &self,
        board: BoardId,
        card: Option<CardId>,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<ActivityEntry>, StorageError> {
        match self {
            Self::Sqlite(pool) => read::activity(pool, board, card, before, limit).await,
            #[cfg(test)]
            Self::Simulated(disk) => disk.activity(board, card, before, limit).await,
        }
    }

    /// See [`super::Storage::past`].
    pub(super) async fn past(
        &self,
        board: BoardId,
        (after, to): (Version, Version),
        max_bytes: usize,
    ) -> Result<Vec<StoredVersion>, StorageError> {
        match self {
            Self::Sqlite(pool) => past::read(pool, board, (after, to), max_bytes).await,
            #[cfg(test)]
            Self::Simulated(disk) => disk.past(board, (after, to), max_bytes).await,
        }
    }

    /// See [`super::Storage::trim_board`]. The simulated disk keeps its log.
    pub(super) async fn trim(
        &self,
        requests: &Requests,
        board: BoardId,
        limits: (Timestamp, Retention),
    ) -> Result<Trimmed, StorageError> {
        match self {
            Self::Sqlite(pool) => trim::trim(pool, requests, board, limits).await,
            #[cfg(test)]
            Self::Simulated(_) => Ok(Trimmed::default()),
        }
    }

    /// See [`super::Storage::forget_runs`].
    pub(super) async fn forget_runs(&self, requests: &Requests) -> Result<bool, StorageError> {
        match self {
            Self::Sqlite(pool) => trim::forget_runs(pool, requests).await,
            #[cfg(test)]
            Self::Simulated(_) => Ok(false),
        }
    }

    /// What the last import of `source` did.
    pub(super) async fn import_record(
        &self,
        source: &str,
    ) -> Result<Option<ImportRecord>, StorageError> {
        match self {
            Self::Sqlite(pool) => read::import_record(pool, source).await,
            #[cfg(test)]
            Self::Simulated(disk) => Ok(disk.import_record(source)),
        }
    }

    /// Waits for reads under way and takes no others.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            #[cfg(test)]
            Self::Simulated(_) => {}
        }
    }
}
