//! The history that an import brings to a new board: it is activity at once, as what was trimmed.

use std::sync::{Arc, LazyLock};

use sqlx::SqliteConnection;

use boardcast_protocol::ids::BoardId;

use super::Append;
use super::chunked::{Chunked, text};
use super::fault::Fault;

pub(super) static PUT: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT INTO activity (board, version, at, by_user, ev, was) VALUES",
        6,
        "",
    )
});
pub(super) const NOTE_CARDS: &str = "\
    INSERT INTO card_versions (board, card, version) \
    SELECT DISTINCT a.board, \
        CASE json_type(x.value, '$.card') \
            WHEN 'object' THEN json_extract(x.value, '$.card.id') \
            ELSE json_extract(x.value, '$.card') END, \
        a.version \
    FROM activity AS a CROSS JOIN json_each(a.ev) AS x \
    WHERE a.board = ?1 AND json_type(x.value, '$.card') IS NOT NULL";

/// Writes the history of a board that was just made.
pub(super) async fn write(
    conn: &mut SqliteConnection,
    board: BoardId,
    history: &[Append],
) -> Result<(), Fault> {
    if history.is_empty() {
        return Ok(());
    }
    let key: Arc<str> = board.as_str().into();
    PUT.run(conn, history, |query, past| {
        Ok(query
            .bind(Arc::clone(&key))
            .bind(past.version.0.cast_signed())
            .bind(past.at.0.cast_signed())
            .bind(Arc::<str>::from(past.by.as_str()))
            .bind(text(&past.events)?)
            .bind(text(&past.was)?))
    })
    .await?;
    sqlx::query(NOTE_CARDS)
        .bind(board.as_str())
        .execute(conn)
        .await
        .map(drop)
        .map_err(|error| Fault::of_statement(&error))
}
