//! What is looked up and listed beside the journal.

use boardcast_protocol::ids::{BoardId, CardId, ClientId, UserId};
use boardcast_protocol::message::{ActivityEntry, BoardSummary};
use boardcast_protocol::position::Version;

use super::{ClientRecord, ImportRecord, Storage, StorageError, StoredVersion, read};

impl Storage {
    /// What is written of a client of a board; `None` where it is not remembered.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn client(
        &self,
        board: BoardId,
        client: ClientId,
    ) -> Result<Option<ClientRecord>, StorageError> {
        let read = self.inner.readers.client(board, client);
        self.observed().read("look up a client", read).await
    }

    /// The boards of a user, or all boards for `None`, by id, after `after`; at most `limit`. With
    /// `archived` only those that are archived, or only others. What is in the bin is not among them. A
    /// membership shows about a second after it was given.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn boards_of(
        &self,
        user: Option<UserId>,
        archived: Option<bool>,
        after: Option<BoardId>,
        limit: usize,
    ) -> Result<Vec<BoardSummary>, StorageError> {
        let readers = &self.inner.readers;
        let read = readers.boards_of(user, archived, after, limit);
        self.observed().read("list boards", read).await
    }

    /// Those of these boards that a user is a member of, as [`Storage::boards_of`] tells them.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn boards_among(
        &self,
        user: UserId,
        boards: &[BoardId],
        archived: Option<bool>,
        after: Option<BoardId>,
    ) -> Result<Vec<BoardSummary>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = read::boards_among(pool, user, boards, archived, after);
        self.observed().read("list boards", read).await
    }

    /// Boards whose rows are behind their log, by id, after `after`; at most `limit`. Lists and the
    /// search show what is in the rows: opening such a board brings them up to date. It looks at the
    /// log of every board, which nobody waits for, and is not counted among the reads of people.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn boards_behind(
        &self,
        after: Option<BoardId>,
        limit: usize,
    ) -> Result<Vec<BoardId>, StorageError> {
        let pool = self.inner.readers.pool()?;
        read::boards_behind(pool, after, limit).await
    }

    /// Durable versions of a board, or those that are about a card, newest first, below `before`.
    /// At most `limit` and about 1 MiB, but one at least where there is one: a page may be short,
    /// the end has come when it is empty.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn activity(
        &self,
        board: BoardId,
        card: Option<CardId>,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<ActivityEntry>, StorageError> {
        let readers = &self.inner.readers;
        let read = readers.activity(board, card, before, limit);
        self.observed().read("read activity", read).await
    }

    /// A part of the log of a board: the durable versions after `after` and up to `to`, without a
    /// gap, of about `max_bytes` at most but one at least. Empty where the next one was trimmed or is
    /// not durable. Waits while other parts are read.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn past(
        &self,
        board: BoardId,
        after: Version,
        to: Version,
        max_bytes: usize,
    ) -> Result<Vec<StoredVersion>, StorageError> {
        // It is never closed.
        let _permit = self.inner.past_reads.acquire().await.ok();
        let read = self.inner.readers.past(board, (after, to), max_bytes);
        self.observed().read("read the log", read).await
    }

    /// What the last import of `source` did.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn import_record(&self, source: &str) -> Result<Option<ImportRecord>, StorageError> {
        let read = self.inner.readers.import_record(source);
        self.observed().read("look up an import", read).await
    }
}
