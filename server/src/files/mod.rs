//! The bytes of attachments, each file under the SHA-256 of its bytes: in a directory beside the
//! database, or in a bucket of an S3-compatible store. It knows no SQL and no boards.
//!
//! A file is received under a name of its own and takes the name of its hash when it is whole and
//! synced, so that a name stands for its bytes or for nothing. Into a bucket, a small one is put under
//! that name at once, which a store does whole or not at all.
//!
//! One data directory has a bucket, or a prefix of it, for itself: what nothing refers to is removed,
//! and nobody else is asked.

mod error;
mod hash;
mod incoming;
mod kind;
mod note;
mod open;
mod place;
mod read;
mod store;

#[cfg(feature = "s3")]
mod remote;
#[cfg(not(feature = "s3"))]
#[path = "remote_absent.rs"]
mod remote;

pub use error::FileError;
pub use hash::{FileHash, HashError};
pub use incoming::{Incoming, Received};
pub use kind::FileKind;
pub use place::{BucketRules, FilesPlace};
pub use read::FileBytes;
pub use store::FileStore;
