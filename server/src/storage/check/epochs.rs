//! The epochs of a board (rule R2).

use sqlx::Row;

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::{Epoch, Version};

use super::report::Invariant;
use super::{Check, CheckError};

const EPOCHS: &str = "SELECT number, epoch, began FROM epochs WHERE board = ? ORDER BY number";

impl Check<'_> {
    /// The epochs, oldest first, each with the version at which it began.
    pub(super) async fn epochs(
        &mut self,
        board: BoardId,
        last: Version,
    ) -> Result<Vec<(Epoch, Version)>, CheckError> {
        let id = Some(board.as_str());
        let rows = sqlx::query(EPOCHS)
            .bind(board.as_str())
            .fetch_all(&mut *self.conn)
            .await?;
        if rows.is_empty() {
            let expected = "an epoch with the number 1";
            (self.report).add(Invariant::EpochsNumbered, id, "no epoch", expected);
        }
        let mut epochs: Vec<(Epoch, Version)> = Vec::with_capacity(rows.len());
        for (row, number) in rows.iter().zip(1_i64..) {
            let found: i64 = row.try_get(0)?;
            if found != number {
                let found = format!("epoch number {found}");
                (self.report).add(Invariant::EpochsNumbered, id, found, number);
            }
            let text: &str = row.try_get(1)?;
            let began = Version(row.try_get::<i64, _>(2)?.cast_unsigned());
            let epoch = match text.parse::<Epoch>() {
                Ok(epoch) => epoch,
                Err(error) => {
                    let found = format!("epoch {text:?}");
                    self.report.add(Invariant::Readable, id, found, error);
                    continue;
                }
            };
            if epochs.iter().any(|(earlier, _)| *earlier == epoch) {
                let found = format!("epoch {epoch} twice");
                (self.report).add(Invariant::EpochsUnique, id, found, "once");
            }
            if let Some((_, before)) = epochs.last().filter(|(_, before)| began < *before) {
                let found = format!("epoch {epoch} began at {began}");
                let expected = format!("{before} at least, where the one before it began");
                self.report
                    .add(Invariant::EpochsRising, id, found, expected);
            }
            if began > last {
                let found = format!("epoch {epoch} began at {began}");
                let expected = format!("{last} at most, the last version");
                (self.report).add(Invariant::EpochsWithinLog, id, found, expected);
            }
            epochs.push((epoch, began));
        }
        Ok(epochs)
    }
}
