//! Whether the database holds what the ledger says.
//!
//! The server's own `check` is one witness. The other is a plain reading of the log, which shares no
//! code with the server.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, bail};
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Seq, Version};
use boardcast_sim::ledger::Line;
use sqlx::{Connection, Row, SqliteConnection};

use super::outcome::Outcome;
use super::site::Site;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Commands of the ledger that the database does not have.
    pub lost: u64,
    /// Commands that the log has more than once.
    pub doubled: u64,
}

/// Compares a copy of the data with `lines`, so that what a crash has left to do is left to the next
/// start of the server; adds what was found to the figures and the failures.
///
/// # Errors
/// The data cannot be copied or read.
pub async fn audit(site: &Site, lines: &[Line], outcome: &mut Outcome) -> anyhow::Result<Audit> {
    let copy = tempfile::Builder::new()
        .prefix("audit-")
        .tempdir_in(site.path("."))?;
    copy_files(site.data(), copy.path()).context("failed to copy the data")?;
    let found = read_log(&copy.path().join("boardcast.db"), lines).await?;
    outcome.add("audits", 1);
    outcome.add("lost", found.lost);
    outcome.add("doubled", found.doubled);
    outcome.expect(found == Audit::default(), || {
        format!("of {} durable commands {found:?}", lines.len())
    });
    check(site, copy.path(), outcome)?;
    Ok(found)
}

/// What the server's own program finds in the copy.
fn check(site: &Site, copy: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut command = site.binaries().server();
    command
        .arg("check")
        .arg("--json")
        .arg("--data-dir")
        .arg(copy);
    let ledger = site.path("ledger");
    if ledger.exists() {
        command.arg("--ledger").arg(ledger);
    }
    let checked = command.output().context("failed to run the check")?;
    if checked.status.success() {
        outcome.add("clean checks", 1);
    } else {
        let told = String::from_utf8_lossy(&checked.stdout);
        let why = String::from_utf8_lossy(&checked.stderr);
        outcome.fail(format!("`boardcast check` says: {why}{told}"));
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn read_log(file: &Path, lines: &[Line]) -> anyhow::Result<Audit> {
    if !file.exists() {
        bail!("there is no database");
    }
    let url = format!("sqlite://{}", file.display());
    let mut conn = SqliteConnection::connect(&url).await?;
    let rows =
        sqlx::query("SELECT board, version, client, seq FROM events ORDER BY board, version")
            .fetch_all(&mut conn)
            .await?;
    let mut applied: HashMap<(BoardId, ClientId, Seq), Version> = HashMap::new();
    let mut first: HashMap<BoardId, Version> = HashMap::new();
    let mut audit = Audit::default();
    for row in &rows {
        let board: BoardId = row.get::<&str, _>(0).parse()?;
        let version = Version(row.get::<i64, _>(1).cast_unsigned());
        first.entry(board).or_insert(version);
        let (Some(client), Some(seq)) =
            (row.get::<Option<&str>, _>(2), row.get::<Option<i64>, _>(3))
        else {
            continue;
        };
        let named = (board, client.parse()?, Seq(seq.cast_unsigned()));
        audit.doubled += u64::from(applied.insert(named, version).is_some());
    }
    let clients = sqlx::query("SELECT board, client, last_seq FROM clients")
        .fetch_all(&mut conn)
        .await?;
    let mut last: HashMap<(BoardId, ClientId), Seq> = HashMap::new();
    for row in &clients {
        let named = (
            row.get::<&str, _>(0).parse()?,
            row.get::<&str, _>(1).parse()?,
        );
        last.insert(named, Seq(row.get::<i64, _>(2).cast_unsigned()));
    }
    let mut seen = HashSet::new();
    for line in lines {
        // Of versions that were trimmed the database still knows how far each client had come.
        let trimmed = first
            .get(&line.board)
            .is_some_and(|first| line.version < *first);
        let kept = if trimmed {
            last.get(&(line.board, line.client))
                .is_some_and(|seq| *seq >= line.seq)
        } else {
            applied.get(&(line.board, line.client, line.seq)) == Some(&line.version)
        };
        audit.lost += u64::from(!kept);
        audit.doubled += u64::from(!seen.insert((line.board, line.client, line.seq)));
    }
    conn.close().await?;
    Ok(audit)
}
