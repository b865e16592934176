//! `boardcast restore`.

use std::fs::File;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::Failure;
use super::backup::failure;
use super::files::FilesArgs;
use super::noted::note;
use super::place::{Place, PlaceArgs};
use crate::clock;
use crate::storage::{AuditAct, AuditEntry, restore};

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    files: FilesArgs,
}

pub(super) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    let file = &args.file;
    match args.place.place()? {
        Place::Directory(dir) => {
            let restored = Runtime::new()
                .map_err(Failure::failed)?
                .block_on(restore((&dir, &args.files.place()?), file))
                .map_err(failure)?;
            note(&dir, &AuditEntry::new(AuditAct::Restored, clock::now()));
            eprintln!("{} is in place; boards begin new epochs", file.display());
            if let Some(replaced) = restored.replaced {
                eprintln!("the database before it is {}", replaced.display());
            }
        }
        Place::Server(server) => {
            let unreadable =
                |error| Failure::failed(format!("failed to read {}: {error}", file.display()));
            let backup = File::open(file).map_err(unreadable)?;
            server.restore(backup).map_err(Failure::failed)?;
            eprintln!(
                "{} is staged; the server restarts with it, and its log names the database before",
                file.display()
            );
        }
    }
    Ok(())
}
