//! Users that have said hello and whose names wait to be written. Nobody waits for that, so many of
//! them share a transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::SqliteConnection;
use tokio::time::Instant;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::chunked::Chunked;
use super::fault::Fault;
use super::{Health, Storage, StorageError};

/// Users that may wait: what comes in two seconds at ten thousand connections a second. Only a disk
/// that takes nothing lets so many gather. Further ones are not remembered before they say hello again.
const WAITING_MAX: usize = 20_000;
/// Users of one transaction: versions may wait for it, so it is short.
pub(super) const GROUP_MAX: usize = 1_024;
/// How long the first one waits for others.
const GATHER: Duration = Duration::from_millis(100);

/// A user that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueuedUser {
    pub(super) id: UserId,
    pub(super) name: Box<str>,
    /// When it said hello.
    pub(super) seen: Timestamp,
}

/// Users that wait, each once, with the name that it said last.
#[derive(Debug, Default)]
pub(super) struct Users {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    names: BTreeMap<UserId, (Box<str>, Timestamp)>,
    /// When they are to be written; `None` while there are none.
    due: Option<Instant>,
}

impl Users {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a user. `Ok(true)` where the journal has to look anew when something is due.
    ///
    /// # Errors
    /// Too many wait.
    fn push(&self, user: UserId, name: &str, now: Timestamp) -> Result<bool, StorageError> {
        let mut waiting = self.lock();
        if let Some((known, _)) = waiting.names.get_mut(&user) {
            *known = name.into();
            return Ok(false);
        }
        if waiting.names.len() >= WAITING_MAX {
            let reason = format!("{WAITING_MAX} users wait to be written");
            return Err(StorageError::Unavailable(reason));
        }
        waiting.names.insert(user, (name.into(), now));
        if waiting.names.len() == GROUP_MAX {
            waiting.due = Some(Instant::now());
            return Ok(true);
        }
        let is_first = waiting.due.is_none();
        if is_first {
            waiting.due = Some(Instant::now() + GATHER);
        }
        Ok(is_first)
    }

    /// When users are to be written; `None` while none wait.
    pub(super) fn due(&self) -> Option<Instant> {
        self.lock().due
    }

    /// The users to write now, at most [`GROUP_MAX`]: none before they are due, unless it is the `last`
    /// chance.
    pub(super) fn take(&self, last: bool) -> Vec<QueuedUser> {
        let mut waiting = self.lock();
        let is_due = waiting.due.is_some_and(|due| last || due <= Instant::now());
        if !is_due {
            return Vec::new();
        }
        let popped = std::iter::from_fn(|| waiting.names.pop_first());
        let taken = popped
            .take(GROUP_MAX)
            .map(|(id, (name, seen))| QueuedUser { id, name, seen })
            .collect();
        if waiting.names.is_empty() {
            waiting.due = None;
        }
        taken
    }
}

impl Storage {
    /// Notes that a user exists, and its present name, to be written within about 100 ms together with
    /// others. A crash before that forgets it until the user says hello again: nothing that is kept
    /// refers to it.
    ///
    /// # Errors
    /// Storage is closed, or the disk takes nothing and 20,000 users wait.
    pub fn remember_user(
        &self,
        user: UserId,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let queue = self.queue();
        match queue.health() {
            Health::Healthy | Health::Degraded { .. } => {}
            Health::Closed => return Err(StorageError::Stopped("storage is closed".to_owned())),
            Health::Stopped { reason } => return Err(StorageError::Stopped(reason)),
        }
        if queue.users.push(user, name, now)? {
            queue.wake();
        }
        Ok(())
    }
}

/// Writes only what is new.
pub(super) static REMEMBER: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::repeatable(
        "INSERT INTO users (id, name, first_seen) VALUES",
        3,
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
    )
});

/// Writes users; how many were new or have another name than before.
pub(super) async fn write(conn: &mut SqliteConnection, users: &[QueuedUser]) -> Result<u64, Fault> {
    REMEMBER
        .run(conn, users, |query, user| {
            Ok(query
                .bind(Arc::<str>::from(user.id.as_str()))
                .bind(Arc::<str>::from(&*user.name))
                .bind(user.seen.0.cast_signed()))
        })
        .await
}
