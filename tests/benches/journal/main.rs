//! Durable throughput of the journal, beside a bare SQLite loop that writes the same rows in the
//! same groups (`make bench-journal`).
//!
//! At a rate: submits come at intended times, go through rooms and journal, and count as durable
//! when the author's connection is told. As fast as it goes: through rooms and journal, and through
//! the journal alone. After each of these runs the bare loop writes what the run has written, with
//! the same SQLite, settings and disk.

mod alone;
mod bare;
mod clients;
mod content;
mod report;
mod trace;
mod workload;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use boardcast_protocol::ids::BoardId;
use clap::Parser;
use serde::Serialize;
use tempfile::TempDir;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clients::Fleet;
use crate::content::Content;
use crate::report::{Full, Paced, Spread, Times, Work};
use crate::trace::Trace;

/// Submits of each board on the way when it goes as fast as it can: fewer than the journal holds.
const WINDOW: usize = 32;

#[derive(Debug, Parser)]
struct Options {
    /// Submits a second, one run for each
    #[arg(long, value_delimiter = ',', default_values_t = [20_000, 50_000])]
    rates: Vec<u64>,
    /// Seconds of each run at a rate
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds of each run as fast as it goes
    #[arg(long, default_value_t = 4)]
    full_seconds: u64,
    /// Repetitions of everything
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[arg(long, default_value_t = 500)]
    boards: usize,
    /// Cards of each board
    #[arg(long, default_value_t = 12)]
    cards: u32,
    /// Where the databases are made; a temporary directory beside the build if absent
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    boards: usize,
    cards: usize,
    load_before: String,
    load_after: String,
    paced: Vec<Paced>,
    full: Vec<Full>,
}

struct Bench {
    options: Options,
    furnished: PathBuf,
    scratch: PathBuf,
    boards: Vec<BoardId>,
    /// Versions that furnishing made: one a board.
    versions_before: u64,
    trace: Trace,
    report: Report,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let trace = Trace::default();
    let recorded = Targets::new().with_target(trace::TARGET, LevelFilter::TRACE);
    let warnings = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(LevelFilter::WARN);
    tracing_subscriber::registry()
        .with(trace.clone().with_filter(recorded))
        .with(warnings)
        .init();
    let made = match &options.dir {
        Some(dir) => TempDir::new_in(dir),
        None => TempDir::new_in(env!("CARGO_TARGET_TMPDIR")),
    };
    let home = made.context("failed to make a directory for the databases")?;
    let mut bench = Bench::prepare(options, home.path(), trace)?;
    for round in 1..=bench.options.rounds {
        bench.say(&format!("round {round}"));
        bench.round()?;
    }
    bench.report.load_after = load();
    bench.finish()
}

/// The processes that wanted to run in the last 1, 5 and 15 minutes.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.context("failed to start a runtime")
}

impl Bench {
    fn prepare(options: Options, home: &Path, trace: Trace) -> anyhow::Result<Self> {
        let furnished = home.join("furnished");
        let made = workload::furnish(&furnished, options.boards, options.cards);
        let boards = runtime()?.block_on(made)?;
        trace.take();
        let report = Report {
            boards: boards.len(),
            cards: boards.len() * options.cards as usize,
            load_before: load(),
            ..Report::default()
        };
        let bench = Self {
            scratch: home.join("run"),
            furnished,
            versions_before: boards.len() as u64,
            boards,
            trace,
            report,
            options,
        };
        bench.say(&format!(
            "{} boards, {} cards, load {}",
            bench.report.boards, bench.report.cards, bench.report.load_before
        ));
        Ok(bench)
    }

