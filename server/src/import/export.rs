//! A board as a file.

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use boardcast_protocol::board::{Action, Actor, BoardDocument};
use boardcast_protocol::ids::BoardId;

use super::{ExportFormat, ImportError, csv, role_of};
use crate::room::{RoomInput, Rooms};

/// The board as the JSON document that `import json` reads, with a line break at the end, or its
/// cards as a table.
///
/// # Errors
/// There is no such board, or it is not the user's: the error is the same. Or the table is too large.
pub async fn export(
    rooms: &Rooms,
    actor: Actor,
    id: BoardId,
    format: ExportFormat,
) -> Result<Vec<u8>, ImportError> {
    let room = rooms.open(id).await?.ok_or(ImportError::NoSuchBoard(id))?;
    let role = role_of(&room, actor).await?;
    if !role.is_some_and(|role| role.may(Action::Export)) {
        return Err(ImportError::NoSuchBoard(id));
    }
    let (answer, copy) = oneshot::channel();
    let asked = room.send(RoomInput::Copy { answer }).await;
    asked.map_err(|_| ImportError::Stopping)?;
    let copy = copy.await.map_err(|_| ImportError::Stopping)?;
    let written = spawn_blocking(move || {
        let (board, _) = *copy;
        if format == ExportFormat::Csv {
            return csv::table(&board).ok_or(ImportError::TableTooLarge);
        }
        let mut text = Vec::new();
        // The document holds no map with keys that are not strings, the only case that fails.
        let _ = serde_json::to_writer(&mut text, &BoardDocument::from_board(&board));
        text.push(b'\n');
        Ok(text)
    });
    written.await.map_err(|_| ImportError::Stopping)?
}
