//! Files that a running server reads, and asking it to read them again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tokio::sync::watch;

/// Asks a server, which has a clone of it, to read again what files hold: `SIGHUP` does.
#[derive(Clone, Debug, Default)]
pub struct Reload(watch::Sender<()>);

/// Waits for [`Reload::ask`].
#[derive(Debug)]
pub(crate) struct Asked {
    receiver: watch::Receiver<()>,
    /// So that there is always somebody who may ask.
    _sender: Reload,
}

impl Reload {
    /// Asks. What is asked for while files are being read is done once more behind that.
    pub fn ask(&self) {
        self.0.send_replace(());
    }

    /// What is asked from now on.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            receiver: self.0.subscribe(),
            _sender: self.clone(),
        }
    }
}

/// The bytes of a small file.
///
/// # Errors
/// It cannot be read, or has more than `max_bytes`.
pub(crate) fn read_small(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(max_bytes + 1);
    if file.read_to_end(&mut bytes)? as u64 > max_bytes {
        let size = match max_bytes >> 20 {
            0 => format!("{} KiB", max_bytes >> 10),
            mib => format!("{mib} MiB"),
        };
        return Err(io::Error::other(format!("it is larger than {size}")));
    }
    Ok(bytes)
}

impl Asked {
    /// Resolves when it has been asked since the last time.
    pub(crate) async fn next(&mut self) {
        // The sender lives as long as this.
        let _ = self.receiver.changed().await;
    }
}