    fn say(&self, line: &str) {
        if self.options.json {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }

    /// A fresh copy of the furnished boards.
    fn fresh(&self) -> anyhow::Result<PathBuf> {
        if self.scratch.exists() {
            std::fs::remove_dir_all(&self.scratch)?;
        }
        std::fs::create_dir(&self.scratch)?;
        std::fs::copy(
            self.furnished.join("boardcast.db"),
            self.scratch.join("boardcast.db"),
        )?;
        Ok(self.scratch.clone())
    }

    fn round(&mut self) -> anyhow::Result<()> {
        for rate in self.options.rates.clone() {
            let paced = self.paced(rate)?;
            self.say(&format!(
                "  {rate}/s: {} of {} durable, {} refused, {}\n{}",
                paced.durable, paced.sent, paced.refused, paced.submit_to_durable_ms, paced.work
            ));
            self.report.paced.push(paced);
        }
        if self.options.full_seconds == 0 {
            return Ok(());
        }
        let content = self.full_rooms()?;
        self.full_alone(&content)
    }

    fn paced(&self, rate: u64) -> anyhow::Result<Paced> {
        let dir = self.fresh()?;
        let time = Duration::from_secs(self.options.seconds);
        let cards = self.options.cards;
        let runtime = runtime()?;
        runtime.block_on(async {
            let (storage, rooms) = workload::open(&dir).await?;
            let fleet = Arc::new(Fleet::open(&rooms, &self.boards, "paced").await?);
            self.trace.take();
            let load = Arc::clone(&fleet);
            let driver = std::thread::spawn(move || load.open_loop(rate, time, cards));
            while !driver.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            driver
                .join()
                .map_err(|_| anyhow::anyhow!("the driver panicked"))??;
            fleet.settled().await;
            let paced = Paced {
                rate,
                sent: fleet.sent(),
                durable: fleet.durable(),
                refused: fleet.refused(),
                submit_to_durable_ms: Times::of(&fleet.latency_us()),
                work: Work::of(&self.trace.take()),
            };
            rooms.stop().await;
            storage.close().await?;
            anyhow::Ok(paced)
        })
    }

    /// Through rooms and journal, then the bare loop; what was written.
    fn full_rooms(&mut self) -> anyhow::Result<Content> {
        let dir = self.fresh()?;
        let time = Duration::from_secs(self.options.full_seconds);
        let versions_per_second = runtime()?.block_on(async {
            let (storage, rooms) = workload::open(&dir).await?;
            let fleet = Fleet::open(&rooms, &self.boards, "full").await?;
            self.trace.take();
            let began = std::time::Instant::now();
            fleet.closed_loop(WINDOW, time, self.options.cards).await?;
            fleet.settled().await;
            anyhow::ensure!(fleet.refused() == 0, "a submit was refused");
            // Rows are written a second later; they count as well.
            while storage.status().queued_rows_bytes > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let rate = fleet.durable() as f64 / began.elapsed().as_secs_f64();
            rooms.stop().await;
            storage.close().await?;
            anyhow::Ok(rate)
        })?;
        let (content, full) = self.compare("rooms and journal", versions_per_second)?;
        self.report.full.push(full);
        Ok(content)
    }

    /// Through the journal alone, then the bare loop.
    fn full_alone(&mut self, content: &Content) -> anyhow::Result<()> {
        let dir = self.fresh()?;
        self.trace.take();
        let time = runtime()?.block_on(alone::run(&dir, content))?;
        let rate = content.versions.len() as f64 / time.as_secs_f64();
        let (_, full) = self.compare("journal alone", rate)?;
        self.report.full.push(full);
        Ok(())
    }

    /// The bare loop over what the last run has written.
    fn compare(&self, path: &'static str, rate: f64) -> anyhow::Result<(Content, Full)> {
        let steps = self.trace.take();
        let database = self.scratch.join("boardcast.db");
        let content = Content::read(&database, &steps, self.versions_before)?;
        let bare = bare::run(&self.fresh()?.join("boardcast.db"), &content)?;
        let bare_rate = content.versions.len() as f64 / bare.time.as_secs_f64();
        let full = Full {
            path,
            versions: content.versions.len(),
            rows: content.row_count(),
            versions_per_second: rate,
            bare_versions_per_second: bare_rate,
            ratio: rate / bare_rate,
            bare_commit_ms: Times::of_each(bare.group_us),
            work: Work::of(&steps),
        };
        self.say(&format!(
            "  {path}: {} versions, {} rows, {rate:.0} versions/s; bare loop {bare_rate:.0}; \
             ratio {:.2}\n{}\n    bare groups  {}",
            full.versions, full.rows, full.ratio, full.work, full.bare_commit_ms
        ));
        Ok((content, full))
    }

    fn finish(&self) -> anyhow::Result<()> {
        if self.options.json {
            println!("{}", serde_json::to_string_pretty(&self.report)?);
            return Ok(());
        }
        println!(
            "medians of {} rounds, load {} before and {} after",
            self.options.rounds, self.report.load_before, self.report.load_after
        );
        for rate in &self.options.rates {
            let runs = || self.report.paced.iter().filter(|run| run.rate == *rate);
            println!(
                "  {rate}/s: p50 {} ms, p99 {} ms, refused {}",
                Spread::of(runs().map(|run| run.submit_to_durable_ms.p50)),
                Spread::of(runs().map(|run| run.submit_to_durable_ms.p99)),
                runs().map(|run| run.refused).sum::<u64>(),
            );
        }
        for path in ["rooms and journal", "journal alone"] {
            let runs = || self.report.full.iter().filter(|run| run.path == path);
            println!(
                "  {path}: {} versions/s, bare loop {}, ratio {}",
                Spread::of(runs().map(|run| run.versions_per_second)),
                Spread::of(runs().map(|run| run.bare_versions_per_second)),
                Spread::of(runs().map(|run| run.ratio)),
            );
        }
        Ok(())
    }
}
