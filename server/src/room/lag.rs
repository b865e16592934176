//! How long it takes at the moment from "ready to be written" to "written", in the whole process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The process-wide lag of writing, in microseconds: connections report it, rooms set their window
/// by it (rule R7). An exponentially weighted mean in which a report counts for an eighth.
#[derive(Clone, Debug, Default)]
pub struct FanoutLag(Arc<AtomicU64>);

impl FanoutLag {
    /// Reports how long a frame waited from being pushed to being written.
    pub fn record(&self, us: u64) {
        // A report that is lost to a concurrent one does not matter to a mean.
        let mean = self.0.load(Ordering::Relaxed);
        self.0.store(mean - mean / 8 + us / 8, Ordering::Relaxed);
    }

    /// The mean.
    pub fn current(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
