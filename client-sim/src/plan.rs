//! What a fleet is to do, as `run` and `scenario` state it.

use std::time::Duration;

use serde::Deserialize;

use crate::args::RunArgs;
use crate::client::{Churn, Pauses};
use crate::fleet::CONNECTING_MAX;
use crate::timetable::Timetable;

/// Cards of a board at least.
const BOARD_CARDS_MIN: usize = 5;
/// How clients that come and go do so in a `run`.
const CHURN: Churn = Churn {
    stay: Duration::from_secs(6),
    away: Duration::from_secs(3),
};

/// What a fleet is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Clients; client i is on board i mod `boards`.
    pub clients: usize,
    /// Boards.
    pub boards: usize,
    /// Cards of each board to begin with.
    pub cards: usize,
    /// Cards from which on a board gets no further ones.
    pub cards_max: usize,
    /// Columns of each board to begin with.
    pub columns: usize,
    /// How long commands are sent.
    pub duration: Duration,
    /// When commands are due.
    pub commands: Timetable,
    /// When presence updates are due.
    pub presence: Timetable,
    /// How many clients come and go, and how: the last ones.
    pub churning: Option<(usize, Churn)>,
    /// How many clients stop reading again and again, and how: those before them.
    pub slow: Option<(usize, Pauses)>,
    /// Moments at which many are cut at once.
    pub storms: Vec<Storm>,
    /// Connections that are being opened at one time.
    pub connecting_at_once: usize,
}

/// A moment at which many clients are cut at once, without a word.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// When, as a share of the time in which commands are sent.
    pub at: f64,
    /// Share of the clients.
    pub share: f64,
    /// How long they are away; then all of them come back at once.
    pub away_seconds: f64,
}

impl Plan {
    /// What the arguments of `run` ask for.
    pub fn of_run(args: &RunArgs) -> Self {
        let churning = (args.clients as f64 * args.churn).round() as usize;
        Self {
            clients: args.clients,
            boards: args.boards,
            cards: args.cards.div_ceil(args.boards).max(BOARD_CARDS_MIN),
            cards_max: usize::MAX,
            columns: args.columns,
            duration: args.duration,
            commands: Timetable::new(args.rate, &[], args.duration),
            presence: Timetable::new(0.0, &[], args.duration),
            churning: (churning > 0).then_some((churning, CHURN)),
            slow: None,
            storms: Vec::new(),
            connecting_at_once: CONNECTING_MAX,
        }
    }

    /// How client `index` comes and goes, if it does.
    pub fn churn_of(&self, index: usize) -> Option<Churn> {
        let (count, churn) = self.churning?;
        (index >= self.clients.saturating_sub(count)).then_some(churn)
    }

    /// How client `index` stops reading, if it does.
    pub fn pauses_of(&self, index: usize) -> Option<Pauses> {
        let (count, pauses) = self.slow?;
        let churning = self.churning.map_or(0, |(count, _)| count);
        let end = self.clients.saturating_sub(churning);
        let slow = end.saturating_sub(count)..end;
        slow.contains(&index).then_some(pauses)
    }
}
