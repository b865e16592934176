//! What a fleet counts while it runs.

use std::collections::BTreeMap;

use boardcast_protocol::message::OutcomeResult;
use hdrhistogram::Histogram;

use crate::violation::{Violation, Violations};

/// Notes about violations that are kept; the counts go on.
const NOTES_KEPT: usize = 20;
/// Kinds of failures and rejections that are told apart; further ones count as `other`.
const KINDS_KEPT: usize = 64;
/// Longest latency that is told apart from longer ones, in microseconds: ten minutes.
const LATENCY_MAX_US: u64 = 600 * 1_000_000;

/// Commands by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Numbered and handed to a connection.
    pub sent: u64,
    /// Applied, as an echo or an outcome said.
    pub accepted: u64,
    /// On disk, as the server said.
    pub durable: u64,
    /// Rejected.
    pub rejected: u64,
    /// Understood, with nothing to do.
    pub no_change: u64,
    /// The server does not know any more.
    pub forgotten: u64,
    /// Never sent: their client had too many on the way.
    pub held_back: u64,
}

/// Versions by how they came to subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// One version received live by one subscriber.
    pub received: u64,
    /// Versions that a live subscriber should have received and did not.
    pub missed: u64,
    /// Versions that came by resume after a cut.
    pub resumed: u64,
    /// Versions that a snapshot passed over.
    pub skipped: u64,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Tally {
    /// Commands.
    pub commands: Commands,
    /// Deliveries.
    pub deliveries: Deliveries,
    /// Broken promises.
    pub violations: Violations,
    /// What the first violations were.
    pub notes: Vec<String>,
    /// Reasons of rejections.
    pub rejections: BTreeMap<String, u64>,
    /// Ends of connections that nobody asked for, by what ended them.
    pub failures: BTreeMap<String, u64>,
    /// Connections that were made.
    pub connects: u64,
    /// Subscriptions that went on with events, with a snapshot.
    pub joined: (u64, u64),
    /// Payload bytes sent, received.
    pub bytes: (u64, u64),
    /// Connections that were cut on purpose.
    pub cuts: u64,
    /// Presence updates sent, presence messages received.
    pub presence: (u64, u64),
    /// Intended send time to receipt at each live subscriber that is not slow, in microseconds.
    pub latency_us: Histogram<u64>,
    /// The same at slow ones.
    pub slow_us: Histogram<u64>,
    /// Intended send time to the answer `accepted` at the author, in microseconds.
    pub echo_us: Histogram<u64>,
    /// First attempt to connect to being up to date, in microseconds.
    pub join_us: Histogram<u64>,
    /// How much later than due commands were handed out, in microseconds.
    pub late_us: Histogram<u64>,
    /// Latencies since the last sample.
    pub window: Window,
    /// The same since the last progress line.
    pub recent_us: Histogram<u64>,
    /// Intended send time to durable at the author, in microseconds.
    pub durable_us: Histogram<u64>,
}

/// Latencies of a short time, in microseconds.
#[derive(Clone, Debug)]
pub struct Window {
    /// As [`Tally::latency_us`].
    pub latency_us: Histogram<u64>,
    /// As [`Tally::echo_us`].
    pub echo_us: Histogram<u64>,
    /// As [`Tally::durable_us`].
    pub durable_us: Histogram<u64>,
}

impl Window {
    /// Begins another one.
    pub fn reset(&mut self) {
        self.latency_us.reset();
        self.echo_us.reset();
        self.durable_us.reset();
    }
}

impl Default for Window {
    fn default() -> Self {
        Self {
            latency_us: histogram(2),
            echo_us: histogram(2),
            durable_us: histogram(2),
        }
    }
}

/// A histogram of so many significant digits that saturates instead of failing.
fn histogram(digits: u8) -> Histogram<u64> {
    match Histogram::new_with_bounds(1, LATENCY_MAX_US, digits) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("the bounds of the histogram are constant: {error}"),
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            commands: Commands::default(),
            deliveries: Deliveries::default(),
            violations: Violations::default(),
            notes: Vec::new(),
            rejections: BTreeMap::new(),
            failures: BTreeMap::new(),
            connects: 0,
            joined: (0, 0),
            bytes: (0, 0),
            cuts: 0,
            presence: (0, 0),
            latency_us: histogram(3),
            slow_us: histogram(3),
            echo_us: histogram(3),
            join_us: histogram(3),
            late_us: histogram(3),
            window: Window::default(),
            recent_us: histogram(2),
            durable_us: histogram(3),
        }
    }
}

impl Tally {
    /// Counts a violation and keeps its note.
    pub fn violate(&mut self, violation: Violation, note: impl FnOnce() -> String) {
        self.violations.add(violation);
        if self.notes.len() < NOTES_KEPT {
            self.notes.push(note());
        }
    }

    /// Counts an answer.
    pub fn answer(&mut self, result: OutcomeResult, why: Option<&str>) {
        match result {
            OutcomeResult::Accepted => self.commands.accepted += 1,
            OutcomeResult::NoChange => self.commands.no_change += 1,
            OutcomeResult::Rejected => {
                self.commands.rejected += 1;
                count(&mut self.rejections, why.unwrap_or("no reason"));
            }
            OutcomeResult::Forgotten => self.commands.forgotten += 1,
            OutcomeResult::Busy | OutcomeResult::Unavailable => {}
        }
    }

    /// Counts the end of a connection.
    pub fn fail(&mut self, why: &str) {
        count(&mut self.failures, why);
    }

    /// Records the live receipt of a version.
    pub fn deliver(&mut self, latency_ns: u64) {
        self.latency_us.saturating_record(latency_ns / 1_000);
        self.recent_us.saturating_record(latency_ns / 1_000);
        self.window.latency_us.saturating_record(latency_ns / 1_000);
    }

    /// The same at a client that reads slowly.
    pub fn deliver_slowly(&mut self, latency_ns: u64) {
        self.slow_us.saturating_record(latency_ns / 1_000);
    }

    /// Records the answer `accepted` at the author.
    pub fn echo(&mut self, latency_ns: u64) {
        self.echo_us.saturating_record(latency_ns / 1_000);
        self.window.echo_us.saturating_record(latency_ns / 1_000);
    }

    /// Counts a durable command, and records when its author was told.
    pub fn save(&mut self, latency_ns: u64) {
        self.commands.durable += 1;
        self.durable_us.saturating_record(latency_ns / 1_000);
        self.window.durable_us.saturating_record(latency_ns / 1_000);
    }

    /// Records how long a client took to be up to date, from its first attempt.
    pub fn join(&mut self, latency_ns: u64) {
        self.join_us.saturating_record(latency_ns / 1_000);
    }
}

fn count(counts: &mut BTreeMap<String, u64>, kind: &str) {
    let kind = if counts.contains_key(kind) || counts.len() < KINDS_KEPT {
        kind
    } else {
        "other"
    };
    *counts.entry(kind.to_owned()).or_default() += 1;
}
