//! The command line. Data goes to standard output, everything else to standard error; the exit code
//! is 0 for success, 1 for failure, 2 for wrong usage.

mod backup;
mod check;
mod config;
mod doctor;
mod export;
mod files;
mod import;
mod key;
mod link;
mod noted;
mod place;
mod plain;
mod reindex;
mod remote;
mod restore;
mod serve;
mod stats;
mod token;
mod ttl;
mod user;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::plain::plain_lines;

/// A live kanban server: boards over WebSocket, kept in one SQLite file.
#[derive(Debug, Parser)]
#[command(name = "boardcast", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<serve::ServeArgs>),
    /// Print every setting, its value in force and where it comes from
    Config(Box<config::ConfigArgs>),
    /// Print signed tokens, one a line; works beside a running server
    Token(token::TokenArgs),
    /// Change the key that tokens are signed with; works beside a running server
    Key(key::KeyArgs),
    /// Import boards from files, each one whole or not at all
    Import(import::ImportArgs),
    /// Print a board as a file
    Export(export::ExportArgs),
    /// Write all boards, as they stand at one moment, to a file
    Backup(backup::BackupArgs),
    /// Put a backup in the place of all boards; what came after it is kept aside
    Restore(restore::RestoreArgs),
    /// Check every invariant of a database, and that it has what clients were told is durable
    Check(check::CheckArgs),
    /// Make the search index of a data directory anew from its cards
    Reindex(reindex::ReindexArgs),
    /// Print what a server does: its numbers, the busiest boards, its connections
    Stats(stats::StatsArgs),
    /// Say what is wrong between a browser and a server, and what to change
    Doctor(doctor::DoctorArgs),
    /// Print a link that signs a browser in; works once, within 30 seconds
    Link(link::LinkArgs),
    /// Make, list, disable and enable accounts, and let people set new passwords
    User(user::UserArgs),
}

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for makes no sense: exit code 2.
    Usage(String),
    /// What was asked for could not be done: exit code 1.
    Failed(String),
}

impl Failure {
    /// What was asked for makes no sense.
    #[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
    pub fn usage(error: impl ToString) -> Self {
        Self::Usage(error.to_string())
    }

    /// What was asked for could not be done.
    #[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
    pub fn failed(error: impl ToString) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs the command that the arguments of the process ask for.
pub fn run() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let of_command = matches.subcommand().map(|(_, matches)| matches);
    let done = match cli.command {
        Command::Serve(args) => serve::run(*args, of_command.unwrap_or(&matches)),
        Command::Config(args) => config::run(*args, of_command.unwrap_or(&matches)),
        Command::Token(args) => token::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Reindex(args) => reindex::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Link(args) => link::run(&args),
        Command::User(args) => user::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => {
            eprintln!("boardcast: {}", plain_lines(&message));
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("boardcast: {}", plain_lines(&message));
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
