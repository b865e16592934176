//! Where the files of a data directory are, for commands that work while no server does.

use std::path::PathBuf;

use clap::Parser;

use super::Failure;
use crate::config::Settings;
use crate::files::FilesPlace;

#[derive(Debug, clap::Args)]
pub(super) struct FilesArgs {
    /// The server's TOML file with settings, where a bucket has the files of attachments; variables are
    /// stronger
    #[arg(long, env = "BOARDCAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The settings as variables say them.
#[derive(Debug, Parser)]
struct Environment {
    #[command(flatten)]
    settings: Settings,
}

impl FilesArgs {
    /// The place that variables and the file name.
    pub(super) fn place(&self) -> Result<FilesPlace, Failure> {
        let file = match &self.config {
            Some(path) => Settings::from_file(path).map_err(Failure::usage)?,
            None => Settings::default(),
        };
        let environment = Environment::try_parse_from(["boardcast"]).map_err(Failure::usage)?;
        let settings = environment.settings.over(file);
        settings.files_place().map_err(Failure::usage)
    }
}
