//! What is counted while a step runs.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::connection::Pending;
use crate::marker::{Hit, Op};

/// The longest latency that is told apart from longer ones, in microseconds: two minutes.
const LONGEST_US: u64 = 120_000_000;

/// Microseconds, in three significant digits.
#[derive(Clone, Debug)]
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the bounds are constants that are allowed"
        )]
        Self(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds of a histogram"))
    }

    #[inline]
    pub(crate) fn record(&mut self, from_ns: u64, to_ns: u64) {
        self.0
            .saturating_record(to_ns.saturating_sub(from_ns) / 1_000);
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        let ms = |quantile| self.0.value_at_quantile(quantile) as f64 / 1_000.0;
        Percentiles {
            p50: ms(0.5),
            p90: ms(0.9),
            p99: ms(0.99),
            p999: ms(0.999),
            max: self.0.max() as f64 / 1_000.0,
        }
    }
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    load: u8,
    is_measured: bool,
    received: u16,
}

/// Operations of one load in the measured time.
#[derive(Clone, Debug)]
pub(crate) struct LoadTally {
    pub(crate) latency: Latency,
    pub(crate) published: u64,
    pub(crate) received: u64,
}

#[derive(Debug)]
pub(crate) struct Tally {
    first_seq: u32,
    ops: Vec<Counted>,
    pub(crate) loads: Vec<LoadTally>,
    pub(crate) durable_latency: Latency,
    /// Measured operations that were told to be durable.
    pub(crate) durable: u64,
    /// Deliveries of any operation, measured or not.
    pub(crate) deliveries: u64,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// Operations that were turned away.
    pub(crate) refused: u64,
}

impl Tally {
    /// Begins to count operations from `first_seq` on.
    pub(crate) fn new(first_seq: u32, loads: usize) -> Self {
        let load = LoadTally {
            latency: Latency::new(),
            published: 0,
            received: 0,
        };
        Self {
            first_seq,
            ops: Vec::new(),
            loads: vec![load; loads],
            durable_latency: Latency::new(),
            durable: 0,
            deliveries: 0,
            frames: 0,
            bytes: 0,
            refused: 0,
        }
    }

    pub(crate) fn next_seq(&self) -> u32 {
        self.first_seq.wrapping_add(self.ops.len() as u32)
    }

    /// Notes that an operation with [`Self::next_seq`] goes out.
    pub(crate) fn published(&mut self, load: usize, is_measured: bool) {
        self.ops.push(Counted {
            load: load as u8,
            is_measured,
            received: 0,
        });
        self.loads[load].published += u64::from(is_measured);
    }

    #[inline]
    pub(crate) fn delivered(&mut self, hit: &Hit, now: u64) {
        self.deliveries += 1;
        let at = hit.seq.wrapping_sub(self.first_seq) as usize;
        let Some(op) = self.ops.get_mut(at) else {
            return;
        };
        op.received = op.received.saturating_add(1);
        if op.is_measured {
            let load = &mut self.loads[usize::from(op.load)];
            load.received += 1;
            load.latency.record(hit.due, now);
        }
    }

    pub(crate) fn made_durable(&mut self, op: &Pending, now: u64) {
        let at = op.seq.wrapping_sub(self.first_seq) as usize;
        if self.ops.get(at).is_some_and(|op| op.is_measured) {
            self.durable += 1;
            self.durable_latency.record(op.due, now);
        }
    }

    /// Measured operations.
    pub(crate) fn measured(&self) -> u64 {
        self.loads.iter().map(|load| load.published).sum()
    }

    /// Deliveries of a load's measured operations that are missing, and that came too often.
    pub(crate) fn missing_and_duplicate(&self, load: usize, subscribers: u32) -> (u64, u64) {
        let ops = self
            .ops
            .iter()
            .filter(|op| op.is_measured && usize::from(op.load) == load);
        ops.fold((0, 0), |(missing, duplicate), op| {
            let received = u64::from(op.received);
            let expected = u64::from(subscribers);
            (
                missing + expected.saturating_sub(received),
                duplicate + received.saturating_sub(expected),
            )
        })
    }
}

/// A pending operation that goes out with `op`.
pub(crate) fn pending(op: &Op) -> Pending {
    Pending {
        seq: op.seq,
        due: op.due,
        version: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(seq: u32) -> Hit {
        Hit {
            at: 0,
            due: 1_000,
            seq,
        }
    }

    #[test]
    fn lost_and_duplicate_deliveries_do_not_cancel_out() {
        let mut tally = Tally::new(u32::MAX, 1);
        for is_measured in [false, true, true] {
            tally.published(0, is_measured);
        }
        assert_eq!(tally.next_seq(), 2, "numbers wrap around");
        for seq in [u32::MAX, 0, 0, 0, 1, 7] {
            tally.delivered(&hit(seq), 3_000_000);
        }
        assert_eq!((tally.deliveries, tally.loads[0].received), (6, 4));
        assert_eq!(tally.missing_and_duplicate(0, 2), (1, 1));
        assert_eq!(tally.measured(), 2);
        let p50 = tally.loads[0].latency.percentiles().p50;
        assert!((2.99..3.01).contains(&p50), "{p50}");
    }
}
