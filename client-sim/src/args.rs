//! Arguments of `boardcast-sim`.

use std::path::PathBuf;
use std::time::Duration;

use boardcast_protocol::limits::COLUMNS_MAX;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::compare::Threshold;
use crate::fault::FaultKind;
use crate::link::{Codec, Server};
use crate::workload::FILL_COLUMNS;

/// Simulates clients of a Boardcast server that verify what they receive.
///
/// Exits with 0 when all promises were kept, 1 on any violation or failure, 2 on wrong usage.
///
/// Testing: `--plant-fault gap|duplicate|reorder|diverge|unanswered` makes the first client lose,
/// repeat, swap or alter one batch, or lose one answer, to prove that the run then fails.
#[derive(Debug, Parser)]
#[command(name = "boardcast-sim", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Clients on new boards carry out a seeded mix of commands at a fixed rate.
    Run(RunArgs),
    /// Replays the history of a real board: a Trello export, or a JSONL trace.
    Replay(ReplayArgs),
    /// Plays a scenario: a TOML file that says what a fleet does.
    Scenario(ScenarioArgs),
    /// Compares two reports: ratios of the second to the first.
    ///
    /// Exits with 1 where a ratio passes a threshold that was given for it.
    Compare(CompareArgs),
}

/// What all programs that drive a server take.
#[derive(Clone, Debug, Args)]
pub struct Basics {
    /// The server, like http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub server: Server,
    /// A file with a token a line; the first one makes the boards.
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// Writes the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Writes a line for each command that is answered durable.
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Prints the report as JSON instead of a summary.
    #[arg(long)]
    pub json: bool,
    /// How frames are coded.
    #[arg(long, value_enum, default_value_t)]
    pub codec: Codec,
    /// All choices come from this number; processes beside each other need different ones.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Connects from 127.0.0.1 to 127.0.0.N in turn, for more clients than one address has ports.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=254))]
    pub source_addresses: u8,
    /// A server on this machine whose CPU and memory are reported.
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,
}

/// What `run` and `replay` take, and a scenario says in its file.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// What all programs take.
    #[command(flatten)]
    pub basics: Basics,
    /// Connections that are opened a second.
    #[arg(long, alias = "connects-per-s", value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub ramp: u32,
    /// Longest wait at the end for outstanding answers.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub settle: Duration,
    /// Which clients keep a whole view.
    #[arg(long, value_enum, default_value_t)]
    pub replicas: Replicas,
    /// Plants a fault.
    #[arg(long, value_enum, hide = true)]
    pub plant_fault: Option<FaultKind>,
}

/// Which clients keep a whole view; the others follow positions and share a record of contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Replicas {
    /// All, while clients times cards of a board are at most 2,000,000, else a sample.
    #[default]
    Auto,
    /// All.
    All,
    /// One of each board, and at least 20.
    Sample,
}

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What both take.
    #[command(flatten)]
    pub common: Common,
    /// Clients; client i is on board i mod B with token i mod T.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = count)]
    pub clients: usize,
    /// Boards, made for this run.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count)]
    pub boards: usize,
    /// Commands a second in all; command i is due at i / rate, whatever the server does.
    #[arg(long, value_name = "R", default_value_t = 10.0, value_parser = rate)]
    pub rate: f64,
    /// How long commands are sent.
    #[arg(long, default_value = "20s", value_parser = duration)]
    pub duration: Duration,
    /// Share of clients that come and go.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub churn: f64,
    /// Cards in all to begin with; a board gets at least five.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub cards: usize,
    /// Columns of each board to begin with.
    #[arg(long, value_name = "N", default_value_t = FILL_COLUMNS, value_parser = columns)]
    pub columns: usize,
    /// Writes a page with plots to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Arguments of `scenario`.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArgs {
    /// What all programs take.
    #[command(flatten)]
    pub basics: Basics,
    /// The scenario, a TOML file.
    pub file: PathBuf,
    /// Multiplies clients, boards and rates.
    #[arg(long, default_value_t = 1.0, value_parser = factor)]
    pub scale: f64,
    /// How long commands are sent, instead of what the file says; all pauses change as much.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Connections that are opened a second at the beginning, instead of what the file says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub connects_per_s: Option<u32>,
    /// Writes a page with plots to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Arguments of `compare`.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// The report to compare with.
    pub a: PathBuf,
    /// The report whose figures are divided by those of the other.
    pub b: PathBuf,
    /// Fails where a figure of B is above R times that of A, such as p99=1.25.
    #[arg(long, value_name = "NAME=R")]
    pub max_ratio: Vec<Threshold>,
    /// Fails where a figure of B is below R times that of A, such as deliveries_per_s=0.9.
    #[arg(long, value_name = "NAME=R")]
    pub min_ratio: Vec<Threshold>,
    /// Prints the comparison as JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// What both take.
    #[command(flatten)]
    pub common: Common,
    /// A Trello export (.json) or a trace with an action a line, oldest first (.jsonl).
    pub file: PathBuf,
    /// How much faster than it happened.
    #[arg(long, default_value_t = 50.0, value_parser = rate)]
    pub speed: f64,
    /// Longest pause between two actions.
    #[arg(long, default_value = "100ms", value_parser = duration)]
    pub max_gap: Duration,
    /// Clients that only watch and verify.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub watchers: usize,
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a count is 1 or more".into()),
        Ok(count) => Ok(count),
    }
}

fn columns(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|columns| (1..=COLUMNS_MAX).contains(columns))
        .ok_or_else(|| format!("a number from 1 to {COLUMNS_MAX}"))
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate >= 0.0)
        .ok_or_else(|| "a number that is not negative".into())
}

fn factor(text: &str) -> Result<f64, String> {
    rate(text)
        .ok()
        .filter(|factor| *factor > 0.0 && *factor <= 1_000.0)
        .ok_or_else(|| "a number above 0, at most 1000".into())
}

fn seconds(text: &str) -> Result<f64, String> {
    rate(text)
        .ok()
        .filter(|seconds| (0.1..=604_800.0).contains(seconds))
        .ok_or_else(|| "a number of seconds from 0.1 to 604800".into())
}

fn share(text: &str) -> Result<f64, String> {
    rate(text)
        .ok()
        .filter(|share| *share <= 1.0)
        .ok_or_else(|| "a share is between 0 and 1".into())
}

/// Reads `20s`, `100ms`, `5m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1.0,
        "s" | "" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err("a duration is like 100ms, 20s, 5m or 1h".into()),
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| "a duration is like 100ms, 20s, 5m or 1h".to_owned())?;
    Duration::try_from_secs_f64(number * unit_ms / 1_000.0).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(duration("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for bad in ["", "s", "1d", "-1s", "1e400s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_flags_of_the_contract_are_taken() {
        let line = "boardcast-sim run --server http://x:1 --token-file t --clients 1 --boards 1 \
                    --rate 10 --duration 20s --seed 7 --report r --ledger l --churn 0.1";
        assert!(Arguments::try_parse_from(line.split_whitespace()).is_ok());
        let line = "boardcast-sim replay f --server http://x:1 --token-file t --speed 50 \
                    --max-gap 100ms --watchers 200 --report r";
        assert!(Arguments::try_parse_from(line.split_whitespace()).is_ok());
    }
}
