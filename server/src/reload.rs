//! Asking a running server to read its files again.

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

impl Asked {
    /// Resolves when it has been asked since the last time.
    pub(crate) async fn next(&mut self) {
        // The sender lives as long as this.
        let _ = self.receiver.changed().await;
    }
}
