//! One open-loop step: operations are due at a fixed rhythm, whatever the server does.

use anyhow::ensure;
use serde::Serialize;

use crate::clock::{SECOND, from_seconds, now, seconds};
use crate::fleet::{Fleet, Sample};
use crate::load::{Load, Place};
use crate::tally::{Latency, Percentiles};

/// Operations that go out before what has come in is looked at.
const BURST: usize = 256;
/// A step is given up with more than so many seconds of deliveries outstanding ...
const BEHIND_S: f64 = 1.5;
/// ... and at least so many deliveries.
const BEHIND_MIN: f64 = 5_000.0;
/// Above so many percent of its core, the generator may have been the limit.
const GENERATOR_FULL: f64 = 85.0;
/// So many percent of a core above what server or generator used, somebody else was on it.
const SERVER_CORE_SLACK: f64 = 12.0;
const GENERATOR_CORE_SLACK: f64 = 18.0;

/// What came of a step.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StepReport {
    /// Operations a second of all loads.
    pub(crate) rate: f64,
    pub(crate) is_ok: bool,
    /// Why it is not.
    pub(crate) faults: Vec<String>,
    pub(crate) seconds: f64,
    pub(crate) loads: Vec<LoadReport>,
    /// None where the server does not say what is durable.
    pub(crate) durable: Option<DurableReport>,
    pub(crate) refused: u64,
    pub(crate) disconnected: usize,
    pub(crate) deliveries_per_s: f64,
    pub(crate) operations_per_frame: f64,
    pub(crate) wire_bytes_per_delivery: f64,
    pub(crate) cpu_us_per_delivery: f64,
    pub(crate) cpu_us_per_frame: f64,
    /// The kernel's part of `cpu_us_per_delivery`.
    pub(crate) kernel_us_per_delivery: f64,
    pub(crate) server_cpu_percent: f64,
    pub(crate) server_core_percent: f64,
    pub(crate) generator_cpu_percent: f64,
    pub(crate) generator_core_percent: f64,
    /// p99 of how late operations went out, in milliseconds.
    pub(crate) generator_lag_p99_ms: f64,
    pub(crate) resident_peak_kb: u64,
    pub(crate) generator_is_full: bool,
    pub(crate) is_contended: bool,
}

/// What came of one load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoadReport {
    pub(crate) load: String,
    pub(crate) published: u64,
    pub(crate) expected: u64,
    pub(crate) received: u64,
    pub(crate) lost: u64,
    pub(crate) duplicate: u64,
    pub(crate) latency_ms: Percentiles,
}

/// What was told to be on disk, from when it was due.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DurableReport {
    pub(crate) commands: u64,
    pub(crate) missing: u64,
    pub(crate) latency_ms: Percentiles,
}

/// The operations of one load, one after another.
struct Rhythm {
    place: Place,
    begun: u64,
    gap: f64,
    next: u64,
}

impl Rhythm {
    fn due(&self) -> u64 {
        self.begun + (self.next as f64 * self.gap) as u64
    }
}

/// Publishes for `warm` seconds and then for the measured ones.
///
/// # Errors
/// A connection is missing.
pub(crate) fn run(
    fleet: &mut Fleet,
    loads: &[Load],
    warm: f64,
    measured: f64,
) -> anyhow::Result<StepReport> {
    ensure!(fleet.gone() == 0, "{} connections were lost", fleet.gone());
    fleet.begin_step(loads);
    let begun = now() + SECOND / 200;
    let window = begun + from_seconds(warm);
    let end = window + from_seconds(measured);
    let mut step = Step {
        loads,
        rhythms: rhythms(fleet, loads, begun),
        begun,
        window,
        end,
        lag: Latency::new(),
        resident_peak_kb: 0,
        published: vec![0; loads.len()],
    };
    let (first, last, was_given_up) = step.publish_all(fleet);
    step.drain(fleet, was_given_up);
    let report = step.report(fleet, &first, &last, was_given_up);
    eprintln!("  {}", serde_json::to_string(&report)?);
    fleet.await_silence();
    Ok(report)
}

