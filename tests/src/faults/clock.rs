//! The wall clock of the server jumps by hours, forth and back, while a fleet works.
//!
//! `libfaketime` changes what the server reads from the wall clock; the monotonic clock, by which
//! it measures time-outs, goes on as ever, as it does when a real clock is set.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{Connection, SqliteConnection};

use super::args::ClockArgs;
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::health::ask;
use super::ledger::Ledger;
use super::outcome::Outcome;
use super::server::Server;
use super::site::Site;

/// Farthest jump from the true time, in hours; tokens are valid for a month.
const JUMP_HOURS: i64 = 12;
/// Commands that become durable between two jumps.
const WORK: usize = 30;
/// Longest wait for them.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where Debian keeps the library, below the folder of the machine's architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &ClockArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("clock", seed);
    let Some(library) = library() else {
        let why = format!("{LIBRARY} is not installed (Debian package faketime)");
        return Ok(Outcome::skipped("clock", seed, why));
    };
    let mut rng = StdRng::seed_from_u64(seed);
    let site = Site::new(binaries)?;
    let clock = site.path("clock");
    // Tokens are as old as the farthest jump back: one from the future is refused.
    set(&clock, -JUMP_HOURS)?;
    let mut program = binaries.server();
    fake(&mut program, &library, &clock);
    site.tokens_by(program)?;
    set(&clock, 0)?;
    let mut command = site.command();
    fake(&mut command, &library, &clock);
    let mut server = Server::spawn(&mut command)?;
    server.ready().await?;
    let fleet = Fleet::start(
        &site,
        &format!("http://{}", site.address()),
        args.load,
        seed,
    )?;
    let mut ledger = Ledger::at(&site.path("ledger"));
    ledger.reaches(WORK, PATIENCE).await?;
    for _ in 0..args.jumps {
        let hours = rng.random_range(-JUMP_HOURS..=JUMP_HOURS);
        set(&clock, hours)?;
        let before = ledger.read()?.len();
        if let Err(error) = ledger.reaches(before + WORK, PATIENCE).await {
            outcome.fail(format!("after a jump to {hours} h: {error}"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let ready = ask(site.address(), "/readyz").await?;
        outcome.expect(ready.status == "ready", || {
            format!("at {hours} h the server is {ready:?}")
        });
        outcome.add("jumps", 1);
    }
    set(&clock, 0)?;
    let report = fleet.finish().await?;
    report.judge(&mut outcome);
    // A jump that the sweep took for silence, or for an expired token, would have cut everybody.
    let opened = report.count("/connections/opened");
    // Each board is fetched once more at the end.
    let expected = (args.load.clients + args.load.boards) as u64;
    let cut = opened.saturating_sub(expected);
    outcome.set("reconnects", cut);
    outcome.expect(cut == 0, || format!("{cut} connections did not last"));
    let panics = server.panics();
    outcome.expect(panics == 0, || format!("{panics} panics"));
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || format!("the stop ended with {code:?}"));
    audit(&site, ledger.read()?, &mut outcome).await?;
    let (far, back) = times(&site).await?;
    outcome.set("versions an hour or more ahead or behind", far);
    outcome.set("times that went back", back);
    outcome.expect(far > 0, || "the jumps did not reach the server".to_owned());
    Ok(outcome)
}

fn fake(command: &mut Command, library: &Path, clock: &Path) {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

fn set(clock: &Path, hours: i64) -> std::io::Result<()> {
    // In one step: the server may read it at any moment.
    let next = clock.with_extension("next");
    std::fs::write(&next, format!("{hours:+}h\n"))?;
    std::fs::rename(next, clock)
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let mut paths = folders.filter_map(|folder| Some(folder.ok()?.path().join(LIBRARY)));
    paths.find(|path| path.is_file())
}

/// Versions whose time is an hour or more from now, and those that are earlier than the one before
/// them on their board.
async fn times(site: &Site) -> anyhow::Result<(u64, u64)> {
    let url = format!("sqlite://{}", site.data().join("boardcast.db").display());
    let mut conn = SqliteConnection::connect(&url).await?;
    let now = boardcast_sim::fleet::wall_clock().0.cast_signed();
    let far: i64 = sqlx::query_scalar("SELECT count(*) FROM events WHERE abs(at - ?) > 3600000")
        .bind(now)
        .fetch_one(&mut conn)
        .await?;
    let back: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM events AS e JOIN events AS next \
         ON next.board = e.board AND next.version = e.version + 1 WHERE next.at < e.at",
    )
    .fetch_one(&mut conn)
    .await?;
    conn.close().await?;
    Ok((far.cast_unsigned(), back.cast_unsigned()))
}
