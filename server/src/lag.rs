//! How much more there is to do at the moment than the processor gets done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::measure::{Histogram, micros};

/// The process-wide lag: how long what is sent to a room waits for the thread while the room does
/// nothing itself. Rooms report it; the more of it there is, the longer rooms gather versions before
/// they send them (rule R7) and the journal before it commits them, because both cost less for many
/// than for one. An exponentially weighted mean in which a report counts for a sixteenth part.
#[derive(Clone, Debug, Default)]
pub struct Lag(Arc<State>);

#[derive(Debug)]
struct State {
    mean_us: AtomicU64,
    reports: Histogram,
}

impl Default for State {
    fn default() -> Self {
        Self {
            mean_us: AtomicU64::new(0),
            reports: Histogram::of_times(),
        }
    }
}

impl Lag {
    /// Reports how long an input waited.
    pub fn record(&self, waited: Duration) {
        let us = micros(waited);
        // A report that is lost to a concurrent one does not matter to a mean.
        let mean = self.0.mean_us.load(Ordering::Relaxed);
        let next = mean - mean / 16 + us / 16;
        self.0.mean_us.store(next, Ordering::Relaxed);
        self.0.reports.observe(us);
    }

    /// The mean.
    pub fn current(&self) -> Duration {
        Duration::from_micros(self.0.mean_us.load(Ordering::Relaxed))
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
        let lag = Lag::default();
        for _ in 0..200 {
            lag.clone().record(Duration::from_millis(8));
        }
        let range = Duration::from_millis(7)..=Duration::from_millis(8);
        assert!(range.contains(&lag.current()), "{:?}", lag.current());
        for _ in 0..400 {
            lag.record(Duration::ZERO);
        }
        assert!(
            lag.current() < Duration::from_micros(40),
            "{:?}",
            lag.current()
        );
    }
}
