//! What a run tells: the report as JSON, a contract with scripts, and a summary for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::finish::{BoardEnd, Conclusion};
use crate::server_usage::Usage;
use crate::tally::Tally;
use crate::violation::Violations;

/// Commands by what became of them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Commands {
    sent: u64,
    accepted: u64,
    durable: u64,
    rejected: u64,
    unanswered: u64,
    no_change: u64,
    forgotten: u64,
    held_back: u64,
}

/// Versions times the subscribers that were live for them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Deliveries {
    expected: u64,
    received: u64,
    resumed: u64,
    skipped_by_snapshot: u64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
    count: u64,
}

impl From<&Histogram<u64>> for Latency {
    fn from(us: &Histogram<u64>) -> Self {
        let ms = |us: u64| us as f64 / 1_000.0;
        Self {
            p50: ms(us.value_at_quantile(0.5)),
            p90: ms(us.value_at_quantile(0.9)),
            p99: ms(us.value_at_quantile(0.99)),
            p999: ms(us.value_at_quantile(0.999)),
            max: ms(us.max()),
            count: us.len(),
        }
    }
}

/// Payload bytes of messages.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bytes {
    sent: u64,
    received: u64,
}

/// Connections of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Connections {
    opened: u64,
    resumed_with_events: u64,
    resumed_with_snapshot: u64,
    failures: BTreeMap<String, u64>,
    ended: Vec<String>,
}

/// Actions of a trace that were left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The type of the action.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Why.
    pub why: String,
}

/// What became of the actions of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Actions {
    /// In the file.
    pub read: u64,
    /// Sent as commands.
    pub sent: u64,
    /// Left out.
    pub skipped: Vec<Skipped>,
    /// Of those read, about cards and lists.
    pub card_and_list: u64,
    /// Of those sent, about cards and lists.
    pub card_and_list_sent: u64,
    /// Things that existed before the trace, made without an action.
    pub prepared: u64,
}

/// The report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    clients: usize,
    boards: usize,
    commands: Commands,
    deliveries: Deliveries,
    violations: Violations,
    actions: Actions,
    latency_ms: Latency,
    durable_ms: Latency,
    bytes: Bytes,
    server: Usage,
    seed: u64,
    seconds: f64,
    cpu_us_per_delivery: Option<f64>,
    replicas: &'static str,
    settled: bool,
    rejections: BTreeMap<String, u64>,
    connections: Connections,
    notes: Vec<String>,
    ends: Vec<BoardEnd>,
}

/// What a run knows besides its counts.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Clients.
    pub clients: usize,
    /// Seed.
    pub seed: u64,
    /// How long commands were sent.
    pub duration: Duration,
    /// Which clients kept a whole view.
    pub replicas: &'static str,
    /// Whether all was answered in time.
    pub settled: bool,
    /// What the server used while commands were sent.
    pub server: Usage,
    /// Actions of a trace.
    pub actions: Actions,
}

impl Report {
    /// Puts a report together.
    pub fn new(facts: Facts, tally: &Tally, conclusion: Conclusion) -> Self {
        let commands = tally.commands;
        let deliveries = tally.deliveries;
        let per_delivery = |cpu: f64| cpu * 1e6 / deliveries.received.max(1) as f64;
        Self {
            clients: facts.clients,
            boards: conclusion.boards.len(),
            commands: Commands {
                sent: commands.sent,
                accepted: commands.accepted,
                durable: commands.durable,
                rejected: commands.rejected,
                unanswered: conclusion.unanswered,
                no_change: commands.no_change,
                forgotten: commands.forgotten,
                held_back: commands.held_back,
            },
            deliveries: Deliveries {
                expected: deliveries.received + deliveries.missed + conclusion.missing,
                received: deliveries.received,
                resumed: deliveries.resumed,
                skipped_by_snapshot: deliveries.skipped,
            },
            violations: tally.violations,
            actions: facts.actions,
            latency_ms: (&tally.latency_us).into(),
            durable_ms: (&tally.durable_us).into(),
            bytes: Bytes {
                sent: tally.bytes.0,
                received: tally.bytes.1,
            },
            server: facts.server,
            seed: facts.seed,
            seconds: facts.duration.as_secs_f64(),
            cpu_us_per_delivery: facts.server.cpu_seconds.map(per_delivery),
            replicas: facts.replicas,
            settled: facts.settled,
            rejections: tally.rejections.clone(),
            connections: Connections {
                opened: tally.connects,
                resumed_with_events: tally.joined.0,
                resumed_with_snapshot: tally.joined.1,
                failures: tally.failures.clone(),
                ended: conclusion.ended,
            },
            notes: tally.notes.clone(),
            ends: conclusion.boards,
        }
    }

