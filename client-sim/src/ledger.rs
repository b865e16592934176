//! The witness outside the server: a line for each command that was answered durable.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Epoch, Seq, Timestamp, Version};
use serde::{Deserialize, Serialize};

/// A durable command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The board.
    pub board: BoardId,
    /// The author's client.
    pub client: ClientId,
    /// The number of the command.
    pub seq: Seq,
    /// The version as which it was applied.
    pub version: Version,
    /// The epoch in which it was said to be durable.
    pub epoch: Epoch,
    /// When the answer came, by this machine's clock.
    pub at: Timestamp,
}

struct Open {
    file: BufWriter<File>,
    failed: Option<std::io::Error>,
}

/// The file; written when an answer comes, flushed by its owner at least every 100 ms.
pub struct Ledger(Mutex<Open>);

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self(Mutex::new(Open {
            file: BufWriter::new(File::create(path)?),
            failed: None,
        })))
    }

    /// Writes a line. A failure is told by the next [`Self::flush`].
    pub fn write(&self, line: &Line) {
        let mut open = self.open();
        let mut text = boardcast_protocol::codec::encode(line);
        text.push(b'\n');
        if let Err(error) = open.file.write_all(&text) {
            open.failed.get_or_insert(error);
        }
    }

    /// Hands all lines to the operating system.
    ///
    /// # Errors
    /// A line could not be written since the last flush.
    pub fn flush(&self) -> std::io::Result<()> {
        let mut open = self.open();
        let flushed = open.file.flush();
        open.failed.take().map_or(flushed, Err)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
