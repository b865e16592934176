//! The index in which cards are found: a projection of the rows, written in their transaction.
//!
//! In reading order: what it holds of a card, how it is written, how it is made where it is missing,
//! and how cards are found in it.

mod entry;
pub(super) mod fill;
pub(super) mod find;
pub(super) mod index;
pub(super) mod labels;
mod matching;

pub(super) use entry::{Entry, digest};
pub use fill::{ReindexError, reindex};
pub use find::{
    CARDS_RANKED_MAX, CARDS_VISITED_MAX, CardSearch, FoundCard, FoundCards, SearchCursor,
};
