//! Faults that are planted to prove that the harness sees them. Not in the binary that ships.

use sqlx::SqliteConnection;

use super::StorageError;

/// A fault of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PlantedFault {
    /// Commits are not synced: `synchronous=NORMAL`, set behind the check of the settings.
    SynchronousNormal,
}

impl PlantedFault {
    pub(super) async fn plant(self, writer: &mut SqliteConnection) -> Result<(), StorageError> {
        match self {
            Self::SynchronousNormal => {
                sqlx::query("PRAGMA synchronous = NORMAL")
                    .execute(writer)
                    .await?;
            }
        }
        Ok(())
    }
}
