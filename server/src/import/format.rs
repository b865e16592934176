//! The formats of files.

use serde::Deserialize;

use boardcast_protocol::ids::UserId;

use super::{FileError, ImportFile, Source, json, trello};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// An export of a Trello board
    Trello,
    /// An export of this program
    Json,
}

/// What a board is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// Everything that the board knows, for `boardcast import json`
    Json,
    /// Its cards as a table for spreadsheets
    Csv,
}

impl ExportFormat {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The path of it below that of a board, over HTTP.
    pub fn path(self) -> &'static str {
        match self {
            Self::Json => "export",
            Self::Csv => "cards.csv",
        }
    }
}

impl FileFormat {
    /// Its name on the command line and in URLs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trello => "trello",
            Self::Json => "json",
        }
    }

    /// Reads a file of this format. What it does not say about authors is ascribed to `importer`.
    ///
    /// # Errors
    /// See [`trello::read`] and [`json::read`].
    pub fn read(self, source: Source<'_>, importer: UserId) -> Result<ImportFile, FileError> {
        match self {
            Self::Trello => trello::read(source, importer),
            Self::Json => json::read(source),
        }
    }
}
