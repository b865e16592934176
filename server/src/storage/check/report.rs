//! What a check has found.

use std::fmt;

use serde::{Serialize, Serializer};

/// Violations that a report lists; further ones are counted.
pub const LISTED_MAX: usize = 1_000;
/// Characters of a value that a violation names.
const VALUE_MAX_CHARS: usize = 300;

macro_rules! invariants {
    ($($(#[$doc:meta])* $invariant:ident $name:literal $hint:expr;)*) => {
        /// Something that is true of every database that this program has written. Its name is the
        /// identifier in the report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant {
            $($(#[$doc])* $invariant,)*
        }

        impl Invariant {
            /// Its identifier, which does not change.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$invariant => $name,)*
                }
            }

            /// What to do where it is broken.
            pub fn hint(self) -> &'static str {
                match self {
                    $(Self::$invariant => $hint,)*
                }
            }
        }
    };
}

const DAMAGED: &str = "the file is damaged: keep a copy of it, restore a backup, and test the disk";
const TAMPERED: &str = "something else has written to the database, or the program has a fault: \
     keep a copy of it, restore a backup, and report it";
const PROJECTION: &str = "the rows are not what the log leads to: keep a copy of the database, \
     restore a backup, and report it";
const INDEX: &str = "nothing is lost, but searches find too little or too much: stop the server and run \
     `boardcast reindex` on its data directory, and report it";
const LOST_FILE: &str = "a file of an attachment is missing or damaged: restore a backup, or attach the \
     same file again anywhere, which puts it back";
const LOST: &str = "the log lacks what a client was told: keep the database and the ledger, and \
     report it; after a restore, what came after the backup is lost by intent";

invariants! {
    /// `PRAGMA integrity_check` finds nothing.
    Integrity "integrity" DAMAGED;
    /// Every foreign key leads to a row.
    ForeignKeys "foreign_keys" TAMPERED;
    /// Every row of every table can be read as what it stands for.
    Readable "readable" DAMAGED;
    /// Log, activity and card versions are those of boards that exist.
    LogBoards "log_boards" TAMPERED;
    /// Records of imports can be read.
    Imports "imports" TAMPERED;
    /// Users have an id and a name.
    Users "users" TAMPERED;
    /// Accounts have a user, a name and the key of their address.
    Accounts "accounts" TAMPERED;
    /// Every file of an attachment is there, and its bytes are those of its name.
    FilesWhole "files_whole" LOST_FILE;
    /// Files and attachments have the sizes that quotas count.
    FilesCounted "files_counted" TAMPERED;
    /// A board in the bin has a time and a user, any other has neither.
    Bin "bin" TAMPERED;
    /// A board has epochs, numbered from 1 without a gap.
    EpochsNumbered "epochs_numbered" TAMPERED;
    /// No epoch stands twice.
    EpochsUnique "epochs_unique" TAMPERED;
    /// No epoch begins before the one ahead of it.
    EpochsRising "epochs_rising" TAMPERED;
    /// No epoch begins beyond the last version.
    EpochsWithinLog "epochs_within_log" TAMPERED;
    /// The log has every version from the first it keeps to its last, and from the base on.
    VersionsContiguous "versions_contiguous" TAMPERED;
    /// The base is a board that keeps all rules.
    BaseValid "base_valid" TAMPERED;
    /// The base is not newer than the rows, the rows are not newer than the log.
    RowsWithinLog "rows_within_log" TAMPERED;
    /// Every version of the log applies to the board before it.
    Replay "replay" TAMPERED;
    /// The rows are what base and log lead to.
    RowsMatchLog "rows_match_log" PROJECTION;
    /// The ids of deleted things are what base and log lead to.
    TombstonesMatchLog "tombstones_match_log" PROJECTION;
    /// The board at its last version keeps all rules.
    BoardValid "board_valid" TAMPERED;
    /// A (client, seq) is applied once.
    SeqOnce "seq_once" TAMPERED;
    /// The numbers of a client rise with the versions.
    SeqRising "seq_rising" TAMPERED;
    /// What is kept of each client is what the log leads to.
    ClientsMatchLog "clients_match_log" PROJECTION;
    /// Which versions are about which card is what the log leads to.
    CardVersionsMatchLog "card_versions_match_log" PROJECTION;
    /// The search index holds the texts of the cards as the rows show them.
    IndexMatchesRows "index_matches_rows" INDEX;
    /// Activity holds versions up to the base, as the log had them.
    ActivityMatchesLog "activity_matches_log" TAMPERED;
    /// The board of each line of the ledger exists.
    LedgerBoard "ledger_board" LOST;
    /// Each command of the ledger is in the log.
    LedgerFound "ledger_found" LOST;
    /// Each command of the ledger is in the log once.
    LedgerOnce "ledger_once" TAMPERED;
    /// Each command of the ledger has the version that was told.
    LedgerVersion "ledger_version" TAMPERED;
    /// Each epoch of the ledger is in the board's history.
    LedgerEpoch "ledger_epoch" LOST;
    /// No version of the ledger is beyond where the next epoch began.
    LedgerWithinEpoch "ledger_within_epoch" LOST;
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Invariant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An invariant that is broken in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// The board; absent for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// What is there, at most about 300 characters.
    pub found: String,
    /// What should be there, at most about 300 characters.
    pub expected: String,
    /// What to do.
    pub hint: &'static str,
}

/// What became of the lines of the ledgers. A line is a command that a client was told is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerCounts {
    /// Whole lines.
    pub lines: u64,
    /// Last lines without an end: cut off by a crash of the writer, and left out.
    pub cut: u64,
    /// Lines that say again what another line says.
    pub repeated: u64,
    /// Commands found in the log or in the activity.
    pub found: u64,
    /// Commands that were trimmed because nobody sees what they changed; the client's last number
    /// proves them.
    pub proven: u64,
    /// Trimmed commands of clients that were silent for 90 days and forgotten: nothing proves them.
    pub forgotten: u64,
    /// Commands that are not there.
    pub lost: u64,
    /// Commands that are there more than once.
    pub doubled: u64,
    /// Commands that are there at another version.
    pub misplaced: u64,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Boards that were read.
    pub boards: u64,
    /// Versions that were read, from the log and from the activity.
    pub versions: u64,
    /// Files of attachments that were read.
    pub files: u64,
    /// What became of the lines of the ledgers.
    pub ledger: LedgerCounts,
    /// The first [`LISTED_MAX`] violations.
    pub violations: Vec<Violation>,
    /// The count of all violations.
    pub total: u64,
}

impl CheckReport {
    pub(super) fn add(
        &mut self,
        invariant: Invariant,
        board: Option<&str>,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) {
        self.total += 1;
        if self.violations.len() < LISTED_MAX {
            self.violations.push(Violation {
                invariant,
                board: board.map(str::to_owned),
                found: clipped(&found),
                expected: clipped(&expected),
                hint: invariant.hint(),
            });
        }
    }
}

fn clipped(value: &impl fmt::Display) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_MAX_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
