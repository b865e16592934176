//! `boardcast export`.

use std::io::Write as _;
use std::path::Path;

use boardcast_protocol::ids::BoardId;

use super::Failure;
use super::place::{Place, PlaceArgs, offline};
use crate::import::{ExportFormat, Importer, export};

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The board's id
    board: String,
    /// What to print
    #[arg(long)]
    format: ExportFormat,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let board: BoardId = args
        .board
        .parse()
        .map_err(|error| Failure::usage(format!("{:?} is not a board: {error}", args.board)))?;
    match args.place.place()? {
        Place::Server(server) => {
            print(&server.export(board, args.format).map_err(Failure::failed)?)
        }
        Place::Directory(dir) => {
            check_exists(&dir)?;
            offline(&dir, async |place| {
                let actor = Importer::offline().actor;
                let text = export(&place.rooms, actor, board, args.format).await;
                print(&text.map_err(Failure::failed)?)
            })
        }
    }
}

/// Opening a data directory makes it; an export is no reason to.
fn check_exists(dir: &Path) -> Result<(), Failure> {
    if dir.is_dir() {
        return Ok(());
    }
    let hint = format!("there is no data directory {}", dir.display());
    Err(Failure::failed(hint))
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let printed = std::io::stdout().lock().write_all(text);
    printed.map_err(|error| Failure::failed(format!("failed to print the board: {error}")))
}
