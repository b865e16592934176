//! The search index: what the replay of the log leads to, none missing, none surplus. Tokens are
//! compared by an order-free digest of each board, so that memory holds none of them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::TryStreamExt;
use sqlx::Row;

use boardcast_protocol::board::Board;
use boardcast_protocol::ids::{BoardId, CardId};

use super::report::Invariant;
use super::{Check, CheckError};
use crate::storage::search::fill::{FORM, STATE};
use crate::storage::search::{Entry, digest};

const NUMBER: &str = "SELECT number FROM indexed_boards WHERE board = ?";
const CARDS: &str = "SELECT id, card, digest FROM indexed_cards WHERE board = ?";
const SHOW_TOKENS: &str =
    "CREATE VIRTUAL TABLE temp.card_tokens USING fts5vocab ('main', 'card_index', 'instance')";
const HAS_NUMBER: &str = "SELECT EXISTS (SELECT 1 FROM indexed_boards WHERE number = ?)";
const TOKENS: &str = "SELECT term, doc, col, offset FROM temp.card_tokens";
/// The columns of the index, as [`Entry`] numbers them.
const COLUMNS: [&str; 5] = ["title", "checklists", "description", "comments", "terms"];

/// The tokens of a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tokens {
    count: u64,
    sum: u64,
}

impl Tokens {
    fn add(&mut self, token: &str, id: i64, column: usize, place: i64) {
        let mut hasher = DefaultHasher::new();
        (token, id, column, place).hash(&mut hasher);
        self.count += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

/// The tokens that the boards lead to, by the number of the board.
#[derive(Debug, Default)]
pub(super) struct Index {
    whole: bool,
    boards: BTreeMap<i64, (BoardId, Tokens)>,
}

impl Check<'_> {
    /// Whether the index is whole: where it is not, the next start goes on with it.
    pub(super) async fn index_state(&mut self) -> Result<(), CheckError> {
        let state: Option<String> = sqlx::query_scalar(STATE)
            .fetch_optional(&mut *self.conn)
            .await?;
        self.index.whole = state.as_deref() == Some(FORM);
        Ok(())
    }

    /// Compares the cards that are in the index with the replay, and takes note of their tokens.
    pub(super) async fn indexed(&mut self, id: BoardId, replay: &Board) -> Result<(), CheckError> {
        if !self.index.whole {
            return Ok(());
        }
        let board = Some(id.as_str());
        let number: Option<i64> = sqlx::query_scalar(NUMBER)
            .bind(id.as_str())
            .fetch_optional(&mut *self.conn)
            .await?;
        let rows = sqlx::query(CARDS)
            .bind(id.as_str())
            .fetch_all(&mut *self.conn)
            .await?;
        let mut missing = replay.view().cards.clone();
        let mut tokens = Tokens::default();
        for row in &rows {
            let (number_of_card, card): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
            let known: Option<CardId> = card.parse().ok();
            let Some(card) = known.and_then(|card| missing.remove(&card)) else {
                let found = format!("card {card} is in the index");
                self.report
                    .add(Invariant::IndexMatchesRows, board, found, "no such card");
                continue;
            };
            if row.try_get::<i64, _>(2)? != digest(&card) {
                let found = format!("card {} is in the index as it was", card.id);
                let expected = "as it is";
                self.report
                    .add(Invariant::IndexMatchesRows, board, found, expected);
            }
            let entry = Entry::of(&card, replay.detail(card.id));
            entry.each_token(|token, column, place| {
                tokens.add(token, number_of_card, column, place);
            });
        }
        for card in missing.keys() {
            let found = format!("card {card} is not in the index");
            self.report
                .add(Invariant::IndexMatchesRows, board, found, "every card");
        }
        if let Some(number) = number {
            self.index.boards.insert(number, (id, tokens));
        }
        Ok(())
    }

    /// Compares the tokens of the index with those that the boards led to.
    pub(super) async fn index(&mut self) -> Result<(), CheckError> {
        if !self.index.whole {
            return Ok(());
        }
        sqlx::query(SHOW_TOKENS).execute(&mut *self.conn).await?;
        let mut held: BTreeMap<i64, Tokens> = BTreeMap::new();
        let mut rows = sqlx::query(TOKENS).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (token, id): (&str, i64) = (row.try_get(0)?, row.try_get(1)?);
            let (column, place): (&str, i64) = (row.try_get(2)?, row.try_get(3)?);
            let column = COLUMNS.iter().position(|known| *known == column);
            let tokens = held.entry(id >> 32).or_default();
            tokens.add(token, id, column.unwrap_or(COLUMNS.len()), place);
        }
        drop(rows);
        for (number, (board, tokens)) in &self.index.boards {
            let held = held.remove(number).unwrap_or_default();
            if held != *tokens {
                let found = format!("the index holds {} tokens of its cards", held.count);
                let expected = format!("{} tokens, those of its texts", tokens.count);
                let board = Some(board.as_str());
                self.report
                    .add(Invariant::IndexMatchesRows, board, found, expected);
            }
        }
        for (number, tokens) in held {
            let is_of_board: bool = sqlx::query_scalar(HAS_NUMBER)
                .bind(number)
                .fetch_one(&mut *self.conn)
                .await?;
            if !is_of_board {
                let found = format!("the index holds {} tokens of no board", tokens.count);
                self.report
                    .add(Invariant::IndexMatchesRows, None, found, "those of boards");
            }
        }
        Ok(())
    }
}
