//! The rooms of the server, by board.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use boardcast_protocol::board::Member;
use boardcast_protocol::ids::BoardId;

use super::core::Room;
use super::place::{Phase, Place};
use super::task::RoomTask;
use super::{BoardLoad, RoomHandle, RoomInput, RoomLimits, RoomStats};
use crate::clock;
use crate::storage::{Storage, StorageError};

/// How long opening waits for an idle room to go to sleep before it asks another one.
const SLEEP_WAIT: Duration = Duration::from_secs(1);
/// Idle rooms that are asked to sleep before opening answers `busy`.
const SLEEP_TRIES: usize = 8;

/// Why a room could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// So many boards are in use that no other one can be loaded now; try again later.
    #[error("too many boards are in use at the moment; try again in {retry_ms} ms")]
    Busy {
        /// When to try again, in milliseconds.
        retry_ms: u32,
    },
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// The board could not be read or written.
    #[error("the board cannot be read or written at the moment")]
    Storage(#[source] StorageError),
}

/// How many boards are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Boards.
    pub boards: usize,
    /// Rough count of their bytes.
    pub bytes: usize,
}

/// What waits for all rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inboxes {
    /// Inputs.
    pub waiting: usize,
    /// The most that wait for one room.
    pub longest: usize,
}

/// The rooms of the server: a cheap handle.
#[derive(Clone, Debug)]
pub struct Rooms {
    shared: Arc<Shared>,
}

/// What the registry and the tasks of its rooms share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) storage: Storage,
    places: DashMap<BoardId, Arc<Place>>,
    tasks: TaskTracker,
    loaded_bytes: AtomicUsize,
    started: Instant,
    pub(super) limits: RoomLimits,
    pub(super) stats: Arc<RoomStats>,
    pub(super) stopping: CancellationToken,
}

impl Rooms {
    /// No room is open yet.
    pub fn new(storage: Storage, limits: RoomLimits) -> Self {
        Self {
            shared: Arc::new(Shared {
                storage,
                places: DashMap::new(),
                tasks: TaskTracker::new(),
                loaded_bytes: AtomicUsize::new(0),
                started: Instant::now(),
                limits,
                stats: Arc::default(),
                stopping: CancellationToken::new(),
            }),
        }
    }

    /// The room of a board, opened if it is not yet, once for all who ask at the same time; `None`
    /// where there is no such board.
    ///
    /// # Errors
    /// Too many boards are loaded, the server stops, or the board could not be read.
    pub async fn open(&self, board: BoardId) -> Result<Option<RoomHandle>, OpenError> {
        loop {
            if self.shared.stopping.is_cancelled() {
                return Err(OpenError::Stopping);
            }
            let place = self.shared.place(board);
            if let Some(handle) = place.handle() {
                return Ok(Some(handle));
            }
            let phase = Arc::clone(&place.turn).lock_owned().await;
            let mut turn = Turn {
                shared: &self.shared,
                place,
                phase,
            };
            match *turn.phase {
                Phase::Ended => continue,
                Phase::Empty => {}
                Phase::Open => {
                    if let Some(handle) = turn.place.handle() {
                        return Ok(Some(handle));
                    }
                    tracing::error!(%board, "a room ended without handing over; opening it again");
                    *turn.phase = Phase::Empty;
                }
            }
            return turn.open().await;
        }
    }

    /// The room of a board, if it is open.
    pub fn get(&self, board: BoardId) -> Option<RoomHandle> {
        self.shared.places.get(&board)?.handle()
    }

    /// Hands an input that must not get lost to the room of a board, opening it if need be; `false`
    /// where there is no such board.
    ///
    /// # Errors
    /// Its room cannot be opened.
    pub async fn send(&self, board: BoardId, input: RoomInput) -> Result<bool, OpenError> {
        let mut input = input;
        while let Some(room) = self.open(board).await? {
            match room.send(input).await {
                Ok(()) => return Ok(true),
                Err(refused) => input = refused,
            }
        }
        Ok(false)
    }

    /// Makes a board with its first member.
    ///
    /// # Errors
    /// The board could not be written.
    pub async fn create(&self, title: &str, owner: &Member) -> Result<BoardId, OpenError> {
        let storage = &self.shared.storage;
        let made = storage.create_board(title, Some(owner), clock::now()).await;
        made.map_err(OpenError::Storage)
    }

