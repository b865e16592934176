//! The audit log: what was done about accounts, rights and the server as a whole. It is written
//! behind, in groups, because nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use tokio::task::spawn_blocking;

use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::chunked::Chunked;
use super::fault::Fault;
use super::requests::Act;
use super::{Storage, StorageError};

/// Entries that may wait to be written. Further ones are lost, and an entry says how many.
const WAITING_MAX: usize = 10_000;
/// Entries of one transaction: versions may wait for it, so it is short.
const GROUP_MAX: usize = 512;
/// Entries that end in one transaction.
const ENDING_MAX: i64 = 1_000;
/// How long entries are kept, in milliseconds: 400 days.
pub const AUDIT_KEPT_MS: u64 = 400 * 24 * 60 * 60 * 1_000;
/// Entries that are kept: about 200 MB.
pub const AUDIT_KEPT_MAX: i64 = 1_000_000;

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident $word:literal,)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditAct {
            $($(#[$doc])* $name,)*
        }

        impl AuditAct {
            /// All acts.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The act of a word.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().find(|act| act.name() == word).copied()
            }

            /// The word for it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

acts! {
    /// The first administrator was made.
    FirstStart "first_start",
    /// Somebody signed in.
    SignIn "sign_in",
    /// An address, a password or an account was wrong.
    SignInRefused "sign_in_refused",
    /// A session was ended by its owner.
    SessionEnded "session_ended",
    /// A password was set by a link.
    PasswordSet "password_set",
    /// A password was changed by who knew it.
    PasswordChanged "password_changed",
    /// Who wanted to change it did not know it.
    PasswordRefused "password_refused",
    /// A link was made that sets a password.
    PasswordLinkMade "password_link_made",
    /// An account was made.
    AccountMade "account_made",
    /// An account was disabled.
    AccountDisabled "account_disabled",
    /// An account was enabled.
    AccountEnabled "account_enabled",
    /// A token for programs was made.
    TokenMade "token_made",
    /// A token for programs was revoked.
    TokenRevoked "token_revoked",
    /// Signed tokens were made at a shell.
    TokenSigned "token_signed",
    /// A new key signs tokens.
    KeyRotated "key_rotated",
    /// Tokens of the key before are not accepted any more.
    KeyRetired "key_retired",
    /// An invitation to a board was made.
    InvitationMade "invitation_made",
    /// An invitation was revoked.
    InvitationRevoked "invitation_revoked",
    /// Somebody accepted an invitation.
    InvitationAccepted "invitation_accepted",
    /// A public link to a board was made.
    LinkMade "link_made",
    /// A public link was revoked.
    LinkRevoked "link_revoked",
    /// Somebody has become, or is no longer, a member of a board or an administrator of the server, or
    /// has another role.
    RoleChanged "role_changed",
    /// A board was put into the bin.
    BoardDeleted "board_deleted",
    /// A board was taken out of the bin.
    BoardRestored "board_restored",
    /// A board that had been in the bin for 30 days was removed for good.
    BoardRemoved "board_removed",
    /// An administrator closed a connection.
    ConnectionClosed "connection_closed",
    /// A board was imported.
    Imported "imported",
    /// A backup was taken.
    BackupTaken "backup_taken",
    /// A backup was put in the place of the database.
    Restored "restored",
    /// Entries were lost because too many waited.
    EntriesLost "entries_lost",
}

/// An entry of the audit log that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: AuditAct,
    /// Who did it.
    pub by: Option<UserId>,
    /// From which address.
    pub address: Option<String>,
    /// Which user it is about.
    pub about: Option<UserId>,
    /// Which board it is about.
    pub board: Option<BoardId>,
    /// More of it: a JSON object without secrets.
    pub detail: Value,
}

impl AuditEntry {
    /// Something was done.
    pub fn new(act: AuditAct, at: Timestamp) -> Self {
        Self {
            at,
            act,
            by: None,
            address: None,
            about: None,
            board: None,
            detail: json!({}),
        }
    }
}

/// An entry as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAudit {
    /// Rises with each entry.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// What: the word for it.
    pub act: String,
    /// Who did it.
    pub by: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// Which user it is about.
    pub about: Option<String>,
    /// Which board it is about.
    pub board: Option<String>,
    /// More of it.
    pub detail: Value,
}

