//! The one task that writes to the database.
//!
//! In turn: one group of versions, one bounded set of rows, the requests that are ready, the users
//! that are due, and a checkpoint when the write-ahead log has grown. While one commit is on its way
//! to the disk the next group gathers; nothing that somebody waits for waits for company.

mod answers;
mod groups;
mod users;

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, thread};

use tokio::runtime::Builder;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::database::Writer;
use super::fault::Fault;
use super::queue::Queue;
use super::requests::{Act, Request};
use super::status::Health;
use super::{StorageError, checkpoint};
use crate::lag::Lag;
use crate::measure::micros;
use crate::planted::{Bug, planted};

/// Requests that are looked at in one turn.
const REQUESTS_MAX: usize = 256;
/// After a group of so many versions, which came from several clients, the next one gathers for three
/// times as long as that one took, ...
const GATHER_AFTER_VERSIONS: usize = 4;
/// ... at most for so long, ...
const GATHER_BUSY_MAX: Duration = Duration::from_millis(10);
/// ... or so long where the processor is full.
const GATHER_FULL_MAX: Duration = Duration::from_millis(40);
/// Less than that no timer can tell.
const GATHER_MIN: Duration = Duration::from_micros(500);

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
    writer: Writer,
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
    limits: JournalLimits,
    checkpoints: checkpoint::Schedule,
    /// What writes most of the write-ahead log back beside this task.
    ahead: Option<oneshot::Receiver<Result<(), Fault>>>,
    /// The write-ahead log is longer than it may be.
    is_choked: bool,
    lag: Lag,
    /// How long the last group took, where it was not small.
    last_group: Duration,
}

/// What the journal is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct JournalLimits {
    /// Time between attempts when the disk does not take a write.
    pub(super) retry: Duration,
    /// Size of the write-ahead log above which no commands are taken.
    pub(super) wal_max_bytes: u64,
}

impl Journal {
    pub(super) fn new(
        writer: Writer,
        run: i64,
        queue: Arc<Queue>,
        inbox: mpsc::Receiver<Request>,
        (limits, lag): (JournalLimits, Lag),
    ) -> Self {
        Self {
            writer,
            run,
            queue,
            inbox,
            waiting: Vec::new(),
            closing: None,
            left: false,
            torn: false,
            limits,
            checkpoints: checkpoint::Schedule::default(),
            ahead: None,
            is_choked: false,
            lag,
            last_group: Duration::ZERO,
        }
    }

