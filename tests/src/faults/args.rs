//! Arguments of `boardcast-faults`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::strace::{Call, Error};

/// Makes real faults on a real server under load, and looks for what was lost.
///
/// Exits with 0 when every promise was kept or the part is skipped because this machine does not
/// permit it, with 1 on any broken promise or failure, with 2 on wrong usage.
#[derive(Debug, Parser)]
#[command(name = "boardcast-faults", version)]
pub struct Arguments {
    /// Which fault.
    #[command(subcommand)]
    pub part: Part,
    /// All choices come from this number.
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
    /// Prints the figures as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Where `boardcast` and `boardcast-sim` are, if not beside this program.
    #[arg(long, global = true, value_name = "DIR")]
    pub binaries: Option<PathBuf>,
}

/// Which fault.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Kills the server with SIGKILL at random moments, again and again.
    Kill(KillArgs),
    /// Cuts the power of the disk: what was not synced is gone.
    Power(PowerArgs),
    /// Fills the disk and makes space again.
    DiskFull(DiskArgs),
    /// Makes the n-th write or sync fail, n rising.
    NthFault(NthArgs),
    /// Puts delays, stalls and cuts between the fleet and the server.
    Network(NetworkArgs),
    /// Lets clients stop reading while others work.
    StoppedReaders(ReadersArgs),
    /// Lets the server's wall clock jump by hours.
    Clock(ClockArgs),
    /// Lets many clients join a large board at one moment.
    Joiners(JoinersArgs),
}

/// The fleet that works while faults are made.
#[derive(Clone, Copy, Debug, Args)]
pub struct Load {
    /// Clients.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub clients: usize,
    /// Boards.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub boards: usize,
    /// Commands a second in all.
    #[arg(long, value_name = "R", default_value_t = 2_000)]
    pub rate: u32,
    /// Cards in all to begin with.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub cards: usize,
}

/// Arguments of `kill`.
#[derive(Clone, Copy, Debug, Args)]
pub struct KillArgs {
    /// Kills under load; some are followed by another one while the server starts.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub rounds: u32,
    /// Kills that one fleet and one database live through.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds_per_fleet: u32,
    /// The fleet.
    #[command(flatten)]
    pub load: Load,
}

/// Arguments of `power`.
#[derive(Clone, Copy, Debug, Args)]
pub struct PowerArgs {
    /// Power cuts.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub cuts: u32,
    /// Runs `boardcast-planted` with this fault, to prove that the losses are then seen.
    #[arg(long, value_enum)]
    pub plant: Option<Plant>,
    /// The fleet.
    #[command(flatten)]
    pub load: Load,
}

/// A fault of the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// The database runs with synchronous=NORMAL.
    SynchronousNormal,
}

/// Arguments of `disk-full`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DiskArgs {
    /// How often the disk is filled.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub fills: u32,
    /// The fleet.
    #[command(flatten)]
    pub load: Load,
}

/// Arguments of `nth-fault`.
#[derive(Clone, Debug, Args)]
pub struct NthArgs {
    /// Which calls fail.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["write", "fsync"])]
    pub calls: Vec<Call>,
    /// What they fail with.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["eio", "enospc"])]
    pub errors: Vec<Error>,
    /// The first n.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub from: u32,
    /// The last n.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub to: u32,
    /// The fleet.
    #[command(flatten)]
    pub load: Load,
}

/// Arguments of `network`.
#[derive(Clone, Copy, Debug, Args)]
pub struct NetworkArgs {
    /// How long.
    #[arg(long, value_name = "S", default_value_t = 60)]
    pub seconds: u64,
    /// The fleet.
    #[command(flatten)]
    pub load: Load,
}

/// Arguments of `stopped-readers`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ReadersArgs {
    /// Clients that stop reading.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub clients: usize,
    /// How long they do not read.
    #[arg(long, value_name = "S", default_value_t = 60)]
    pub seconds: u64,
    /// Commands a second on their board.
    #[arg(long, value_name = "R", default_value_t = 1_000)]
    pub rate: u32,
}

/// Arguments of `joiners`.
#[derive(Clone, Copy, Debug, Args)]
pub struct JoinersArgs {
    /// Clients that join.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub clients: usize,
    /// Cards of the board.
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    pub cards: u32,
}

/// Arguments of `clock`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ClockArgs {
    /// Jumps.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub jumps: u32,
    /// The fleet.
    #[command(flatten)]
    pub load: Load,
}
