//! Counters of all rooms, for metrics and tests.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

/// What rooms have done since the start.
#[derive(Debug, Default)]
pub struct RoomStats {
    /// Batches queued for subscribers, each subscriber counted.
    pub deliveries: Counter,
    /// Batches encoded.
    pub batches: Counter,
    /// Versions in them.
    pub batch_versions: Counter,
    /// Snapshots encoded.
    pub snapshots_encoded: Counter,
    /// Subscriptions that went on with events.
    pub resumes_by_events: Counter,
    /// Parts of the log read for subscriptions that went on from before the ring.
    pub past_reads: Counter,
    /// Subscriptions that were to go on with events and got a snapshot instead: the log could not be
    /// read, had been trimmed, or was too long.
    pub past_given_up: Counter,
    /// Subscriptions that began with a snapshot.
    pub resumes_by_snapshot: Counter,
    /// Subscribers that fell behind the ring and got a snapshot in place.
    pub resyncs: Counter,
    /// Connections closed because they fell behind again.
    pub slow_consumers: Counter,
    /// Submits rejected.
    pub rejected: Counter,
    /// Submits refused because the journal or the room had no place.
    pub busy: Counter,
    /// Those of them that were more commands a second than a board takes.
    pub over_rate: Counter,
}
