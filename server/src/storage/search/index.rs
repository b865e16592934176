//! Writes the index: for the cards among the rows that are written, in the same transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use sqlx::{Row, SqliteConnection};

use boardcast_protocol::board::{Card, Detail};
use boardcast_protocol::ids::CardId;

use super::Entry;
use super::digest;
use crate::storage::chunked::Chunked;
use crate::storage::fault::Fault;
use crate::storage::rows::{Coalesced, Table};

/// Cards whose details are in memory at a time: each has 1 MiB at most.
const DETAILS_AT_ONCE: usize = 16;
/// Ids of a board lie within the span of its number.
pub(super) const SPAN_BITS: u32 = 32;

/// `?1` is a JSON array of pairs of board and card.
pub(in crate::storage) const KNOWN: &str = "SELECT i.board, i.card, i.id, i.digest \
     FROM json_each(?1) AS j \
     CROSS JOIN indexed_cards AS i ON i.board = j.value ->> 0 AND i.card = j.value ->> 1";
pub(in crate::storage) const NUMBER_BOARDS: &str = "INSERT INTO indexed_boards (board) \
     SELECT value FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";
pub(in crate::storage) const LAST_IDS: &str = "SELECT b.board, b.number, \
         (SELECT max(id) FROM indexed_cards \
             WHERE id > (b.number << 32) AND id < ((b.number + 1) << 32)) \
     FROM json_each(?1) AS j CROSS JOIN indexed_boards AS b ON b.board = j.value";
pub(in crate::storage) const DETAILS: &str = "SELECT d.board, d.id, d.doc \
     FROM json_each(?1) AS j \
     CROSS JOIN details AS d ON d.board = j.value ->> 0 AND d.id = j.value ->> 1";
pub(in crate::storage) const FORGET_TOKENS: &str =
    "DELETE FROM card_index WHERE rowid IN (SELECT value FROM json_each(?1))";
pub(in crate::storage) const FORGET_CARDS: &str =
    "DELETE FROM indexed_cards WHERE id IN (SELECT value FROM json_each(?1))";

pub(in crate::storage) static PUT_TOKENS: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT OR REPLACE INTO card_index \
         (rowid, title, checklists, description, comments, terms) VALUES",
        6,
        "",
    )
});
pub(in crate::storage) static PUT_CARDS: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::repeatable(
        "INSERT INTO indexed_cards (id, board, card, digest) VALUES",
        4,
        "ON CONFLICT (id) DO UPDATE SET digest = excluded.digest",
    )
});

/// A card that was written: its board, its id, and its document, `None` where it is gone.
pub(super) type Written<'a> = (Arc<str>, &'a str, Option<&'a [u8]>);

type Key = (Arc<str>, Box<str>);

/// A card that the index does not hold as it is now.
struct Changed {
    key: Key,
    id: Option<i64>,
    digest: i64,
    card: Card,
}

/// Brings the index up to date with the rows, which are written.
pub(in crate::storage) async fn write(
    conn: &mut SqliteConnection,
    rows: &Coalesced<'_>,
) -> Result<(), Fault> {
    let cards = rows
        .parts
        .iter()
        .filter(|((table, ..), _)| *table == Table::Cards);
    let cards: Vec<Written<'_>> = cards
        .map(|((_, board, id), doc)| (Arc::clone(board), *id, doc.map(|doc| &doc[..])))
        .collect();
    put(conn, &cards).await
}

