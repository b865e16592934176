//! What several tests begin with.

use std::path::Path;

use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::ColumnId;
use boardcast_sim::args::{Arguments, RunArgs, What};
use clap::Parser;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

use crate::harness::TestServer;

/// The column that [`make_column`] makes.
pub fn column() -> ColumnId {
    "todo".parse().expect("an id")
}

/// Makes the column in which tests put cards.
pub fn make_column() -> Command {
    Command::ColumnCreate {
        column: column(),
        title: "To do".to_owned(),
        wip: None,
        done: false,
        place: Place::default(),
    }
}

/// The arguments of `boardcast-sim run` with these `flags` against a server of a test; `tokens` is
/// the path of a file.
pub fn run_args(server: &TestServer, flags: &str, tokens: &str) -> RunArgs {
    let url = server.url("");
    let place = ["--server", &url, "--token-file", tokens];
    let words = ["boardcast-sim", "run"].into_iter();
    let words = words.chain(flags.split_whitespace()).chain(place);
    match Arguments::try_parse_from(words).expect("arguments").what {
        What::Run(args) => args,
        _ => unreachable!("`run` was asked for"),
    }
}

/// Makes a database with the schema of the first migration.
pub async fn first_schema(file: &Path) -> SqliteConnection {
    let mut conn = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .connect()
        .await
        .expect("a database");
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut migrator = Migrator::new(migrations).await.expect("migrations");
    migrator.migrations.to_mut().truncate(1);
    migrator.run(&mut conn).await.expect("the first migration");
    conn
}
