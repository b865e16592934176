//! How the journal is doing, for health checks and metrics.

/// Whether the journal can write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It can.
    #[default]
    Healthy,
    /// It cannot at the moment and tries again; nothing that was taken is lost.
    Degraded {
        /// What the disk says.
        reason: String,
    },
    /// It was closed, and everything had been written.
    Closed,
    /// It will not before the next start: something was not written, or what is on the disk is not
    /// known.
    Stopped {
        /// Why.
        reason: String,
    },
}

/// How the journal is doing at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalStatus {
    /// Whether it can write.
    pub health: Health,
    /// Versions that were taken and are not durable.
    pub queued_versions: usize,
    /// Their size.
    pub queued_bytes: usize,
    /// Size of rows that were taken and are not written.
    pub queued_rows_bytes: usize,
    /// Size of the database file at this moment, in bytes.
    pub database_bytes: u64,
    /// Size of its write-ahead log at this moment, in bytes. It is written back every 8 to 32 MiB and
    /// keeps up to 64 MiB; one that goes on growing is held by a reader.
    pub wal_bytes: u64,
    /// Counts since the start.
    pub counters: JournalCounters,
}

/// What the journal has done since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalCounters {
    /// Groups of versions that were committed.
    pub groups: u64,
    /// Versions in them.
    pub versions: u64,
    /// Versions in the last group.
    pub last_group_versions: usize,
    /// Time from BEGIN to the end of COMMIT of the last group.
    pub commit_last_us: u64,
    /// The longest of these times.
    pub commit_max_us: u64,
    /// Their sum: divided by `groups`, the mean.
    pub commit_sum_us: u64,
    /// Transactions with rows that were committed.
    pub rows_transactions: u64,
    /// Sum of their times.
    pub rows_sum_us: u64,
    /// Users that were written because they said hello, also where nothing about them was new.
    pub users: u64,
    /// Transactions that held them.
    pub users_transactions: u64,
    /// Attempts that failed and were repeated.
    pub retries: u64,
    /// Boards that were given up because their data breaks a rule.
    pub failed_boards: u64,
    /// Checkpoints of the write-ahead log.
    pub checkpoints: u64,
}
