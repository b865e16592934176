//! Finds cards in the index.

use futures::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use boardcast_protocol::board::{Card, Column, Detail, Keyed, Label, Member, Role, View};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::search::{Asker, Query};

use super::{labels, matching};
use crate::storage::{Storage, StorageError};

/// Cards that are ranked; where more match, those of the boards that were indexed first are left out.
pub const CARDS_RANKED_MAX: usize = 10_000;
/// Cards that are looked at for one page; it may be short, and the next one goes on behind them.
pub const CARDS_VISITED_MAX: usize = 1_000;
/// Their rows: where they are large, fewer are looked at, but one at least.
const PAGE_MAX_BYTES: usize = 1_024 * 1_024;

/// What is looked for, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct CardSearch<'a> {
    /// What.
    pub query: &'a Query,
    /// Who asks: only boards that the user is a member of are searched, and none in the bin.
    pub asker: Asker,
    /// All boards are searched.
    pub all: bool,
    /// Only these boards are searched; `None` for no such limit.
    pub boards: Option<&'a [BoardId]>,
    /// Behind which card; `None` from the first one on.
    pub after: Option<SearchCursor>,
    /// Cards of the page at most.
    pub limit: usize,
}

/// A place in the order of what is found: how many cards fit better, or for a query without words the
/// last card's place in the index. How well a card fits is told to nobody: it depends on how often its
/// words stand on all boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchCursor(pub i64);

/// A card that was found, as its rows show it.
#[derive(Clone, Debug)]
pub struct FoundCard {
    /// The board without its collections, and of these what the card refers to.
    pub view: View,
    /// The card.
    pub card: Card,
    /// What an opened card shows.
    pub detail: Option<Detail>,
    /// The role of whoever asks, as the rows show it.
    pub role: Option<Role>,
    /// Whether the rows of the board are older than its log: only its room knows how it stands.
    pub late: bool,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct FoundCards {
    /// The cards in their order.
    pub cards: Vec<FoundCard>,
    /// Where the next page begins; `None` where there is none.
    pub next: Option<SearchCursor>,
    /// Cards that were looked at.
    pub visited: usize,
}

macro_rules! with_cards {
    ($($ids:tt)+) => {
        concat!(
            "SELECT r.id, b.doc, c.doc, \
                 (SELECT doc FROM details WHERE board = i.board AND id = i.card), \
                 (SELECT doc FROM columns WHERE board = i.board AND id = c.doc ->> '$.column'), \
                 (SELECT '[' || group_concat(l.doc) || ']' FROM json_each(c.doc, '$.labels') AS j \
                     CROSS JOIN labels AS l ON l.board = i.board AND l.id = j.value), \
                 (SELECT '[' || group_concat(p.doc) || ']' FROM json_each(c.doc, '$.assignees') AS j \
                     CROSS JOIN members AS p ON p.board = i.board AND p.id = j.value), \
                 (SELECT role FROM members WHERE board = i.board AND id = ?2), \
                 EXISTS (SELECT 1 FROM events WHERE board = i.board AND version > b.version) \
             FROM (",
            $($ids)+,
            ") AS r \
             CROSS JOIN indexed_cards AS i ON i.id = r.id \
             CROSS JOIN cards AS c ON c.board = i.board AND c.id = i.card \
             CROSS JOIN boards AS b ON b.id = i.board"
        )
    };
}

macro_rules! ranked {
    ($within:literal) => {
        with_cards!(concat!(
            "SELECT id FROM (\
                 SELECT rowid AS id, bm25(card_index, 10.0, 3.0, 4.0, 2.0, 0.0) AS score \
                 FROM card_index WHERE card_index MATCH ?1 AND ",
            $within,
            " ORDER BY rowid DESC LIMIT ?6) \
             ORDER BY score, id LIMIT ?5 OFFSET ?4"
        ))
    };
}

pub(in crate::storage) const RANKED_OF_USER: &str = ranked!(
    "(rowid >> 32) IN (SELECT n.number \
         FROM members AS m CROSS JOIN indexed_boards AS n ON n.board = m.board \
         WHERE m.id = ?2 AND (?3 IS NULL OR m.board IN (SELECT value FROM json_each(?3))) \
         AND m.board NOT IN (SELECT id FROM boards WHERE deleted >= 0))"
);
pub(in crate::storage) const RANKED_OF_ALL: &str = ranked!(
    "(?3 IS NULL OR (rowid >> 32) IN (SELECT n.number \
         FROM json_each(?3) AS j CROSS JOIN indexed_boards AS n ON n.board = j.value)) \
     AND (rowid >> 32) NOT IN (SELECT n.number \
         FROM boards AS d CROSS JOIN indexed_boards AS n ON n.board = d.id WHERE d.deleted >= 0)"
);
/// In the order of the index, board by board. Without its limit SQLite would leave the order out.
pub(in crate::storage) const LISTED_OF_USER: &str = with_cards!(
    "SELECT f.rowid AS id FROM (\
         SELECT n.number FROM members AS m CROSS JOIN indexed_boards AS n ON n.board = m.board \
         WHERE m.id = ?2 AND n.number >= (?4 >> 32) \
         AND (?3 IS NULL OR m.board IN (SELECT value FROM json_each(?3))) \
         AND m.board NOT IN (SELECT id FROM boards WHERE deleted >= 0) \
         ORDER BY n.number LIMIT -1) AS n \
     CROSS JOIN card_index AS f ON f.card_index MATCH ?1 AND f.rowid > max(n.number << 32, ?4) \
     AND f.rowid < ((n.number + 1) << 32) \
     LIMIT ?5"
);
pub(in crate::storage) const LISTED_OF_ALL: &str = with_cards!(
    "SELECT rowid AS id FROM card_index \
     WHERE card_index MATCH ?1 AND rowid > ?4 \
     AND (?3 IS NULL OR (rowid >> 32) IN (SELECT n.number \
         FROM json_each(?3) AS j CROSS JOIN indexed_boards AS n ON n.board = j.value)) \
     AND (rowid >> 32) NOT IN (SELECT n.number \
         FROM boards AS d CROSS JOIN indexed_boards AS n ON n.board = d.id WHERE d.deleted >= 0) \
     ORDER BY rowid LIMIT ?5"
);

impl Storage {
    /// Cards that a query matches, the best first; without words in the order of the index. What has
    /// changed within about the last second, on boards that are loaded, is not in the rows yet. Waits
    /// while other searches go on.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn search(&self, search: CardSearch<'_>) -> Result<FoundCards, StorageError> {
        let pool = self.inner.readers.pool()?;
        // It is never closed.
        let _permit = self.inner.searches.acquire().await.ok();
        let find = Box::pin(find(pool, search));
        self.observed().read("search cards", find).await
    }
}

