//! What a program reaches on this machine that only writes bytes: no parsing, no state.
//!
//! A connection says its board in four bytes and gets an empty frame. From then on whatever is read
//! from it is written untouched to every connection of the board.

mod relay;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use relay::Relay;

#[derive(Debug, Parser)]
#[command(name = "floor")]
struct Arguments {
    /// The port of 127.0.0.1 to listen on
    port: u16,
    /// Gather the messages of a board for so long and write them at once to each connection; 0 for
    /// what one look at the sockets brings. Without it each message is written by itself
    #[arg(long, value_name = "US")]
    gather_us: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).context("failed to raise the file limit")?;
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))
        .context("failed to set the timer slack")?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    Relay::listen(address, arguments.gather_us.map(Duration::from_micros))?.run()
}
