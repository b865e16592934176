//! What is counted while the server works and read when somebody asks: relaxed atomics and fixed
//! arrays of them, so that counting costs a few nanoseconds and never waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Bounds of times, in microseconds: steps of 1, 2.5 and 5 from 0.1 ms to 10 s.
pub const TIMES_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];
/// Bounds of sizes of groups: steps of 1, 2 and 5 up to 5,000.
pub const SIZES: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/// Time of the processor that this thread has used so far.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Raises it to `value`; what it is then. For sums over things that come and go: such a sum may
    /// miss one for a moment, and what is told of it must never fall.
    pub(crate) fn raise(&self, value: u64) -> u64 {
        self.0.fetch_max(value, Ordering::Relaxed).max(value)
    }
}

/// A counter for each of `N` kinds.
#[derive(Debug)]
pub struct Counters<const N: usize>([Counter; N]);

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl<const N: usize> Counters<N> {
    /// The counter of a kind.
    ///
    /// # Panics
    /// There are not so many kinds.
    pub fn of(&self, kind: usize) -> &Counter {
        &self.0[kind]
    }

    /// The sum of all.
    pub fn total(&self) -> u64 {
        self.0.iter().map(Counter::get).sum()
    }
}

/// How often values fell between fixed bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// An empty histogram; `bounds` rise, and belong to the values below them.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Of times, in microseconds.
    pub fn of_times() -> Self {
        Self::new(&TIMES_US)
    }

    /// Of sizes of groups.
    pub fn of_sizes() -> Self {
        Self::new(&SIZES)
    }

    pub(crate) fn observe(&self, value: u64) {
        self.counts[slot(self.bounds, value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(crate) fn observe_time(&self, time: Duration) {
        self.observe(micros(time));
    }

    /// What it holds at this moment.
    pub fn read(&self) -> Distribution {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Distribution {
            bounds: self.bounds,
            counts: self.counts.iter().map(load).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

/// The place of a value among the counts of `bounds`.
pub(crate) fn slot(bounds: &[u64], value: u64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

/// A time in microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What a histogram held at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    bounds: &'static [u64],
    counts: Vec<u64>,
    sum: u64,
}

/// A distribution in a few numbers, in the unit of its values. A quantile is estimated inside the
/// interval of the histogram that it falls into; above the last bound it is that bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean: u64,
    /// Half of the values are at most so large.
    pub p50: u64,
    /// 90 % of them.
    pub p90: u64,
    /// 99 % of them.
    pub p99: u64,
}

impl Distribution {
    /// Values that were counted elsewhere; `counts` has one place more than `bounds`.
    pub(crate) fn of_counts(bounds: &'static [u64], counts: Vec<u64>, sum: u64) -> Self {
        Self {
            bounds,
            counts,
            sum,
        }
    }

    /// Sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// For each bound, how many values are at most that large.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut below = 0;
        self.bounds.iter().zip(&self.counts).map(move |(bound, n)| {
            below += n;
            (*bound, below)
        })
    }

    /// It in a few numbers.
    pub fn summary(&self) -> Summary {
        let count = self.count();
        Summary {
            count,
            mean: self.sum.checked_div(count).unwrap_or_default(),
            p50: self.quantile(count, 50),
            p90: self.quantile(count, 90),
            p99: self.quantile(count, 99),
        }
    }

    fn quantile(&self, count: u64, percent: u64) -> u64 {
        let wanted = (count * percent).div_ceil(100);
        let (mut below, mut lower) = (0, 0);
        for (bound, n) in self.bounds.iter().zip(&self.counts) {
            if *n > 0 && below + n >= wanted {
                let inside = wanted.saturating_sub(below);
                return lower + ((bound - lower) * inside).div_ceil(*n);
            }
            below += n;
            lower = *bound;
        }
        if below < count { lower } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_at_the_first_bound_that_is_not_below_it() {
        let histogram = Histogram::of_sizes();
        for value in [0, 1, 2, 3, 5, 5_000, 5_001, 1_000_000] {
            histogram.observe(value);
        }
        let read = histogram.read();
        let cumulative: Vec<_> = read.cumulative().collect();
        assert_eq!(cumulative[..3], [(1, 2), (2, 3), (5, 5)]);
        assert_eq!(cumulative.last(), Some(&(5_000, 6)));
        assert_eq!((read.count(), read.sum()), (8, 1_010_012));
    }

    #[test]
    fn quantiles_fall_into_the_interval_of_their_value() {
        let histogram = Histogram::of_times();
        assert_eq!(histogram.read().summary(), Summary::default());
        for value in 1..=1_000 {
            histogram.observe(value);
        }
        let Summary {
            count,
            mean,
            p50,
            p90,
            p99,
        } = histogram.read().summary();
        assert_eq!((count, mean), (1_000, 500));
        assert_eq!((p50, p90, p99), (500, 900, 990));
        let sizes = Histogram::of_sizes();
        (0..1_000).for_each(|_| sizes.observe(1));
        let Summary { p50, p90, p99, .. } = sizes.read().summary();
        assert_eq!((p50, p90, p99), (1, 1, 1));
        histogram.observe(u64::from(u32::MAX));
        for _ in 0..2_000 {
            histogram.observe(60_000_000);
        }
        assert_eq!(histogram.read().summary().p99, 10_000_000, "the last bound");
    }

    #[test]
    fn what_is_told_of_a_sum_never_falls() {
        let told = Counter::default();
        assert_eq!([5, 3, 9].map(|sum| told.raise(sum)), [5, 5, 9]);
    }
}