    /// Runs it on a thread of its own. SQLite answers each statement from another thread: where the
    /// threads of connections have more to do than they get done, each answer would wait for its turn
    /// among all that they do.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(self) -> io::Result<()> {
        if self.writer.is_simulated() {
            tokio::spawn(self.run());
            return Ok(());
        }
        let runtime = Builder::new_current_thread().enable_time().build()?;
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || runtime.block_on(self.run()))?;
        Ok(())
    }

    /// Writes until it is closed, until all handles are gone, or until it must stop.
    pub(super) async fn run(mut self) {
        let guard = StopGuard(Arc::clone(&self.queue));
        let end = loop {
            match self.turn().await {
                Ok(true) => self.gather().await,
                Ok(false) if self.closing.is_some() || self.left => break self.finish().await,
                Ok(false) => self.wait().await,
                Err(end) => break end,
            }
        };
        self.end(end).await;
        drop(guard);
    }

    /// Lets the next group gather: a transaction costs a part that does not depend on the count of
    /// versions, and boards share pages. Longer where the processor has more to do than it gets done.
    async fn gather(&mut self) {
        let busy = (3 * std::mem::take(&mut self.last_group)).min(GATHER_BUSY_MAX);
        let full = (4 * self.lag.current(tokio::time::Instant::now())).min(GATHER_FULL_MAX);
        let time = busy.max(full);
        if time >= GATHER_MIN && self.closing.is_none() {
            tokio::time::sleep(time).await;
        }
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
        worked |= self.write_users().await?;
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
        } else if self.is_choked && matches!(request.act, Act::Trim(_)) {
            let reason = "the write-ahead log is too long to trim the log of a board";
            request.answer(Err(StorageError::Unavailable(reason.to_owned())));
        } else {
            self.waiting.push(request);
        }
    }

    async fn wait(&mut self) {
        let users_due = self.queue.users.due();
        tokio::select! {
            biased;
            () = self.queue.pushed() => {}
            () = until(users_due), if users_due.is_some() => {}
            () = tokio::time::sleep(self.limits.retry), if self.is_choked => {}
            request = self.inbox.recv(), if self.waiting.len() < REQUESTS_MAX => match request {
                Some(request) => self.take(request),
                None => self.left = true,
            }
        }
    }

    /// Has the write-ahead log written back when it is due: most of it beside this task, whose
    /// commits go on meanwhile, and the rest by the writer, so that the log can begin anew.
    async fn checkpoint(&mut self) -> Result<(), End> {
        let ahead = match &mut self.ahead {
            Some(ahead) => match ahead.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Closed) => Err(Fault::Busy("it was cut short".to_owned())),
                Ok(result) => result,
            },
            None if self.is_choked => Ok(()),
            None if !self.checkpoints.is_due(self.queue.has_versions()) => return Ok(()),
            None => {
                self.checkpoints.begin();
                self.ahead = self.begin_ahead();
                if self.ahead.is_some() {
                    return Ok(());
                }
                Ok(())
            }
        };
        self.ahead = None;
        let began = Instant::now();
        let result = match ahead {
            Ok(()) => self.writer.checkpoint(self.limits.wal_max_bytes).await,
            Err(fault) => Err(fault),
        };
        let wal_bytes = self.writer.size().wal_bytes;
        let took = began.elapsed();
        self.queue.observed.note("write the log back", took);
        let duration_us = micros(took);
        tracing::trace!(wal_bytes, duration_us, "write-ahead log written back");
        self.queue.count(|counters| counters.checkpoints += 1);
        self.choke(wal_bytes);
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

    fn begin_ahead(&self) -> Option<oneshot::Receiver<Result<(), Fault>>> {
        let writing = self.writer.checkpoint_ahead()?;
        let (done, ahead) = oneshot::channel();
        let queue = Arc::clone(&self.queue);
        tokio::spawn(async move {
            // Nobody wants to know only when the journal has ended.
            let _ = done.send(writing.await);
            queue.wake();
        });
        Some(ahead)
    }

    /// A write-ahead log that is longer than it may be takes no commands: else whoever holds it, such
    /// as another program that reads the database, would fill the disk.
    fn choke(&mut self, wal_bytes: u64) {
        let is_long = wal_bytes > self.limits.wal_max_bytes;
        if is_long && !self.is_choked {
            let reason = format!(
                "the write-ahead log has {wal_bytes} bytes because somebody reads the database \
                 without end; stop other programs that have it open"
            );
            tracing::error!(wal_bytes, "no commands are taken: {reason}");
            self.queue.set_health(Health::Degraded { reason });
        }
        let was_choked = std::mem::replace(&mut self.is_choked, is_long);
        if was_choked && !is_long {
            self.recovered();
        }
    }

    /// The last transaction: everything has been written, so the run is clean.
    async fn finish(&mut self) -> End {
        if self.closing.is_none() {
            return End::Unwritten("all handles were dropped without a close".to_owned());
        }
        if self.torn && !planted(Bug::CleanThoughTorn) {
            return End::Unwritten("a board has failed".to_owned());
        }
        if !self.queue.is_settled() {
            return End::Unwritten("a version was reserved and never came".to_owned());
        }
        match self.writer.perform(self.run, &[&Act::Close]).await {
            Ok(_) => End::Clean,
            Err(Fault::Unclear(reason)) => End::Unclear(reason),
            Err(Fault::Busy(reason) | Fault::Disk(reason) | Fault::Data(reason)) => {
                End::Unwritten(reason)
            }
        }
    }

    async fn end(mut self, end: End) {
        if let Some(ahead) = self.ahead.take() {
            // What it was writing back is committed; how that ended changes nothing.
            let _ = ahead.await;
        }
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
                self.writer.leave().await;
                Ok(true)
            }
            End::Unwritten(reason) => {
                self.writer.leave().await;
                Err(StorageError::NotClean(reason))
            }
            End::Unclear(reason) => {
                tracing::error!(
                    reason,
                    "it is not known what is on the disk; nothing is written before the next start"
                );
                self.writer.abandon();
                Err(StorageError::Stopped(reason))
            }
        };
        if let Some(request) = closing {
            request.answer(result);
        }
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

async fn until(due: Option<tokio::time::Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due).await;
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
