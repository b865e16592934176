//! Bugs that are planted on purpose, one at a time, to show that the simulation would find them.
//! Nothing of them ships: outside tests [`planted`] is the constant `false`.

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A version is called durable before it is committed.
    AnswerBeforeCommit,
    /// After an unclean end no epoch begins.
    ForgetEpoch,
    /// A position is compared with the beginning of the last epoch only.
    CompareWithLastEpochOnly,
    /// A batch lacks its last version.
    LoseEndOfBatch,
    /// The log lacks the last event of a version.
    LoseLastEvent,
    /// A repeated submit is applied again.
    ApplyTwice,
    /// A resume begins one version too late.
    ResumeOffByOne,
    /// What does not fit into an outbox counts as sent.
    DropOnFullOutbox,
    /// Rows claim to stand one version before the one that they show.
    RowsNewerThanClaimed,
    /// Rows are written before the log that leads to them.
    RowsBeforeLog,
    /// After `busy` at n, higher numbers are taken.
    TakeAfterBusy,
    /// `durable` names the last version instead of the last durable one.
    DurableIsLatest,
    /// A joiner gets the shared snapshot without the versions since.
    SnapshotWithoutTail,
    /// What the log says of clients after their rows is not read.
    ClientsFromRowsOnly,
    /// What the log says of clients after their rows is not written with the next ones.
    LateClientsLost,
    /// A run counts as clean though a board was given up.
    CleanThoughTorn,
    /// An older connection of a client is listened to after the newer one.
    FenceOpen,
    /// What a full disk refused is not written again.
    GiveUpOnFullDisk,
    /// What is undone is the version before the one that is asked for.
    UndoTheOneBefore,
    /// Everybody undoes what others have done.
    UndoOfOthers,
    /// A board that is archived takes everything.
    ArchivedTakesAll,
    /// The room of a board that went into the bin goes on.
    RoomOutlivesBoard,
}

#[cfg(not(test))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}

#[cfg(test)]
pub(crate) use tests::planted;

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Whether this bug is planted in this thread.
    pub(crate) fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Plants a bug in this thread, in place of the one before.
    pub(crate) fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }
}
