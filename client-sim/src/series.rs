//! A run over time: what the fleet counts and what the processes use, looked at again and again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::fleet::Fleet;
use crate::server_usage::Usage;

/// Samples of a run at most; there are no later ones.
const SAMPLES_MAX: usize = 2_000;
/// Samples that the time of the commands is divided into.
const SAMPLES: u32 = 120;
/// Bounds of the time between two samples.
const INTERVAL_MIN: Duration = Duration::from_millis(200);
const INTERVAL_MAX: Duration = Duration::from_secs(60);

/// Percentiles of one sample, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Median.
    pub p50: f64,
    /// Of a hundred, all but the slowest.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Spread {
    /// `None` of nothing.
    fn of(us: &Histogram<u64>) -> Option<Self> {
        let ms = |us: u64| us as f64 / 1_000.0;
        (!us.is_empty()).then(|| Self {
            p50: ms(us.value_at_quantile(0.5)),
            p99: ms(us.value_at_quantile(0.99)),
            max: ms(us.max()),
        })
    }
}

/// What was seen at one moment, and counted since the moment before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// When, in seconds from the first connection on.
    pub at_s: f64,
    /// Open connections.
    pub open: usize,
    /// Clients that are connected and up to date.
    pub live: usize,
    /// Connections that were opened a second.
    pub connects_per_s: f64,
    /// Commands that were sent a second.
    pub commands_per_s: f64,
    /// Commands that became durable a second.
    pub durable_per_s: f64,
    /// Versions that live subscribers received a second.
    pub deliveries_per_s: f64,
    /// Presence messages that were received a second.
    pub presence_per_s: f64,
    /// Due to received, at clients that are not slow.
    pub latency_ms: Option<Spread>,
    /// Due to accepted, at the author.
    pub echo_ms: Option<Spread>,
    /// Due to durable, at the author.
    pub durable_ms: Option<Spread>,
    /// Cores that the server used.
    pub server_cpu: Option<f64>,
    /// Resident memory of the server.
    pub server_rss_bytes: Option<u64>,
    /// Cores that this process used; with 1 it is as busy as it can be.
    pub simulator_cpu: Option<f64>,
    /// Resident memory of this process.
    pub simulator_rss_bytes: Option<u64>,
}

/// A run over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Series {
    /// When the first command was due, in seconds from the first connection on.
    pub running_from_s: f64,
    /// When the time of the commands was over.
    pub running_to_s: f64,
    /// In the order of time; at most 2,000.
    pub samples: Vec<Sample>,
}

/// Takes samples beside a run, until it is finished or dropped.
#[derive(Debug)]
pub struct Sampler {
    begun: Instant,
    stop: CancellationToken,
    task: JoinHandle<Vec<Sample>>,
    running: (Duration, Duration),
    _guard: DropGuard,
}

impl Sampler {
    /// Begins; commands are going to be sent for `duration`.
    pub fn start(fleet: &Arc<Fleet>, server_pid: Option<u32>, duration: Duration) -> Self {
        let interval = (duration / SAMPLES).clamp(INTERVAL_MIN, INTERVAL_MAX);
        let stop = CancellationToken::new();
        let begun = Instant::now();
        let taking = take(Arc::clone(fleet), server_pid, interval, stop.clone());
        Self {
            begun,
            task: tokio::spawn(taking),
            running: (Duration::ZERO, Duration::ZERO),
            _guard: stop.clone().drop_guard(),
            stop,
        }
    }

    /// The first command is due now.
    pub fn runs(&mut self) {
        self.running.0 = self.begun.elapsed();
    }

    /// The time of the commands is over.
    pub fn has_run(&mut self) {
        self.running.1 = self.begun.elapsed();
    }

    /// Takes a last sample and ends.
    ///
    /// # Errors
    /// Its task has panicked.
    pub async fn finish(self) -> anyhow::Result<Series> {
        self.stop.cancel();
        let samples = self.task.await.context("the task that samples failed")?;
        Ok(Series {
            running_from_s: self.running.0.as_secs_f64(),
            running_to_s: self.running.1.as_secs_f64(),
            samples,
        })
    }
}

/// What was counted up to a moment.
struct Counts {
    at: Instant,
    connects: u64,
    sent: u64,
    durable: u64,
    received: u64,
    presence: u64,
    server: Usage,
    own: Usage,
}

async fn take(
    fleet: Arc<Fleet>,
    server_pid: Option<u32>,
    interval: Duration,
    stop: CancellationToken,
) -> Vec<Sample> {
    let begun = Instant::now();
    let mut ticks = interval_at(begun + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut samples = Vec::new();
    let (mut before, _) = look(&fleet, server_pid);
    while samples.len() < SAMPLES_MAX {
        let ended = stop.run_until_cancelled(ticks.tick()).await.is_none();
        let (now, spreads) = look(&fleet, server_pid);
        samples.push(sample(&before, &now, begun, spreads, &fleet));
        before = now;
        if ended {
            break;
        }
    }
    samples
}

fn look(fleet: &Fleet, server_pid: Option<u32>) -> (Counts, [Option<Spread>; 3]) {
    let (server, own) = (Usage::of(server_pid), Usage::own());
    let mut tally = fleet.tally();
    let spreads = [
        Spread::of(&tally.window.latency_us),
        Spread::of(&tally.window.echo_us),
        Spread::of(&tally.window.durable_us),
    ];
    tally.window.reset();
    let counts = Counts {
        at: Instant::now(),
        connects: tally.connects,
        sent: tally.commands.sent,
        durable: tally.commands.durable,
        received: tally.deliveries.received,
        presence: tally.presence.1,
        server,
        own,
    };
    (counts, spreads)
}

fn sample(
    before: &Counts,
    now: &Counts,
    begun: Instant,
    [latency_ms, echo_ms, durable_ms]: [Option<Spread>; 3],
    fleet: &Fleet,
) -> Sample {
    let seconds = now.at.duration_since(before.at).as_secs_f64().max(0.001);
    let per_s = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
    let cores = |now: Usage, before: Usage| now.since(before).cpu_seconds.map(|cpu| cpu / seconds);
    Sample {
        at_s: now.at.duration_since(begun).as_secs_f64(),
        open: fleet.open(),
        live: fleet.live(),
        connects_per_s: per_s(now.connects, before.connects),
        commands_per_s: per_s(now.sent, before.sent),
        durable_per_s: per_s(now.durable, before.durable),
        deliveries_per_s: per_s(now.received, before.received),
        presence_per_s: per_s(now.presence, before.presence),
        latency_ms,
        echo_ms,
        durable_ms,
        server_cpu: cores(now.server, before.server),
        server_rss_bytes: now.server.rss_bytes,
        simulator_cpu: cores(now.own, before.own),
        simulator_rss_bytes: now.own.rss_bytes,
    }
}
