//! Reads what is remembered of one client of a board.

use sqlx::Row;
use sqlx::sqlite::SqlitePool;

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Seq, Timestamp};

use super::load::corrupt;
use super::{ClientRecord, StorageError};

pub(super) const CLIENT: &str = "SELECT user, last_seq, seen, outcomes \
     FROM clients WHERE board = ? AND client = ?";

/// A client of a board, as its row says.
pub(super) async fn read(
    readers: &SqlitePool,
    id: BoardId,
    client: ClientId,
) -> Result<Option<ClientRecord>, StorageError> {
    let row = sqlx::query(CLIENT)
        .bind(id.as_str())
        .bind(client.as_str())
        .fetch_optional(readers)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user: &str = row.try_get(0)?;
    let outcomes: &str = row.try_get(3)?;
    Ok(Some(ClientRecord {
        client,
        user: user.parse().map_err(|error| corrupt(id, &error))?,
        last_seq: Seq(row.try_get::<i64, _>(1)?.cast_unsigned()),
        seen: Timestamp(row.try_get::<i64, _>(2)?.cast_unsigned()),
        outcomes: serde_json::from_str(outcomes).map_err(|error| corrupt(id, &error))?,
    }))
}
