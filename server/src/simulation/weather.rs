//! What happens to the disk, step by step.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::dice::Dice;
use super::oracle::Oracle;
use super::schedule::Schedule;
use crate::storage::simulation::{Kind, Step, Tables, Turn, Weather};

/// A crash that waits for its step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doom {
    pub(super) step: Step,
    /// How many further lives of the server end at the disk.
    pub(super) again: u32,
    pub(super) down_ms: u64,
}

struct State {
    dice: Dice,
    slow: (u64, u64),
    full_ms: u64,
    busy_ms: u64,
    unreadable_ms: u64,
    broken: Option<(String, u64)>,
    unclear: Option<bool>,
    doom: Option<Doom>,
    /// Lives that are still to end at the disk, after so many steps each.
    again: u32,
    steps: u64,
    down_ms: u64,
    halted: bool,
    /// Nothing happens any more.
    calm: bool,
}

/// What happens to the disk. All times are those at which something ends.
pub(super) struct Sky {
    schedule: Arc<Schedule>,
    oracle: Arc<Mutex<Oracle>>,
    state: Mutex<State>,
}

impl Sky {
    pub(super) fn new(dice: Dice, schedule: Arc<Schedule>, oracle: Arc<Mutex<Oracle>>) -> Self {
        Self {
            schedule,
            oracle,
            state: Mutex::new(State {
                dice,
                slow: (0, 0),
                full_ms: 0,
                busy_ms: 0,
                unreadable_ms: 0,
                broken: None,
                unclear: None,
                doom: None,
                again: 0,
                steps: 0,
                down_ms: 0,
                halted: false,
                calm: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn until(&self, ms: u64) -> u64 {
        self.schedule.now_ms() + ms
    }

    pub(super) fn slow(&self, ms: u64, step_ms: u64) {
        self.lock().slow = (self.until(ms), step_ms);
    }

    pub(super) fn full(&self, ms: u64) {
        self.lock().full_ms = self.until(ms);
    }

    pub(super) fn busy(&self, ms: u64) {
        self.lock().busy_ms = self.until(ms);
    }

    pub(super) fn unreadable(&self, ms: u64) {
        self.lock().unreadable_ms = self.until(ms);
    }

    pub(super) fn break_board(&self, board: String, ms: u64) {
        self.lock().broken = Some((board, self.until(ms)));
    }

    pub(super) fn unclear(&self, kept: bool) {
        self.lock().unclear = Some(kept);
    }

    pub(super) fn doom(&self, doom: Doom) {
        self.lock().doom = Some(doom);
    }

    /// A life of the server begins.
    pub(super) fn begin_life(&self) {
        let mut state = self.lock();
        state.halted = false;
        state.unclear = None;
        if state.again > 0 && !state.calm {
            state.again -= 1;
            state.steps = state.dice.range(1..=24);
        } else {
            state.again = 0;
            state.steps = 0;
        }
    }

    /// All faults end.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.calm = true;
        state.doom = None;
        state.again = 0;
        state.steps = 0;
        state.unclear = None;
        state.broken = None;
        state.slow = (0, 0);
        state.full_ms = 0;
        state.busy_ms = 0;
        state.unreadable_ms = 0;
    }

    fn count(&self, what: &'static str) {
        self.oracle.lock().unwrap().cover.count(what);
    }

    /// Whether the process ends at this step.
    fn ends(&self, state: &mut State, step: Step, kind: Option<Kind>) -> bool {
        if state.steps > 0 {
            state.steps -= 1;
            if state.steps == 0 {
                self.count("crashed again soon after a crash");
                if kind == Some(Kind::Acts) || step == Step::Read {
                    self.count("crashed while boards were opened");
                }
                return true;
            }
        }
        let Some(doom) = state.doom.take_if(|doom| doom.step == step) else {
            return false;
        };
        state.again = doom.again;
        state.down_ms = doom.down_ms;
        self.count(match (step, kind) {
            (Step::Begin | Step::Read, _) => "crashed before a transaction",
            (Step::Written, _) => "crashed in the middle of a transaction",
            (Step::Commit, _) => "crashed before a commit",
            (Step::Committed, Some(Kind::Versions)) => {
                "crashed after a commit that nobody heard of"
            }
            (Step::Committed, _) => "crashed after a commit of rows or requests",
        });
        true
    }
}

impl Weather for Sky {
    fn at(&self, step: Step, kind: Option<Kind>) -> Turn {
        let mut state = self.lock();
        let now_ms = self.schedule.now_ms();
        if state.halted {
            return Turn::Halt;
        }
        if self.ends(&mut state, step, kind) {
            state.halted = true;
            self.schedule.die(state.down_ms);
            return Turn::Halt;
        }
        let turn = match step {
            Step::Begin if now_ms < state.busy_ms => Some(("the disk was busy", Turn::Busy)),
            Step::Written | Step::Commit if now_ms < state.full_ms => {
                Some(("the disk was full", Turn::Full))
            }
            Step::Read if now_ms < state.unreadable_ms => {
                Some(("the disk could not be read", Turn::Full))
            }
            Step::Commit => state.unclear.take().map(|kept| {
                self.oracle.lock().unwrap().is_unclear = true;
                let what = if kept {
                    "a commit was kept and failed unclearly"
                } else {
                    "a commit was lost and failed unclearly"
                };
                (what, Turn::Unclear { kept })
            }),
            Step::Begin | Step::Written | Step::Committed | Step::Read => None,
        };
        if let Some((what, turn)) = turn {
            self.count(what);
            return turn;
        }
        let (slow_ms, step_ms) = state.slow;
        let ms = if now_ms < slow_ms {
            self.count("the disk was slow");
            state.dice.range(0..=step_ms)
        } else {
            state.dice.pick(&[0, 0, 1, 3])
        };
        Turn::Go(Duration::from_millis(ms))
    }

    fn breaks(&self, board: &str) -> bool {
        let state = self.lock();
        let now_ms = self.schedule.now_ms();
        let broken = state.broken.as_ref();
        let breaks = broken.is_some_and(|(key, until)| key == board && now_ms < *until);
        if breaks {
            self.count("a version broke a rule of the database");
        }
        breaks
    }

    fn committed(&self, kind: Kind, before: &Tables, after: &Tables) {
        let mut oracle = self.oracle.lock().unwrap();
        oracle.committed(kind, before, after);
    }
}
