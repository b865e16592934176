//! `boardcast check`: a database that keeps every promise passes, and each broken one is named.

mod damage;
mod ledgers;
mod refusals;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_sim::ledger::Line;
use boardcast_tests::harness::TestServer;
use boardcast_tests::process::{run, stderr, stdout};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};
use tempfile::TempDir;

/// What one client does, a version each, to a board with one of everything.
fn commands() -> Vec<Value> {
    vec![
        json!([{"type": "column.create", "column": "todo", "title": "To do"},
               {"type": "column.create", "column": "done", "title": "Done", "done": true}]),
        json!([{"type": "member.add", "user": "ben", "role": "editor"}]),
        json!([{"type": "label.create", "label": "red", "name": "urgent"},
               {"type": "field.create", "field": "size", "name": "Size", "kind": "number"},
               {"type": "sprint.create", "sprint": "one", "title": "Sprint 1"}]),
        json!([{"type": "card.create", "card": "k1", "column": "todo", "title": "First",
                "labels": ["red"], "assignees": ["ben"], "set": {"description": "All of it"}}]),
        json!([{"type": "card.create", "card": "k2", "column": "todo", "title": "Second"}]),
        json!([{"type": "card.create", "card": "k3", "column": "todo", "title": "Third"}]),
        json!([{"type": "comment.create", "card": "k1", "comment": "m1", "text": "looks good"}]),
        json!([{"type": "card.move", "card": "k2", "column": "todo", "place": {"before": "k1"}}]),
        json!([{"type": "card.set", "card": "k2", "set": {"title": "Better", "sprint": "one"}}]),
        json!([{"type": "card.remove", "card": "k3"}]),
        json!([{"type": "card.move", "card": "k1", "column": "done"}]),
        json!([{"type": "board.set", "title": "Plans of ours"}]),
    ]
}

/// Versions of the board.
const VERSIONS: u64 = 12;

/// A database as a server leaves it when it stops cleanly, and the board in it.
struct Scene {
    dir: TempDir,
    board: BoardId,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let mut ann = server.client("ann").await;
        let board = ann.create_board("Plans").await;
        ann.subscribe(board, None).await;
        let mut seq = 0;
        for commands in commands() {
            seq += 1;
            let commands: Vec<Command> = serde_json::from_value(commands).expect("commands");
            ann.submit(board, seq, commands).await;
        }
        // A rejected command has a number and no version.
        let nowhere = json!([{"type": "card.remove", "card": "nosuch"}]);
        let nowhere = serde_json::from_value(nowhere).expect("commands");
        ann.submit(board, seq + 1, nowhere).await;
        ann.outcome().await;
        ann.durable(board, VERSIONS).await;
        drop(ann);
        let dir = server.stop().await;
        Self { dir, board }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The same database once more.
    fn copy(&self) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::copy(self.path("boardcast.db"), dir.path().join("boardcast.db")).expect("a copy");
        Self {
            dir,
            board: self.board,
        }
    }

    async fn open(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.path("boardcast.db"))
            .foreign_keys(false)
            .connect()
            .await
            .expect("the database")
    }

    /// Runs statements on the database, past all rules.
    async fn execute(&self, statements: &str) {
        let mut conn = self.open().await;
        let statements = statements.replace("$BOARD", &format!("'{}'", self.board));
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&mut conn)
            .await
            .expect("statements");
        conn.close().await.expect("a closed database");
    }

    /// The lines that a client would have written about this board.
    async fn lines(&self) -> Vec<Line> {
        let mut conn = self.open().await;
        let sql = "SELECT e.client, e.seq, e.version, e.at, \
                (SELECT epoch FROM epochs WHERE board = e.board ORDER BY number DESC LIMIT 1) \
            FROM events AS e WHERE board = ? ORDER BY version";
        let rows = sqlx::query(sql)
            .bind(self.board.as_str())
            .fetch_all(&mut conn)
            .await
            .expect("the log");
        conn.close().await.expect("a closed database");
        rows.iter()
            .map(|row| {
                let line = json!({"board": self.board, "client": row.get::<&str, _>(0),
                    "seq": row.get::<i64, _>(1), "version": row.get::<i64, _>(2),
                    "at": row.get::<i64, _>(3), "epoch": row.get::<&str, _>(4)});
                serde_json::from_value(line).expect("a line")
            })
            .collect()
    }

    /// Writes a ledger; its path.
    fn ledger(&self, lines: &[Line]) -> PathBuf {
        let text: String = lines
            .iter()
            .map(|line| serde_json::to_string(line).expect("JSON") + "\n")
            .collect();
        let path = self.path("ledger");
        fs::write(&path, text).expect("a ledger");
        path
    }

    fn check(&self, ledgers: &[&Path]) -> Checked {
        let mut args = vec!["check", "--json", "--data-dir", text(self.dir.path())];
        for ledger in ledgers {
            args.extend(["--ledger", text(ledger)]);
        }
        Checked::of(&run(&args))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A report, and the exit code that came with it.
struct Checked {
    code: Option<i32>,
    report: Value,
}

impl Checked {
    fn of(output: &Output) -> Self {
        let told = stdout(output);
        let report = serde_json::from_str(&told)
            .unwrap_or_else(|error| panic!("{error}: {told}{}", stderr(output)));
        Self {
            code: output.status.code(),
            report,
        }
    }

    /// The invariants that are broken.
    fn broken(&self) -> BTreeSet<&str> {
        let violations = self.report["violations"].as_array().expect("violations");
        let names = violations.iter().map(|one| one["invariant"].as_str());
        names.map(|name| name.expect("a name")).collect()
    }

    fn assert_clean(&self) {
        assert_eq!(self.code, Some(0), "{}", self.report);
        assert_eq!(self.report["violations"], json!([]));
        assert_eq!(self.report["total"], 0);
    }

    /// A count of the ledgers.
    fn ledger(&self, what: &str) -> u64 {
        self.report["ledger"][what].as_u64().expect(what)
    }
}
