//! `boardcast token`.

use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;
use serde_json::json;

use super::noted::note;
use super::{Failure, ttl};
use crate::auth::{Secret, Tokens};
use crate::clock;
use crate::storage::{AuditAct, AuditEntry};

/// What a user may do on the server as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ServerRole {
    /// Counts as admin of every board.
    Admin,
}

#[derive(Debug, clap::Args)]
pub(super) struct TokenArgs {
    /// Where the server keeps everything
    #[arg(long, env = "BOARDCAST_DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
    /// The user: 1 to 22 characters of A-Z a-z 0-9 _ -
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What the user may do on the server as a whole
    #[arg(long)]
    role: Option<ServerRole>,
    /// How long the token lasts: 30s, 5m, 1h, 7d
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = ttl::parse)]
    ttl: u64,
    /// Print tokens of so many users, NAME-1 to NAME-N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: Option<u32>,
}

pub(super) fn run(args: &TokenArgs) -> Result<(), Failure> {
    let names: Vec<String> = match args.count {
        None => vec![args.user.clone()],
        Some(count) => (1..=count).map(|n| format!("{}-{n}", args.user)).collect(),
    };
    let mut users = Vec::with_capacity(names.len());
    for name in &names {
        users.push(parse_user(name)?);
    }
    let tokens = tokens(&args.data_dir)?;
    let (now, admin) = (clock::now(), args.role == Some(ServerRole::Admin));
    let mut lines = String::new();
    for user in &users {
        let token = tokens.sign(Actor::new(*user, admin), now, args.ttl);
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{}", token.map_err(Failure::failed)?);
    }
    let only = users.first().copied().filter(|_| args.count.is_none());
    let mut entry = signed(only, admin, now, args.ttl);
    if let Some(count) = args.count {
        entry.detail["users"] = format!("{0}-1 to {0}-{count}", args.user).into();
    }
    note(&args.data_dir, &entry);
    std::io::stdout()
        .write_all(lines.as_bytes())
        .map_err(|error| Failure::failed(format!("failed to print tokens: {error}")))
}

/// That tokens were made, for the audit log; `about` is the user where there is one.
pub(super) fn signed(
    about: Option<UserId>,
    admin: bool,
    now: Timestamp,
    ttl_ms: u64,
) -> AuditEntry {
    AuditEntry {
        about,
        detail: json!({"admin": admin, "expires": now.0.saturating_add(ttl_ms)}),
        ..AuditEntry::new(AuditAct::TokenSigned, now)
    }
}

/// A user as it was named on the command line.
pub(super) fn parse_user(name: &str) -> Result<UserId, Failure> {
    name.parse()
        .map_err(|error| Failure::usage(format!("{name:?} is not a user: {error}")))
}

/// Signs as the server of this data directory does, whether it runs or was never started.
pub(super) fn tokens(data_dir: &Path) -> Result<Tokens, Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(|error| {
            let dir = data_dir.display();
            Failure::failed(format!("failed to make the data directory {dir}: {error}"))
        })?;
    let secret = Secret::load_or_make(data_dir).map_err(Failure::failed)?;
    Ok(Tokens::new(&secret))
}
