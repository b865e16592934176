//! `boardcast key`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use super::noted::note;
use crate::auth::Secret;
use crate::clock;
use crate::storage::{AuditAct, AuditEntry};

#[derive(Debug, clap::Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign with a new key from now on; tokens of the one before are accepted until it is retired
    Rotate(DirArgs),
    /// Accept tokens of the key before no more
    Retire(DirArgs),
}

#[derive(Debug, clap::Args)]
struct DirArgs {
    /// Where the server keeps everything
    #[arg(long, env = "BOARDCAST_DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
}

pub(super) fn run(args: &KeyArgs) -> Result<(), Failure> {
    let (data_dir, done, act) = match &args.what {
        What::Rotate(DirArgs { data_dir }) => {
            (data_dir, Secret::rotate(data_dir), AuditAct::KeyRotated)
        }
        What::Retire(DirArgs { data_dir }) => {
            (data_dir, Secret::retire(data_dir), AuditAct::KeyRetired)
        }
    };
    done.map_err(Failure::failed)?;
    note(data_dir, &AuditEntry::new(act, clock::now()));
    Ok(())
}
