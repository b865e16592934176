//! Arguments and exit codes of `boardcast-faults`.

use std::process::ExitCode;

use boardcast_tests::faults;
use boardcast_tests::faults::args::Arguments;
use boardcast_tests::faults::binaries::Binaries;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match carry_out(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("boardcast-faults: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every promise was kept. A signal drops the part, which ends its processes, unmounts and
/// removes its files.
async fn carry_out(arguments: &Arguments) -> anyhow::Result<bool> {
    let binaries = Binaries::find(arguments.binaries.as_deref())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        outcome = Box::pin(faults::run(arguments, &binaries)) => outcome?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted; everything was cleaned up"),
        _ = terminate.recv() => anyhow::bail!("terminated; everything was cleaned up"),
    };
    if arguments.json {
        println!("{}", outcome.json());
    } else {
        println!("{}", outcome.summary());
    }
    Ok(outcome.is_clean())
}
