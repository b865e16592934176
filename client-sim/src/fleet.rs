//! What all clients of one process share: target, counts, ledger, clock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use boardcast_protocol::position::Timestamp;
use tokio::sync::Semaphore;

use crate::ledger::Ledger;
use crate::link::Target;
use crate::tally::Tally;

/// Connections that are being opened at one time; further ones wait.
pub const CONNECTING_MAX: usize = 128;

/// What all clients of one process share.
#[derive(Debug)]
pub struct Fleet {
    /// Where they connect.
    pub target: Target,
    /// Where durable commands are written.
    pub ledger: Option<Ledger>,
    pub(crate) connecting: Semaphore,
    pub(crate) open: AtomicUsize,
    live: AtomicUsize,
    started: Instant,
    tally: Mutex<Tally>,
}

impl Fleet {
    /// A fleet without clients.
    pub fn new(target: Target, ledger: Option<Ledger>) -> Arc<Self> {
        Self::connecting(target, ledger, CONNECTING_MAX)
    }

    /// The same where another number of connections is opened at one time.
    pub fn connecting(target: Target, ledger: Option<Ledger>, at_once: usize) -> Arc<Self> {
        Arc::new(Self {
            target,
            ledger,
            connecting: Semaphore::new(at_once),
            open: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
            started: Instant::now(),
            tally: Mutex::default(),
        })
    }

    /// The counts.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Clients that are connected and up to date now.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn joined(&self, live: bool) {
        if live {
            self.live.fetch_add(1, Ordering::Relaxed);
        } else {
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Nanoseconds since the fleet was made, never 0.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX) + 1
    }
}

/// The time of this machine.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
