//! The n-th write or sync fails, n rising: while the server starts, and while it works.

use std::time::Duration;

use anyhow::{Context, anyhow};
use boardcast_protocol::message::OutcomeResult;
use tokio::time::Instant;

use super::args::NthArgs;
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::health::{ask, becomes};
use super::kill::PATIENCE;
use super::ledger::Ledger;
use super::mount::NotHere;
use super::outcome::Outcome;
use super::server::Server;
use super::site::Site;
use super::strace::{Call, Error, Inject, Tracer, before, injected};
use super::witness::Witness;

/// Commands that become durable between two faults.
const WORK: usize = 20;
/// How much longer each sync takes, for the slow disk.
const SLOW_US: u32 = 4_000;
/// Commands that become durable on the slow disk.
const SLOW_WORK: usize = 200;
/// How long the ledger is watched after the server has stopped writing.
const SILENCE: Duration = Duration::from_millis(400);
/// Time between two looks at a server that tries again.
const LOOK: Duration = Duration::from_millis(200);

/// A server at work under a fleet.
struct Scene {
    site: Site,
    server: Option<Server>,
    ledger: Ledger,
}

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &NthArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("nth-fault", seed);
    let site = Site::new(binaries)?;
    let server = Some(site.serve().await?);
    let url = format!("http://{}", site.address());
    let fleet = Fleet::start(&site, &url, args.load, seed)?;
    let ledger = Ledger::at(&site.path("ledger"));
    let mut scene = Scene {
        site,
        server,
        ledger,
    };
    for call in &args.calls {
        for error in &args.errors {
            for n in args.from..=args.to {
                if let Err(NotHere(why)) = scene.fault(*call, *error, n, &mut outcome).await? {
                    return Ok(Outcome::skipped("nth-fault", seed, why));
                }
            }
            outcome.progress(&format!(
                "{call:?} {error:?} {} to {}: {} faults, {} stops, {} commands durable",
                args.from,
                args.to,
                outcome.count("faults"),
                outcome.count("stops"),
                scene.ledger.read()?.len(),
            ));
        }
    }
    scene.slow(&mut outcome).await?;
    fleet.finish().await?.judge(&mut outcome);
    let code = scene.take()?.terminate().await?;
    outcome.expect(code == Some(0), || {
        format!("the last stop ended with {code:?}")
    });
    audit(&scene.site, scene.ledger.read()?, &mut outcome).await?;
    for call in &args.calls {
        starts(*call, args, binaries, &mut outcome).await?;
    }
    Ok(outcome)
}

