//! `boardcast-sim compare A B`: what the figures of one report are to those of another.

use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;

use crate::args::CompareArgs;

#[cfg(test)]
mod tests;

/// The figures that are compared: a name, and where it stands in a report.
const FIGURES: [(&str, &str); 30] = [
    ("p50", "/latency_ms/p50"),
    ("p90", "/latency_ms/p90"),
    ("p99", "/latency_ms/p99"),
    ("p999", "/latency_ms/p999"),
    ("max", "/latency_ms/max"),
    ("echo_p50", "/echo_ms/p50"),
    ("echo_p90", "/echo_ms/p90"),
    ("echo_p99", "/echo_ms/p99"),
    ("echo_p999", "/echo_ms/p999"),
    ("echo_max", "/echo_ms/max"),
    ("durable_p50", "/durable_ms/p50"),
    ("durable_p90", "/durable_ms/p90"),
    ("durable_p99", "/durable_ms/p99"),
    ("durable_p999", "/durable_ms/p999"),
    ("durable_max", "/durable_ms/max"),
    ("join_p50", "/join_ms/p50"),
    ("join_p90", "/join_ms/p90"),
    ("join_p99", "/join_ms/p99"),
    ("join_p999", "/join_ms/p999"),
    ("join_max", "/join_ms/max"),
    ("deliveries", "/deliveries/received"),
    ("deliveries_per_s", "/deliveries_per_s"),
    ("durable", "/commands/durable"),
    ("held_back", "/commands/held_back"),
    ("violations", "/violations/total"),
    ("cpu_seconds", "/server/cpu_seconds"),
    ("cpu_us_per_delivery", "/cpu_us_per_delivery"),
    ("rss_bytes", "/server/rss_bytes"),
    ("rss_peak_bytes", "/server/rss_peak_bytes"),
    ("bytes_received", "/bytes/received"),
];

/// A bound on the ratio of one figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    name: String,
    ratio: f64,
}

/// Why a text is no threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Not of the form.
    #[error("a threshold is a figure and a ratio that is not negative, like p99=1.25")]
    Form,
    /// A figure that is not compared.
    #[error("`{0}` is no figure; there are {known}", known = names())]
    Name(String),
}

fn names() -> String {
    FIGURES.map(|(name, _)| name).join(", ")
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let (name, ratio) = text.split_once('=').ok_or(ThresholdError::Form)?;
        if FIGURES.iter().all(|(known, _)| *known != name) {
            return Err(ThresholdError::Name(name.to_owned()));
        }
        let ratio: f64 = ratio.parse().map_err(|_| ThresholdError::Form)?;
        if !ratio.is_finite() || ratio < 0.0 {
            return Err(ThresholdError::Form);
        }
        let name = name.to_owned();
        Ok(Self { name, ratio })
    }
}

/// One figure of both reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    name: &'static str,
    a: f64,
    b: f64,
    /// `b / a`; `None` where `a` is 0 and `b` is not. 1 where both are.
    ratio: Option<f64>,
    /// The thresholds that it passes.
    passes: Vec<String>,
}

/// What the figures of one report are to those of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    rows: Vec<Row>,
    /// What makes the ratios worth less: reports of different scenarios, broken promises.
    pub warnings: Vec<String>,
}

/// Reads both reports and compares them.
///
/// # Errors
/// A file cannot be read or is no report, or a threshold is on a figure that one of them lacks.
pub fn compare(args: &CompareArgs) -> anyhow::Result<Comparison> {
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    Comparison::new(&a, &b, &args.max_ratio, &args.min_ratio)
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read the report {}", path.display()))?;
    let report: Value = serde_json::from_str(&text)
        .with_context(|| format!("{} is no report: it is not JSON", path.display()))?;
    if report.pointer("/latency_ms/p99").is_none() {
        bail!(
            "{} is no report: write one with `--report FILE` of `boardcast-sim`",
            path.display()
        );
    }
    Ok(report)
}

impl Comparison {
    fn new(a: &Value, b: &Value, most: &[Threshold], least: &[Threshold]) -> anyhow::Result<Self> {
        let mut rows = Vec::new();
        for (name, pointer) in FIGURES {
            let mut of_figure = most.iter().chain(least).filter(|t| t.name == name);
            let Some((a, b)) = figure(a, pointer).zip(figure(b, pointer)) else {
                if of_figure.next().is_some() {
                    bail!(
                        "there is a threshold on {name}, and not both reports have it: \
                         figures of the server need `--server-pid`, others that something was \
                         measured"
                    );
                }
                continue;
            };
            let ratio = ratio(a, b);
            let above = |t: &&Threshold| t.name == name && ratio.is_none_or(|r| r > t.ratio);
            let below = |t: &&Threshold| t.name == name && ratio.is_some_and(|r| r < t.ratio);
            let above = most.iter().filter(above);
            let below = least.iter().filter(below);
            let passes = above
                .map(|t| format!("above {}", t.ratio))
                .chain(below.map(|t| format!("below {}", t.ratio)))
                .collect();
            rows.push(Row {
                name,
                a,
                b,
                ratio,
                passes,
            });
        }
        let warnings = warnings(a, b);
        Ok(Self { rows, warnings })
    }

    /// Whether no threshold is passed.
    pub fn is_within(&self) -> bool {
        self.rows.iter().all(|row| row.passes.is_empty())
    }

    /// The comparison for people: a line for each figure.
    pub fn table(&self) -> String {
        let mut text = format!("{:<20} {:>16} {:>16} {:>8}\n", "figure", "A", "B", "B / A");
        for row in &self.rows {
            let ratio = match row.ratio {
                Some(ratio) => format!("{ratio:.3}"),
                None => "from 0".into(),
            };
            let (a, b) = (number(row.a), number(row.b));
            let _ = write!(text, "{:<20} {a:>16} {b:>16} {ratio:>8}", row.name);
            for passed in &row.passes {
                let _ = write!(text, "  {passed}");
            }
            text.push('\n');
        }
        text
    }

    /// The comparison for machines.
    ///
    /// # Errors
    /// Never: all its keys are strings.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

/// The figure of a report; `None` where it has none, or where it is a percentile of nothing.
fn figure(report: &Value, pointer: &str) -> Option<f64> {
    let number = report.pointer(pointer)?.as_f64()?;
    let (of, _) = pointer.rsplit_once('/')?;
    let count = report.pointer(&format!("{of}/count"));
    (count.and_then(Value::as_u64) != Some(0)).then_some(number)
}

fn ratio(a: f64, b: f64) -> Option<f64> {
    if a == b {
        return Some(1.0);
    }
    (a != 0.0).then(|| b / a)
}

fn number(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.3}")
    }
}

/// What makes the ratios worth less.
fn warnings(a: &Value, b: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for (what, pointer) in [
        ("scenarios", "/scenario/name"),
        ("scales", "/scenario/scale"),
        ("numbers of clients", "/clients"),
        ("numbers of boards", "/boards"),
        ("seconds of commands", "/seconds"),
    ] {
        let (of_a, of_b) = (a.pointer(pointer), b.pointer(pointer));
        if of_a != of_b {
            let show = |value: Option<&Value>| value.map_or("none".into(), Value::to_string);
            let (of_a, of_b) = (show(of_a), show(of_b));
            warnings.push(format!(
                "the reports have different {what}: {of_a} in A, {of_b} in B"
            ));
        }
    }
    for (name, report) in [("A", a), ("B", b)] {
        let total = report.pointer("/violations/total").and_then(Value::as_u64);
        if let Some(total @ 1..) = total {
            warnings.push(format!("{name} has {total} violations"));
        }
    }
    warnings
}
