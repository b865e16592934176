//! The highest rate that a server sustains.

use anyhow::ensure;

use crate::args::RunArgs;
use crate::fleet::Fleet;
use crate::load::Load;
use crate::step::{self, StepReport};

/// Seconds before the measured ones and measured ones of a step that searches.
const WARM_S: f64 = 0.5;
const STEP_S: f64 = 2.0;
/// Bisection ends when the rates that fail and succeed are this close, or after so many steps.
const CLOSE: f64 = 1.09;
const BISECTIONS: usize = 3;
/// A step that fails while somebody else is on the cores is tried again so often.
const RETRIES: usize = 2;
/// A rate that is not confirmed is lowered by this factor, so often at most.
const LOWERED: f64 = 0.88;
const CONFIRMATIONS: usize = 8;
/// No rate above is tried, none below.
const RATE_MAX: f64 = 1e6;
const RATE_MIN: f64 = 1.0;

/// Raises the rate until a step fails, bisects, and confirms the rate that is found by a longer
/// step. The confirmed step, if any, and all steps.
///
/// # Errors
/// There is more than one load, or the server does not let everybody in again after a failure.
pub(crate) fn highest_rate(
    fleet: &mut Fleet,
    args: &RunArgs,
) -> anyhow::Result<(Option<StepReport>, Vec<StepReport>)> {
    ensure!(args.loads.len() == 1, "a search has a single load");
    let mut search = Search {
        fleet,
        load: args.loads[0],
        steps: Vec::new(),
    };
    let (mut succeeds, mut fails) = search.bracket(args.factor)?;
    for _ in 0..BISECTIONS {
        if succeeds == 0.0 || fails / succeeds < CLOSE {
            break;
        }
        let middle = f64::midpoint(succeeds, fails);
        if search.succeeds(middle, WARM_S, STEP_S)? {
            succeeds = middle;
        } else {
            fails = middle;
        }
    }
    for _ in 0..CONFIRMATIONS {
        if succeeds < RATE_MIN {
            break;
        }
        if search.succeeds(succeeds, 1.0, args.seconds)? {
            return Ok((search.steps.last().cloned(), search.steps));
        }
        succeeds *= LOWERED;
    }
    Ok((None, search.steps))
}

struct Search<'a> {
    fleet: &'a mut Fleet,
    load: Load,
    steps: Vec<StepReport>,
}

impl Search<'_> {
    /// A rate that succeeds (0 if none does) and the one that failed next to it.
    fn bracket(&mut self, factor: f64) -> anyhow::Result<(f64, f64)> {
        let mut rate = self.load.rate;
        while !self.succeeds(rate, WARM_S, STEP_S)? {
            if rate < RATE_MIN * 2.0 {
                return Ok((0.0, rate));
            }
            rate /= 2.0;
        }
        if rate < self.load.rate {
            return Ok((rate, rate * 2.0));
        }
        while rate * factor <= RATE_MAX {
            if !self.succeeds(rate * factor, WARM_S, STEP_S)? {
                return Ok((rate, rate * factor));
            }
            rate *= factor;
        }
        Ok((rate, rate))
    }

    fn succeeds(&mut self, rate: f64, warm: f64, measured: f64) -> anyhow::Result<bool> {
        let load = Load { rate, ..self.load };
        for _ in 0..=RETRIES {
            self.fleet.mend()?;
            let step = step::run(self.fleet, &[load], warm, measured)?;
            let (is_ok, is_contended) = (step.is_ok, step.is_contended);
            self.steps.push(step);
            if is_ok || !is_contended {
                return Ok(is_ok);
            }
            self.fleet.rest(1.0);
        }
        Ok(false)
    }
}
