//! The one task that writes to the database.
//!
//! In turn: one group of versions, one bounded set of rows, the requests that are ready, and a
//! checkpoint when the write-ahead log has grown. While one commit is on its way to the disk the
//! next group gathers; nothing waits for company.

mod answers;
mod groups;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::directory::Directory;
use super::fault::{self, Fault};
use super::queue::Queue;
use super::requests::{self, Act, Request};
use super::status::Health;
use super::{StorageError, checkpoint};

/// Requests that are looked at in one turn.
const REQUESTS_MAX: usize = 256;
/// Why the journal ends.
#[derive(Debug)]
enum End {
    /// It was closed, and everything was written.
    Clean,
    /// It was closed or left by all, and something was not written.
    Unwritten(String),
    /// What is on the disk is not known.
    Unclear(String),
}

/// The one task that writes to the database.
pub(super) struct Journal {
    conn: SqliteConnection,
    directory: Directory,
    run: i64,
    queue: Arc<Queue>,
    inbox: mpsc::Receiver<Request>,
    /// Requests that are not ready.
    waiting: Vec<Request>,
    closing: Option<Request>,
    /// All handles are gone.
    left: bool,
    /// A board has failed: the run is not clean.
    torn: bool,
    retry: Duration,
    checkpoints: checkpoint::Schedule,
}

impl Journal {
    pub(super) fn new(
        conn: SqliteConnection,
        directory: Directory,
        run: i64,
        queue: Arc<Queue>,
        inbox: mpsc::Receiver<Request>,
        retry: Duration,
    ) -> Self {
        Self {
            conn,
            directory,
            run,
            queue,
            inbox,
            waiting: Vec::new(),
            closing: None,
            left: false,
            torn: false,
            retry,
            checkpoints: checkpoint::Schedule::default(),
        }
    }

    /// Writes until it is closed, until all handles are gone, or until it must stop.
    pub(super) async fn run(mut self) {
        let guard = StopGuard(Arc::clone(&self.queue));
        let end = loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) if self.closing.is_some() || self.left => break self.finish().await,
                Ok(false) => self.wait().await,
                Err(end) => break end,
            }
        };
        self.end(end).await;
        drop(guard);
    }

    /// Does what there is to do, once; whether it has done something.
    async fn turn(&mut self) -> Result<bool, End> {
        self.collect();
        let versions = self.queue.take_group();
        let mut dropped = Vec::new();
        let mut worked = !versions.is_empty();
        self.write_versions(versions).await?;
        let rows = self.queue.take_rows(&mut dropped);
        worked |= !rows.is_empty();
        self.queue.release_rows(&dropped);
        self.write_rows(rows).await?;
        worked |= self.answer_ready().await?;
        self.checkpoint().await?;
        Ok(worked)
    }

    fn collect(&mut self) {
        while self.waiting.len() < REQUESTS_MAX {
            match self.inbox.try_recv() {
                Ok(request) => self.take(request),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.left = true;
                    break;
                }
            }
        }
    }

    fn take(&mut self, request: Request) {
        if matches!(request.act, Act::Close) {
            match &self.closing {
                Some(_) => request.answer(Ok(true)),
                None => self.closing = Some(request),
            }
        } else {
            self.waiting.push(request);
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.queue.pushed() => {}
            request = self.inbox.recv(), if self.waiting.len() < REQUESTS_MAX => match request {
                Some(request) => self.take(request),
                None => self.left = true,
            }
        }
    }

    async fn checkpoint(&mut self) -> Result<(), End> {
        if !self.checkpoints.is_due(self.queue.has_versions()) {
            return Ok(());
        }
        let result = self.checkpoints.run(&mut self.conn).await;
        let wal_bytes = self.directory.wal_bytes();
        self.queue.count(|counters| {
            counters.checkpoints += 1;
            counters.wal_bytes = wal_bytes;
        });
        match result {
            Ok(()) => Ok(()),
            Err(Fault::Unclear(reason)) => Err(End::Unclear(reason)),
            Err(Fault::Busy(reason) | Fault::Disk(reason) | Fault::Data(reason)) => {
                tracing::warn!(
                    reason,
                    wal_bytes,
                    "the write-ahead log could not be written back; it grows until it can"
                );
                Ok(())
            }
        }
    }

    /// The last transaction: everything has been written, so the run is clean.
    async fn finish(&mut self) -> End {
        if self.closing.is_none() {
            return End::Unwritten("all handles were dropped without a close".to_owned());
        }
        if self.torn {
            return End::Unwritten("a board has failed".to_owned());
        }
        if !self.queue.is_settled() {
            return End::Unwritten("a version was reserved and never came".to_owned());
        }
        let mark = match fault::begin(&mut self.conn).await {
            Ok(()) => requests::execute(&mut self.conn, self.run, &Act::Close).await,
            Err(fault) => Err(fault),
        };
        let result = match mark {
            Ok(_) => finish(&mut self.conn).await,
            Err(fault) => {
                fault::roll_back(&mut self.conn).await;
                Err(fault)
            }
        };
        match result {
            Ok(()) => End::Clean,
            Err(Fault::Unclear(reason)) => End::Unclear(reason),
            Err(Fault::Busy(reason) | Fault::Disk(reason) | Fault::Data(reason)) => {
                End::Unwritten(reason)
            }
        }
    }

    async fn end(mut self, end: End) {
        self.queue.set_health(match &end {
            End::Clean => Health::Closed,
            End::Unwritten(reason) | End::Unclear(reason) => Health::Stopped {
                reason: reason.clone(),
            },
        });
        self.inbox.close();
        while let Some(request) = self.inbox.recv().await {
            self.take(request);
        }
        for request in self.waiting.drain(..) {
            request.answer(Err(StorageError::Stopped(end.reason().to_owned())));
        }
        let closing = self.closing.take();
        let result = match end {
            End::Clean => {
                self.leave().await;
                Ok(true)
            }
            End::Unwritten(reason) => {
                self.leave().await;
                Err(StorageError::NotClean(reason))
            }
            End::Unclear(reason) => {
                self.abandon(&reason);
                Err(StorageError::Stopped(reason))
            }
        };
        if let Some(request) = closing {
            request.answer(result);
        }
    }

    /// Closes the database and frees the directory.
    async fn leave(mut self) {
        if let Err(fault) = checkpoint::truncate(&mut self.conn).await {
            tracing::warn!(
                ?fault,
                "the write-ahead log was not written back; the next start does it"
            );
        }
        if let Err(error) = self.conn.close().await {
            tracing::warn!(%error, "the database was not closed in order");
        }
    }

    /// Leaves the database as it is, and the directory locked, until the process ends: to close the
    /// last connection would write the write-ahead log back.
    fn abandon(self, reason: &str) {
        tracing::error!(
            reason,
            "it is not known what is on the disk; nothing is written before the next start"
        );
        std::mem::forget((self.conn, self.directory));
    }
}

impl End {
    fn reason(&self) -> &str {
        match self {
            Self::Clean => "storage is closed",
            Self::Unwritten(reason) | Self::Unclear(reason) => reason,
        }
    }
}

/// Tells rooms that the journal has ended, whatever ended it.
struct StopGuard(Arc<Queue>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.set_health(Health::Stopped {
            reason: "the journal has ended".to_owned(),
        });
    }
}

async fn finish(conn: &mut SqliteConnection) -> Result<(), Fault> {
    let result = fault::commit(conn).await;
    if result.is_err() {
        fault::roll_back(conn).await;
    }
    result
}
