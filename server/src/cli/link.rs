//! `boardcast link`.

use std::path::PathBuf;
use std::time::Duration;

use boardcast_protocol::board::Actor;
use serde::Deserialize;

use super::Failure;
use super::noted::note;
use super::token::{ServerRole, parse_user, signed, tokens};
use crate::clock;

/// How long the page that the link opens stays signed in, at most.
const TOKEN_TTL_MS: u64 = 60 * 60 * 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct LinkArgs {
    /// The server, such as `http://127.0.0.1:8080`
    #[arg(long, value_name = "URL")]
    server: String,
    /// Where that server keeps everything
    #[arg(long, env = "BOARDCAST_DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
    /// The user to sign in
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What the user may do on the server as a whole
    #[arg(long)]
    role: Option<ServerRole>,
}

#[derive(Deserialize)]
struct Ticket {
    ticket: String,
}

pub(super) fn run(args: &LinkArgs) -> Result<(), Failure> {
    let (user, now) = (parse_user(&args.user)?, clock::now());
    let admin = args.role == Some(ServerRole::Admin);
    let token = tokens(&args.data_dir)?
        .sign(Actor::new(user, admin), now, TOKEN_TTL_MS)
        .map_err(Failure::failed)?;
    note(
        &args.data_dir,
        &signed(Some(user), admin, now, TOKEN_TTL_MS),
    );
    let server = args.server.trim_end_matches('/');
    let ticket = ask(server, &token).map_err(|error| {
        Failure::failed(format!("failed to get a ticket from {server}: {error}"))
    })?;
    println!("{server}/#ticket={ticket}");
    Ok(())
}

fn ask(server: &str, token: &str) -> anyhow::Result<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into();
    let mut answer = agent
        .post(format!("{server}/api/v1/tickets"))
        .header("Authorization", format!("Bearer {token}"))
        .send_empty()?;
    let text = answer.body_mut().read_to_string()?;
    let Ticket { ticket } = serde_json::from_str(&text)?;
    Ok(ticket)
}
