//! What storage counts of itself, besides the journal's status: how long versions wait for the disk,
//! and what was slow.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::measure::{Counter, Histogram, micros};

/// A query or transaction that takes longer is recorded as slow.
pub const SLOW: Duration = Duration::from_millis(100);
/// How many of the slowest are remembered.
const SLOWEST_MAX: usize = 10;

/// What storage counts of itself since the start.
#[derive(Debug)]
pub struct StorageObserved {
    /// From the moment a version was handed over until it was durable, in microseconds.
    pub lag_us: Histogram,
    /// Versions of a group.
    pub group_versions: Histogram,
    /// From BEGIN to the end of COMMIT of a group of versions, in microseconds.
    pub commit_us: Histogram,
    /// Reads, the wait for a connection included, in microseconds.
    pub read_us: Histogram,
    /// Queries and transactions above [`SLOW`].
    pub slow: Counter,
    slowest: Mutex<Vec<SlowQuery>>,
}

/// A query or transaction that was slow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowQuery {
    /// What was done.
    pub what: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// When it ended, in milliseconds since 1970.
    pub at: u64,
}

impl Default for StorageObserved {
    fn default() -> Self {
        Self {
            lag_us: Histogram::of_times(),
            group_versions: Histogram::of_sizes(),
            commit_us: Histogram::of_times(),
            read_us: Histogram::of_times(),
            slow: Counter::default(),
            slowest: Mutex::default(),
        }
    }
}

impl StorageObserved {
    /// The ten slowest since the start, the slowest first.
    pub fn slowest(&self) -> Vec<SlowQuery> {
        let slowest = self.slowest.lock();
        slowest.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a read and notes how long it took.
    pub(super) async fn read<T>(&self, what: &'static str, read: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = read.await;
        let took = began.elapsed();
        self.read_us.observe(micros(took));
        self.note(what, took);
        done
    }

    /// Remembers what was slow.
    pub(super) fn note(&self, what: &'static str, took: Duration) {
        if took < SLOW {
            return;
        }
        self.slow.add(1);
        let duration_ms = micros(took) / 1_000;
        tracing::debug!(what, duration_ms, "slow query");
        let slowest = self.slowest.lock();
        let mut slowest = slowest.unwrap_or_else(PoisonError::into_inner);
        let place = slowest.partition_point(|known| known.duration_ms >= duration_ms);
        if place < SLOWEST_MAX {
            let query = SlowQuery {
                what: what.to_owned(),
                duration_ms,
                at: clock::now().0,
            };
            slowest.insert(place, query);
            slowest.truncate(SLOWEST_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_slow_queries_are_counted_and_the_slowest_remembered() {
        let observed = StorageObserved::default();
        observed.note("read a board", Duration::from_millis(99));
        assert_eq!((observed.slow.get(), observed.slowest().len()), (0, 0));
        for ms in 0..20 {
            observed.note("read a board", Duration::from_millis(100 + (ms * 7) % 20));
        }
        let slowest = observed.slowest();
        let times: Vec<_> = slowest.iter().map(|query| query.duration_ms).collect();
        assert_eq!(times, (110..120).rev().collect::<Vec<_>>());
        assert_eq!(observed.slow.get(), 20);
    }
}
