//! Files on cards: the way of a file into the store and out of it, thumbnails, and the end of files
//! that nothing refers to. Knows no HTTP.
//!
//! A file is noted in the database before its attachment comes onto the board, so that an attachment
//! that anybody sees has its file. What is noted for a board that then refuses it ends with the
//! upkeep, and so does a file that a crash leaves.

mod error;
mod name;
mod places;
mod sweep;
mod thumbnail;

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use boardcast_protocol::ids::{AttachmentId, BoardId, UserId};
use boardcast_protocol::position::Timestamp;

pub use self::error::AttachmentError;
pub use self::name::{NAME_MAX_BYTES, NameError, file_name};
pub use self::places::UploadPlace;
use self::places::UploadPlaces;
pub use self::sweep::Swept;
use self::thumbnail::Thumbnails;
pub use self::thumbnail::{THUMBNAIL_MAX_PX, Thumbnail, has_thumbnail};
use crate::files::{FileHash, FileStore, Received};
use crate::storage::{
    AttachedFile, AttachmentPlace, FileQuota, FileTotals, Storage, StorageError, StoredFile,
};

/// What files on cards are held to.
#[derive(Clone, Copy, Debug)]
pub struct AttachmentRules {
    /// The largest file.
    pub max_bytes: u64,
    /// Bytes of all attachments of a board, and of all files of the server.
    pub quota: FileQuota,
    /// Files that are received at a time.
    pub uploads: usize,
    /// Of one user.
    pub uploads_per_user: usize,
    /// How long a file stays that no board shows any more.
    pub grace_ms: u64,
}

impl Default for AttachmentRules {
    fn default() -> Self {
        const GIB: u64 = 1_024 * 1_024 * 1_024;
        Self {
            max_bytes: 25 * 1_024 * 1_024,
            quota: FileQuota {
                board_bytes: GIB,
                server_bytes: 10 * GIB,
            },
            uploads: 32,
            uploads_per_user: 4,
            grace_ms: 30 * 24 * 60 * 60 * 1_000,
        }
    }
}

/// Files are locked by their names, those of one lock together.
const LOCKS: usize = 64;
/// How long a file stays at least whose attachment a board has refused: a second request under the
/// same key may have been accepted, and is on disk by then.
const REFUSED_GRACE_MS: u64 = 10 * 60 * 1_000;

/// What has happened to files since the start.
#[derive(Debug, Default)]
pub struct FileCounts {
    received: AtomicU64,
    received_bytes: AtomicU64,
    damaged: AtomicU64,
    removed: AtomicU64,
}

/// The files of all boards.
#[derive(Debug)]
pub struct Attachments {
    storage: Storage,
    rules: AttachmentRules,
    places: UploadPlaces,
    thumbnails: Thumbnails,
    /// Whoever puts a file into the store or takes it out holds its lock until the database knows.
    locks: [Mutex<()>; LOCKS],
    counts: FileCounts,
}

impl Attachments {
    /// The files that `storage` keeps.
    pub fn new(storage: Storage, rules: AttachmentRules) -> Self {
        Self {
            storage,
            rules,
            places: UploadPlaces::new(rules.uploads, rules.uploads_per_user),
            thumbnails: Thumbnails::default(),
            locks: std::array::from_fn(|_| Mutex::default()),
            counts: FileCounts::default(),
        }
    }

    /// What they are held to.
    pub fn rules(&self) -> &AttachmentRules {
        &self.rules
    }

    /// Where their bytes are.
    pub fn files(&self) -> &FileStore {
        self.storage.files()
    }

    /// What has happened since the start.
    pub fn counts(&self) -> &FileCounts {
        &self.counts
    }

