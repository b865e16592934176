//! How long it takes at the moment from "ready to be written" to "written", in the whole process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::measure::Histogram;

/// The process-wide lag of writing, in microseconds: connections report it, rooms set their window
/// by it (rule R7). An exponentially weighted mean in which a report counts for an eighth.
#[derive(Clone, Debug, Default)]
pub struct FanoutLag(Arc<Lag>);

#[derive(Debug)]
struct Lag {
    mean: AtomicU64,
    reports: Histogram,
}

impl Default for Lag {
    fn default() -> Self {
        Self {
            mean: AtomicU64::new(0),
            reports: Histogram::of_times(),
        }
    }
}

impl FanoutLag {
    /// Reports how long a frame waited from being pushed to being written.
    pub fn record(&self, us: u64) {
        // A report that is lost to a concurrent one does not matter to a mean.
        let mean = self.0.mean.load(Ordering::Relaxed);
        let next = mean - mean / 8 + us / 8;
        self.0.mean.store(next, Ordering::Relaxed);
        self.0.reports.observe(us);
    }

    /// The mean.
    pub fn current(&self) -> u64 {
        self.0.mean.load(Ordering::Relaxed)
    }

    /// All reports since the start.
    pub fn reports(&self) -> &Histogram {
        &self.0.reports
    }
}
