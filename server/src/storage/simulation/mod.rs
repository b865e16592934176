//! A disk in memory with the behaviour of the database: what is committed survives, what is not
//! does not, and every step may be slow, fail, or be the last one.

mod reads;
mod tables;

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::sleep;

use super::StorageError;
use super::fault::Fault;
use super::queue::{QueuedRows, QueuedVersion};
use super::requests::Act;
use super::users::QueuedUser;

pub(crate) use tables::{BoardTables, Tables};

/// A moment at which something may happen to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Before a transaction begins.
    Begin,
    /// Its statements have run.
    Written,
    /// It is about to be committed.
    Commit,
    /// It is committed, and nobody has been told.
    Committed,
    /// A read.
    Read,
}

/// What happens at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It goes on after so long.
    Go(Duration),
    /// Somebody else writes.
    Busy,
    /// The disk takes no more.
    Full,
    /// At [`Step::Commit`]: the outcome is not told.
    Unclear { kept: bool },
    /// The process does not come to the next step.
    Halt,
}

/// What a transaction writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Run,
    Versions,
    Rows,
    Users,
    Acts,
}

/// Decides what happens to a disk, and sees what is committed.
pub(crate) trait Weather: Send + Sync {
    fn at(&self, step: Step, kind: Option<Kind>) -> Turn;
    /// Whether a version of this board breaks a rule of the database.
    fn breaks(&self, board: &str) -> bool;
    fn committed(&self, kind: Kind, before: &Tables, after: &Tables);
}

/// The disk of a simulation. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Disk {
    committed: Arc<Mutex<Tables>>,
    weather: Arc<dyn Weather>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl Disk {
    pub(crate) fn new(tables: Tables, weather: Arc<dyn Weather>) -> Self {
        Self {
            committed: Arc::new(Mutex::new(tables)),
            weather,
        }
    }

    /// What is committed at this moment.
    pub(crate) fn tables(&self) -> Tables {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.committed.lock().unwrap()
    }

    pub(in crate::storage) async fn begin_run(&self) -> Result<i64, StorageError> {
        let run = self.transaction(Kind::Run, |tables| Ok(tables.begin_run()));
        let unavailable = |fault| StorageError::Unavailable(format!("{fault:?}"));
        run.await.map_err(unavailable)
    }

    pub(in crate::storage) async fn append(&self, versions: &[QueuedVersion]) -> Result<(), Fault> {
        self.transaction(Kind::Versions, |tables| {
            for version in versions {
                if self.weather.breaks(version.board.key()) {
                    return Err(Fault::Data("a constraint failed".to_owned()));
                }
                tables.append(version)?;
            }
            Ok(())
        })
        .await
    }

    pub(in crate::storage) async fn put_rows(&self, all: &[QueuedRows]) -> Result<(), Fault> {
        self.transaction(Kind::Rows, |tables| tables.put_rows(all))
            .await
    }

    pub(in crate::storage) async fn put_users(&self, users: &[QueuedUser]) -> Result<(), Fault> {
        self.transaction(Kind::Users, |tables| {
            tables.put_users(users);
            Ok(())
        })
        .await
    }

    pub(in crate::storage) async fn perform(
        &self,
        run: i64,
        acts: &[&Act],
    ) -> Result<Vec<bool>, Fault> {
        self.transaction(Kind::Acts, |tables| {
            acts.iter().map(|act| tables.perform(run, act)).collect()
        })
        .await
    }

    pub(in crate::storage) async fn checkpoint(&self) -> Result<(), Fault> {
        self.step(Step::Begin, None).await
    }

    /// Changes a copy of the tables, which takes the place of the committed ones at the end.
    async fn transaction<T>(
        &self,
        kind: Kind,
        change: impl FnOnce(&mut Tables) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.step(Step::Begin, Some(kind)).await?;
        let before = self.tables();
        let mut after = before.clone();
        let done = change(&mut after)?;
        self.step(Step::Written, Some(kind)).await?;
        let turn = self.weather.at(Step::Commit, Some(kind));
        if let Turn::Unclear { kept } = turn {
            if kept {
                self.commit(kind, &before, after);
            }
            return Err(Fault::Unclear("the disk does not answer".to_owned()));
        }
        self.take(turn).await?;
        self.commit(kind, &before, after);
        self.step(Step::Committed, Some(kind)).await?;
        Ok(done)
    }

    fn commit(&self, kind: Kind, before: &Tables, after: Tables) {
        self.weather.committed(kind, before, &after);
        *self.lock() = after;
    }

    async fn step(&self, step: Step, kind: Option<Kind>) -> Result<(), Fault> {
        let turn = self.weather.at(step, kind);
        self.take(turn).await
    }

    async fn take(&self, turn: Turn) -> Result<(), Fault> {
        match turn {
            Turn::Go(Duration::ZERO) => Ok(()),
            Turn::Go(time) => {
                sleep(time).await;
                Ok(())
            }
            Turn::Busy => Err(Fault::Busy("somebody else writes".to_owned())),
            Turn::Full => Err(Fault::Disk("the disk is full".to_owned())),
            Turn::Unclear { .. } => Err(Fault::Unclear("the disk does not answer".to_owned())),
            Turn::Halt => pending().await,
        }
    }
}
