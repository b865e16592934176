//! Reading a ledger while the fleet writes it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use boardcast_sim::ledger::Line;
use tokio::time::Instant;

/// Time between two looks at the file.
const LOOK: Duration = Duration::from_millis(10);

/// The whole lines of a ledger, as far as they were read.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    read: u64,
    rest: String,
    lines: Vec<Line>,
}

impl Ledger {
    /// Of a file that may not be there yet.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            read: 0,
            rest: String::new(),
            lines: Vec::new(),
        }
    }

    /// Reads what has come; all whole lines.
    ///
    /// # Errors
    /// The file cannot be read, or a line is none of a ledger.
    pub fn read(&mut self) -> anyhow::Result<&[Line]> {
        let Ok(mut file) = File::open(&self.path) else {
            return Ok(&self.lines);
        };
        file.seek(SeekFrom::Start(self.read))?;
        self.read += file.read_to_string(&mut self.rest)? as u64;
        let whole = self.rest.rfind('\n').map_or(0, |end| end + 1);
        for line in self.rest[..whole].lines() {
            let line = serde_json::from_str(line).context("a line of the ledger")?;
            self.lines.push(line);
        }
        self.rest.drain(..whole);
        Ok(&self.lines)
    }

    /// Waits until there are at least `count` lines.
    ///
    /// # Errors
    /// They do not come within `patience`.
    pub async fn reaches(&mut self, count: usize, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        while self.read()?.len() < count {
            if Instant::now() >= until {
                bail!(
                    "{} commands were durable after {patience:?}, {count} were waited for",
                    self.lines.len()
                );
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}