    /// How many files there are.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn totals(&self) -> Result<FileTotals, StorageError> {
        self.storage.file_totals().await
    }

    /// A place to send a file, to be kept until it was received.
    ///
    /// # Errors
    /// The user, or all users, send as many files as may be at a time.
    pub fn place(&self, user: UserId) -> Result<UploadPlace, AttachmentError> {
        self.places.take(user)
    }

    /// Whether a file of so many bytes may come, as far as can be told before it is here.
    ///
    /// # Errors
    /// It is too large, there is no space for it, or reading failed.
    pub async fn admit(&self, board: BoardId, bytes: u64) -> Result<(), AttachmentError> {
        if bytes > self.rules.max_bytes {
            return Err(AttachmentError::TooLarge {
                max_bytes: self.rules.max_bytes,
            });
        }
        let FileQuota {
            board_bytes,
            server_bytes,
        } = self.rules.quota;
        if self.storage.board_file_bytes(board).await? + bytes > board_bytes {
            return Err(AttachmentError::BoardFull { board_bytes });
        }
        // The file may be there already, which is known when it has come.
        if self.storage.file_totals().await?.bytes > server_bytes {
            return Err(AttachmentError::ServerFull { server_bytes });
        }
        Ok(())
    }

    /// Keeps a file that was received, as what the attachment will be. When this returns it is on
    /// disk, and stays until its attachment is gone.
    ///
    /// # Errors
    /// The attachment is another file, there is no space, or it cannot be written.
    pub async fn keep(
        &self,
        place: AttachmentPlace,
        received: Received,
        now: Timestamp,
    ) -> Result<StoredFile, AttachmentError> {
        let file = StoredFile {
            hash: received.hash,
            bytes: received.bytes,
            mime: received.kind.mime(),
            created: now,
        };
        let _lock = self.lock(file.hash).await;
        received.keep().await?;
        let attached = self.storage.attach(place, file, self.rules.quota).await;
        if matches!(attached, Ok(true)) {
            self.counts.received.fetch_add(1, Ordering::Relaxed);
            self.counts
                .received_bytes
                .fetch_add(file.bytes, Ordering::Relaxed);
            return Ok(file);
        }
        let refused = match attached {
            Ok(_) => self.why_not(place, file).await?,
            // It may be noted after all: the upkeep sees whether it is.
            Err(error) => return Err(error.into()),
        };
        // Else files above a quota would fill the disk until the next round of the upkeep.
        self.remove_unknown(file.hash).await?;
        Err(refused)
    }

    async fn why_not(
        &self,
        place: AttachmentPlace,
        file: StoredFile,
    ) -> Result<AttachmentError, AttachmentError> {
        let AttachmentPlace {
            board, attachment, ..
        } = place;
        let FileQuota {
            board_bytes,
            server_bytes,
        } = self.rules.quota;
        if (self.storage.file_of(board, attachment).await?).is_some() {
            return Ok(AttachmentError::OtherFile);
        }
        let taken = self.storage.board_file_bytes(board).await?;
        Ok(match taken + file.bytes > board_bytes {
            true => AttachmentError::BoardFull { board_bytes },
            false => AttachmentError::ServerFull { server_bytes },
        })
    }

    /// The board has refused the attachment: its file ends soon.
    ///
    /// # Errors
    /// It cannot be written; then the file ends as if its attachment had been taken off.
    pub async fn refused(
        &self,
        place: AttachmentPlace,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let early = self.rules.grace_ms.saturating_sub(REFUSED_GRACE_MS);
        let gone = Timestamp(now.0.saturating_sub(early));
        let AttachmentPlace {
            board, attachment, ..
        } = place;
        self.storage
            .mark_attachment(board, attachment, Some(gone))
            .await
    }

    /// The file of an attachment, whose bytes were compared with its name; `None` where the
    /// attachment is no file. Who may see it is for the caller to find out.
    ///
    /// # Errors
    /// The file is missing or damaged, or reading failed.
    pub async fn find(
        &self,
        board: BoardId,
        attachment: AttachmentId,
    ) -> Result<Option<AttachedFile>, StorageError> {
        self.storage.file_of(board, attachment).await
    }

    /// Makes sure that a file is there and whole before anything of it is sent.
    ///
    /// # Errors
    /// It is missing or damaged, or cannot be read.
    pub async fn sound(&self, hash: FileHash) -> Result<(), AttachmentError> {
        let sound = self.files().sound(hash).await;
        if sound.is_err() {
            self.counts.damaged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(sound?)
    }

    /// The thumbnail of a file, made where it is missing.
    ///
    /// # Errors
    /// The file has none, too many wait for theirs, or it cannot be read.
    pub async fn thumbnail(&self, file: &AttachedFile) -> Result<Thumbnail, AttachmentError> {
        self.thumbnails.get(self.files(), file).await
    }

    async fn lock(&self, hash: FileHash) -> MutexGuard<'_, ()> {
        let [first, ..] = hash.0;
        self.locks[usize::from(first) % LOCKS].lock().await
    }
}

impl FileCounts {
    /// Files that were received and kept.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Their bytes.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    /// Reads that found a file missing or damaged.
    pub fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Files that were removed because nothing referred to them.
    pub fn removed(&self) -> u64 {
        self.removed.load(Ordering::Relaxed)
    }
}
