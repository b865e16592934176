//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::adapter::Protocol;
use crate::load::Load;

/// Open-loop load generator for WebSocket servers.
#[derive(Debug, Parser)]
#[command(name = "generator")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Write the boards that loads need, as documents that `boardcast import json` reads
    Boards(BoardsArgs),
    /// Drive a server and print what came of it as JSON
    Run(Box<RunArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct BoardsArgs {
    /// As for `run`
    #[arg(long = "load", value_name = "BOARDSxSUBSCRIBERS@RATE", required = true)]
    pub(crate) loads: Vec<Load>,
    /// The folder that the documents are written to
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What the server speaks
    #[arg(long, value_name = "NAME")]
    pub(crate) protocol: Protocol,
    /// The server's port on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
    /// The server's process, whose CPU and memory are measured with those of its descendants
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Option<i32>,
    /// A file with a token a line, one for each connection
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A file with an admin's token a line, one for every hundred boards: in an idle run they open
    /// the boards before memory is looked at
    #[arg(long, value_name = "FILE")]
    pub(crate) opener_token_file: Option<PathBuf>,
    /// What is done with the connections
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Mode,
    /// Boards, subscribers of each, and operations a second on all of them: 500x4@6000; repeatable
    #[arg(long = "load", value_name = "BOARDSxSUBSCRIBERS@RATE", required = true)]
    pub(crate) loads: Vec<Load>,
    /// Seconds before the measured ones
    #[arg(long, default_value_t = 1.0)]
    pub(crate) warm: f64,
    /// Measured seconds; in a search, those of the step that confirms
    #[arg(long, default_value_t = 6.0)]
    pub(crate) seconds: f64,
    /// Seconds behind the last operation in which deliveries still count
    #[arg(long, default_value_t = 3.0)]
    pub(crate) drain: f64,
    /// p99 in milliseconds that a step has to stay under
    #[arg(long, default_value_t = 100.0)]
    pub(crate) objective_ms: f64,
    /// Bytes of an operation's payload
    #[arg(long, default_value_t = 200)]
    pub(crate) payload: usize,
    /// By how much a search raises the rate
    #[arg(long, default_value_t = 1.5)]
    pub(crate) factor: f64,
    /// Source addresses, 127.0.0.2 and up
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=250))]
    pub(crate) sources: u8,
    /// The core that the server is pinned to
    #[arg(long, default_value_t = 0)]
    pub(crate) server_core: usize,
    /// The core that the generator is pinned to
    #[arg(long, default_value_t = 1)]
    pub(crate) generator_core: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// One step at the rates of the loads
    Fixed,
    /// The highest rate of a single load at which a step succeeds
    Search,
    /// Nothing is published
    Idle,
}
