//! Real faults on the real binaries: crashes, power cuts, full and failing disks, bad networks,
//! clients that stop reading, clocks that jump.
//!
//! A fleet of `boardcast-sim` works on a server while the fault is made, and writes a ledger: a line
//! for each command that it was told is durable. Afterwards the [`audit`] compares the ledger with
//! the database, and the fleet compares its replicas with the server.

pub mod args;
pub mod audit;
pub mod binaries;
pub mod clock;
pub mod disk;
pub mod fleet;
pub mod health;
pub mod joiners;
pub mod kill;
pub mod ledger;
pub mod mount;
pub mod network;
pub mod nth;
pub mod outcome;
pub mod power;
pub mod proxy;
pub mod readers;
pub mod server;
pub mod site;
pub mod strace;
pub mod witness;

use args::{Arguments, Part};
use binaries::Binaries;
use outcome::Outcome;

/// Carries out one part.
///
/// # Errors
/// The part could not be carried out; a broken promise is no error but a failure in the outcome.
pub async fn run(arguments: &Arguments, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let seed = arguments.seed;
    match &arguments.part {
        Part::Kill(args) => kill::run(args, seed, binaries).await,
        Part::DiskFull(args) => disk::run(args, seed, binaries).await,
        Part::NthFault(args) => nth::run(args, seed, binaries).await,
        Part::Network(args) => network::run(args, seed, binaries).await,
        Part::StoppedReaders(args) => readers::run(args, seed, binaries).await,
        Part::Joiners(args) => joiners::run(args, seed, binaries).await,
        Part::Clock(args) => clock::run(args, seed, binaries).await,
        Part::Power(args) => power::run(args, seed, binaries).await,
    }
}
