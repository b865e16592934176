//! How busy a board is at the moment, for administrators.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use boardcast_protocol::ids::BoardId;

use crate::measure::{Distribution, TIMES_US, micros, slot};

/// A board is judged by the present part of this length and the one before it.
const PART_MS: u64 = 60_000;
/// The bounds of times, and what is above.
const SLOTS: usize = TIMES_US.len() + 1;

/// What happened on a board in the last minute or two. Its room writes it once a batch.
#[derive(Debug, Default)]
pub(super) struct Load(Mutex<Parts>);

#[derive(Debug, Default)]
struct Parts {
    /// The number of the present part since the start of the server.
    number: u64,
    present: Part,
    before: Part,
    subscribers: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    deliveries: u64,
    sum_us: u64,
    /// Batches by their fan-out.
    batches: [u32; SLOTS],
}

/// What happened on a board in the last one to two minutes.
#[derive(Clone, Debug)]
pub struct BoardLoad {
    /// The board.
    pub board: BoardId,
    /// Subscribers at its last batch.
    pub subscribers: usize,
    /// Batches queued for subscribers, each subscriber counted.
    pub deliveries: u64,
    /// Its batches by their fan-out, in microseconds.
    pub fan_out_us: Distribution,
}

impl Load {
    /// A batch has been queued for all subscribers.
    pub(super) fn sent(&self, now_ms: u64, deliveries: u64, subscribers: usize, took: Duration) {
        let mut parts = self.lock();
        parts.turn(now_ms);
        parts.subscribers = subscribers;
        let us = micros(took);
        let present = &mut parts.present;
        present.deliveries += deliveries;
        present.sum_us = present.sum_us.saturating_add(us);
        let batches = &mut present.batches[slot(&TIMES_US, us)];
        *batches = batches.saturating_add(1);
    }

    /// How busy the board is; `None` where nothing was sent.
    pub(super) fn read(&self, board: BoardId, now_ms: u64) -> Option<BoardLoad> {
        let mut parts = self.lock();
        parts.turn(now_ms);
        let Parts {
            present,
            before,
            subscribers,
            ..
        } = *parts;
        drop(parts);
        let counts = present.batches.iter().zip(before.batches);
        let counts = counts.map(|(a, b)| u64::from(*a) + u64::from(b)).collect();
        let sum_us = present.sum_us.saturating_add(before.sum_us);
        let fan_out_us = Distribution::of_counts(&TIMES_US, counts, sum_us);
        (fan_out_us.count() > 0).then_some(BoardLoad {
            board,
            subscribers,
            deliveries: present.deliveries + before.deliveries,
            fan_out_us,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    /// Goes on to the part of this time.
    fn turn(&mut self, now_ms: u64) {
        let number = now_ms / PART_MS;
        if number > self.number {
            let present = std::mem::take(&mut self.present);
            self.before = if number == self.number + 1 {
                present
            } else {
                Part::default()
            };
            self.number = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_that_of_the_last_two_minutes() {
        let load = Load::default();
        let board = "b".parse().unwrap();
        assert!(load.read(board, 0).is_none());
        load.sent(1_000, 10, 5, Duration::from_micros(200));
        load.sent(59_000, 10, 6, Duration::from_micros(300));
        let of = |now_ms| load.read(board, now_ms).map(|load| load.deliveries);
        assert_eq!(of(59_999), Some(20));
        load.sent(61_000, 7, 7, Duration::from_secs(60));
        let both = load.read(board, 119_999).unwrap();
        assert_eq!((both.deliveries, both.subscribers), (27, 7));
        assert_eq!(both.fan_out_us.count(), 3);
        assert_eq!(of(120_000), Some(7), "the first minute is forgotten");
        assert_eq!(of(180_000), None);
        load.sent(600_000, 1, 1, Duration::ZERO);
        assert_eq!(of(600_000), Some(1));
    }
}