fn rhythms(fleet: &Fleet, loads: &[Load], begun: u64) -> Vec<Rhythm> {
    let pairs = fleet.places.iter().zip(loads);
    let rhythms = pairs.map(|(place, load)| Rhythm {
        place: *place,
        begun,
        gap: SECOND as f64 / load.rate,
        next: 0,
    });
    rhythms.collect()
}

struct Step<'a> {
    loads: &'a [Load],
    rhythms: Vec<Rhythm>,
    begun: u64,
    /// When measuring begins and ends.
    window: u64,
    end: u64,
    lag: Latency,
    resident_peak_kb: u64,
    /// Operations of each load, measured or not.
    published: Vec<u64>,
}

impl Step<'_> {
    /// Publishes to the end, unless the server falls too far behind. Samples at both ends of the
    /// measured time, and whether it was given up.
    fn publish_all(&mut self, fleet: &mut Fleet) -> (Sample, Sample, bool) {
        let mut first = None;
        let mut next_look = self.begun;
        loop {
            let time = now();
            if time >= self.window && first.is_none() {
                first = Some(fleet.sample());
            }
            let due = self.publish_due(fleet, time);
            if time >= next_look {
                self.resident_peak_kb = self.resident_peak_kb.max(fleet.server.resident_kb());
                next_look = time + SECOND / 4;
            }
            let time = now();
            let is_lost = fleet.gone() > 0 || self.is_far_behind(fleet, time);
            if is_lost || time >= self.end && due >= self.end {
                let last = fleet.sample();
                return (first.unwrap_or(last), last, is_lost);
            }
            fleet.poll(due.min(self.end).saturating_sub(time).min(SECOND / 50));
        }
    }

    /// Publishes what is due; when the next operation is.
    fn publish_due(&mut self, fleet: &mut Fleet, time: u64) -> u64 {
        for _ in 0..BURST {
            let Some((load, rhythm)) = earliest(&mut self.rhythms) else {
                break;
            };
            let due = rhythm.due();
            if due > time || due >= self.end {
                return due;
            }
            let turn = rhythm.place.turn(rhythm.next);
            rhythm.next += 1;
            let is_measured = due >= self.window;
            fleet.publish(load, &turn, due, is_measured);
            self.published[load] += 1;
            if is_measured {
                self.lag.record(due, now());
            }
        }
        time
    }

    fn is_far_behind(&self, fleet: &Fleet, time: u64) -> bool {
        let per_s: f64 = self.loads.iter().map(Load::deliveries_per_s).sum();
        let pairs = self.published.iter().zip(self.loads);
        let expected: u64 = pairs
            .map(|(ops, load)| ops * u64::from(load.subscribers))
            .sum();
        let behind = expected.saturating_sub(fleet.tally().deliveries) as f64;
        time > self.begun + SECOND && behind > per_s * BEHIND_S && behind > BEHIND_MIN
    }

    /// Waits for what is outstanding.
    fn drain(&self, fleet: &mut Fleet, was_given_up: bool) {
        let end = now() + from_seconds(fleet.drain_s);
        while !was_given_up && now() < end && fleet.gone() == 0 && !self.is_complete(fleet) {
            fleet.poll(SECOND / 1_000);
        }
    }

    fn is_complete(&self, fleet: &Fleet) -> bool {
        let tally = fleet.tally();
        let mut pairs = tally.loads.iter().zip(self.loads);
        let all_came = pairs
            .all(|(tally, load)| tally.received >= tally.published * u64::from(load.subscribers));
        all_came && (!fleet.tells_durable() || tally.durable >= tally.measured())
    }

    fn report(
        &self,
        fleet: &Fleet,
        first: &Sample,
        last: &Sample,
        was_given_up: bool,
    ) -> StepReport {
        let tally = fleet.tally();
        let loads: Vec<LoadReport> = (0..self.loads.len())
            .map(|at| self.load_report(fleet, at))
            .collect();
        let durable = fleet.tells_durable().then(|| DurableReport {
            commands: tally.durable,
            missing: tally.measured() - tally.durable,
            latency_ms: tally.durable_latency.percentiles(),
        });
        let took = seconds(last.at - first.at).max(1e-9);
        let percent = |cpu_s: f64| cpu_s / took * 100.0;
        let deliveries = (last.deliveries - first.deliveries) as f64;
        let each = |what: f64| what / deliveries.max(1.0);
        let frames = (last.frames - first.frames).max(1) as f64;
        let cpu_s = last.server.all_s - first.server.all_s;
        let server_core_percent = percent(last.server_core_s - first.server_core_s);
        let generator_core_percent = percent(last.generator_core_s - first.generator_core_s);
        let generator_cpu_percent = percent(last.own_s - first.own_s);
        let is_contended = server_core_percent - percent(cpu_s) > SERVER_CORE_SLACK
            || generator_core_percent - generator_cpu_percent > GENERATOR_CORE_SLACK;
        let mut report = StepReport {
            rate: self.loads.iter().map(|load| load.rate).sum(),
            is_ok: false,
            faults: Vec::new(),
            seconds: took,
            loads,
            durable,
            refused: tally.refused,
            disconnected: fleet.gone(),
            deliveries_per_s: deliveries / took,
            operations_per_frame: deliveries / frames,
            wire_bytes_per_delivery: each((last.bytes - first.bytes) as f64),
            cpu_us_per_delivery: each(cpu_s * 1e6),
            cpu_us_per_frame: cpu_s * 1e6 / frames,
            kernel_us_per_delivery: each((last.server.kernel_s - first.server.kernel_s) * 1e6),
            server_cpu_percent: percent(cpu_s),
            server_core_percent,
            generator_cpu_percent,
            generator_core_percent,
            generator_lag_p99_ms: self.lag.percentiles().p99,
            resident_peak_kb: self.resident_peak_kb,
            generator_is_full: generator_cpu_percent > GENERATOR_FULL,
            is_contended,
        };
        report.faults = faults(&report, was_given_up, fleet.objective_ms);
        report.is_ok = report.faults.is_empty();
        report
    }

    fn load_report(&self, fleet: &Fleet, at: usize) -> LoadReport {
        let load = &self.loads[at];
        let tally = &fleet.tally().loads[at];
        let (lost, duplicate) = fleet.tally().missing_and_duplicate(at, load.subscribers);
        LoadReport {
            load: load.to_string(),
            published: tally.published,
            expected: tally.published * u64::from(load.subscribers),
            received: tally.received,
            lost,
            duplicate,
            latency_ms: tally.latency.percentiles(),
        }
    }
}

