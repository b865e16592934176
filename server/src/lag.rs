//! How much more there is to do at the moment than the processor gets done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::measure::{Histogram, micros};

/// The lag halves in each such time without a report.
const HALVES_IN_MS: u64 = 100;

/// The process-wide lag: how long what is sent to a room waits for the thread while the room does
/// nothing itself. Rooms report it; the more of it there is, the longer rooms gather versions before
/// they send them (rule R7) and the journal before it commits them, because both cost less for many
/// than for one. An exponentially weighted mean in which a report counts for a sixteenth part, and
/// which halves in each 100 ms without one.
#[derive(Clone, Debug)]
pub struct Lag(Arc<State>);

#[derive(Debug)]
struct State {
    began: Instant,
    last: AtomicU64,
    reports: Histogram,
}

/// The mean at the last report, in microseconds, and when that was, in milliseconds since the start.
#[derive(Clone, Copy)]
struct Mean {
    at_ms: u64,
    us: u64,
}

impl Mean {
    fn unpack(packed: u64) -> Self {
        Self {
            at_ms: packed >> 32,
            us: packed & u64::from(u32::MAX),
        }
    }

    fn pack(self) -> u64 {
        self.at_ms << 32 | self.us.min(u64::from(u32::MAX))
    }

    fn at(self, now_ms: u64) -> u64 {
        let halvings = now_ms.saturating_sub(self.at_ms) / HALVES_IN_MS;
        self.us >> halvings.min(63)
    }
}

impl Default for Lag {
    fn default() -> Self {
        Self(Arc::new(State {
            began: Instant::now(),
            last: AtomicU64::new(0),
            reports: Histogram::of_times(),
        }))
    }
}

impl Lag {
    /// Reports how long an input waited that was taken now.
    pub fn record(&self, waited: Duration, now: Instant) {
        let us = micros(waited);
        let now_ms = self.ms(now);
        // A report that is lost to a concurrent one does not matter to a mean.
        let mean = self.mean().at(now_ms);
        let next = Mean {
            at_ms: now_ms,
            us: mean - mean / 16 + us / 16,
        };
        self.0.last.store(next.pack(), Ordering::Relaxed);
        self.0.reports.observe(us);
    }

    /// The mean now.
    pub fn current(&self, now: Instant) -> Duration {
        Duration::from_micros(self.mean().at(self.ms(now)))
    }

    fn mean(&self) -> Mean {
        Mean::unpack(self.0.last.load(Ordering::Relaxed))
    }

    /// Milliseconds since the start; they wrap after 49 days, when the lag is taken as none once.
    fn ms(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.0.began);
        micros(since) / 1_000 % (1 << 32)
    }

    /// All reports since the start, in microseconds.
    pub fn reports(&self) -> &Histogram {
        &self.0.reports
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_mean_over_all_reports() {
        let (lag, now) = (Lag::default(), Instant::now());
        for _ in 0..200 {
            lag.clone().record(Duration::from_millis(8), now);
        }
        let range = Duration::from_millis(7)..=Duration::from_millis(8);
        let mean = lag.current(now);
        assert!(range.contains(&mean), "{mean:?}");
        for _ in 0..400 {
            lag.record(Duration::ZERO, now);
        }
        let mean = lag.current(now);
        assert!(mean < Duration::from_micros(40), "{mean:?}");
    }

    #[test]
    fn it_is_forgotten_where_nothing_is_reported() {
        let (lag, now) = (Lag::default(), Instant::now());
        for _ in 0..200 {
            lag.record(Duration::from_millis(8), now);
        }
        let mean = lag.current(now);
        assert_eq!(lag.current(now + Duration::from_millis(250)), mean / 4);
        assert_eq!(lag.current(now + Duration::from_secs(60)), Duration::ZERO);
    }
}