/// Which entries are wanted: one thing at a time, for each of which there is an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFilter {
    /// All.
    All,
    /// Of one kind.
    Act(AuditAct),
    /// By a user.
    By(UserId),
    /// About a user.
    About(UserId),
    /// About a board.
    Board(BoardId),
}

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct AuditQueue {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<AuditEntry>,
    lost: u64,
}

impl AuditQueue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, entry: AuditEntry) {
        let mut waiting = self.lock();
        if waiting.entries.len() < WAITING_MAX {
            waiting.entries.push_back(entry);
        } else {
            waiting.lost += 1;
        }
    }

    /// The next entries, and behind the last one how many were lost.
    fn take(&self, now: Timestamp) -> Vec<AuditEntry> {
        let mut waiting = self.lock();
        let count = waiting.entries.len().min(GROUP_MAX);
        let mut taken: Vec<_> = waiting.entries.drain(..count).collect();
        if waiting.entries.is_empty() && waiting.lost > 0 {
            taken.push(AuditEntry {
                detail: json!({"count": std::mem::take(&mut waiting.lost)}),
                ..AuditEntry::new(AuditAct::EntriesLost, now)
            });
        }
        taken
    }

    fn give_back(&self, entries: Vec<AuditEntry>) {
        let mut waiting = self.lock();
        for entry in entries.into_iter().rev() {
            waiting.entries.push_front(entry);
        }
    }
}

/// What is to be written about the audit log.
#[derive(Debug)]
pub(super) enum AuditWrite {
    Append(Vec<AuditEntry>),
    /// Some of the entries that are older, or more, than are kept.
    Forget {
        before: Timestamp,
        keep: i64,
    },
}

pub(super) static APPEND: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT INTO audit (at, act, by_user, address, about_user, board, detail) VALUES",
        7,
        "",
    )
});
pub(super) const FORGET_OLD: &str =
    "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)";
pub(super) const FORGET_MORE: &str = "DELETE FROM audit WHERE id IN \
     (SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1 ORDER BY id LIMIT ?2)";

macro_rules! entries {
    ($which:literal) => {
        concat!(
            "SELECT id, at, act, by_user, address, about_user, board, detail FROM audit WHERE ",
            $which,
            " id < ?1 ORDER BY id DESC LIMIT ?2"
        )
    };
}
pub(super) const ENTRIES: &str = entries!("");
pub(super) const ENTRIES_OF_ACT: &str = entries!("act = ?3 AND");
pub(super) const ENTRIES_BY: &str = entries!("by_user = ?3 AND");
pub(super) const ENTRIES_ABOUT: &str = entries!("about_user = ?3 AND");
pub(super) const ENTRIES_OF_BOARD: &str = entries!("board = ?3 AND");

/// Performs a write inside a transaction; whether there was something to do.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    write: &AuditWrite,
) -> Result<bool, Fault> {
    match write {
        AuditWrite::Append(entries) => {
            let text = |id: Option<&str>| id.map(str::to_owned);
            let appended = APPEND.run(conn, entries, |query, entry| {
                Ok(query
                    .bind(entry.at.0.cast_signed())
                    .bind(entry.act.name())
                    .bind(text(entry.by.as_ref().map(UserId::as_str)))
                    .bind(entry.address.clone())
                    .bind(text(entry.about.as_ref().map(UserId::as_str)))
                    .bind(text(entry.board.as_ref().map(BoardId::as_str)))
                    .bind(entry.detail.to_string()))
            });
            Ok(appended.await? > 0)
        }
        AuditWrite::Forget { before, keep } => {
            let old = sqlx::query(FORGET_OLD).bind(before.0.cast_signed());
            let old = old.bind(ENDING_MAX).execute(&mut *conn).await;
            let more = sqlx::query(FORGET_MORE).bind(keep).bind(ENDING_MAX);
            let more = more.execute(conn).await;
            let count = |done: Result<sqlx::sqlite::SqliteQueryResult, _>| {
                done.map(|done| done.rows_affected())
                    .map_err(|error| Fault::of_statement(&error))
            };
            Ok(count(old)? + count(more)? > 0)
        }
    }
}

