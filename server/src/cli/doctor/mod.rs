//! `boardcast doctor`.

mod directory;
mod finding;
mod network;
mod wire;

use std::path::PathBuf;

use tokio::runtime::Builder;

use self::finding::Findings;
use self::wire::Wire;
use super::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    /// Where people open the server, such as https://boards.example
    #[arg(value_name = "URL")]
    url: String,
    /// A token of that server, with which an idle connection is watched for up to two pings
    #[arg(
        long,
        env = "BOARDCAST_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// The data directory of that server, where it is on this machine
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Trust the certificates of this file, in PEM, instead of those that browsers know
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let wire = Wire::new(&args.url, args.ca.as_deref()).map_err(Failure::Usage)?;
    let mut findings = Findings::new(args.json);
    if let Some(dir) = &args.data_dir {
        directory::examine(dir, &mut findings)?;
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::failed)?;
    runtime.block_on(network::examine(
        &wire,
        args.token.as_deref(),
        &mut findings,
    ))?;
    match findings.faults() {
        0 => Ok(()),
        1 => Err(Failure::failed("1 fault was found")),
        faults => Err(Failure::failed(format!("{faults} faults were found"))),
    }
}