    /// Stops all rooms and opens none any more; returns when each has sent what was pending and
    /// handed everything to the journal.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    /// How many boards are loaded.
    pub fn loaded(&self) -> Loaded {
        Loaded {
            boards: self.shared.tasks.len(),
            bytes: self.shared.loaded_bytes.load(Ordering::Relaxed),
        }
    }

    /// What waits for the rooms at this moment.
    pub fn inboxes(&self) -> Inboxes {
        let waiting = (self.shared.places.iter()).map(|place| place.waiting_inputs());
        waiting.fold(Inboxes::default(), |all, waiting| Inboxes {
            waiting: all.waiting + waiting,
            longest: all.longest.max(waiting),
        })
    }

    /// The boards with the most deliveries in the last minute or two, the busiest first, at most
    /// `count`.
    pub fn busiest(&self, count: usize) -> Vec<BoardLoad> {
        let now_ms = self.shared.elapsed_ms();
        let places = self.shared.places.iter();
        let mut loads: Vec<_> = places
            .filter_map(|place| place.load.read(place.board, now_ms))
            .collect();
        loads.sort_unstable_by_key(|load| (std::cmp::Reverse(load.deliveries), load.board));
        loads.truncate(count);
        loads
    }

    /// What the rooms have done.
    pub fn stats(&self) -> &RoomStats {
        &self.shared.stats
    }
}

/// The right to open the room of a board. Dropped before the room is open, it ends the place.
struct Turn<'a> {
    shared: &'a Arc<Shared>,
    place: Arc<Place>,
    phase: OwnedMutexGuard<Phase>,
}

impl Turn<'_> {
    async fn open(mut self) -> Result<Option<RoomHandle>, OpenError> {
        let shared = self.shared;
        let board = self.place.board;
        shared.make_room().await?;
        let opened = shared.storage.open_board(board, clock::now()).await;
        let Some((loaded, journal)) = opened.map_err(OpenError::Storage)? else {
            return Ok(None);
        };
        let (sender, inbox) = mpsc::channel(shared.limits.inbox);
        let room = Room::new(loaded, shared.limits, Arc::clone(&shared.stats));
        shared.weigh(&self.place, room.weight_bytes());
        self.place.set_inbox(Some(sender));
        *self.phase = Phase::Open;
        let task = RoomTask::new(
            room,
            journal,
            inbox,
            Arc::clone(&self.place),
            Arc::clone(shared),
        );
        shared.tasks.spawn(task.run());
        Ok(Some(RoomHandle::new(Arc::clone(&self.place))))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if *self.phase == Phase::Empty {
            self.shared.end(&self.place, &mut self.phase);
        }
    }
}

impl Shared {
    fn place(&self, board: BoardId) -> Arc<Place> {
        let place = self.places.entry(board);
        Arc::clone(&place.or_insert_with(|| Arc::new(Place::new(board))))
    }

    /// Takes a place out of the registry: the next one that opens the board makes another.
    pub(super) fn end(&self, place: &Arc<Place>, phase: &mut Phase) {
        *phase = Phase::Ended;
        place.set_inbox(None);
        self.weigh(place, 0);
        self.places
            .remove_if(&place.board, |_, there| Arc::ptr_eq(there, place));
        place.ended.cancel();
    }

    /// Tells the weight of a board.
    pub(super) fn weigh(&self, place: &Place, bytes: usize) {
        let before = place.set_weight(bytes);
        self.loaded_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.loaded_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    /// Milliseconds since the start of the server.
    pub(super) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Lets the rooms that nobody used for longest sleep until there is memory for another board.
    async fn make_room(&self) -> Result<(), OpenError> {
        for _ in 0..SLEEP_TRIES {
            if self.loaded_bytes.load(Ordering::Relaxed) < self.limits.loaded_bytes {
                return Ok(());
            }
            let idle = self.places.iter().filter_map(|entry| {
                let place = Arc::clone(entry.value());
                Some((place.idle_since_ms()?, place))
            });
            let Some((_, place)) = idle.min_by_key(|(since, place)| (*since, place.board)) else {
                break;
            };
            if let Some(handle) = place.handle()
                && handle.try_send(RoomInput::Sleep).is_ok()
            {
                let _ = timeout(SLEEP_WAIT, place.ended.cancelled()).await;
            }
        }
        if self.loaded_bytes.load(Ordering::Relaxed) < self.limits.loaded_bytes {
            return Ok(());
        }
        Err(OpenError::Busy {
            retry_ms: self.limits.retry_ms,
        })
    }
}
