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
mod observed;
mod status;

mod board;
mod handle;
mod lookups;

mod journal;
mod queue;
mod requests;
mod users;

mod backup;
mod restore;

mod check;

mod accounts;
mod attachments;
mod audit;
mod base;
mod bin;
mod checkpoint;
mod chunked;
mod client;
mod connect;
mod database;
mod directory;
mod fault;
mod history;
mod load;
mod log;
mod notes;
mod packed;
mod past;
#[cfg(feature = "planted-faults")]
mod planted;
mod read;
mod rows;
mod search;
mod seen;
mod trim;

#[cfg(test)]
pub(crate) mod simulation;
#[cfg(test)]
mod tests;

pub use accounts::{
    Account, BOARD_LINKS_MAX, LinkFor, LinkGives, LinkId, NewSession, SESSIONS_MAX, SecretHash,
    SessionId, StoredBoardLink, StoredLink, StoredSession, StoredToken, TOKENS_MAX, TokenId,
    email_key,
};
pub use attachments::{
    AttachedFile, AttachmentPlace, FileQuota, FileTotals, KeptAttachment, StoredFile,
};
pub use audit::{AUDIT_KEPT_MAX, AUDIT_KEPT_MS, AuditAct, AuditEntry, AuditFilter, StoredAudit};
pub(crate) use backup::sweep as sweep_unfinished;
pub use backup::{
    Backup, BackupError, BackupPlace, back_up, parent, put, unfinished, verify_backup,
};
pub use bin::{BIN_KEPT_MS, BinPage, BinnedBoard};
pub use board::{BoardJournal, Slot};
pub use check::{
    CheckError, CheckReport, CheckTarget, Invariant, LISTED_MAX, LedgerCounts, Violation, Watcher,
    check,
};
pub(crate) use directory::{DATABASE, LOCK};
pub use entry::{
    Append, BodyHash, ClientRecord, ImportRecord, Imported, KEY_KEPT_MS, KeptOutcome, LoadedBoard,
    Refusal, Rows, StoredVersion,
};
pub use error::StorageError;
pub use handle::{JOURNAL_BYTES, JOURNAL_VERSIONS, Storage, StorageOptions};
pub use notes::leave_note;
pub use observed::{SLOW, SlowQuery, StorageObserved};
#[cfg(feature = "planted-faults")]
pub use planted::PlantedFault;
pub use restore::{Restored, restore};
pub use search::{
    CARDS_RANKED_MAX, CARDS_VISITED_MAX, CardSearch, FoundCard, FoundCards, ReindexError,
    SearchCursor, reindex,
};
pub use status::{Health, JournalCounters, JournalStatus};
pub use trim::{Retention, Trimmed};
