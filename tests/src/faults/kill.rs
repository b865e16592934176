//! SIGKILL at random moments, again and again.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use super::args::KillArgs;
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::ledger::Ledger;
use super::outcome::Outcome;
use super::server::Server;
use super::site::Site;

/// Longest wait for durable commands after a start.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// When the server is killed, after the first command that is durable after its start.
const WORKS_MS: std::ops::Range<u64> = 200..1_400;
/// One kill in so many is followed by another one while the server starts.
const AGAIN_IN: u32 = 5;
/// When that is, after the start of the process.
const STARTS_MS: std::ops::Range<u64> = 0..60;

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &KillArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("kill", seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut served = Duration::ZERO;
    let mut done = 0;
    while done < args.rounds {
        let rounds = args.rounds_per_fleet.min(args.rounds - done);
        served += fleet(args, rounds, &mut rng, binaries, &mut outcome).await?;
        done += rounds;
        outcome.progress(&format!(
            "{done} of {} rounds, {} commands durable, {} lost, {} doubled",
            args.rounds,
            outcome.count("durable"),
            outcome.count("lost"),
            outcome.count("doubled"),
        ));
    }
    let rate = outcome.count("durable under load") as f64 / served.as_secs_f64().max(0.001);
    outcome.set("durable a second", rate.round());
    Ok(outcome)
}

/// One fleet, one database, so many kills; the time in which commands became durable.
async fn fleet(
    args: &KillArgs,
    rounds: u32,
    rng: &mut StdRng,
    binaries: &Binaries,
    outcome: &mut Outcome,
) -> anyhow::Result<Duration> {
    let site = Site::new(binaries)?;
    let mut ledger = Ledger::at(&site.path("ledger"));
    let mut server = site.serve().await?;
    let url = format!("http://{}", site.address());
    let fleet = Fleet::start(&site, &url, args.load, rng.random())?;
    let mut served = Duration::ZERO;
    for _ in 0..rounds {
        let before = ledger.read()?.len();
        ledger.reaches(before + 1, PATIENCE).await?;
        let began = Instant::now();
        tokio::time::sleep(Duration::from_millis(rng.random_range(WORKS_MS))).await;
        server.kill()?;
        served += began.elapsed();
        outcome.add("rounds", 1);
        // What was on its way when the server died is written by the fleet a moment later.
        let lines = ledger.read()?;
        outcome.add("durable under load", (lines.len() - before) as u64);
        audit(&site, lines, outcome).await?;
        if rng.random_ratio(1, AGAIN_IN) {
            let again = Server::spawn(&mut site.command())?;
            tokio::time::sleep(Duration::from_millis(rng.random_range(STARTS_MS))).await;
            again.kill()?;
            outcome.add("kills during start", 1);
        }
        server = site.serve().await?;
    }
    fleet.finish().await?.judge(outcome);
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || {
        format!("the last stop ended with {code:?}")
    });
    audit(&site, ledger.read()?, outcome).await?;
    Ok(served)
}
