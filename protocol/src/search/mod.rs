//! The language in which cards are looked for: words, phrases and filters, the same for the filter of
//! one board and for the search over all boards.
//!
//! In reading order: what a text is taken apart into, what a query may say, how it is read, which
//! cards it matches, and what is shown of a match. docs/schema/search-vectors.json holds examples of
//! all of it, for this code and for that of browsers.

mod matching;
mod parse;
mod query;
mod snippet;
mod text;

pub use matching::{Asker, Found, TextField};
pub use parse::QueryError;
pub use query::{Due, Is, Named, Query, Term, What};
pub use snippet::{SNIPPET_MAX_CHARS, Snippet};
pub use text::{Phrase, TOKEN_MAX_CHARS, each_token, normalized};