async fn find(pool: &SqlitePool, search: CardSearch<'_>) -> Result<FoundCards, StorageError> {
    let boards = match labels::boards(pool, &search).await? {
        Some(mut meant) => {
            meant.retain(|board| search.boards.is_none_or(|boards| boards.contains(board)));
            Some(meant)
        }
        None => search.boards.map(<[BoardId]>::to_vec),
    };
    if boards.as_ref().is_some_and(Vec::is_empty) {
        return Ok(FoundCards::default());
    }
    let boards = boards.map(|boards| serde_json::to_string(&boards));
    let boards = boards.transpose().map_err(decode)?;
    let labels = labels::labels(pool, &search, boards.as_deref()).await?;
    if labels.as_ref().is_some_and(Vec::is_empty) {
        return Ok(FoundCards::default());
    }
    let Asker { user, .. } = search.asker;
    let is_ranked = search.query.phrases().next().is_some();
    let sql = match (is_ranked, search.all) {
        (true, false) => RANKED_OF_USER,
        (true, true) => RANKED_OF_ALL,
        (false, false) => LISTED_OF_USER,
        (false, true) => LISTED_OF_ALL,
    };
    let after = search.after.map_or(0, |after| after.0);
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut query = sqlx::query(sql)
        .bind(matching::expression(search.query, user, labels.as_deref()))
        .bind(user.to_string())
        .bind(boards)
        .bind(after)
        .bind(count(CARDS_VISITED_MAX));
    if is_ranked {
        query = query.bind(count(CARDS_RANKED_MAX));
    }
    let mut rows = query.fetch(pool);
    let mut found = FoundCards::default();
    let (mut last, mut bytes) = (after, 0);
    while let Some(row) = rows.try_next().await? {
        if found.cards.len() == search.limit || bytes > PAGE_MAX_BYTES {
            found.next = Some(SearchCursor(last));
            return Ok(found);
        }
        found.visited += 1;
        last = if is_ranked { last + 1 } else { row.try_get(0)? };
        let card = read(&row, &mut bytes)?;
        let (view, detail) = (&card.view, card.detail.as_ref());
        if search
            .query
            .matches(view, &card.card, detail, &search.asker)
        {
            found.cards.push(card);
        }
    }
    found.next = (found.visited == CARDS_VISITED_MAX).then_some(SearchCursor(last));
    Ok(found)
}

/// A card from its rows, whose bytes are counted.
fn read(row: &SqliteRow, bytes: &mut usize) -> Result<FoundCard, StorageError> {
    let text = |at| row.try_get::<Option<&str>, _>(at);
    for at in 1..7 {
        *bytes += text(at)?.map_or(0, str::len);
    }
    let mut view: View = parse(text(1)?.unwrap_or_default())?;
    if let Some(column) = text(4)? {
        let column: Column = parse(column)?;
        view.columns.insert(column.key(), column);
    }
    let labels: Vec<Label> = parse(text(5)?.unwrap_or("[]"))?;
    view.labels
        .extend(labels.into_iter().map(|label| (label.id, label)));
    let members: Vec<Member> = parse(text(6)?.unwrap_or("[]"))?;
    view.members
        .extend(members.into_iter().map(|member| (member.id, member)));
    let role = text(7)?.map(|role| serde_json::from_value(role.into()).map_err(decode));
    Ok(FoundCard {
        view,
        card: parse(text(2)?.unwrap_or_default())?,
        detail: text(3)?.map(parse).transpose()?,
        role: role.transpose()?,
        late: row.try_get(8)?,
    })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(decode)
}

fn decode(error: serde_json::Error) -> StorageError {
    StorageError::Read(sqlx::Error::Decode(Box::new(error)))
}
