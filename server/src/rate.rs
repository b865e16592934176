//! How often something may happen.

use boardcast_protocol::limits::SUBMIT_COMMANDS_MAX;
use boardcast_protocol::position::Timestamp;

/// How often something may happen: so much at once, and so much over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    burst: u32,
    each_us: u64,
}

impl Pace {
    /// At most `burst` at once, and one every `every_ms` over time.
    pub(crate) fn every_ms(every_ms: u64, burst: u32) -> Self {
        Self {
            burst: burst.max(1),
            each_us: every_ms.saturating_mul(1_000),
        }
    }

    /// At most `burst` at once, and `per_s` a second over time.
    pub(crate) fn per_s(per_s: u32, burst: u32) -> Self {
        Self {
            burst: burst.max(1),
            each_us: 1_000_000 / u64::from(per_s.max(1)),
        }
    }

    /// `per_s` commands a second over time, and four times as many at once, but at least as many as
    /// one submit may hold.
    pub(crate) fn commands(per_s: u32) -> Self {
        let of_a_submit = u32::try_from(SUBMIT_COMMANDS_MAX).unwrap_or(u32::MAX);
        Self::per_s(per_s, per_s.saturating_mul(4).max(of_a_submit))
    }

    /// `per_s` a second over time, and four times as many at once.
    pub(crate) fn requests(per_s: u32) -> Self {
        Self::per_s(per_s, per_s.saturating_mul(4))
    }

    /// How many fit at once.
    pub(crate) fn burst(self) -> u32 {
        self.burst
    }

    /// How long an empty bucket that was filled at once takes to drain, in milliseconds.
    pub(crate) fn window_ms(self) -> u64 {
        self.full_us() / 1_000
    }

    /// At most `most` in any second, wherever it begins: a tenth of them at once, nine tenths over
    /// time.
    pub(crate) fn in_any_second(most: u32) -> Self {
        let burst = (most / 10).max(1);
        let over_time = most.saturating_sub(burst) + 1;
        Self {
            burst,
            each_us: 1_000_000_u64.div_ceil(u64::from(over_time)),
        }
    }

    /// The time between two over time, in microseconds.
    pub(crate) fn each_us(self) -> u64 {
        self.each_us
    }

    fn full_us(self) -> u64 {
        self.each_us.saturating_mul(u64::from(self.burst))
    }
}

/// A leaky bucket: what happened recently, in units of its drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The time at which it will be empty, in microseconds.
    empty_at_us: u64,
}

impl Bucket {
    /// Whether `count` more fit; more than a whole burst fit when the bucket is empty.
    ///
    /// # Errors
    /// They do not. After so many milliseconds without anything else they will.
    pub(crate) fn take(&mut self, now: Timestamp, count: u32, pace: Pace) -> Result<(), u64> {
        let now_us = now.0.saturating_mul(1_000);
        let full_us = pace.full_us();
        let cost_us = pace.each_us.saturating_mul(u64::from(count)).min(full_us);
        let level_us = self.empty_at_us.saturating_sub(now_us);
        // More than a full bucket: the clock was set back, and what happened before is forgotten.
        // Else the bucket would stay full until the clock is again where it was.
        let level_us = if level_us > full_us { 0 } else { level_us };
        let over_us = (level_us + cost_us).saturating_sub(full_us);
        if over_us > 0 {
            return Err(over_us.div_ceil(1_000));
        }
        self.empty_at_us = now_us + level_us + cost_us;
        Ok(())
    }

    /// How many more fit now, and after how many milliseconds a whole burst does again.
    pub(crate) fn left(&self, now: Timestamp, pace: Pace) -> (u32, u64) {
        let now_us = now.0.saturating_mul(1_000);
        let level_us = self.empty_at_us.saturating_sub(now_us).min(pace.full_us());
        let left = (pace.full_us() - level_us) / pace.each_us.max(1);
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        (left, level_us.div_ceil(1_000))
    }

    /// Whether nothing that happened before counts any more.
    pub(crate) fn is_empty(&self, now: Timestamp) -> bool {
        self.empty_at_us <= now.0.saturating_mul(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_fits_and_then_one_at_a_time() {
        let (mut bucket, pace) = (Bucket::default(), Pace::every_ms(10_000, 20));
        for _ in 0..20 {
            assert_eq!(bucket.take(Timestamp(5_000), 1, pace), Ok(()));
        }
        assert_eq!(bucket.take(Timestamp(5_000), 1, pace), Err(10_000));
        assert_eq!(bucket.take(Timestamp(14_999), 1, pace), Err(1));
        assert_eq!(bucket.take(Timestamp(15_000), 1, pace), Ok(()));
        assert_eq!(bucket.take(Timestamp(15_000), 3, pace), Err(30_000));
        assert!(!bucket.is_empty(Timestamp(214_999)));
        assert!(bucket.is_empty(Timestamp(215_000)));
    }

    #[test]
    fn what_is_left_grows_as_the_bucket_drains() {
        let (mut bucket, pace) = (Bucket::default(), Pace::requests(10));
        assert_eq!(bucket.left(Timestamp(5_000), pace), (40, 0));
        assert_eq!(bucket.take(Timestamp(5_000), 30, pace), Ok(()));
        assert_eq!(bucket.left(Timestamp(5_000), pace), (10, 3_000));
        assert_eq!(bucket.left(Timestamp(6_000), pace), (20, 2_000));
        assert_eq!(bucket.left(Timestamp(9_000), pace), (40, 0));
        assert_eq!(pace.window_ms(), 4_000);
    }

    #[test]
    fn more_than_a_burst_fits_into_an_empty_bucket() {
        let (mut bucket, pace) = (Bucket::default(), Pace::per_s(10, 20));
        assert_eq!(bucket.take(Timestamp(0), 50, pace), Ok(()));
        assert_eq!(bucket.take(Timestamp(1_999), 50, pace), Err(1));
        assert_eq!(bucket.take(Timestamp(2_000), 50, pace), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_empties_the_bucket() {
        let (mut bucket, pace) = (Bucket::default(), Pace::per_s(1, 2));
        for now in [Timestamp(1_000_000), Timestamp(0)] {
            assert_eq!(bucket.take(now, 1, pace), Ok(()));
            assert_eq!(bucket.take(now, 1, pace), Ok(()));
            assert_eq!(bucket.take(now, 1, pace), Err(1_000));
        }
        assert_eq!(bucket.take(Timestamp(1_000), 1, pace), Ok(()));
    }

    #[test]
    fn no_second_has_more_than_the_limit_and_each_has_nine_tenths_of_it() {
        for most in [1, 2, 7, 10, 99, 1_000] {
            let (mut bucket, pace) = (Bucket::default(), Pace::in_any_second(most));
            let mut taken = Vec::new();
            for ms in 0..5_000 {
                for _ in 0..most {
                    if bucket.take(Timestamp(ms), 1, pace).is_ok() {
                        taken.push(ms);
                    }
                }
            }
            let within = |from: u64| {
                let second = taken.iter().filter(|at| (from..from + 1_000).contains(at));
                u32::try_from(second.count()).unwrap()
            };
            for from in 0..4_000 {
                assert!(within(from) <= most, "{} from {from} ms", within(from));
                assert!(within(from) * 10 + 10 >= most * 9, "{}", within(from));
            }
        }
    }
}
