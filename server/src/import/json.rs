//! Boards that this program exported.

use boardcast_protocol::board::{BoardDocument, Knows, Omissions};

use super::file::read_json;
use super::{FileError, ImportFile, Source};

/// Reads an export of this program.
///
/// # Errors
/// It cannot be read, is no such export, or its board breaks a rule.
pub fn read(source: Source<'_>) -> Result<ImportFile, FileError> {
    let (document, digest) = read_json::<BoardDocument>(source)?;
    let board = document.into_board()?;
    Ok(ImportFile {
        source: format!("json:{}", board.view().id),
        board,
        knows: Knows::Everything,
        digest,
        omissions: Omissions::default(),
        history: Vec::new(),
    })
}
