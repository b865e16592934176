//! The writes of the trimming.

use sqlx::SqliteConnection;

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

/// A write of the trimming, done in one transaction.
#[derive(Debug)]
pub(in crate::storage) enum Step {
    /// The base moves from one version to another.
    MoveBase {
        board: BoardId,
        from: Version,
        to: Version,
        doc: String,
    },
    /// The log up to a version, which is not after the base, ends.
    EndLog {
        board: BoardId,
        to: Version,
        /// Versions that do not become activity: a JSON array.
        unseen: String,
        /// Their cards: a JSON array of pairs of card and version.
        unseen_cards: String,
        bytes: usize,
    },
    /// Runs that no board refers to any more: a JSON array.
    ForgetRuns(String),
}

impl Step {
    /// About what it writes.
    pub(in crate::storage) fn bytes(&self) -> usize {
        match self {
            Self::MoveBase { doc, .. } => doc.len(),
            Self::EndLog { bytes, .. } => *bytes,
            Self::ForgetRuns(_) => 0,
        }
    }
}

pub(in crate::storage) const MOVE_BASE: &str = "UPDATE bases SET version = ?3, doc = ?4 \
     WHERE board = ?1 AND version = ?2 AND ?3 <= (SELECT version FROM boards WHERE id = ?1)";
pub(in crate::storage) const IS_BASED: &str = "SELECT version >= ?2 FROM bases WHERE board = ?1";
pub(in crate::storage) const KEEP_ACTIVITY: &str = "\
    INSERT INTO activity (board, version, at, by_user, client, seq, ev, was) \
    SELECT board, version, at, by_user, client, seq, ev, was FROM events \
    WHERE board = ?1 AND version <= ?2 AND version NOT IN (SELECT value FROM json_each(?3)) \
    ON CONFLICT DO NOTHING";
pub(in crate::storage) const FORGET_CARD_VERSIONS: &str = "DELETE FROM card_versions WHERE rowid IN (\
     SELECT c.rowid FROM json_each(?2) AS j CROSS JOIN card_versions AS c \
     ON c.board = ?1 AND c.card = j.value ->> 0 AND c.version = j.value ->> 1)";
pub(in crate::storage) const END_LOG: &str =
    "DELETE FROM events WHERE board = ?1 AND version <= ?2";
pub(in crate::storage) const FORGET_RUNS: &str =
    "DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))";

/// Does a step inside a transaction; `false` where the base is not where it should be.
pub(in crate::storage) async fn execute(
    conn: &mut SqliteConnection,
    step: &Step,
) -> Result<bool, sqlx::Error> {
    match step {
        Step::MoveBase {
            board,
            from,
            to,
            doc,
        } => sqlx::query(MOVE_BASE)
            .bind(board.as_str())
            .bind(from.0.cast_signed())
            .bind(to.0.cast_signed())
            .bind(doc)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0),
        Step::EndLog {
            board,
            to,
            unseen,
            unseen_cards,
            bytes: _,
        } => {
            let to = to.0.cast_signed();
            let is_based: Option<bool> = sqlx::query_scalar(IS_BASED)
                .bind(board.as_str())
                .bind(to)
                .fetch_optional(&mut *conn)
                .await?;
            if is_based != Some(true) {
                return Ok(false);
            }
            sqlx::query(KEEP_ACTIVITY)
                .bind(board.as_str())
                .bind(to)
                .bind(unseen)
                .execute(&mut *conn)
                .await?;
            sqlx::query(FORGET_CARD_VERSIONS)
                .bind(board.as_str())
                .bind(unseen_cards)
                .execute(&mut *conn)
                .await?;
            sqlx::query(END_LOG)
                .bind(board.as_str())
                .bind(to)
                .execute(conn)
                .await
                .map(|done| done.rows_affected() > 0)
        }
        Step::ForgetRuns(ids) => sqlx::query(FORGET_RUNS)
            .bind(ids)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0),
    }
}
