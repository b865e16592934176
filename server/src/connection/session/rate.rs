//! How often something may happen.

use boardcast_protocol::position::Timestamp;

/// A leaky bucket: what happened recently, in units of its drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    /// The time at which it will be empty, in microseconds.
    empty_at_us: u64,
}

impl Bucket {
    /// Whether one more fits, of at most `burst` at once and one every `every_ms`.
    pub(super) fn take(&mut self, now: Timestamp, burst: u32, every_ms: u64) -> bool {
        self.pour(now, burst, every_ms.saturating_mul(1_000))
    }

    /// Whether one more fits, of at most `burst` at once and `per_s` a second over time.
    pub(super) fn take_per_s(&mut self, now: Timestamp, burst: u32, per_s: u32) -> bool {
        self.pour(now, burst, 1_000_000 / u64::from(per_s.max(1)))
    }

    fn pour(&mut self, now: Timestamp, burst: u32, each_us: u64) -> bool {
        let now_us = now.0.saturating_mul(1_000);
        let full_us = each_us.saturating_mul(u64::from(burst));
        let level_us = self.empty_at_us.saturating_sub(now_us);
        // More than a full bucket: the clock was set back, and what happened before is forgotten.
        // Else the bucket would stay full until the clock is again where it was.
        let level_us = if level_us > full_us { 0 } else { level_us };
        if level_us + each_us > full_us {
            return false;
        }
        self.empty_at_us = now_us + level_us + each_us;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_fits_and_then_one_at_a_time() {
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            assert!(bucket.take(Timestamp(5_000), 20, 10_000));
        }
        assert!(!bucket.take(Timestamp(5_000), 20, 10_000));
        assert!(!bucket.take(Timestamp(14_999), 20, 10_000));
        assert!(bucket.take(Timestamp(15_000), 20, 10_000));
        assert!(!bucket.take(Timestamp(15_000), 20, 10_000));
    }

    #[test]
    fn a_clock_that_is_set_back_empties_the_bucket() {
        let mut bucket = Bucket::default();
        assert!(bucket.take_per_s(Timestamp(1_000_000), 2, 1));
        assert!(bucket.take_per_s(Timestamp(1_000_000), 2, 1));
        assert!(!bucket.take_per_s(Timestamp(1_000_000), 2, 1));
        assert!(bucket.take_per_s(Timestamp(0), 2, 1));
        assert!(bucket.take_per_s(Timestamp(0), 2, 1));
        assert!(!bucket.take_per_s(Timestamp(0), 2, 1));
        assert!(bucket.take_per_s(Timestamp(1_000), 2, 1));
    }
}
