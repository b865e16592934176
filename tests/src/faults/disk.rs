//! A full disk: commands are refused and nothing else, and it goes on when there is space.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;
use boardcast_protocol::message::OutcomeResult;

use super::args::DiskArgs;
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::health::{ask, becomes};
use super::kill::PATIENCE;
use super::ledger::Ledger;
use super::mount::{Mounted, NotHere};
use super::outcome::Outcome;
use super::server::Server;
use super::site::Site;
use super::witness::Witness;

/// The size of the disk.
const DISK_KIB: u64 = 64 * 1_024;
/// Commands that become durable between two fills.
const WORK: usize = 50;

/// What takes the space.
struct Filler(PathBuf);

impl Filler {
    /// Grows until nothing more fits.
    fn grow(&self) -> anyhow::Result<()> {
        let mut file = File::options().create(true).append(true).open(&self.0)?;
        for chunk in [65_536, 4_096, 1] {
            let bytes = vec![0; chunk];
            loop {
                match file.write(&bytes) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).context("failed to fill the disk"),
                }
            }
        }
        Ok(())
    }

    fn remove(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(&self.0)?)
    }
}

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &DiskArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("disk-full", seed);
    let site = Site::new(binaries)?;
    let disk = site.path("disk");
    // Before the mount: what is declared last is dropped first, and the folder goes with the site.
    let site = site.with_data(disk.join("data"));
    let mounted = match Mounted::tmpfs(DISK_KIB, &disk) {
        Ok(mounted) => mounted,
        Err(NotHere(why)) => return Ok(Outcome::skipped("disk-full", seed, why)),
    };
    let filler = Filler(disk.join("filler"));
    refused_at_start(&site, &filler, &mut outcome).await?;

    let server = site.serve().await?;
    let mut ledger = Ledger::at(&site.path("ledger"));
    let fleet = Fleet::start(
        &site,
        &format!("http://{}", site.address()),
        args.load,
        seed,
    )?;
    let mut witness = Witness::new(&site).await?;
    for round in 1..=args.fills {
        let before = ledger.read()?.len();
        ledger.reaches(before + WORK, PATIENCE).await?;
        fill(&site, &filler, &mut witness, &mut outcome).await?;
        outcome.add("fills", 1);
        outcome.progress(&format!(
            "{round} of {} fills, {} commands durable",
            args.fills,
            ledger.read()?.len()
        ));
    }
    fleet.finish().await?.judge(&mut outcome);
    drop(witness);
    let panics = server.panics();
    outcome.expect(panics == 0, || format!("{panics} panics"));
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || format!("the stop ended with {code:?}"));
    audit(&site, ledger.read()?, &mut outcome).await?;
    drop(mounted);
    Ok(outcome)
}

/// A server that finds a full disk says so and ends; with space it starts.
async fn refused_at_start(
    site: &Site,
    filler: &Filler,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    filler.grow()?;
    let mut server = Server::spawn(&mut site.command())?;
    let status = server.end().await?;
    let text = server.text();
    let clear = text.contains("No space left") || text.contains("full");
    outcome.expect(status.code() == Some(1) && clear, || {
        format!("a start on a full disk ended with {status}: {text}")
    });
    outcome.expect(server.panics() == 0, || format!("it panicked: {text}"));
    outcome.progress(&format!("a start on a full disk says: {text}"));
    filler.remove()
}

async fn fill(
    site: &Site,
    filler: &Filler,
    witness: &mut Witness,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    filler.grow()?;
    let health = becomes(site.address(), "degraded", PATIENCE).await?;
    outcome.expect(health.code == 503 && !health.reason.is_empty(), || {
        format!("a full disk is told as {health:?}")
    });
    outcome.set("readyz", health.reason);
    let alive = ask(site.address(), "/healthz").await?.code;
    outcome.expect(alive == 200, || format!("/healthz answers {alive}"));
    let refused = witness.submit().await;
    outcome.expect(refused == OutcomeResult::Unavailable, || {
        format!("a command on a full disk is answered {refused:?}")
    });
    witness.reads_go_on(site).await;

    filler.remove()?;
    becomes(site.address(), "ready", PATIENCE).await?;
    let accepted = witness.submit().await;
    outcome.expect(accepted == OutcomeResult::Accepted, || {
        format!("the same command on a disk with space is answered {accepted:?}")
    });
    witness.saved().await;
    Ok(())
}
