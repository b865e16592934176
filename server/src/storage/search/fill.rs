//! Makes the index from the rows: where the database is older than the index, where another form of it
//! was written, and where somebody asks for it.

use std::path::Path;
use std::sync::Arc;

use sqlx::{Connection, Row, SqliteConnection};

use super::index::{self, Written};
use crate::storage::directory::Directory;
use crate::storage::fault::{self, Fault};
use crate::storage::{StorageError, checkpoint, connect};

/// What the index holds of a card, and how it is taken apart: goes up when either changes.
pub(in crate::storage) const FORM: &str = "1";
/// It is being made.
const UNDER_WAY: &str = "1 under way";
/// Cards of one transaction.
const CARDS_AT_ONCE: i64 = 200;
/// Transactions between two checkpoints.
const CHECKPOINT_EVERY: u64 = 50;

pub(in crate::storage) const STATE: &str = "SELECT value FROM server WHERE key = 'card_index'";
pub(in crate::storage) const SET_STATE: &str = "INSERT INTO server (key, value) VALUES ('card_index', ?) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const EMPTY: [&str; 3] = [
    "INSERT INTO card_index (card_index) VALUES ('delete-all')",
    "DELETE FROM indexed_cards",
    "DELETE FROM indexed_boards",
];
pub(in crate::storage) const NEXT_CARDS: &str = "SELECT board, id, doc FROM cards \
     WHERE (board, id) > (?1, ?2) ORDER BY board, id LIMIT ?3";

/// Why the index was not made. The message fits after "failed to".
#[derive(Debug, thiserror::Error)]
#[error("make the search index: {0}")]
pub struct ReindexError(String);

impl From<StorageError> for ReindexError {
    fn from(error: StorageError) -> Self {
        Self(error.to_string())
    }
}

/// Makes the index of a directory anew, which no server uses; how many cards are in it. A crash on the
/// way is made good by the next start of a server.
///
/// # Errors
/// A server uses the directory, there is no database, or it cannot be written.
pub async fn reindex(dir: &Path) -> Result<u64, ReindexError> {
    let claim = Directory::claim_existing(dir)?;
    let mut conn = connect::writer(claim.database()).await?;
    let done = async {
        begin(&mut conn).await?;
        fill(&mut conn).await
    };
    let cards = done.await.map_err(|fault| ReindexError(reason(&fault)))?;
    if let Err(fault) = checkpoint::truncate(&mut conn).await {
        tracing::warn!(?fault, "the write-ahead log was not written back");
    }
    let closed = conn.close().await;
    closed.map_err(|error| ReindexError(error.to_string()))?;
    Ok(cards)
}

/// Makes the index where it is not whole. Memory holds some cards at a time; what was made stays made
/// when this is cut short.
pub(in crate::storage) async fn bring_up_to_date(
    conn: &mut SqliteConnection,
    file: &Path,
) -> Result<(), StorageError> {
    let state: Option<String> = sqlx::query_scalar(STATE)
        .fetch_optional(&mut *conn)
        .await
        .map_err(|error| connect::damage(file, error))?;
    let failed = |fault: Fault| StorageError::NoIndex {
        file: file.to_owned(),
        reason: reason(&fault),
    };
    match state.as_deref() {
        Some(FORM) => return Ok(()),
        Some(UNDER_WAY) => {}
        Some(_) | None => begin(conn).await.map_err(failed)?,
    }
    let cards = fill(conn).await.map_err(failed)?;
    if cards > 0 {
        tracing::info!(cards, "the search index was made");
    }
    Ok(())
}

fn reason(fault: &Fault) -> String {
    match fault {
        Fault::Busy(reason)
        | Fault::Disk(reason)
        | Fault::Data(reason)
        | Fault::Unclear(reason) => reason.clone(),
    }
}

async fn begin(conn: &mut SqliteConnection) -> Result<(), Fault> {
    fault::begin(conn).await?;
    let emptied = async {
        for sql in EMPTY {
            run(conn, sql, None).await?;
        }
        run(conn, SET_STATE, Some(UNDER_WAY)).await
    };
    let emptied = emptied.await;
    end(conn, emptied).await
}

async fn fill(conn: &mut SqliteConnection) -> Result<u64, Fault> {
    let (mut board, mut card) = (String::new(), String::new());
    let (mut cards, mut transactions) = (0, 0);
    loop {
        let rows = sqlx::query(NEXT_CARDS)
            .bind(&board)
            .bind(&card)
            .bind(CARDS_AT_ONCE)
            .fetch_all(&mut *conn)
            .await
            .map_err(|error| Fault::of_statement(&error))?;
        let mut batch: Vec<Written<'_>> = Vec::with_capacity(rows.len());
        for row in &rows {
            let get = |at| row.try_get::<&str, _>(at);
            let read = || Ok((get(0)?, get(1)?, get(2)?));
            let (board, card, doc) = read().map_err(|error| Fault::of_statement(&error))?;
            let known = batch.last().filter(|(known, ..)| **known == *board);
            let board = known.map_or_else(|| Arc::from(board), |(known, ..)| Arc::clone(known));
            batch.push((board, card, Some(doc.as_bytes())));
        }
        let Some((last_board, last_card, _)) = batch.last() else {
            break;
        };
        (board, card) = (last_board.to_string(), (*last_card).to_owned());
        fault::begin(conn).await?;
        let put = index::put(conn, &batch).await;
        end(conn, put).await?;
        cards += batch.len() as u64;
        transactions += 1;
        if transactions % CHECKPOINT_EVERY == 0 {
            checkpoint::passive(conn).await?;
        }
    }
    run(conn, SET_STATE, Some(FORM)).await?;
    Ok(cards)
}

async fn run(
    conn: &mut SqliteConnection,
    sql: &'static str,
    value: Option<&str>,
) -> Result<(), Fault> {
    let mut query = sqlx::query(sql);
    if let Some(value) = value {
        query = query.bind(value.to_owned());
    }
    let done = query.execute(conn).await;
    done.map(drop).map_err(|error| Fault::of_statement(&error))
}

async fn end(conn: &mut SqliteConnection, done: Result<(), Fault>) -> Result<(), Fault> {
    let done = match done {
        Ok(()) => fault::commit(conn).await,
        Err(fault) => Err(fault),
    };
    if done.is_err() {
        fault::roll_back(conn).await;
    }
    done
}
