//! One statement for many rows, prepared once for each of a few sizes.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use super::fault::Fault;

/// Rows of a statement, falling.
const SIZES: [usize; 5] = [128, 32, 8, 2, 1];

pub(super) type Bound<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A statement with a list of value tuples in its middle.
pub(super) struct Chunked {
    sql: [&'static str; SIZES.len()],
}

impl Chunked {
    /// The statement `head (?, ...), (?, ...) tail` with `columns` values a tuple. To be made once:
    /// its text stays in memory, so that sqlx need not copy it with each use.
    pub(super) fn new(head: &str, columns: usize, tail: &str) -> Self {
        let tuple = format!("({})", vec!["?"; columns].join(", "));
        let sql = SIZES.map(|rows| {
            let tuples = vec![tuple.as_str(); rows].join(", ");
            &*format!("{head} {tuples} {tail}").leak()
        });
        Self { sql }
    }

    /// Runs it for all rows; the number of rows that were changed.
    pub(super) async fn run<T>(
        &self,
        conn: &mut SqliteConnection,
        mut rows: &[T],
        bind: impl for<'q> Fn(Bound<'q>, &T) -> Result<Bound<'q>, Fault>,
    ) -> Result<u64, Fault> {
        let mut changed = 0;
        for (size, sql) in SIZES.into_iter().zip(self.sql) {
            while rows.len() >= size {
                let (chunk, rest) = rows.split_at(size);
                rows = rest;
                let mut query = sqlx::query(sql);
                for row in chunk {
                    query = bind(query, row)?;
                }
                let result = query
                    .execute(&mut *conn)
                    .await
                    .map_err(|error| Fault::of_statement(&error))?;
                changed += result.rows_affected();
            }
        }
        Ok(changed)
    }

    /// The statement for a single row: what query plans are tested with.
    #[cfg(test)]
    pub(super) fn single(&self) -> &'static str {
        self.sql[SIZES.len() - 1]
    }
}

/// JSON as the text that SQLite keeps.
pub(super) fn text(json: &[u8]) -> Result<String, Fault> {
    std::str::from_utf8(json)
        .map(str::to_owned)
        .map_err(|error| Fault::Data(format!("a document is not UTF-8: {error}")))
}
