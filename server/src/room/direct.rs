//! Writing from the room's task.

use std::fmt::Debug;
use std::io;

/// A socket that takes bytes without waiting.
pub trait DirectWrite: Debug + Send + Sync {
    /// Offers bytes; how many of them were taken.
    ///
    /// # Errors
    /// `WouldBlock` where it takes none at the moment; others where it is broken.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}
