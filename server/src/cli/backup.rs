//! `boardcast backup`.

use std::path::PathBuf;

use serde_json::json;
use tokio::runtime::Runtime;

use super::Failure;
use super::files::FilesArgs;
use super::noted::note;
use super::place::{Place, PlaceArgs};
use super::remote::Remote;
use crate::clock;
use crate::storage::{
    AuditAct, AuditEntry, BackupError, back_up, parent, put, unfinished, verify_backup,
};

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// Where to put the backup: a file that is not there yet
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    files: FilesArgs,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let place = args.place.place()?;
    if args.file.exists() && !args.force {
        let hint = format!(
            "{} is there; name another file, or use --force",
            args.file.display()
        );
        return Err(Failure::failed(hint));
    }
    let runtime = Runtime::new().map_err(Failure::failed)?;
    let bytes = match place {
        Place::Directory(dir) => {
            let written = runtime.block_on(back_up(
                (&dir, &args.files.place()?),
                &args.file,
                args.force,
            ));
            let bytes = written.map_err(failure)?;
            let taken = AuditEntry {
                detail: json!({"bytes": bytes}),
                ..AuditEntry::new(AuditAct::BackupTaken, clock::now())
            };
            note(&dir, &taken);
            bytes
        }
        Place::Server(server) => fetch(&server, args, &runtime)?,
    };
    eprintln!("{bytes} bytes written to {}", args.file.display());
    Ok(())
}

/// Writes what the server sends, and puts it in place when it is whole.
fn fetch(server: &Remote, args: &BackupArgs, runtime: &Runtime) -> Result<u64, Failure> {
    let mut file = unfinished(parent(&args.file)).map_err(failure)?;
    let bytes = server.backup(file.as_file_mut()).map_err(Failure::failed)?;
    let put_in_place = async {
        verify_backup(file.path()).await?;
        put(file, &args.file, args.force).await
    };
    runtime.block_on(put_in_place).map_err(failure)?;
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
pub(super) fn failure(error: BackupError) -> Failure {
    Failure::failed(format!("failed to {error}"))
}
