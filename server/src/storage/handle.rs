//! The way to everything that is kept.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use boardcast_protocol::board::{Member, View};
use boardcast_protocol::ids::{AnyId, BoardId, CardId, UserId};
use boardcast_protocol::limits::CLIENT_KEPT_MS;
use boardcast_protocol::message::{ActivityEntry, BoardSummary};
use boardcast_protocol::position::{Epoch, Timestamp, Version};

use super::board::{BoardState, Lease};
use super::directory::Directory;
use super::journal::Journal;
use super::queue::{Queue, QueueLimits};
use super::requests::{Act, Requests};
use super::{
    BoardJournal, Health, ImportRecord, JournalStatus, LoadedBoard, StorageError, connect, load,
    read,
};

/// Where everything is kept, and what may wait in memory.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// The directory; made where it is missing.
    pub data_dir: PathBuf,
    /// Connections that read; further reads wait.
    pub readers: u32,
    /// Versions that may wait for the disk; above it rooms answer `busy`.
    pub journal_max_versions: usize,
    /// Their bytes; above it rooms answer `busy`.
    pub journal_max_bytes: usize,
    /// Bytes of rows that may wait; above it rooms keep them dirty.
    pub rows_max_bytes: usize,
    /// Time between attempts when the disk does not take a write.
    pub retry: Duration,
}

impl StorageOptions {
    /// The usual bounds.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            readers: 4,
            journal_max_versions: 20_000,
            journal_max_bytes: 64 * 1_024 * 1_024,
            rows_max_bytes: 32 * 1_024 * 1_024,
            retry: Duration::from_millis(500),
        }
    }
}

#[derive(Debug)]
struct Inner {
    readers: SqlitePool,
    queue: Arc<Queue>,
    requests: Requests,
    /// Boards that were opened and not closed since.
    boards: Mutex<HashMap<BoardId, Arc<BoardState>>>,
}

/// Everything that is kept, for all who read or write it. Clones are the same storage.
///
/// The data directory stays locked until [`Storage::close`] or until the last clone, and the last
/// [`BoardJournal`], is gone; without `close` the stop does not count as clean.
#[derive(Clone, Debug)]
pub struct Storage {
    inner: Arc<Inner>,
}

impl Storage {
    /// Locks the data directory, opens or makes the database, brings it up to date and starts the
    /// journal.
    ///
    /// # Errors
    /// The directory is in use or cannot be written, or the database is damaged, newer than this
    /// program, somebody else's, or on a disk that cannot keep it durable.
    pub async fn open(options: StorageOptions) -> Result<Self, StorageError> {
        let directory = Directory::claim(&options.data_dir)?;
        let mut writer = connect::writer(directory.database()).await?;
        let run = begin_run(&mut writer).await?;
        let readers = connect::readers(directory.database(), options.readers);
        let queue = Arc::new(Queue::new(QueueLimits {
            versions: options.journal_max_versions,
            bytes: options.journal_max_bytes,
            rows_bytes: options.rows_max_bytes,
        }));
        let (requests, inbox) = Requests::channel();
        let journal = Journal::new(
            writer,
            directory,
            run,
            Arc::clone(&queue),
            inbox,
            options.retry,
        );
        tokio::spawn(journal.run());
        Ok(Self {
            inner: Arc::new(Inner {
                readers,
                queue,
                requests,
                boards: Mutex::default(),
            }),
        })
    }

