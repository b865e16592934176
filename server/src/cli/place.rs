//! Where a command works: in a data directory that no server uses, or on a server that runs.

use std::future::Future;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::Failure;
use super::remote::Remote;
use crate::clock;
use crate::room::{RoomLimits, Rooms};
use crate::storage::{Storage, StorageOptions};

#[derive(Debug, clap::Args)]
pub(super) struct PlaceArgs {
    /// The data directory, while no server uses it
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data_dir: Option<PathBuf>,
    /// The server, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL", requires = "token")]
    server: Option<String>,
    /// A token of that server
    #[arg(
        long,
        env = "BOARDCAST_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
}

pub(super) enum Place {
    Directory(PathBuf),
    Server(Remote),
}

impl PlaceArgs {
    /// The place that the arguments name.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        match (&self.data_dir, &self.server, &self.token) {
            (Some(dir), None, _) => Ok(Place::Directory(dir.clone())),
            (None, Some(server), Some(token)) => Ok(Place::Server(Remote::new(server, token)?)),
            (Some(_), Some(_), _) | (None, None | Some(_), _) => Err(Failure::usage(
                "say where: `--data-dir DIR`, or `--server URL --token TOKEN`",
            )),
        }
    }
}

/// Storage and rooms of a data directory, without a server around them.
pub(super) struct Offline {
    pub(super) rooms: Rooms,
    pub(super) storage: Storage,
}

/// Opens the data directory, does the work and closes it cleanly.
pub(super) fn offline<F, W>(dir: &Path, work: W) -> Result<(), Failure>
where
    W: FnOnce(Offline) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let runtime = Runtime::new().map_err(Failure::failed)?;
    runtime.block_on(async {
        let failed = |error| Failure::failed(format!("failed to {error}"));
        let storage = Storage::open(StorageOptions::new(dir))
            .await
            .map_err(failed)?;
        let rooms = Rooms::new(storage.clone(), RoomLimits::default());
        let offline = Offline {
            rooms: rooms.clone(),
            storage: storage.clone(),
        };
        let done = work(offline).await;
        rooms.stop().await;
        storage.write_audit(clock::now()).await.map_err(failed)?;
        storage.close().await.map_err(failed)?;
        done
    })
}
