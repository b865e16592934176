//! A bad network between the fleet and the server: nothing is lost, and clients go on where they
//! were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::args::NetworkArgs;
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::kill::PATIENCE;
use super::ledger::Ledger;
use super::outcome::Outcome;
use super::proxy::{Proxy, Weather};
use super::site::{Site, free_address};

/// How bad the network is.
const WEATHER: Weather = Weather {
    delay_ms: 40,
    life_bytes: 100_000,
    stall_ms: 3_000,
};
/// The server finds dead connections within two seconds, so that it does so in a short run.
const FLAGS: [&str; 4] = ["--ping-every-ms", "1000", "--pong-within-ms", "1000"];

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &NetworkArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("network", seed);
    let site = Site::new(binaries)?.with_flags(&FLAGS);
    let server = site.serve().await?;
    let proxy = Proxy::start(free_address()?, site.address(), WEATHER, seed).await?;
    let mut fleet = Fleet::start(
        &site,
        &format!("http://{}", proxy.address()),
        args.load,
        seed,
    )?;
    let mut ledger = Ledger::at(&site.path("ledger"));
    // Boards are made over one connection, which nobody opens again, and each step is delayed.
    fleet.begins(&mut ledger, PATIENCE * 5).await?;
    proxy.set_calm(false);
    for second in 1..=args.seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if fleet.has_ended()? {
            break;
        }
        if second % 10 == 0 {
            outcome.progress(&format!(
                "{second} of {} s, {} connections, {} commands durable",
                args.seconds,
                proxy.counts().connections.load(Ordering::Relaxed),
                ledger.read()?.len()
            ));
        }
    }
    // The delays stay; only cuts would keep a fleet from ever being settled.
    proxy.set_calm(true);
    let report = fleet.finish().await?;
    report.judge(&mut outcome);
    let resumed = report.count("/connections/resumed_with_events");
    outcome.expect(resumed > 0, || "nobody went on with events".to_owned());
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = proxy.counts();
    outcome.set("connections", count(&counts.connections));
    outcome.set("cuts", count(&counts.cuts));
    outcome.set("dead ends", count(&counts.dead_ends));
    outcome.set("half open", count(&counts.half_open));
    outcome.set("stalls", count(&counts.stalls));
    let panics = server.panics();
    outcome.expect(panics == 0, || format!("{panics} panics"));
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || format!("the stop ended with {code:?}"));
    audit(&site, ledger.read()?, &mut outcome).await?;
    Ok(outcome)
}