/// Brings the index up to date with these cards; those without a document are gone.
pub(super) async fn put(conn: &mut SqliteConnection, cards: &[Written<'_>]) -> Result<(), Fault> {
    if cards.is_empty() {
        return Ok(());
    }
    let known = known(conn, cards).await?;
    let (mut gone, mut changed) = (Vec::new(), Vec::new());
    for (board, id, doc) in cards {
        let key: Key = (Arc::clone(board), (*id).into());
        let held = known.get(&key).copied();
        let Some(doc) = doc else {
            gone.extend(held.map(|(id, _)| id));
            continue;
        };
        let Some(card) = decoded::<Card>(board, id, doc) else {
            continue;
        };
        let digest = digest(&card);
        if held.is_none_or(|(_, held)| held != digest) {
            let id = held.map(|(id, _)| id);
            changed.push(Changed {
                key,
                id,
                digest,
                card,
            });
        }
    }
    forget(conn, &gone).await?;
    give_ids(conn, &mut changed).await?;
    for part in changed.chunks(DETAILS_AT_ONCE) {
        put_part(conn, part).await?;
    }
    Ok(())
}

async fn known(
    conn: &mut SqliteConnection,
    cards: &[Written<'_>],
) -> Result<BTreeMap<Key, (i64, i64)>, Fault> {
    let pairs: Vec<_> = cards.iter().map(|(board, id, _)| (&**board, *id)).collect();
    let rows = sqlx::query(KNOWN)
        .bind(json(&pairs)?)
        .fetch_all(conn)
        .await
        .map_err(of_statement)?;
    let mut known = BTreeMap::new();
    for row in &rows {
        let (board, card): (&str, &str) = (get(row, 0)?, get(row, 1)?);
        known.insert((board.into(), card.into()), (get(row, 2)?, get(row, 3)?));
    }
    Ok(known)
}

async fn forget(conn: &mut SqliteConnection, ids: &[i64]) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    for sql in [FORGET_TOKENS, FORGET_CARDS] {
        sqlx::query(sql)
            .bind(json(&ids)?)
            .execute(&mut *conn)
            .await
            .map_err(of_statement)?;
    }
    Ok(())
}

/// Gives ids to cards that have none: behind the last one of their board.
async fn give_ids(conn: &mut SqliteConnection, changed: &mut [Changed]) -> Result<(), Fault> {
    let lacking = changed.iter().filter(|card| card.id.is_none());
    let boards: BTreeSet<&str> = lacking.map(|card| &*card.key.0).collect();
    if boards.is_empty() {
        return Ok(());
    }
    let boards = json(&boards)?;
    sqlx::query(NUMBER_BOARDS)
        .bind(&boards)
        .execute(&mut *conn)
        .await
        .map_err(of_statement)?;
    let rows = sqlx::query(LAST_IDS)
        .bind(&boards)
        .fetch_all(conn)
        .await
        .map_err(of_statement)?;
    let mut last = BTreeMap::new();
    for row in &rows {
        let (board, number): (&str, i64) = (get(row, 0)?, get(row, 1)?);
        let id: Option<i64> = get(row, 2)?;
        last.insert(Arc::<str>::from(board), id.unwrap_or(number << SPAN_BITS));
    }
    for card in changed.iter_mut().filter(|card| card.id.is_none()) {
        if let Some(last) = last.get_mut(&card.key.0) {
            *last += 1;
            card.id = Some(*last);
        }
    }
    Ok(())
}

async fn put_part(conn: &mut SqliteConnection, part: &[Changed]) -> Result<(), Fault> {
    let pairs: Vec<_> = (part.iter())
        .map(|card| (&*card.key.0, &*card.key.1))
        .collect();
    let rows = sqlx::query(DETAILS)
        .bind(json(&pairs)?)
        .fetch_all(&mut *conn)
        .await
        .map_err(of_statement)?;
    let mut details: BTreeMap<(&str, CardId), Detail> = BTreeMap::new();
    for row in &rows {
        let (id, doc): (&str, &str) = (get(row, 1)?, get(row, 2)?);
        let board = get(row, 0)?;
        let detail = decoded(board, id, doc.as_bytes());
        details.extend(
            id.parse()
                .ok()
                .zip(detail)
                .map(|(id, detail)| ((board, id), detail)),
        );
    }
    let entries: Vec<_> = (part.iter())
        .map(|card| {
            let detail = details.get(&(&*card.key.0, card.card.id));
            (card.id.unwrap_or_default(), Entry::of(&card.card, detail))
        })
        .collect();
    PUT_TOKENS
        .run(conn, &entries, |query, (id, entry)| {
            let query = query.bind(*id);
            let columns = entry.columns.iter();
            Ok(columns.fold(query, |query, text| {
                query.bind(Arc::<str>::from(text.as_str()))
            }))
        })
        .await?;
    PUT_CARDS
        .run(conn, part, |query, card| {
            Ok(query
                .bind(card.id)
                .bind(Arc::clone(&card.key.0))
                .bind(Arc::<str>::from(&*card.key.1))
                .bind(card.digest))
        })
        .await
        .map(drop)
}

fn json(value: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Data(error.to_string()))
}

/// A row that cannot be read is not found; `boardcast check` names it.
fn decoded<T: serde::de::DeserializeOwned>(board: &str, card: &str, doc: &[u8]) -> Option<T> {
    let read = serde_json::from_slice(doc);
    read.inspect_err(|error| tracing::warn!(board, card, %error, "a card cannot be indexed"))
        .ok()
}

fn get<'r, T>(row: &'r sqlx::sqlite::SqliteRow, at: usize) -> Result<T, Fault>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(at).map_err(of_statement)
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn of_statement(error: sqlx::Error) -> Fault {
    Fault::of_statement(&error)
}
