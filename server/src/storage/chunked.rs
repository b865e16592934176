//! One statement for many rows, prepared once for each of a few sizes.

use std::pin::pin;
use std::sync::Arc;

use futures::future::maybe_done;
use futures::poll;
use sqlx::Arguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use super::fault::Fault;

/// Rows of a statement, falling: close enough to each other that a few more rows than there are,
/// or a second statement, cost less than a round trip to SQLite's thread for each power of two.
const SIZES: [usize; 14] = [128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];

pub(super) type Bound<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A statement with a list of value tuples in its middle.
pub(super) struct Chunked {
    sql: [&'static str; SIZES.len()],
    columns: usize,
    /// A row may be written twice, so the last one fills up a statement.
    repeatable: bool,
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
        Self {
            sql,
            columns,
            repeatable: false,
        }
    }

    /// The same for a statement that leaves the same when a row stands in it twice: then up to
    /// [`SIZES`]'s largest, any number of rows is one statement.
    pub(super) fn repeatable(head: &str, columns: usize, tail: &str) -> Self {
        Self {
            repeatable: true,
            ..Self::new(head, columns, tail)
        }
    }

    /// Runs it for all rows; the number of rows that were changed.
    pub(super) async fn run<T>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[T],
        bind: impl for<'q> Fn(Bound<'q>, &T) -> Result<Bound<'q>, Fault>,
    ) -> Result<u64, Fault> {
        let mut changed = 0;
        let mut rest = rows;
        let mut next = self.next(&mut rest, &bind)?;
        while let Some(query) = next.take() {
            let mut running = pin!(maybe_done(query.execute(&mut *conn)));
            // Polled, it is on its way to SQLite's thread: the next is bound while it runs.
            let _ = poll!(running.as_mut());
            let bound = self.next(&mut rest, &bind);
            running.as_mut().await;
            let done = (running.take_output()).unwrap_or(Err(sqlx::Error::WorkerCrashed));
            changed += done
                .map_err(|error| Fault::of_statement(&error))?
                .rows_affected();
            next = bound?;
        }
        Ok(changed)
    }

    /// The statement for the first rows, as many as one of the sizes holds; `None` at the end.
    fn next<T>(
        &self,
        rest: &mut &[T],
        bind: impl for<'q> Fn(Bound<'q>, &T) -> Result<Bound<'q>, Fault>,
    ) -> Result<Option<Bound<'static>>, Fault> {
        let count = rest.len();
        let largest = SIZES[0];
        let mut sizes = SIZES.into_iter().zip(self.sql);
        let fitting = if self.repeatable {
            sizes.rfind(|(size, _)| *size >= count.min(largest))
        } else {
            sizes.find(|(size, _)| *size <= count)
        };
        let (Some((size, sql)), Some(last)) = (fitting, rest.last()) else {
            return Ok(None);
        };
        let (chunk, others) = rest.split_at(size.min(count));
        *rest = others;
        let mut arguments = SqliteArguments::default();
        arguments.reserve(size * self.columns, 0);
        let mut query = sqlx::query_with(sql, arguments);
        for row in chunk.iter().chain(std::iter::repeat(last)).take(size) {
            query = bind(query, row)?;
        }
        Ok(Some(query))
    }

    /// The statement for a single row.
    pub(super) fn single(&self) -> &'static str {
        self.sql[SIZES.len() - 1]
    }
}

/// JSON as the text that SQLite keeps.
pub(super) fn text(json: &[u8]) -> Result<Arc<str>, Fault> {
    std::str::from_utf8(json)
        .map(Arc::from)
        .map_err(|error| Fault::Data(format!("a document is not UTF-8: {error}")))
}
