//! Open-loop load generator: one thread, edge-triggered epoll, framing of its own.
//!
//! It judges servers from outside: it shares no code with any of them. `../../README.md` tells the
//! method; the modules are listed in reading order.

mod adapter;
mod args;
mod clock;
mod connection;
mod fleet;
mod idle;
mod load;
mod marker;
mod procfs;
mod report;
mod search;
mod step;
mod tally;
mod ws;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use args::{Arguments, Mode, RunArgs, What};
use fleet::Fleet;
use report::Report;

fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Boards(args) => adapter::boardcast::write_documents(&args.loads, &args.into),
        What::Run(args) => run(&args).and_then(|report| print(&report)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("generator: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn print(report: &Report) -> anyhow::Result<()> {
    let text = serde_json::to_string(report)?;
    writeln!(std::io::stdout(), "{text}").context("failed to print the report")
}

fn run(args: &RunArgs) -> anyhow::Result<Report> {
    clock::sharpen_timers()?;
    fleet::raise_file_limit();
    let mut fleet = Fleet::new(args)?;
    let mut report = Report::new(args);
    if args.mode == Mode::Idle {
        report.boards_opened = fleet.open_boards()?;
    }
    report.before = procfs::Memory::of(&fleet.server);
    report.connecting = fleet.connect_all()?;
    report.connections = fleet.connections();
    let settle_s = if args.mode == Mode::Idle { 3.0 } else { 0.5 };
    fleet.rest(settle_s);
    report.connected = procfs::Memory::of(&fleet.server);
    match args.mode {
        Mode::Idle => report.idle_cpu_percent = Some(idle::watch(&mut fleet, args.seconds)),
        Mode::Fixed => {
            let step = step::run(&mut fleet, &args.loads, args.warm, args.seconds)?;
            report.best = Some(step.clone());
            report.steps.push(step);
        }
        Mode::Search => (report.best, report.steps) = search::highest_rate(&mut fleet, args)?,
    }
    report.end = procfs::Memory::of(&fleet.server);
    report.disconnected = fleet.gone();
    report.reconnects = fleet.reconnects();
    Ok(report)
}