    /// Makes a board with its first epoch, and with `owner` as a member; committed on return.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn create_board(
        &self,
        title: &str,
        owner: Option<&Member>,
        now: Timestamp,
    ) -> Result<BoardId, StorageError> {
        loop {
            let id = BoardId::from_u128(random_bits());
            if self
                .create_board_with_id(id, title, owner, &BTreeSet::new(), now)
                .await?
            {
                return Ok(id);
            }
        }
    }

    /// Makes a board whose id is given, as imports do; `false` where there is one already. The ids
    /// in `buried` belonged to things that were deleted: none is used on the board again.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn create_board_with_id(
        &self,
        id: BoardId,
        title: &str,
        owner: Option<&Member>,
        buried: &BTreeSet<AnyId>,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let doc = to_json(&View::new(id, title.to_owned()))?;
        let member = match owner {
            Some(member) => Some((member.id, to_json(member)?)),
            None => None,
        };
        self.inner
            .requests
            .ask(Act::Create {
                board: id,
                doc,
                member,
                buried: to_json(buried)?,
                epoch: Epoch(rand::random()),
                created: now,
            })
            .await
    }

    /// Opens a board for its one room: its rows and what the log says after them. Where the last
    /// opening did not end cleanly, a new epoch begins at the last version of the log; it is
    /// committed on return. `None` where there is no such board.
    ///
    /// # Errors
    /// A room has it open, what is stored contradicts itself, or nothing can be written.
    pub async fn open_board(
        &self,
        id: BoardId,
        now: Timestamp,
    ) -> Result<Option<(LoadedBoard, BoardJournal)>, StorageError> {
        let (board, lease) = self.lease(id).ok_or(StorageError::BoardOpen(id))?;
        let clients_since = Timestamp(now.0.saturating_sub(CLIENT_KEPT_MS));
        let open = Act::Open {
            board: Arc::clone(&board),
            epoch: Epoch(rand::random()),
            forget_before: clients_since,
        };
        let loaded = match self.inner.requests.ask(open).await? {
            true => load::load(&self.inner.readers, id, clients_since).await?,
            false => None,
        };
        let Some(loaded) = loaded else {
            self.boards().remove(&id);
            return Ok(None);
        };
        board.restart(loaded.board.version, loaded.late);
        let journal = BoardJournal {
            board,
            lease,
            queue: Arc::clone(&self.inner.queue),
            requests: self.inner.requests.clone(),
        };
        Ok(Some((loaded.board, journal)))
    }

    /// The right to write a board; `None` while somebody has it. What is known of boards that were
    /// closed is forgotten on the way.
    fn lease(&self, id: BoardId) -> Option<(Arc<BoardState>, Arc<Lease>)> {
        let mut boards = self.boards();
        boards.retain(|other, board| *other == id || !board.is_idle());
        let board = boards
            .entry(id)
            .or_insert_with(|| Arc::new(BoardState::new(id)));
        let lease = board.lease()?;
        Some((Arc::clone(board), lease))
    }

    fn boards(&self) -> MutexGuard<'_, HashMap<BoardId, Arc<BoardState>>> {
        self.inner
            .boards
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The boards of a user, or all boards for `None`, by id, after `after`; at most `limit`. A
    /// membership shows about a second after it was given.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn boards_of(
        &self,
        user: Option<UserId>,
        after: Option<BoardId>,
        limit: usize,
    ) -> Result<Vec<BoardSummary>, StorageError> {
        read::boards_of(&self.inner.readers, user, after, limit).await
    }

    /// Durable versions of a board, or those that are about a card, newest first, below `before`.
    /// At most `limit` and about 1 MiB, but one at least where there is one: a page may be short,
    /// the end has come when it is empty.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn activity(
        &self,
        board: BoardId,
        card: Option<CardId>,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<ActivityEntry>, StorageError> {
        read::activity(&self.inner.readers, board, card, before, limit).await
    }

    /// Notes that a user exists, and its present name. Writes only what is new.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub async fn remember_user(
        &self,
        user: UserId,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let known = read::user_name(&self.inner.readers, user).await?;
        if known.as_deref() == Some(name) {
            return Ok(());
        }
        let remember = Act::Remember {
            user,
            name: name.to_owned(),
            now,
        };
        self.inner.requests.ask(remember).await.map(drop)
    }

    /// What the last import of `source` did.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn import_record(&self, source: &str) -> Result<Option<ImportRecord>, StorageError> {
        read::import_record(&self.inner.readers, source).await
    }

    /// Notes what an import of `source` did, in place of the one before.
    ///
    /// # Errors
    /// It cannot be written, or its board does not exist.
    pub async fn save_import_record(
        &self,
        source: &str,
        record: &ImportRecord,
    ) -> Result<(), StorageError> {
        let save = Act::SaveImport {
            source: source.to_owned(),
            record: record.clone(),
        };
        self.inner.requests.ask(save).await.map(drop)
    }

    /// How the journal is doing.
    pub fn status(&self) -> JournalStatus {
        self.inner.queue.status()
    }

    /// Writes everything that was handed over, marks the stop as clean, and closes the database.
    /// Rooms have ended before. After it nothing is written, and the directory is free. A second
    /// call finds nothing to do.
    ///
    /// # Errors
    /// Something could not be written: the stop is not clean, and the next start begins new epochs.
    pub async fn close(&self) -> Result<(), StorageError> {
        self.inner.readers.close().await;
        match self.inner.queue.health() {
            Health::Closed => Ok(()),
            Health::Stopped { reason } => Err(StorageError::Stopped(reason)),
            Health::Healthy | Health::Degraded { .. } => {
                self.inner.requests.ask(Act::Close).await.map(drop)
            }
        }
    }

    /// Runs any statement on the writer, to bring about faults.
    #[cfg(test)]
    pub(super) async fn execute(&self, sql: &'static str) -> Result<(), StorageError> {
        self.inner.requests.ask(Act::Execute(sql)).await.map(drop)
    }

    #[cfg(test)]
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }
}

async fn begin_run(conn: &mut SqliteConnection) -> Result<i64, StorageError> {
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| {
            i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
        });
    let done = sqlx::query("INSERT INTO runs (started) VALUES (?)")
        .bind(started)
        .execute(conn)
        .await
        .map_err(|error| StorageError::Unavailable(error.to_string()))?;
    Ok(done.last_insert_rowid())
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Refused(error.to_string()))
}

/// 96 random bits: ids of boards need not be longer to be unique and hard to guess.
fn random_bits() -> u128 {
    u128::from(rand::random::<u64>()) << 32 | u128::from(rand::random::<u32>())
}
