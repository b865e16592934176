//! Which labels and boards a query means by name.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::SqlitePool;

use boardcast_protocol::ids::{BoardId, LabelId};
use boardcast_protocol::search::{Named, Query, What};

use super::find::CardSearch;
use crate::storage::{StorageError, read};

/// Names that are looked at; where there are more, the search does without.
const NAMES_MAX: usize = 20_000;

pub(in crate::storage) const LABELS_OF_USER: &str = "SELECT l.id, l.doc ->> '$.name' \
     FROM members AS m CROSS JOIN labels AS l ON l.board = m.board \
     WHERE m.id = ?1 AND (?2 IS NULL OR m.board IN (SELECT value FROM json_each(?2))) LIMIT ?3";
pub(in crate::storage) const ALL_LABELS: &str = "SELECT l.id, l.doc ->> '$.name' FROM labels AS l \
     WHERE (?2 IS NULL OR l.board IN (SELECT value FROM json_each(?2))) LIMIT ?3";

fn wanted<'q>(query: &'q Query, of: impl Fn(&'q What) -> Option<&'q Named>) -> Vec<&'q Named> {
    let terms = query.terms.iter().filter(|term| !term.negated);
    terms.filter_map(|term| of(&term.what)).collect()
}

/// The labels that one label of the query means; `None` where it names none, or several of which a
/// card needs all, or where there are too many.
pub(super) async fn labels(
    readers: &SqlitePool,
    search: &CardSearch<'_>,
    boards: Option<&str>,
) -> Result<Option<Vec<LabelId>>, StorageError> {
    let wanted = wanted(search.query, |what| {
        let What::Label(named) = what else {
            return None;
        };
        named.as_ref()
    });
    let [named] = wanted[..] else {
        return Ok(None);
    };
    let sql = if search.all {
        ALL_LABELS
    } else {
        LABELS_OF_USER
    };
    let mut rows = sqlx::query(sql)
        .bind(search.asker.user.to_string())
        .bind(boards.map(str::to_owned))
        .bind(i64::try_from(NAMES_MAX + 1).unwrap_or(i64::MAX))
        .fetch(readers);
    let (mut ids, mut seen) = (BTreeSet::new(), 0);
    while let Some(row) = rows.try_next().await? {
        seen += 1;
        if seen > NAMES_MAX {
            return Ok(None);
        }
        let (id, name): (&str, Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
        if named.is(id, name.unwrap_or_default()) {
            ids.extend(id.parse::<LabelId>());
        }
    }
    Ok(Some(ids.into_iter().collect()))
}

/// The boards that the query names, among those that may be read; `None` where it names none, or
/// where there are too many to look at.
pub(super) async fn boards(
    readers: &SqlitePool,
    search: &CardSearch<'_>,
) -> Result<Option<Vec<BoardId>>, StorageError> {
    let wanted = wanted(search.query, |what| {
        let What::Board(named) = what else {
            return None;
        };
        Some(named)
    });
    if wanted.is_empty() {
        return Ok(None);
    }
    let user = (!search.all).then_some(search.asker.user);
    let found = read::boards_of(readers, user, None, None, NAMES_MAX + 1).await?;
    if found.len() > NAMES_MAX {
        return Ok(None);
    }
    let is_meant =
        |board: &BoardId, title: &str| wanted.iter().all(|named| named.is(board.as_str(), title));
    let meant = found
        .iter()
        .filter(|found| is_meant(&found.board, &found.title));
    Ok(Some(meant.map(|found| found.board).collect()))
}
