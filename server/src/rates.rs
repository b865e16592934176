//! One rate for each of many: users, addresses.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use dashmap::DashMap;

use boardcast_protocol::position::Timestamp;

use crate::rate::{Bucket, Pace};

/// A bucket for each key, of a bounded number of keys. Who has not done anything for as long as a
/// bucket takes to drain is forgotten when there is no place; where all are in use, further keys
/// share one bucket.
#[derive(Debug)]
pub(crate) struct Rates<K: Eq + Hash> {
    pace: Pace,
    keys_max: usize,
    known: DashMap<K, Bucket>,
    others: Mutex<Bucket>,
    /// When those with an empty bucket were forgotten: at most once a second, as it looks at all.
    forgot_at_s: AtomicU64,
}

impl<K: Eq + Hash> Rates<K> {
    /// Nothing has happened.
    pub(crate) fn new(pace: Pace, keys_max: usize) -> Self {
        Self {
            pace,
            keys_max,
            known: DashMap::new(),
            others: Mutex::default(),
            forgot_at_s: AtomicU64::new(0),
        }
    }

    /// Whether `count` more of `key` fit.
    ///
    /// # Errors
    /// They do not. After so many milliseconds they will.
    pub(crate) fn take(&self, key: K, count: u32, now: Timestamp) -> Result<(), u64> {
        self.with(key, now, |bucket| bucket.take(now, count, self.pace))
    }

    /// The same for one, with what is [left](Bucket::left) behind it.
    pub(crate) fn take_one(&self, key: K, now: Timestamp) -> (Result<(), u64>, (u32, u64)) {
        self.with(key, now, |bucket| {
            let taken = bucket.take(now, 1, self.pace);
            (taken, bucket.left(now, self.pace))
        })
    }

    /// How often it may happen.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    fn with<T>(&self, key: K, now: Timestamp, act: impl FnOnce(&mut Bucket) -> T) -> T {
        if let Some(mut bucket) = self.known.get_mut(&key) {
            return act(&mut bucket);
        }
        if self.known.len() >= self.keys_max {
            self.forget_empty(now);
        }
        if self.known.len() >= self.keys_max {
            let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
            return act(&mut others);
        }
        act(&mut self.known.entry(key).or_default())
    }

    fn forget_empty(&self, now: Timestamp) {
        let now_s = now.0 / 1_000;
        if self.forgot_at_s.swap(now_s, Ordering::Relaxed) != now_s {
            self.known.retain(|_, bucket| !bucket.is_empty(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_rate_of_its_own() {
        let rates = Rates::new(Pace::per_s(1, 2), 10);
        for key in ["ann", "bob"] {
            assert_eq!(rates.take(key, 2, Timestamp(5_000)), Ok(()));
            assert_eq!(rates.take(key, 1, Timestamp(5_000)), Err(1_000));
        }
        assert_eq!(rates.take("ann", 1, Timestamp(6_000)), Ok(()));
    }

    #[test]
    fn keys_are_remembered_up_to_a_bound_and_share_a_rate_above_it() {
        let rates = Rates::new(Pace::per_s(1, 1), 1_000);
        for key in 0..1_000 {
            assert_eq!(rates.take(key, 1, Timestamp(10_000)), Ok(()));
        }
        assert_eq!(rates.take(1_000, 1, Timestamp(10_000)), Ok(()));
        assert_eq!(rates.take(1_001, 1, Timestamp(10_000)), Err(1_000));
        assert_eq!(rates.known.len(), 1_000);
        // Those who were there have their own rate still.
        assert_eq!(rates.take(7, 1, Timestamp(11_000)), Ok(()));
        // A second later the others are forgotten, and there is a place for a new one.
        assert_eq!(rates.take(1_001, 1, Timestamp(11_000)), Ok(()));
        assert_eq!(rates.known.len(), 2);
    }
}
