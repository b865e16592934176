//! Everything that is kept: one SQLite file. The only place that knows SQL.
//!
//! The log is the truth and the rows are its projection: a flush appends all versions since the
//! last one in one transaction, and that makes them durable; the rows that they touched are
//! written behind. Storage publishes durable versions and never calls a room.
//!
//! In reading order: what goes over the seam, the handle, the room's end of the journal, the queue
//! between them and the one task that writes, then what it writes and how boards are read.

mod entry;
mod error;
mod status;

mod board;
mod handle;

mod journal;
mod queue;
mod requests;

mod checkpoint;
mod chunked;
mod connect;
mod directory;
mod fault;
mod load;
mod log;
mod read;
mod rows;

#[cfg(test)]
mod tests;

pub use board::{BoardJournal, Slot};
pub use entry::{
    Append, BodyHash, ClientRecord, ImportRecord, KeptOutcome, LoadedBoard, Refusal, Rows,
    StoredVersion,
};
pub use error::StorageError;
pub use handle::{Storage, StorageOptions};
pub use status::{Health, JournalCounters, JournalStatus};