fn earliest(rhythms: &mut [Rhythm]) -> Option<(usize, &mut Rhythm)> {
    rhythms
        .iter_mut()
        .enumerate()
        .min_by_key(|(_, rhythm)| rhythm.due())
}

/// What keeps a step from being a success.
fn faults(report: &StepReport, was_given_up: bool, objective_ms: f64) -> Vec<String> {
    let lost: u64 = report.loads.iter().map(|load| load.lost).sum();
    let duplicate: u64 = report.loads.iter().map(|load| load.duplicate).sum();
    let p99 = report
        .loads
        .iter()
        .map(|load| load.latency_ms.p99)
        .fold(0.0, f64::max);
    let undurable = report.durable.as_ref().map_or(0, |durable| durable.missing);
    let counts = [
        (lost, "deliveries lost"),
        (duplicate, "deliveries twice"),
        (undurable, "commands not told to be durable"),
        (report.refused, "commands turned away"),
        (report.disconnected as u64, "connections lost"),
    ];
    let counted = counts.iter().filter(|(count, _)| *count > 0);
    let mut faults: Vec<String> = counted
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if was_given_up {
        faults.push("given up".to_owned());
    }
    if p99 >= objective_ms {
        faults.push(format!("p99 {p99} ms"));
    }
    faults
}
