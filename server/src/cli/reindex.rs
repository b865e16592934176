//! `boardcast reindex`.

use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::Failure;
use crate::storage::reindex;

#[derive(Debug, clap::Args)]
pub(super) struct ReindexArgs {
    /// The data directory, while no server uses it
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

pub(super) fn run(args: &ReindexArgs) -> Result<(), Failure> {
    let runtime = Runtime::new().map_err(Failure::failed)?;
    let cards = runtime
        .block_on(reindex(&args.data_dir))
        .map_err(|error| Failure::failed(format!("failed to {error}")))?;
    eprintln!("{cards} cards are in the search index");
    Ok(())
}
