//! How long it takes from the start of the server to its first answer, and to open a large board,
//! on a database of 1,000 boards and 1 GB (`make bench-start`).
//!
//! The database is made once and copied for each measurement. After a clean stop; after a kill in
//! the middle of writing, with a write-ahead log to recover; each with the file in the page cache
//! and without.

mod fill;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use boardcast::storage::{Append, Refusal, Storage, StorageOptions};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::{Timestamp, Version};
use boardcast_tests::client::TestClient;
use clap::Parser;
use serde::Serialize;

use crate::fill::{Filled, Size, fill, user};

#[derive(Debug, Parser)]
struct Options {
    /// The `boardcast` to measure
    #[arg(long)]
    server: PathBuf,
    #[arg(long, default_value_t = 1_000)]
    boards: usize,
    /// Cards of each board but one
    #[arg(long, default_value_t = 230)]
    cards: usize,
    /// Cards of the board that is opened
    #[arg(long, default_value_t = 4_000)]
    large: usize,
    /// Bytes of each card's description
    #[arg(long, default_value_t = 1_500)]
    text_bytes: usize,
    /// Repetitions
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Writes to this folder until it is killed: the other end of the measurement of a crash
    #[arg(long, hide = true)]
    write_until_killed: Option<PathBuf>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// One kind of start.
#[derive(Debug, Serialize)]
struct Start {
    after: &'static str,
    in_page_cache: bool,
    wal_bytes: u64,
    listening_ms: Times,
    first_snapshot_ms: Times,
}

/// Opening the large board in a running process, again and again.
#[derive(Debug, Serialize)]
struct Opening {
    cards: usize,
    in_page_cache: bool,
    ms: Times,
}

#[derive(Debug, Serialize)]
struct Report {
    boards: usize,
    database_bytes: u64,
    starts: Vec<Start>,
    openings: Vec<Opening>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Times {
    min: f64,
    p50: f64,
    max: f64,
}

impl Times {
    fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut ms: Vec<_> = times
            .into_iter()
            .map(|time| time.as_secs_f64() * 1_000.0)
            .collect();
        ms.sort_by(f64::total_cmp);
        let at = |n: usize| ms.get(n).copied().unwrap_or_default();
        Self {
            min: at(0),
            p50: at(ms.len() / 2),
            max: at(ms.len().saturating_sub(1)),
        }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50 {:.1} ms ({:.1} to {:.1})",
            self.p50, self.min, self.max
        )
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if let Some(dir) = &options.write_until_killed {
        return runtime.block_on(write_until_killed(dir));
    }
    runtime.block_on(measure(&options))
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-start");
    let size = Size {
        boards: options.boards,
        cards: options.cards,
        large: options.large,
        text_bytes: options.text_bytes,
    };
    let filled = fill(&home, size).await?;
    let scratch = home.join("run");
    let mut report = Report {
        boards: options.boards,
        database_bytes: filled.bytes,
        starts: Vec::new(),
        openings: Vec::new(),
    };
    say(
        options,
        &format!(
            "{} boards, {} MB",
            report.boards,
            report.database_bytes / 1_000_000
        ),
    );
    for killed in [false, true] {
        for cached in [true, false] {
            let mut times = Vec::new();
            let mut wal_bytes = 0;
            for _ in 0..options.rounds {
                copy(&filled, &scratch)?;
                if killed {
                    kill_while_writing(&scratch)?;
                }
                wal_bytes = prepare_cache(&scratch, cached)?;
                times.push(start(&options.server, &scratch, filled.large).await?);
            }
            let start = Start {
                after: if killed { "kill" } else { "clean stop" },
                in_page_cache: cached,
                wal_bytes,
                listening_ms: Times::of(times.iter().map(|(listening, _)| *listening)),
                first_snapshot_ms: Times::of(times.iter().map(|(_, snapshot)| *snapshot)),
            };
            say(
                options,
                &format!(
                    "after a {}, {}, log of {} MiB: listening {}, first snapshot {}",
                    start.after,
                    if cached { "in page cache" } else { "from disk" },
                    wal_bytes >> 20,
                    start.listening_ms,
                    start.first_snapshot_ms
                ),
            );
            report.starts.push(start);
        }
    }
    for cached in [true, false] {
        let opening = open_again_and_again(options, &filled, &scratch, cached).await?;
        say(
            options,
            &format!(
                "opening a board of {} cards, {}: {}",
                opening.cards,
                if cached { "in page cache" } else { "from disk" },
                opening.ms
            ),
        );
        report.openings.push(opening);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    std::fs::remove_dir_all(&scratch)?;
    Ok(())
}

fn say(options: &Options, line: &str) {
    if options.json {
        eprintln!("{line}");
    } else {
        println!("{line}");
    }
}

fn copy(filled: &Filled, scratch: &Path) -> anyhow::Result<()> {
    if scratch.exists() {
        std::fs::remove_dir_all(scratch)?;
    }
    std::fs::create_dir_all(scratch)?;
    let database = scratch.join("boardcast.db");
    std::fs::copy(filled.dir.join("boardcast.db"), &database)?;
    File::open(&database)?.sync_all()?;
    Ok(())
}

/// Lets a process of its own write for two seconds and kills it.
fn kill_while_writing(dir: &Path) -> anyhow::Result<()> {
    let mut writer = Command::new(std::env::current_exe()?)
        .args(["--server", "none", "--write-until-killed"])
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = writer.stdout.take().context("standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    ensure!(line.trim() == "writing", "the writer did not start");
    std::thread::sleep(Duration::from_secs(2));
    writer.kill()?;
    writer.wait()?;
    Ok(())
}

/// Appends to a board of its own, as fast as the journal takes it.
async fn write_until_killed(dir: &Path) -> anyhow::Result<()> {
    let storage = Storage::open(StorageOptions::new(dir)).await?;
    let board = storage.create_board("Written", None, Timestamp(0)).await?;
    let (_, journal) = storage
        .open_board(board, Timestamp(0))
        .await?
        .context("the board that was made")?;
    println!("writing");
    let events = format!(
        r#"[{{"type":"board.set","title":"{}"}}]"#,
        "never mind ".repeat(100)
    );
    let mut version = Version(0);
    loop {
        match journal.reserve() {
            Ok(slot) => {
                version = version.next();
                slot.append(Append {
                    version,
                    origin: None,
                    by: user(),
                    at: Timestamp(version.0),
                    events: events.clone().into(),
                    was: "[]".into(),
                });
            }
            Err(Refusal::Busy) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(Refusal::Unavailable) => anyhow::bail!("the journal has failed"),
        }
    }
}

/// Reads the files, or has the kernel drop what it holds of them; the size of the log. Other
/// processes do it: to close a file here would drop the locks of a database that is open.
fn prepare_cache(dir: &Path, cached: bool) -> anyhow::Result<u64> {
    let mut wal_bytes = 0;
    for name in ["boardcast.db", "boardcast.db-wal"] {
        let path = dir.join(name);
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        if name.ends_with("wal") {
            wal_bytes = metadata.len();
        }
        let mut dd = Command::new("dd");
        dd.arg(format!("if={}", path.display()))
            .args(["status=none", "bs=1M", "of=/dev/null"]);
        if !cached {
            // With a count of zero it asks the kernel to drop the whole file.
            dd.args(["iflag=nocache", "count=0"]);
        }
        ensure!(dd.status()?.success(), "dd failed");
    }
    Ok(wal_bytes)
}

/// From the start of the process to its line on standard error, and to a snapshot.
async fn start(server: &Path, dir: &Path, board: BoardId) -> anyhow::Result<(Duration, Duration)> {
    let token = Command::new(server)
        .args(["token", "--user", user().as_str(), "--data-dir"])
        .arg(dir)
        .output()?;
    let token = String::from_utf8(token.stdout)?;
    let began = Instant::now();
    let mut child = Command::new(server)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir)
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start the server")?;
    let stderr = child.stderr.take().context("standard error")?;
    let mut lines = BufReader::new(stderr).lines();
    let address: SocketAddr = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("listening on http://")?.to_owned()))
        .context("the server did not get ready")?
        .parse()?;
    let listening = began.elapsed();
    std::thread::spawn(move || lines.for_each(drop));
    let mut client = TestClient::connect(address, Some(token.trim())).await;
    client.hello(None).await;
    let joined = client.subscribe(board, None).await;
    let snapshot = began.elapsed();
    ensure!(joined.view.is_some(), "no snapshot came");
    stop(child)?;
    Ok((listening, snapshot))
}

fn stop(mut child: Child) -> anyhow::Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

async fn open_again_and_again(
    options: &Options,
    filled: &Filled,
    scratch: &Path,
    cached: bool,
) -> anyhow::Result<Opening> {
    copy(filled, scratch)?;
    let storage = Storage::open(StorageOptions::new(scratch)).await?;
    let mut times = Vec::new();
    let mut cards = 0;
    for _ in 0..options.rounds * 3 {
        prepare_cache(scratch, cached)?;
        let began = Instant::now();
        let opened = storage.open_board(filled.large, Timestamp(0)).await?;
        times.push(began.elapsed());
        let (loaded, journal) = opened.context("no such board")?;
        cards = loaded.board.view().cards.len();
        journal.close().await?;
    }
    ensure!(cards == options.large, "the board has {cards} cards");
    storage.close().await?;
    Ok(Opening {
        cards,
        in_page_cache: cached,
        ms: Times::of(times),
    })
}
