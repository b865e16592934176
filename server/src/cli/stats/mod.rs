//! `boardcast stats`.

mod table;
mod text;

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use serde::Deserialize;

use super::remote::Remote;
use super::{Failure, ttl};
use crate::http::admin::{ConnectionsPage, Stats};

/// Clears a terminal and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(Debug, clap::Args)]
pub(super) struct StatsArgs {
    /// The server, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    server: String,
    /// A token of an admin of that server
    #[arg(
        long,
        env = "BOARDCAST_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: String,
    /// Print again and again until it is interrupted
    #[arg(long)]
    watch: bool,
    /// Time between two looks with --watch, such as 2s
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = ttl::parse)]
    every: u64,
    /// How many connections to list, at most 200
    #[arg(long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(0..=200))]
    connections: u16,
    /// What to sort them by: id, user, address, active, round_trip, queue, sent, received, limits;
    /// -NAME for the largest first
    #[arg(
        long,
        value_name = "NAME",
        default_value = "-queue",
        allow_hyphen_values = true
    )]
    sort: String,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

/// What a server tells at one moment.
#[derive(Debug, Deserialize)]
struct Look {
    stats: Stats,
    connections: ConnectionsPage,
}

pub(super) fn run(args: &StatsArgs) -> Result<(), Failure> {
    let server = Remote::new(&args.server, &args.token)?;
    let mut before = None;
    loop {
        match look(&server, args) {
            Ok(json) => {
                let shown = show(args, &json, &mut before).map_err(Failure::failed)?;
                if printed(&shown).is_err() {
                    // Nobody reads it any more.
                    return Ok(());
                }
            }
            // A server that restarts is back soon.
            Err(error) if before.is_some() => eprintln!("boardcast: {error}"),
            Err(error) => return Err(Failure::failed(error)),
        }
        if !args.watch {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(args.every));
    }
}

/// Both answers as one object.
fn look(server: &Remote, args: &StatsArgs) -> Result<String, String> {
    let stats = server.admin("stats")?;
    let (limit, sort) = (args.connections.max(1), &args.sort);
    let connections = server.admin(&format!("connections?limit={limit}&sort={sort}"))?;
    Ok(format!(
        r#"{{"stats":{stats},"connections":{connections}}}"#
    ))
}

/// What is printed of an answer, as long as it is one.
fn show(args: &StatsArgs, json: &str, before: &mut Option<Stats>) -> Result<String, String> {
    let look: Look = serde_json::from_str(json).map_err(|error| {
        format!(
            "{} answered what this program does not know: {error}",
            args.server
        )
    })?;
    let earlier = before.replace(look.stats.clone());
    if args.json {
        return Ok(format!("{json}\n"));
    }
    let mut text = text::of(&look.stats, earlier.as_ref());
    let count = usize::from(args.connections);
    text += &table::boards(&look.stats.boards);
    text += &table::connections(&look.connections, count, look.stats.at);
    Ok(match args.watch {
        true if io::stdout().is_terminal() => format!("{CLEAR}{text}"),
        true => format!("{text}\n"),
        false => text,
    })
}

fn printed(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
