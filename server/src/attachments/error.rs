//! Why a file cannot be attached or read.

use crate::files::FileError;
use crate::storage::StorageError;

/// Why a file cannot be attached or read. Nothing has changed that anybody sees.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// It is larger than a file may be.
    #[error("a file has at most {max_bytes} bytes; send a smaller one, or attach a link")]
    TooLarge {
        /// How large it may be.
        max_bytes: u64,
    },
    /// The board has as many bytes as may be.
    #[error(
        "the files of a board have at most {board_bytes} bytes, those of removed attachments \
         included until they end; take some off, or ask who runs the server to raise \
         `attachment_board_bytes`"
    )]
    BoardFull {
        /// How many may be.
        board_bytes: u64,
    },
    /// The server has as many bytes as may be.
    #[error(
        "the files of this server have at most {server_bytes} bytes; ask who runs it to raise \
         `attachment_bytes`, or attach a link"
    )]
    ServerFull {
        /// How many may be.
        server_bytes: u64,
    },
    /// The user sends as many files as may be at a time.
    #[error("a user sends at most {per_user} files at a time; wait for one of them")]
    UserBusy {
        /// How many may be.
        per_user: usize,
    },
    /// All users together do.
    #[error("as many files are being sent as the server takes at a time; try again")]
    Busy,
    /// The attachment is another file already.
    #[error("the attachment is another file already")]
    OtherFile,
    /// The file has no thumbnail.
    #[error("the file has no thumbnail: {0}")]
    NoThumbnail(String),
    /// Too many wait for thumbnails.
    #[error("too many thumbnails are being made; try again")]
    ThumbnailsBusy,
    /// The store of files.
    #[error("failed to {0}")]
    Files(#[from] FileError),
    /// The database.
    #[error("failed to {0}")]
    Storage(#[from] StorageError),
}
