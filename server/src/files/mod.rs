//! The bytes of attachments, each file under the SHA-256 of its bytes: a directory beside the
//! database, or any store that `object_store` speaks to. It knows no SQL and no boards.
//!
//! A file is received under a name of its own and takes the name of its hash when it is whole and
//! synced, so that a name stands for its bytes or for nothing.

mod hash;
mod incoming;
mod kind;
mod read;
mod store;

pub use hash::{FileHash, HashError};
pub use incoming::{Incoming, Received};
pub use kind::FileKind;
pub use read::FileBytes;
pub use store::{FileError, FileStore};
