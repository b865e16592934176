//! The database as a whole, and the walk over its boards.

use futures::TryStreamExt;
use sqlx::Row;

use boardcast_protocol::ids::{BoardId, UserId};

use super::report::Invariant;
use super::{Check, CheckError};
use crate::storage::StorageError;
use crate::storage::accounts::email_key;
use crate::storage::fault::primary_code;

const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

const INTEGRITY: &str = "PRAGMA integrity_check(1000)";
const FOREIGN_KEYS: &str = r#"SELECT "table", rowid, parent FROM pragma_foreign_key_check"#;
const USERS: &str = "SELECT id, name FROM users";
const ACCOUNTS: &str = "SELECT user, name, email, email_key, bot FROM accounts";
const IMPORTS: &str = "SELECT source, board, ids FROM imports";
const NEXT_BOARD: &str = "SELECT id, deleted IS 0 FROM boards WHERE id > ? ORDER BY id LIMIT 1";
const BIN: &str = "SELECT id, deleted, deleted_by FROM boards \
     WHERE deleted IS NOT NULL OR deleted_by IS NOT NULL";
const BOARD_EXISTS: &str = "SELECT count(*) > 0 FROM boards WHERE id = ?";

/// Tables without a foreign key to their board: the next board that has rows there.
const OWNERS: [(&str, &str); 2] = [
    (
        "events",
        "SELECT board FROM events WHERE board > ? ORDER BY board LIMIT 1",
    ),
    (
        "activity",
        "SELECT board FROM activity WHERE board > ? ORDER BY board LIMIT 1",
    ),
];

impl Check<'_> {
    /// Checks everything.
    pub(super) async fn run(&mut self) -> Result<(), CheckError> {
        self.watch()?;
        let done = self.integrity().await;
        self.read_or_found(None, done)?;
        let done = self.foreign_keys().await;
        self.read_or_found(None, done)?;
        let done = self.users().await;
        self.read_or_found(None, done)?;
        let done = self.accounts().await;
        self.read_or_found(None, done)?;
        let done = self.imports().await;
        self.read_or_found(None, done)?;
        let done = self.bin().await;
        self.read_or_found(None, done)?;
        let done = self.files().await;
        self.read_or_found(None, done)?;
        for (table, next) in OWNERS {
            let done = self.owners(table, next).await;
            self.read_or_found(None, done)?;
        }
        let done = self.index_state().await;
        self.read_or_found(None, done)?;
        let done = self.boards().await;
        self.read_or_found(None, done)?;
        let done = self.index().await;
        self.read_or_found(None, done)
    }

    /// What cannot be read because it is damaged is a finding; the check goes on behind it.
    fn read_or_found(
        &mut self,
        board: Option<&str>,
        done: Result<(), CheckError>,
    ) -> Result<(), CheckError> {
        match done {
            Err(CheckError::Storage(StorageError::Read(error))) if is_damage(&error) => {
                let expected = "rows that can be read";
                self.report.add(Invariant::Readable, board, error, expected);
                Ok(())
            }
            done => done,
        }
    }

    async fn integrity(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(INTEGRITY).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let found: &str = row.try_get(0)?;
            if found != "ok" {
                self.report.add(Invariant::Integrity, None, found, "ok");
            }
        }
        Ok(())
    }

    async fn foreign_keys(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(FOREIGN_KEYS).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let table: &str = row.try_get(0)?;
            let number: Option<i64> = row.try_get(1)?;
            let parent: &str = row.try_get(2)?;
            self.report.add(
                Invariant::ForeignKeys,
                None,
                format_args!(
                    "row {} of {table} leads nowhere",
                    number.unwrap_or_default()
                ),
                format_args!("a row of {parent}"),
            );
        }
        Ok(())
    }

    async fn users(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(USERS).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (id, name): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            if id.parse::<UserId>().is_err() || name.is_empty() {
                let found = format!("a user {id:?} with the name {name:?}");
                self.report
                    .add(Invariant::Users, None, found, "an id and a name");
            }
        }
        Ok(())
    }

    async fn accounts(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(ACCOUNTS).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (user, name): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            let (email, key): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
            let is_bot: bool = row.try_get(4)?;
            let expected_key = if is_bot {
                user.to_owned()
            } else {
                email_key(email)
            };
            if user.parse::<UserId>().is_err() || name.is_empty() || key != expected_key {
                let found = format!("an account {user:?}, {name:?}, with {email:?} as {key:?}");
                let expected = "an id, a name, and the address in lower case, or the id of a bot";
                self.report.add(Invariant::Accounts, None, found, expected);
            }
        }
        Ok(())
    }

    async fn imports(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(IMPORTS).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (source, board): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            let ids: &str = row.try_get(2)?;
            if let Err(error) = serde_json::from_str::<Vec<String>>(ids) {
                let found = format!("the import of {source:?}: {error}");
                let expected = "a JSON array of ids";
                self.report
                    .add(Invariant::Imports, Some(board), found, expected);
            }
        }
        Ok(())
    }

    async fn bin(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(BIN).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (board, by): (&str, Option<&str>) = (row.try_get(0)?, row.try_get(2)?);
            let since: Option<i64> = row.try_get(1)?;
            let is_user = by.is_some_and(|by| by.parse::<UserId>().is_ok());
            if !is_user || since.is_none_or(|since| since < 0) {
                let found = format!("deleted at {since:?} by {by:?}");
                let expected = "a time and a user, or neither";
                self.report
                    .add(Invariant::Bin, Some(board), found, expected);
            }
        }
        Ok(())
    }

    async fn owners(&mut self, table: &str, next: &'static str) -> Result<(), CheckError> {
        let mut last = String::new();
        loop {
            let owner: Option<String> = sqlx::query_scalar(next)
                .bind(&last)
                .fetch_optional(&mut *self.conn)
                .await?;
            let Some(owner) = owner else { return Ok(()) };
            let exists: bool = sqlx::query_scalar(BOARD_EXISTS)
                .bind(&owner)
                .fetch_one(&mut *self.conn)
                .await?;
            if !exists {
                let found = format!("{table} has rows of this board");
                self.report
                    .add(Invariant::LogBoards, Some(&owner), found, "a board");
            }
            last = owner;
        }
    }

    async fn boards(&mut self) -> Result<(), CheckError> {
        let mut last = String::new();
        loop {
            let next: Option<(String, bool)> = sqlx::query_as(NEXT_BOARD)
                .bind(&last)
                .fetch_optional(&mut *self.conn)
                .await?;
            let Some((id, is_ending)) = next else {
                return Ok(());
            };
            self.watch()?;
            self.report.boards += 1;
            if is_ending {
                // Some of its rows are gone, and the next round of the server removes the others.
                last = id;
                continue;
            }
            match id.parse::<BoardId>() {
                Ok(board) => {
                    let done = self.board(board).await;
                    self.read_or_found(Some(&id), done)?;
                }
                Err(error) => {
                    let found = format!("a board {id:?}: {error}");
                    self.report.add(Invariant::Readable, None, found, "an id");
                }
            }
            last = id;
        }
    }
}

/// Whether the file is at fault, not the machine.
fn is_damage(error: &sqlx::Error) -> bool {
    let undecodable = matches!(
        error,
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }
    );
    undecodable || matches!(primary_code(error), Some(SQLITE_CORRUPT | SQLITE_NOTADB))
}
