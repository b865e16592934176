//! The end of files that nothing refers to.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::TryStreamExt as _;
use tokio::time::sleep;

use boardcast_protocol::position::Timestamp;

use super::{AttachmentError, Attachments};
use crate::files::FileHash;
use crate::storage::KeptAttachment;

/// Attachments and files that are looked at in one read.
const PAGE: usize = 200;
/// Between two reads, and between two writes: commits of people go first.
const PAUSE: Duration = Duration::from_millis(5);

/// What a round has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Attachments that were found not to be on their boards any more.
    pub gone: u64,
    /// Attachments that were gone for long enough and ended.
    pub ended: u64,
    /// Files that were removed from the store.
    pub removed: u64,
}

impl Attachments {
    /// A round: sees which attachments have left their boards, ends those that left long ago, and
    /// removes files that are no attachment. While a backup is made no file is removed.
    ///
    /// # Errors
    /// The database or the store cannot be read or written; what was done before that stays so.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, AttachmentError> {
        let mut swept = Swept::default();
        let mut after = None;
        loop {
            let page = self.storage.kept_attachments(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.board, last.attachment));
            for kept in &page {
                self.look_at(kept, now, &mut swept).await?;
            }
            sleep(PAUSE).await;
        }
        // From here on files are removed, which is for whoever has the store alone.
        self.files().ours().await?;
        let mut after = None;
        loop {
            let page = self.storage.unused_files(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for hash in page {
                self.remove(hash, &mut swept).await?;
            }
            sleep(PAUSE).await;
        }
        // What a crash has left, or a restore: files that the database does not know.
        let mut files = self.files().all().try_chunks(PAGE);
        while let Some(page) = files.try_next().await.map_err(|error| error.1)? {
            for hash in self.storage.unknown_files(&page).await? {
                self.remove(hash, &mut swept).await?;
            }
            sleep(PAUSE).await;
        }
        self.counts
            .removed
            .fetch_add(swept.removed, Ordering::Relaxed);
        Ok(swept)
    }

    async fn look_at(
        &self,
        kept: &KeptAttachment,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), AttachmentError> {
        let KeptAttachment {
            board,
            attachment,
            gone,
            held,
        } = *kept;
        match gone {
            None if !held => {
                self.storage
                    .mark_attachment(board, attachment, Some(now))
                    .await?;
                swept.gone += 1;
            }
            Some(_) if held => {
                self.storage
                    .mark_attachment(board, attachment, None)
                    .await?;
            }
            Some(gone) if gone.0.saturating_add(self.rules.grace_ms) <= now.0 => {
                let before = Timestamp(now.0.saturating_sub(self.rules.grace_ms));
                let ended = self.storage.end_attachment(board, attachment, before);
                swept.ended += u64::from(ended.await?);
            }
            None | Some(_) => {}
        }
        Ok(())
    }

    /// Removes a file that is no attachment. An upload of the same bytes comes before, and then the
    /// file stays, or behind, and then it is written again.
    async fn remove(&self, hash: FileHash, swept: &mut Swept) -> Result<(), AttachmentError> {
        let _lock = self.lock(hash).await;
        self.storage.forget_file(hash).await?;
        swept.removed += u64::from(self.remove_unknown(hash).await?);
        Ok(())
    }

    /// Removes a file that the database does not know, while its lock is held; `false` where it knows
    /// it, or a backup is being made.
    pub(super) async fn remove_unknown(&self, hash: FileHash) -> Result<bool, AttachmentError> {
        let Some(_removal) = self.storage.removal() else {
            return Ok(false);
        };
        if self.storage.unknown_files(&[hash]).await?.is_empty() {
            return Ok(false);
        }
        self.files().remove(hash).await?;
        Ok(true)
    }
}
