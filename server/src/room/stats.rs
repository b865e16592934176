//! Counters of all rooms, for metrics and tests.

use boardcast_protocol::board::Reason;

use crate::measure::{Counter, Counters, Histogram};

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
    /// Views encoded for requests over HTTP.
    pub views_encoded: Counter,
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
    /// Submits rejected, by their [`Reason`].
    pub rejected: Counters<{ Reason::ALL.len() }>,
    /// Submits refused because the journal or the room had no place.
    pub busy: Counter,
    /// Those of them that were more commands a second than a board takes.
    pub over_rate: Counter,
    /// Distributions.
    pub sizes: RoomSizes,
}

/// How large batches were, and how long they took.
#[derive(Debug)]
pub struct RoomSizes {
    /// Versions of a batch.
    pub batch_versions: Histogram,
    /// From the turn in which a room took its first version that is not sent yet, until the batch
    /// was queued for its last subscriber, in microseconds.
    pub fan_out_us: Histogram,
}

impl Default for RoomSizes {
    fn default() -> Self {
        Self {
            batch_versions: Histogram::of_sizes(),
            fan_out_us: Histogram::of_times(),
        }
    }
}
