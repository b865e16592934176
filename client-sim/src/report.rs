//! What a run tells: the report as JSON, a contract with scripts, and a summary for people.

mod summary;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::finish::{BoardEnd, Conclusion};
use crate::series::Series;
use crate::server_usage::Usage;
use crate::tally::Tally;
use crate::violation::Violations;

/// Commands by what became of them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Commands {
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) durable: u64,
    pub(crate) rejected: u64,
    pub(crate) unanswered: u64,
    pub(crate) no_change: u64,
    pub(crate) forgotten: u64,
    pub(crate) held_back: u64,
}

/// Versions times the subscribers that were live for them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Deliveries {
    pub(crate) expected: u64,
    pub(crate) received: u64,
    pub(crate) resumed: u64,
    pub(crate) skipped_by_snapshot: u64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
    pub(crate) count: u64,
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
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// Presence of the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Presence {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// The scenario of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// What its clients, boards and rates were multiplied with.
    pub scale: f64,
    /// Commands a second, after that.
    pub commands_per_s: f64,
    /// Presence updates a second, after that.
    pub presence_per_s: f64,
}

/// Connections of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Connections {
    pub(crate) opened: u64,
    pub(crate) resumed_with_events: u64,
    pub(crate) resumed_with_snapshot: u64,
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) cut: u64,
    pub(crate) ended: Vec<String>,
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
    pub(crate) clients: usize,
    pub(crate) boards: usize,
    pub(crate) commands: Commands,
    pub(crate) deliveries: Deliveries,
    pub(crate) violations: Violations,
    pub(crate) actions: Actions,
    pub(crate) latency_ms: Latency,
    pub(crate) slow_ms: Latency,
    pub(crate) echo_ms: Latency,
    pub(crate) durable_ms: Latency,
    pub(crate) join_ms: Latency,
    pub(crate) lateness_ms: Latency,
    pub(crate) presence: Presence,
    pub(crate) bytes: Bytes,
    pub(crate) server: Usage,
    pub(crate) simulator: Usage,
    pub(crate) seed: u64,
    pub(crate) seconds: f64,
    pub(crate) deliveries_per_s: f64,
    pub(crate) cpu_us_per_delivery: Option<f64>,
    pub(crate) replicas: &'static str,
    pub(crate) settled: bool,
    pub(crate) rejections: BTreeMap<String, u64>,
    pub(crate) connections: Connections,
    pub(crate) notes: Vec<String>,
    pub(crate) scenario: Option<Setting>,
    pub(crate) ends: Vec<BoardEnd>,
    pub(crate) series: Series,
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
    /// The scenario, where one was played.
    pub scenario: Option<Setting>,
    /// The run over time.
    pub series: Series,
}

impl Report {
    /// Puts a report together.
    pub fn new(facts: Facts, tally: &Tally, conclusion: Conclusion) -> Self {
        let commands = tally.commands;
        let deliveries = tally.deliveries;
        let seconds = facts.duration.as_secs_f64();
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
            slow_ms: (&tally.slow_us).into(),
            echo_ms: (&tally.echo_us).into(),
            durable_ms: (&tally.durable_us).into(),
            join_ms: (&tally.join_us).into(),
            lateness_ms: (&tally.late_us).into(),
            presence: Presence {
                sent: tally.presence.0,
                received: tally.presence.1,
            },
            bytes: Bytes {
                sent: tally.bytes.0,
                received: tally.bytes.1,
            },
            server: facts.server,
            simulator: Usage::own(),
            seed: facts.seed,
            seconds,
            deliveries_per_s: deliveries.received as f64 / seconds.max(0.001),
            cpu_us_per_delivery: facts.server.cpu_seconds.map(per_delivery),
            replicas: facts.replicas,
            settled: facts.settled,
            rejections: tally.rejections.clone(),
            connections: Connections {
                opened: tally.connects,
                resumed_with_events: tally.joined.0,
                resumed_with_snapshot: tally.joined.1,
                failures: tally.failures.clone(),
                cut: tally.cuts,
                ended: conclusion.ended,
            },
            notes: tally.notes.clone(),
            scenario: facts.scenario,
            ends: conclusion.boards,
            series: facts.series,
        }
    }

    /// The report of a scenario.
    #[must_use]
    pub fn of(mut self, scenario: Setting) -> Self {
        self.scenario = Some(scenario);
        self
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
}
