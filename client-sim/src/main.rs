//! Arguments and exit codes of `boardcast-sim`.

use std::path::PathBuf;
use std::process::ExitCode;

use boardcast_sim::args::{Arguments, What};
use boardcast_sim::{replay, run};
use clap::Parser;

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
        What::Run(args) => (Box::pin(run::run(&args)).await?, args.common),
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
