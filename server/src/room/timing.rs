//! When a room does what is not asked for by an input: batches, presence, rows, sleep.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::limits::PRESENCE_TICK_MS;

use super::RoomLimits;

/// What the runtime's timers can tell apart.
const TIMER_GRAIN: Duration = Duration::from_millis(1);

/// The window, in hundredths of what the last batch took of the processor.
const WINDOW_PERCENT: u32 = 215;

/// How long the next batch gathers versions (rule R7): nothing on an idle board; on a busy one the
/// larger of a little over twice the time of the processor that writing the last batch took and,
/// where all rooms together have more to do than the processor gives them, four times their lag, up
/// to a bound.
#[derive(Debug)]
pub(super) struct Window {
    max: Duration,
    opens: Instant,
}

impl Window {
    pub(super) fn new(limits: &RoomLimits, now: Instant) -> Self {
        Self {
            max: Duration::from_millis(limits.window_max_ms),
            opens: now,
        }
    }

    /// Whether what is durable waits for the next batch: not for a window that is all but open, which
    /// no timer could tell from an open one.
    pub(super) fn holds_durable(&self, now: Instant) -> bool {
        now + TIMER_GRAIN < self.opens
    }

    /// From when on the next batch may go.
    pub(super) fn opens(&self) -> Instant {
        self.opens
    }

    /// A batch went out that took so much of the processor.
    pub(super) fn flushed(&mut self, began: Instant, work: Duration, lag: Duration) {
        let gathers = work * WINDOW_PERCENT / 100;
        self.opens = began + gathers.max(4 * lag).min(self.max);
    }
}

/// The processor has more to do than it gets done where the lag is above this: where it has time
/// left the lag is some microseconds.
const FULL_LAG: Duration = Duration::from_millis(2);

/// Lets rows that are due wait further while the processor is full: what many versions change is
/// written once.
#[derive(Debug)]
pub(super) struct RowsWait {
    max: Duration,
    since: Option<Instant>,
}

impl RowsWait {
    /// They wait for a time of the board's own, between half of the bound and all of it: the rows of
    /// boards that became busy together are not written together.
    pub(super) fn new(board: BoardId, bound_ms: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        board.hash(&mut hasher);
        let half = bound_ms / 2;
        Self {
            max: Duration::from_millis(half + hasher.finish() % (half + 1)),
            since: None,
        }
    }

    /// Whether rows that are due now wait further.
    pub(super) fn goes_on(&mut self, lag: Duration, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let waits = lag >= FULL_LAG && now - since < self.max;
        if !waits {
            self.since = None;
        }
        waits
    }
}

/// What a room has to do in its own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    /// Versions are to be sent.
    pub(super) flush: bool,
    /// So much is to be sent that it does not wait for the window.
    pub(super) flush_now: bool,
    /// Presence is to be told.
    pub(super) presence: bool,
    /// Somebody was not told what is durable.
    pub(super) durable: bool,
    /// Rows are to be handed over.
    pub(super) rows: bool,
    /// Nobody is on the board and nothing is to be done.
    pub(super) sleep: bool,
}

/// When each thing is due; `None` where it is not wanted.
#[derive(Debug)]
pub(super) struct Deadlines {
    limits: RoomLimits,
    told_presence: Option<Instant>,
    flush: Option<Instant>,
    presence: Option<Instant>,
    durable: Option<Instant>,
    rows: Option<Instant>,
    sleep: Option<Instant>,
}

impl Deadlines {
    pub(super) fn new(limits: RoomLimits) -> Self {
        Self {
            limits,
            told_presence: None,
            flush: None,
            presence: None,
            durable: None,
            rows: None,
            sleep: None,
        }
    }

    /// Sets a time for what is wanted newly and drops that of what is not wanted any more.
    pub(super) fn set(&mut self, wants: Wants, window: &Window, now: Instant) {
        let limits = self.limits;
        let tick = Duration::from_millis(PRESENCE_TICK_MS);
        let next_tick = self.told_presence.map_or(now, |told| told + tick).max(now);
        let after = |ms| now + Duration::from_millis(ms);
        let opens = if wants.flush_now { now } else { window.opens() };
        self.flush = wants.flush.then_some(opens);
        renew(&mut self.presence, wants.presence, next_tick);
        renew(
            &mut self.durable,
            wants.durable,
            after(limits.durable_after_ms),
        );
        renew(&mut self.rows, wants.rows, after(limits.rows_after_ms));
        renew(&mut self.sleep, wants.sleep, after(limits.sleep_after_ms));
    }

    /// The time of the next thing that is wanted.
    pub(super) fn next(&self) -> Option<Instant> {
        let all = [
            self.flush,
            self.presence,
            self.durable,
            self.rows,
            self.sleep,
        ];
        all.into_iter().flatten().min()
    }

    /// What is due now; each is wanted anew afterwards.
    pub(super) fn take_due(&mut self, now: Instant) -> Wants {
        let presence = take(&mut self.presence, now);
        if presence {
            self.told_presence = Some(now);
        }
        let flush = take(&mut self.flush, now);
        Wants {
            flush,
            flush_now: flush,
            presence,
            durable: take(&mut self.durable, now),
            rows: take(&mut self.rows, now),
            sleep: take(&mut self.sleep, now),
        }
    }
}

fn renew(deadline: &mut Option<Instant>, wanted: bool, at: Instant) {
    if !wanted {
        *deadline = None;
    } else if deadline.is_none() {
        *deadline = Some(at);
    }
}

fn take(deadline: &mut Option<Instant>, now: Instant) -> bool {
    deadline.take_if(|at| *at <= now).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_wait_while_the_processor_is_full_but_not_for_ever() {
        let (begun, full) = (Instant::now(), FULL_LAG);
        let at = |ms| begun + Duration::from_millis(ms);
        for number in 0..64 {
            let mut wait = RowsWait::new(BoardId::from_u128(number), 4_000);
            assert!(!wait.goes_on(Duration::from_micros(300), at(0)));
            assert!(wait.goes_on(full, at(1_000)));
            assert!(wait.goes_on(full, at(2_000)));
            assert!(!wait.goes_on(full, at(5_000)), "the bound is over");
            assert!(wait.goes_on(full, at(6_000)), "and begins anew");
            assert!(!wait.goes_on(Duration::ZERO, at(6_500)));
        }
    }

    #[test]
    fn boards_that_became_busy_together_write_at_different_times() {
        let times: std::collections::BTreeSet<_> = (0..500)
            .map(|number| RowsWait::new(BoardId::from_u128(number), 4_000).max)
            .collect();
        assert!(times.len() > 300, "{} times", times.len());
        let range = Duration::from_secs(2)..=Duration::from_secs(4);
        assert!(times.iter().all(|time| range.contains(time)));
    }
}