impl Storage {
    /// Notes something in the audit log, to be [written](Storage::write_audit) behind. A crash before
    /// that loses it. Above 10,000 entries that wait it is lost, and counted.
    pub fn audit(&self, entry: AuditEntry) {
        self.inner.audit.push(entry);
    }

    /// Writes the entries that wait, in groups, and those that commands have
    /// [left](super::leave_note).
    ///
    /// # Errors
    /// They cannot be written, and wait on.
    pub async fn write_audit(&self, now: Timestamp) -> Result<(), StorageError> {
        self.take_notes(now).await?;
        loop {
            let entries = self.inner.audit.take(now);
            if entries.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.append_audit(entries.clone()).await {
                self.inner.audit.give_back(entries);
                return Err(error);
            }
        }
    }

    async fn append_audit(&self, entries: Vec<AuditEntry>) -> Result<bool, StorageError> {
        let write = Act::Audit(AuditWrite::Append(entries));
        self.inner.requests.ask(write).await
    }

    /// Takes in what commands have left. It is removed when it is committed, so a crash between the
    /// two has it in the log twice.
    async fn take_notes(&self, now: Timestamp) -> Result<(), StorageError> {
        let Some(notes) = self.inner.notes.clone() else {
            return Ok(());
        };
        let there = Arc::clone(&notes);
        let waiting = spawn_blocking(move || there.waiting(now)).await;
        let mut waiting = waiting.unwrap_or_default();
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(GROUP_MAX));
            let (paths, entries) = std::mem::replace(&mut waiting, rest).into_iter().unzip();
            self.append_audit(entries).await?;
            let there = Arc::clone(&notes);
            // Nobody else removes them, and the next look finds what is left.
            let _ = spawn_blocking(move || there.remove(paths)).await;
        }
        Ok(())
    }

    /// Ends entries that are too old, and the oldest where there are too many: some of them; whether
    /// there were any.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn forget_audit(&self, now: Timestamp, keep: i64) -> Result<bool, StorageError> {
        let before = Timestamp(now.0.saturating_sub(AUDIT_KEPT_MS));
        let forget = AuditWrite::Forget { before, keep };
        self.inner.requests.ask(Act::Audit(forget)).await
    }

    /// Entries of the audit log, the newest first, before `before`; at most `limit`.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn audited(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<StoredAudit>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let (sql, value) = match filter {
            AuditFilter::All => (ENTRIES, None),
            AuditFilter::Act(act) => (ENTRIES_OF_ACT, Some(act.name().to_owned())),
            AuditFilter::By(user) => (ENTRIES_BY, Some(user.to_string())),
            AuditFilter::About(user) => (ENTRIES_ABOUT, Some(user.to_string())),
            AuditFilter::Board(board) => (ENTRIES_OF_BOARD, Some(board.to_string())),
        };
        let before = before.and_then(|before| i64::try_from(before).ok());
        let read = async {
            let query = sqlx::query(sql)
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let query = match value {
                Some(value) => query.bind(value),
                None => query,
            };
            let rows = query.fetch_all(pool).await?;
            let entries: Result<Vec<_>, sqlx::Error> = rows.iter().map(entry).collect();
            Ok(entries?)
        };
        self.observed().read("read the audit log", read).await
    }
}

fn entry(row: &SqliteRow) -> Result<StoredAudit, sqlx::Error> {
    let detail: &str = row.try_get(7)?;
    Ok(StoredAudit {
        id: row.try_get::<i64, _>(0)?.cast_unsigned(),
        at: Timestamp(row.try_get::<i64, _>(1)?.cast_unsigned()),
        act: row.try_get(2)?,
        by: row.try_get(3)?,
        address: row.try_get(4)?,
        about: row.try_get(5)?,
        board: row.try_get(6)?,
        detail: serde_json::from_str(detail).map_err(|e| sqlx::Error::Decode(e.into()))?,
    })
}
