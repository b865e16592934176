//! Clocks, in the unit that markers and histograms use.

use std::num::NonZeroU64;

use anyhow::Context;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Nanoseconds of the monotonic clock.
pub(crate) fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// Seconds of CPU that this process has used.
pub(crate) fn own_cpu_s() -> f64 {
    seconds(nanoseconds(clock_gettime(ClockId::ProcessCPUTime)))
}

pub(crate) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / SECOND as f64
}

pub(crate) fn from_seconds(seconds: f64) -> u64 {
    (seconds * SECOND as f64) as u64
}

pub(crate) fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / SECOND) as i64,
        tv_nsec: (nanoseconds % SECOND) as _,
    }
}

/// Wakes this thread when a time-out ends and not up to 50 microseconds later.
pub(crate) fn sharpen_timers() -> anyhow::Result<()> {
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))
        .context("failed to set the timer slack")
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec as u64 * SECOND + time.tv_nsec as u64
}
