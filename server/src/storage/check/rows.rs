//! The rows of a board: what the replay of its log leads to, none missing, none surplus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use futures::TryStreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Row;

use boardcast_protocol::board::{Board, View};
use boardcast_protocol::ids::{AnyId, BoardId};

use super::report::Invariant;
use super::{Check, CheckError};
use crate::storage::rows::Table;

const HEAD: &str = "SELECT doc FROM boards WHERE id = ?";
const TOMBSTONES: &str = "SELECT id FROM tombstones WHERE board = ? ORDER BY id";

fn select(table: Table) -> &'static str {
    match table {
        Table::Members => "SELECT id, doc FROM members WHERE board = ? ORDER BY id",
        Table::Columns => "SELECT id, doc FROM columns WHERE board = ? ORDER BY id",
        Table::Labels => "SELECT id, doc FROM labels WHERE board = ? ORDER BY id",
        Table::Fields => "SELECT id, doc FROM fields WHERE board = ? ORDER BY id",
        Table::Sprints => "SELECT id, doc FROM sprints WHERE board = ? ORDER BY id",
        Table::Cards => "SELECT id, doc FROM cards WHERE board = ? ORDER BY id",
        Table::Details => "SELECT id, doc FROM details WHERE board = ? ORDER BY id",
    }
}

impl Check<'_> {
    /// Compares all rows of a board with the replay up to their version.
    pub(super) async fn rows(&mut self, id: BoardId, replay: &Board) -> Result<(), CheckError> {
        let view = replay.view();
        self.head(id, view).await?;
        for table in Table::ALL {
            match table {
                Table::Members => self.table(id, table, &view.members).await?,
                Table::Columns => self.table(id, table, &view.columns).await?,
                Table::Labels => self.table(id, table, &view.labels).await?,
                Table::Fields => self.table(id, table, &view.fields).await?,
                Table::Sprints => self.table(id, table, &view.sprints).await?,
                Table::Cards => self.table(id, table, &view.cards).await?,
                Table::Details => self.table(id, table, replay.details()).await?,
            }
        }
        self.tombstones(id, replay.buried()).await
    }

    async fn head(&mut self, id: BoardId, view: &View) -> Result<(), CheckError> {
        let doc: String = sqlx::query_scalar(HEAD)
            .bind(id.as_str())
            .fetch_one(&mut *self.conn)
            .await?;
        self.compare(id, "the board itself", &doc, &view.head());
        Ok(())
    }

    async fn table<K, V>(
        &mut self,
        id: BoardId,
        table: Table,
        replay: &BTreeMap<K, V>,
    ) -> Result<(), CheckError>
    where
        K: FromStr + Ord + Display,
        V: DeserializeOwned + PartialEq + Serialize,
    {
        let name = table.name();
        let rows = sqlx::query(select(table))
            .bind(id.as_str())
            .fetch_all(&mut *self.conn)
            .await?;
        let mut seen = BTreeSet::new();
        for row in &rows {
            let (key, doc): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            seen.insert(key);
            let part = format!("{name} {key}");
            match key.parse().ok().and_then(|key: K| replay.get(&key)) {
                Some(value) => self.compare(id, &part, doc, value),
                None => self.report.add(
                    Invariant::RowsMatchLog,
                    Some(id.as_str()),
                    format_args!("{part} is surplus"),
                    "no such row",
                ),
            }
        }
        for key in replay.keys().map(ToString::to_string) {
            if !seen.contains(key.as_str()) {
                let found = format!("{name} {key} is missing");
                let board = Some(id.as_str());
                (self.report).add(Invariant::RowsMatchLog, board, found, "a row");
            }
        }
        Ok(())
    }

    /// Compares as values: another order of keys, or a default that is written, is no difference.
    fn compare<V>(&mut self, id: BoardId, part: &str, doc: &str, replay: &V)
    where
        V: DeserializeOwned + PartialEq + Serialize,
    {
        let board = Some(id.as_str());
        let row: V = match serde_json::from_str(doc) {
            Ok(row) => row,
            Err(error) => {
                let found = format!("{part}: {error}");
                let expected = "a row that can be read";
                self.report.add(Invariant::Readable, board, found, expected);
                return;
            }
        };
        if row == *replay {
            return;
        }
        let json = |value: &V| serde_json::to_value(value).unwrap_or_default();
        let (path, found, expected) = difference(&json(&row), &json(replay));
        let found = format!("{part}{path}: {found}");
        self.report
            .add(Invariant::RowsMatchLog, board, found, expected);
    }

    async fn tombstones(
        &mut self,
        id: BoardId,
        replay: &BTreeSet<AnyId>,
    ) -> Result<(), CheckError> {
        let board = Some(id.as_str());
        let mut seen = BTreeSet::new();
        let mut rows = sqlx::query(TOMBSTONES)
            .bind(id.as_str())
            .fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let text: &str = row.try_get(0)?;
            match text.parse::<AnyId>().ok().filter(|id| replay.contains(id)) {
                Some(id) => drop(seen.insert(id)),
                None => {
                    let found = format!("{text} counts as deleted");
                    let expected = "it was never deleted";
                    (self.report).add(Invariant::TombstonesMatchLog, board, found, expected);
                }
            }
        }
        for id in replay.difference(&seen) {
            let found = format!("{id} does not count as deleted");
            let expected = "it was deleted";
            (self.report).add(Invariant::TombstonesMatchLog, board, found, expected);
        }
        Ok(())
    }
}

/// The first place where two values differ, and what stands there.
fn difference(found: &Value, expected: &Value) -> (String, String, String) {
    let nothing = Value::Null;
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()) {
                let (x, y) = (a.get(key), b.get(key));
                if x != y {
                    let (x, y) = (x.unwrap_or(&nothing), y.unwrap_or(&nothing));
                    let (path, found, expected) = difference(x, y);
                    return (format!(".{key}{path}"), found, expected);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            if let Some(at) = (0..a.len()).find(|at| a[*at] != b[*at]) {
                let (path, found, expected) = difference(&a[at], &b[at]);
                return (format!("[{at}]{path}"), found, expected);
            }
        }
        (_, _) => {}
    }
    (String::new(), found.to_string(), expected.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference;

    #[test]
    fn the_first_difference_is_named() {
        for (found, expected, path) in [
            (json!({"a": 1}), json!({"a": 2}), ".a"),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), ".b"),
            (
                json!({"a": [1, {"c": 2}]}),
                json!({"a": [1, {"c": 3}]}),
                ".a[1].c",
            ),
            (json!([1]), json!([1, 2]), ""),
        ] {
            assert_eq!(difference(&found, &expected).0, path);
        }
    }
}
