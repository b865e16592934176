//! Arguments and exit codes of `boardcast-sim`.

use std::path::Path;
use std::process::ExitCode;

use boardcast_sim::args::{Arguments, Basics, What};
use boardcast_sim::report::Report;
use boardcast_sim::{compare, page, replay, run, scenario};
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
    match arguments.what {
        What::Run(args) => {
            let report = Box::pin(run::run_until(&args, &until_interrupted())).await?;
            tell(&report, &args.common.basics, args.html.as_deref())
        }
        What::Scenario(args) => {
            let report = Box::pin(scenario::play::play(&args, &until_interrupted())).await?;
            tell(&report, &args.basics, args.html.as_deref())
        }
        What::Replay(args) => {
            let report = Box::pin(replay::replay(&args)).await?;
            tell(&report, &args.common.basics, None)
        }
        What::Compare(args) => {
            let comparison = compare::compare(&args)?;
            if args.json {
                println!("{}", comparison.json()?);
            } else {
                print!("{}", comparison.table());
            }
            for warning in &comparison.warnings {
                eprintln!("boardcast-sim: {warning}");
            }
            Ok(comparison.is_within())
        }
    }
}

/// Writes and prints a report; whether it is clean.
fn tell(report: &Report, basics: &Basics, html: Option<&Path>) -> anyhow::Result<bool> {
    if let Some(path) = &basics.report {
        report.write(path)?;
    }
    if let Some(path) = html {
        page::write(report, path)?;
    }
    if basics.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", report.summary());
    }
    Ok(report.is_clean())
}

/// A token that the first SIGINT cancels.
fn until_interrupted() -> CancellationToken {
    let stop = CancellationToken::new();
    tokio::spawn(interrupts(stop.clone()));
    stop
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