impl Scene {
    fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("no server")
    }

    fn take(&mut self) -> anyhow::Result<Server> {
        self.server.take().context("no server")
    }

    async fn works(&mut self) -> anyhow::Result<()> {
        let before = self.ledger.read()?.len();
        self.ledger.reaches(before + WORK, PATIENCE).await
    }

    /// Makes one call fail and looks at what comes of it.
    async fn fault(
        &mut self,
        call: Call,
        error: Error,
        n: u32,
        outcome: &mut Outcome,
    ) -> anyhow::Result<Result<(), NotHere>> {
        self.works().await?;
        let mut witness = Witness::new(&self.site).await?;
        let log = self.site.path("strace.txt");
        let inject = Inject::Fail(error, n);
        let pid = self.server()?.pid();
        let attached = Tracer::attach(pid, self.site.data(), call, inject, &log).await?;
        let tracer = match attached {
            Ok(tracer) => tracer,
            Err(not_here) => return Ok(Err(not_here)),
        };
        tracer.hits(PATIENCE).await?;
        drop(tracer);
        outcome.add("faults", 1);
        let panics = self.server()?.panics();
        outcome.expect(panics == 0, || {
            format!("{call:?} {n} {error:?}: {panics} panics")
        });
        if call == Call::Fsync || self.has_stopped().await? {
            let what = format!("{call:?} {n} {error:?}");
            self.stopped(&what, &mut witness, outcome).await?;
            drop(witness);
            self.restart(&what, n, outcome).await?;
        } else {
            becomes(self.site.address(), "ready", PATIENCE).await?;
            outcome.add("recovered", 1);
        }
        Ok(Ok(()))
    }

    /// Whether it has stopped writing, rather than that it tries again or goes on.
    async fn has_stopped(&self) -> anyhow::Result<bool> {
        for _ in 0..10 {
            let health = ask(self.site.address(), "/readyz").await?;
            if health.status == "ready" {
                return Ok(false);
            }
            if health.status == "stopped" {
                return Ok(true);
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(false)
    }

    /// Nothing is durable any more, and the server says so.
    async fn stopped(
        &mut self,
        what: &str,
        witness: &mut Witness,
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        let health = becomes(self.site.address(), "stopped", PATIENCE).await?;
        outcome.expect(
            health.code == 503 && health.reason.contains("restart"),
            || format!("{what} is told as {health:?}"),
        );
        outcome.set("readyz", health.reason);
        let refused = witness.submit().await;
        outcome.expect(refused == OutcomeResult::Unavailable, || {
            format!("{what}: a command after it is answered {refused:?}")
        });
        let quiet = self.becomes_quiet().await?;
        outcome.expect(quiet, || {
            format!("{what}: commands were called durable for {PATIENCE:?} after it")
        });
        Ok(())
    }

    /// Whether the ledger stops growing; what was durable before may still be on its way to it.
    async fn becomes_quiet(&mut self) -> anyhow::Result<bool> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let before = self.ledger.read()?.len();
            tokio::time::sleep(SILENCE).await;
            if self.ledger.read()?.len() == before {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends a server that has stopped writing and starts another.
    async fn restart(&mut self, what: &str, n: u32, outcome: &mut Outcome) -> anyhow::Result<()> {
        let old = self.take()?;
        // Each way of going on: asked to stop, and killed.
        if n.is_multiple_of(2) {
            let code = old.terminate().await?;
            outcome.expect(code == Some(1), || {
                format!("{what}: the stop ended with {code:?}")
            });
        } else {
            old.kill()?;
        }
        audit(&self.site, self.ledger.read()?, outcome).await?;
        self.server = Some(self.site.serve().await?);
        outcome.add("stops", 1);
        Ok(())
    }

    /// Each sync takes longer: it works, only slower.
    async fn slow(&mut self, outcome: &mut Outcome) -> anyhow::Result<()> {
        let log = self.site.path("strace.txt");
        let (pid, inject) = (self.server()?.pid(), Inject::Delay(SLOW_US));
        let attached = Tracer::attach(pid, self.site.data(), Call::Fsync, inject, &log).await?;
        let tracer = attached.map_err(|NotHere(why)| anyhow!(why))?;
        let before = self.ledger.read()?.len();
        self.ledger.reaches(before + SLOW_WORK, PATIENCE).await?;
        let syncs = std::fs::read_to_string(&log)?.lines().count();
        drop(tracer);
        outcome.set("slow syncs", syncs as u64);
        outcome.expect(syncs > 0, || "no sync was slowed down".to_owned());
        let health = ask(self.site.address(), "/readyz").await?;
        outcome.expect(health.status == "ready", || format!("slow is {health:?}"));
        Ok(())
    }
}

/// Starts on a new database, in which the n-th call fails; the next start must work.
async fn starts(
    call: Call,
    args: &NthArgs,
    binaries: &Binaries,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    for n in args.from..=args.to {
        let site = Site::new(binaries)?;
        let log = site.path("strace.txt");
        let inject = Inject::Fail(args.errors[0], n);
        let outer = before(site.data(), call, inject, &log).map_err(|NotHere(why)| anyhow!(why))?;
        let mut server = Server::spawn(&mut site.command_inside(outer))?;
        let ready = server.ready().await;
        let hit = injected(&log)? > 0;
        let panics = server.panics();
        outcome.expect(panics == 0, || format!("a start panicked at {call:?} {n}"));
        if ready.is_err() {
            let (status, text) = (server.end().await?, server.text());
            let clear = status.code() == Some(1) && text.contains("failed to");
            outcome.expect(hit && clear, || {
                format!("a start with {call:?} {n} failing ended with {status}: {text}")
            });
            outcome.add("failed starts", 1);
        } else {
            server.kill()?;
        }
        let server = site.serve().await?;
        outcome.add("starts", 1);
        let code = server.terminate().await?;
        outcome.expect(code == Some(0), || {
            format!("after a start with {call:?} {n} failing the stop ended with {code:?}")
        });
        audit(&site, &[], outcome).await?;
        if !hit {
            outcome.progress(&format!("a start makes {} calls of {call:?}", n - 1));
            break;
        }
    }
    Ok(())
}