    /// Whether nothing was wrong: no violation, and no client that ended by itself.
    pub fn is_clean(&self) -> bool {
        self.violations.total == 0 && self.connections.ended.is_empty()
    }

    /// Counts of violations.
    pub fn violations(&self) -> &Violations {
        &self.violations
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// Never: all its keys are strings.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Writes the report to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = self.json()? + "\n";
        std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
    }

    /// The report for people.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let (c, d, v) = (self.commands, self.deliveries, self.violations);
        let mut line = |name: &str, rest: String| {
            let _ = writeln!(text, "{name:<12} {rest}");
        };
        line(
            "clients",
            format!(
                "{} on {} boards; replicas: {}",
                self.clients, self.boards, self.replicas
            ),
        );
        if self.actions.read > 0 {
            let a = &self.actions;
            line(
                "actions",
                format!(
                    "{} read, {} sent, {} of {} about cards and lists, {} things prepared",
                    a.read, a.sent, a.card_and_list_sent, a.card_and_list, a.prepared
                ),
            );
            for skipped in &a.skipped {
                line(
                    "  skipped",
                    format!("{} {}: {}", skipped.count, skipped.what, skipped.why),
                );
            }
        }
        line(
            "commands",
            format!(
                "{} sent, {} accepted, {} durable, {} without change, {} rejected, {} unanswered, \
                 {} held back",
                c.sent, c.accepted, c.durable, c.no_change, c.rejected, c.unanswered, c.held_back
            ),
        );
        line(
            "deliveries",
            format!(
                "{} of {} live ({:.0}/s), {} by resume, {} passed over by snapshots",
                d.received,
                d.expected,
                d.received as f64 / self.seconds.max(0.001),
                d.resumed,
                d.skipped_by_snapshot
            ),
        );
        for (name, ms) in [
            ("latency ms", self.latency_ms),
            ("durable ms", self.durable_ms),
        ] {
            line(
                name,
                format!(
                    "p50 {:.2}  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2}",
                    ms.p50, ms.p90, ms.p99, ms.p999, ms.max
                ),
            );
        }
        line(
            "bytes",
            format!("{} sent, {} received", self.bytes.sent, self.bytes.received),
        );
        let connections = &self.connections;
        line(
            "connections",
            format!(
                "{} opened, resumed {} times with events, {} times with a snapshot",
                connections.opened,
                connections.resumed_with_events,
                connections.resumed_with_snapshot
            ),
        );
        if let (Some(cpu), Some(us)) = (self.server.cpu_seconds, self.cpu_us_per_delivery) {
            let rss = self.server.rss_bytes.unwrap_or_default() / 1_048_576;
            line(
                "server",
                format!("{cpu:.2} s CPU, {us:.2} us a delivery, {rss} MiB resident"),
            );
        }
        for (why, count) in connections.failures.iter().chain(&self.rejections) {
            line("  failed", format!("{count} {why}"));
        }
        if let [end] = self.ends.as_slice() {
            line(
                "board",
                format!(
                    "{} version {} with {} cards, hash {}, equal in {} replicas and {} followers",
                    end.board, end.version, end.cards, end.hash, end.replicas, end.followers
                ),
            );
        }
        line(
            "violations",
            format!(
                "{} ({} gaps, {} duplicates, {} reordered, {} unanswered, {} diverged)",
                v.total, v.gaps, v.duplicates, v.reordered, v.unanswered, v.diverged
            ),
        );
        for note in &self.notes {
            line("  violation", note.clone());
        }
        text
    }
}
