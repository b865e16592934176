//! The line that a run shows once a second, and the beat that flushes the ledger.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::fleet::Fleet;

/// Time between two flushes of the ledger; a witness is at most 100 ms late.
const FLUSH: Duration = Duration::from_millis(50);
const SHOW: Duration = Duration::from_secs(1);

/// Does `work` while the line is shown and the ledger flushed.
///
/// # Errors
/// The ledger cannot be written: what it does not say cannot be trusted any more.
pub async fn watch<T>(
    fleet: &Fleet,
    doing: &str,
    work: impl Future<Output = T>,
) -> anyhow::Result<T> {
    let mut line = Line::new(doing, fleet.tally().deliveries.received);
    let mut flush = interval(FLUSH);
    let mut show = interval_at(Instant::now() + SHOW, SHOW);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    show.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                if let Some(ledger) = &fleet.ledger {
                    ledger.flush()?;
                }
                line.bar.finish_and_clear();
                return Ok(done);
            }
            _ = flush.tick() => {
                if let Some(ledger) = &fleet.ledger {
                    ledger.flush()?;
                }
            }
            _ = show.tick() => line.show(fleet),
        }
    }
}

struct Line {
    bar: ProgressBar,
    terminal: bool,
    doing: String,
    at: Instant,
    received: u64,
}

impl Line {
    fn new(doing: &str, received: u64) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_draw_target(ProgressDrawTarget::stderr());
        Self {
            bar,
            terminal: std::io::stderr().is_terminal(),
            doing: doing.to_owned(),
            at: Instant::now(),
            received,
        }
    }

    fn show(&mut self, fleet: &Fleet) {
        let connected = fleet.live();
        let now = Instant::now();
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.001);
        let text = {
            let mut tally = fleet.tally();
            let received = tally.deliveries.received;
            let rate = received.saturating_sub(self.received) as f64 / seconds;
            self.received = received;
            let p99 = tally.recent_us.value_at_quantile(0.99) as f64 / 1_000.0;
            tally.recent_us.reset();
            format!(
                "{}: {connected} connected, {} sent, {rate:.0} deliveries/s, p99 {p99:.1} ms, {} \
                 violations",
                self.doing, tally.commands.sent, tally.violations.total
            )
        };
        self.at = now;
        if self.terminal {
            self.bar.set_message(text);
            self.bar.tick();
        } else {
            eprintln!("{text}");
        }
    }
}
