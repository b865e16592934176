//! The way to everything that is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(test)]
use sqlx::sqlite::SqlitePool;
use tokio::sync::Semaphore;

use boardcast_protocol::board::{Board, Member, View};
use boardcast_protocol::ids::{AnyId, BoardId};
use boardcast_protocol::limits::CLIENT_KEPT_MS;
use boardcast_protocol::position::Timestamp;

use super::audit::AuditQueue;
use super::backup::{self, Backups};
use super::base::Base;
use super::board::{BoardState, Lease};
use super::database::{Readers, Writer};
use super::directory::{self, Directory, Size};
use super::journal::{Journal, JournalLimits};
use super::notes::Notes;
use super::queue::{Queue, QueueLimits};
use super::requests::{Act, Requests};
use super::restore::put_in_place;
#[cfg(test)]
use super::simulation::Disk;
use super::{
    BoardJournal, Health, ImportRecord, Imported, JournalStatus, KEY_KEPT_MS, LoadedBoard,
    Retention, StorageError, StorageObserved, Trimmed,
};
use crate::files::{FileStore, FilesPlace};
use crate::lag::Lag;
use crate::{chance, clock};

/// Versions that usually may wait for the disk: seconds of work of a slow one.
pub const JOURNAL_VERSIONS: usize = 20_000;
/// Their bytes.
pub const JOURNAL_BYTES: usize = 64 * 1_024 * 1_024;

/// Where everything is kept, and what may wait in memory.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// The directory; made where it is missing.
    pub data_dir: PathBuf,
    /// Where its files are. Without it no file is asked for: they may be anywhere.
    pub files: Option<FilesPlace>,
    /// Connections that read; further reads wait.
    pub readers: u32,
    /// Versions that may wait for the disk; above it rooms answer `busy`.
    pub journal_max_versions: usize,
    /// Their bytes; above it rooms answer `busy`.
    pub journal_max_bytes: usize,
    /// Bytes of rows that may wait; above it rooms keep them dirty.
    pub rows_max_bytes: usize,
    /// Clients of a board that opening it reads; any other is read when it comes.
    pub clients_max: usize,
    /// Time between attempts when the disk does not take a write.
    pub retry: Duration,
    /// Size of the write-ahead log above which rooms answer `unavailable`, in bytes: a reader that does
    /// not end holds it. Up to 32 MiB may come on top before it is noticed.
    pub wal_max_bytes: u64,
    /// A fault to prove that tests see it.
    #[cfg(feature = "planted-faults")]
    pub planted: Option<super::PlantedFault>,
}

impl StorageOptions {
    /// The usual bounds.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            files: None,
            readers: 4,
            journal_max_versions: JOURNAL_VERSIONS,
            journal_max_bytes: JOURNAL_BYTES,
            rows_max_bytes: 32 * 1_024 * 1_024,
            clients_max: 20_000,
            retry: Duration::from_millis(500),
            wal_max_bytes: 1_024 * 1_024 * 1_024,
            #[cfg(feature = "planted-faults")]
            planted: None,
        }
    }
}

/// Where files are, below the data directory.
pub(super) const FILES: &str = "attachments";

/// Parts of the log that are read at a time: other reads find a free connection beside them.
const PAST_READS: usize = 2;
/// Searches at a time, for the same reason.
const SEARCHES: usize = 2;

#[derive(Debug)]
pub(super) struct Inner {
    database: PathBuf,
    pub(super) readers: Readers,
    pub(super) past_reads: Semaphore,
    pub(super) searches: Semaphore,
    queue: Arc<Queue>,
    pub(super) requests: Requests,
    pub(super) audit: AuditQueue,
    /// What commands leave for the audit log; `None` on the disk of a simulation.
    pub(super) notes: Option<Arc<Notes>>,
    clients_max: usize,
    lag: Lag,
    backups: Backups,
    files: FileStore,
    /// Boards that were opened and not closed since.
    boards: Mutex<HashMap<BoardId, Arc<BoardState>>>,
}

