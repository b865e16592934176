//! Files of other programs and of this one, read as boards and put on the server; and back.
//!
//! A file is read as a stream and becomes a whole board in memory, or an exact error and nothing.
//! What it does to the board that is there already is decided by [`boardcast_protocol::board::merge`]
//! in the board's room, as one version.

mod counts;
mod csv;
mod export;
mod file;
mod format;
pub mod json;
mod perform;
#[cfg(test)]
mod sample;
pub mod trello;

use boardcast_protocol::board::{Board, Knows, Omissions};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

pub use counts::{Counts, Tally};
pub use csv::CSV_MAX_BYTES;
pub use export::export;
pub use file::{FileError, Source};
pub use format::{ExportFormat, FileFormat};
pub use perform::{ImportAnswer, ImportError, Importer, Outcome, import, role_of};

/// A board as a file shows it.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// The board.
    pub board: Board,
    /// What its source can say about a board.
    pub knows: Knows,
    /// Where it comes from: the key under which the next import of the same board finds this one.
    pub source: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// What of the file was left out.
    pub omissions: Omissions,
    /// What happened on the board before, oldest first: the history of a board that the import makes.
    pub history: Vec<Past>,
}

/// A version of the history that a file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The author.
    pub by: UserId,
    /// When it was.
    pub at: Timestamp,
    /// What happened.
    pub events: Vec<Event>,
    /// For each event the one that would undo it, where that is known.
    pub was: Vec<Option<Event>>,
}
