//! Arguments and exit codes of `boardcast-sim`.

use std::path::PathBuf;
use std::process::ExitCode;

use boardcast_sim::args::{Arguments, What};
use boardcast_sim::{replay, run};
use clap::Parser;
use tokio_util::sync::CancellationToken;

// One thread: the fleet is meant to run on one core beside the server that it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match carry_out(arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("boardcast-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was wrong.
async fn carry_out(arguments: Arguments) -> anyhow::Result<bool> {
    let (report, common) = match arguments.what {
        What::Run(args) => {
            let stop = CancellationToken::new();
            tokio::spawn(interrupts(stop.clone()));
            let report = Box::pin(run::run_until(&args, &stop)).await?;
            (report, args.common)
        }
        What::Replay(args) => (Box::pin(replay::replay(&args)).await?, args.common),
    };
    let file: Option<PathBuf> = common.report;
    if let Some(path) = file {
        report.write(&path)?;
    }
    if common.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", report.summary());
    }
    Ok(report.is_clean())
}

/// The first SIGINT ends the commands, and the run is judged by what was sent; the second ends the
/// process.
async fn interrupts(stop: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        eprintln!("boardcast-sim: stopped at once by a second signal; nothing was compared");
        std::process::exit(1);
    }
}
