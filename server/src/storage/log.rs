//! Appends versions to the log.

use std::sync::{Arc, LazyLock};

use sqlx::SqliteConnection;

use super::chunked::{Chunked, text};
use super::fault::Fault;
use super::queue::QueuedVersion;

/// A row that breaks a rule ends the transaction: so SQLite need not note, for each statement, how
/// the pages looked before.
pub(super) static INSERT: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT OR ROLLBACK INTO events (board, version, at, by_user, client, seq, body, ev, was) VALUES",
        9,
        "",
    )
});

pub(super) async fn write(
    conn: &mut SqliteConnection,
    versions: &[QueuedVersion],
) -> Result<(), Fault> {
    INSERT
        .run(conn, versions, |query, version| {
            let QueuedVersion { board, entry, .. } = version;
            let (client, seq, body) = entry.origin.map_or((None, None, None), |origin| {
                let (client, seq, body) = origin;
                (
                    Some(Arc::<str>::from(client.as_str())),
                    Some(seq.0.cast_signed()),
                    Some(body.cast_signed()),
                )
            });
            Ok(query
                .bind(board.key().clone())
                .bind(entry.version.0.cast_signed())
                .bind(entry.at.0.cast_signed())
                .bind(Arc::<str>::from(entry.by.as_str()))
                .bind(client)
                .bind(seq)
                .bind(body)
                .bind(text(&entry.events)?)
                .bind(text(&entry.was)?))
        })
        .await
        .map(drop)
}
