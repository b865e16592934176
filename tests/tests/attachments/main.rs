//! Files on cards: sending, getting, rights, thumbnails, and the end of what nothing refers to. The
//! files are in the data directory; `bucket` has the same tests with a bucket.

mod downloads;
mod endings;
mod limits;
mod rights;
mod stage;
mod thumbnails;
mod uploads;

use std::path::{Path, PathBuf};

use boardcast::config::Config;
use boardcast_tests::http::send;

use stage::{Stage, board, ids, noise};

/// The directory of files in the data directory.
struct Store;

impl Store {
    /// More bytes than are received before the store has some.
    const MUCH_BYTES: usize = 600_000;

    #[expect(clippy::unused_async, reason = "other stores have to be started")]
    async fn new() -> Self {
        Self
    }

    fn configure(&self, _: &mut Config) {}

    fn root(&self, data: &Path) -> PathBuf {
        data.join("attachments")
    }

    fn incoming(&self, data: &Path) -> usize {
        let incoming = std::fs::read_dir(self.root(data).join("incoming"));
        incoming.expect("a folder").count()
    }
}
