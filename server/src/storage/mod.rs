//! Everything that is kept: one SQLite file. The only place that knows SQL.
//!
//! The log is the truth and the rows are its projection: a flush appends all versions since the
//! last one in one transaction, and that makes them durable; the rows that they touched are
//! written behind. Storage publishes durable versions and never calls a room.

mod entry;
mod stub;

pub use entry::{
    Append, BodyHash, ClientRecord, KeptOutcome, LoadedBoard, Refusal, Rows, StoredVersion,
};
pub use stub::{BoardJournal, Slot, Storage, StorageError, StorageOptions};
