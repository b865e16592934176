//! Power cuts: the file system under the data is shut down, nothing more reaches its device, and
//! what was not synced is gone after the next mount.
//!
//! With the power the server stops too. Its threads are frozen first, in the middle of whatever they
//! do, because the kernel lives on here: an `fsync` that is under way when ext4 is shut down may
//! return success although its data is gone, and a server that still ran would pass that on.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::args::{Plant, PowerArgs};
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::kill::PATIENCE;
use super::ledger::Ledger;
use super::mount::{Mounted, NotHere, make_ext4, tool};
use super::outcome::Outcome;
use super::site::Site;

/// The size of the disk.
const DISK_MIB: u64 = 1_024;
/// When the power is cut, after the first command that is durable after a start.
const WORKS_MS: std::ops::Range<u64> = 300..2_000;

/// A disk whose power can be cut.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    fn make(site: &Site) -> Result<Self, NotHere> {
        // Asked first: nothing is mounted where the cut itself is not possible.
        tool("xfs_io", "xfsprogs")?;
        let disk = Self {
            image: site.path("disk.img"),
            at: site.path("disk"),
        };
        make_ext4(&disk.image, DISK_MIB)?;
        Ok(disk)
    }

    fn mount(&self) -> Result<Mounted, NotHere> {
        Mounted::image(&self.image, &self.at)
    }
}

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &PowerArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("power", seed);
    let (binaries, flags) = match args.plant {
        None => (binaries.clone(), &[][..]),
        Some(Plant::SynchronousNormal) => (
            binaries.planted()?,
            &["--plant-fault", "synchronous-normal"][..],
        ),
    };
    let site = Site::new(&binaries)?.with_flags(flags);
    let data = site.path("disk").join("data");
    // Before the mount: what is declared last is dropped first, and the folder goes with the site.
    let site = site.with_data(data);
    let site_disk = Disk::make(&site).and_then(|disk| disk.mount().map(|mounted| (disk, mounted)));
    let (disk, mut mounted) = match site_disk {
        Ok(made) => made,
        Err(NotHere(why)) => return Ok(Outcome::skipped("power", seed, why)),
    };
    let mut rng = StdRng::seed_from_u64(seed);
    let mut ledger = Ledger::at(&site.path("ledger"));
    let mut server = site.serve().await?;
    let url = format!("http://{}", site.address());
    let mut fleet = Fleet::start(&site, &url, args.load, rng.random())?;
    for round in 1..=args.cuts {
        let switch = mounted.switch().map_err(|NotHere(why)| anyhow!(why))?;
        let before = ledger.read()?.len();
        ledger.reaches(before + 1, PATIENCE).await?;
        tokio::time::sleep(Duration::from_millis(rng.random_range(WORKS_MS))).await;
        server.freeze()?;
        switch.cut().map_err(|NotHere(why)| anyhow!(why))?;
        server.kill()?;
        mounted.unmount().map_err(|NotHere(why)| anyhow!(why))?;
        mounted = disk.mount().map_err(|NotHere(why)| anyhow!(why))?;
        outcome.add("cuts", 1);
        let found = audit(&site, ledger.read()?, &mut outcome).await?;
        outcome.progress(&format!(
            "{round} of {} cuts, {} commands durable, {found:?}",
            args.cuts,
            ledger.read()?.len(),
        ));
        if args.plant.is_some() && found.lost > 0 {
            // The fault is seen. What the fleet would say of a server without its boards adds
            // nothing.
            outcome.set("of durable", ledger.read()?.len() as u64);
            return Ok(outcome);
        }
        server = site.serve().await?;
        if fleet.has_ended()? {
            break;
        }
    }
    fleet.finish().await?.judge(&mut outcome);
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || {
        format!("the last stop ended with {code:?}")
    });
    audit(&site, ledger.read()?, &mut outcome).await?;
    mounted.unmount().map_err(|NotHere(why)| anyhow!(why))?;
    Ok(outcome)
}