/// Everything that is kept, for all who read or write it. Clones are the same storage.
///
/// The data directory stays locked until [`Storage::close`] or until the last clone, and the last
/// [`BoardJournal`], is gone; without `close` the stop does not count as clean.
#[derive(Clone, Debug)]
pub struct Storage {
    pub(super) inner: Arc<Inner>,
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
        backup::sweep(&options.data_dir);
        put_in_place(directory.database())
            .await
            .map_err(|error| StorageError::NotRestored(error.to_string()))?;
        let dir = options.data_dir.join(FILES);
        let files = match &options.files {
            Some(place) => FileStore::open(&dir, place).await?,
            None => FileStore::in_dir(&dir)?,
        };
        let readers = Readers::open(&directory, options.readers);
        let writer = Writer::open(directory).await?;
        #[cfg(feature = "planted-faults")]
        let writer = writer.planted(options.planted).await?;
        Self::start(writer, readers, files, &options).await
    }

    /// The same on the disk of a simulation.
    #[cfg(test)]
    pub(crate) async fn simulate(
        disk: Disk,
        options: &StorageOptions,
    ) -> Result<Self, StorageError> {
        let writer = Writer::Simulated(disk.clone());
        let files = FileStore::in_memory();
        Self::start(writer, Readers::Simulated(disk), files, options).await
    }

    async fn start(
        mut writer: Writer,
        readers: Readers,
        files: FileStore,
        options: &StorageOptions,
    ) -> Result<Self, StorageError> {
        let run = writer.begin_run(clock::now()).await?;
        let notes = (!writer.is_simulated()).then(|| Arc::new(Notes::of(&options.data_dir)));
        let queue = Arc::new(Queue::new(QueueLimits {
            versions: options.journal_max_versions,
            bytes: options.journal_max_bytes,
            rows_bytes: options.rows_max_bytes,
        }));
        let (requests, inbox) = Requests::channel();
        let limits = JournalLimits {
            retry: options.retry,
            wal_max_bytes: options.wal_max_bytes,
        };
        let database = options.data_dir.join(directory::DATABASE);
        let lag = Lag::default();
        let journal = Journal::new(
            writer,
            run,
            Arc::clone(&queue),
            inbox,
            (limits, lag.clone()),
        );
        journal.start().map_err(StorageError::NoThread)?;
        Ok(Self {
            inner: Arc::new(Inner {
                readers,
                past_reads: Semaphore::new(PAST_READS),
                searches: Semaphore::new(SEARCHES),
                queue,
                requests,
                clients_max: options.clients_max,
                lag,
                backups: Backups::of(&database, &files),
                files,
                database,
                boards: Mutex::default(),
                audit: AuditQueue::default(),
                notes,
            }),
        })
    }

    /// How much more there is to do than the processor gets done: rooms report it, the journal heeds
    /// it.
    pub fn lag(&self) -> &Lag {
        &self.inner.lag
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
            let id = chance::board_id();
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
        let mut view = View::new(id, title.to_owned());
        view.members
            .extend(owner.map(|owner| (owner.id, owner.clone())));
        let board = Board::new(view, BTreeMap::new(), buried.clone());
        self.create(&board, None, now).await
    }

    /// Makes a board with what an import brings, in one transaction: after a crash all of it is
    /// there or nothing. `false` where there is a board of that id already. `empty` is the board
    /// before what the file holds: a title, at most one member, and ids that may not be used. Its
    /// versions up to there are those of the history.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn create_imported_board(
        &self,
        empty: &Board,
        imported: Imported,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        self.create(empty, Some(Box::new(imported)), now).await
    }

    async fn create(
        &self,
        empty: &Board,
        imported: Option<Box<Imported>>,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let view = empty.view();
        let member = match view.members.values().next() {
            Some(member) => Some((member.id, to_json(member)?)),
            None => None,
        };
        let create = Act::Create {
            board: view.id,
            doc: to_json(&View::new(view.id, view.title.clone()))?,
            member,
            buried: to_json(empty.buried())?,
            base: to_json(&Base::from(empty))?,
            epoch: chance::epoch(),
            created: now,
            imported,
        };
        self.inner.requests.ask(create).await
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
            epoch: chance::epoch(),
            forget_before: clients_since,
        };
        let loaded = match self.inner.requests.ask(open).await? {
            true => {
                let (readers, clients_max) = (&self.inner.readers, self.inner.clients_max);
                let load = readers.load(id, clients_since, clients_max);
                self.observed().read("load a board", load).await?
            }
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

    /// Moves the oldest versions of a board from its log to its activity, where `retention` lets them
    /// go and there are enough of them; at most 20,000 at a call. Rooms need not know.
    ///
    /// # Errors
    /// It cannot be read or written; what was trimmed before that stays so, and nothing is lost.
    pub async fn trim_board(
        &self,
        board: BoardId,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Trimmed, StorageError> {
        let Inner {
            readers, requests, ..
        } = &*self.inner;
        readers.trim(requests, board, (now, retention)).await
    }

    /// Forgets the keys of requests on a board that were used last more than 24 hours ago; whether
    /// there were any.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn forget_keys(&self, board: BoardId, now: Timestamp) -> Result<bool, StorageError> {
        let before = Timestamp(now.0.saturating_sub(KEY_KEPT_MS));
        let forget = Act::ForgetKeys { board, before };
        self.inner.requests.ask(forget).await
    }

    /// Forgets some of the runs of the server that no board refers to; whether there were any.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub async fn forget_runs(&self) -> Result<bool, StorageError> {
        self.inner.readers.forget_runs(&self.inner.requests).await
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

    /// What storage has counted of itself.
    pub fn observed(&self) -> &StorageObserved {
        &self.inner.queue.observed
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// The files of attachments.
    pub fn files(&self) -> &FileStore {
        &self.inner.files
    }

    pub(super) fn backups(&self) -> &Backups {
        &self.inner.backups
    }

    /// How the journal is doing.
    pub fn status(&self) -> JournalStatus {
        let Size {
            database_bytes,
            wal_bytes,
        } = Size::of(&self.inner.database);
        JournalStatus {
            database_bytes,
            wal_bytes,
            ..self.inner.queue.status()
        }
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
        match &self.inner.readers {
            Readers::Sqlite(pool) => pool,
            Readers::Simulated(_) => panic!("the simulated disk has no pool"),
        }
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Refused(error.to_string()))
}
