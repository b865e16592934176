//! One board: its head and base, then its history, and on the way its rows.

use sqlx::Row;

use boardcast_protocol::board::Board;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

use super::history::{History, Source};
use super::ledger::Ending;
use super::report::Invariant;
use super::{Check, CheckError};
use crate::storage::base::Base;

const HEAD: &str = "SELECT b.version, a.version, a.doc, \
         (SELECT min(version) FROM events WHERE board = b.id), \
         (SELECT max(version) FROM events WHERE board = b.id) \
     FROM boards AS b LEFT JOIN bases AS a ON a.board = b.id WHERE b.id = ?";
const DISAGREEING: &str = "SELECT a.version, e.version IS NULL \
     FROM activity AS a LEFT JOIN events AS e ON e.board = a.board AND e.version = a.version \
     WHERE a.board = ?1 AND a.version >= ?2 AND (e.version IS NULL \
         OR a.at <> e.at OR a.by_user <> e.by_user \
         OR a.client IS NOT e.client OR a.seq IS NOT e.seq OR a.ev <> e.ev OR a.was <> e.was) \
     ORDER BY a.version LIMIT 100";

/// Where a board stands.
struct Head {
    rows_version: Version,
    base: Version,
    replay: Option<Board>,
    /// The oldest version that the log keeps; the one after the base where it keeps none.
    first: Version,
    last: Version,
}

impl Check<'_> {
    pub(super) async fn board(&mut self, board: BoardId) -> Result<(), CheckError> {
        let id = board.as_str();
        let ledger = self.ledgers.take(board);
        let head = self.head_of(board).await?;
        let Head {
            rows_version,
            base,
            first,
            last,
            ..
        } = head;
        let epochs = self.epochs(board, last).await?;
        let mut history = History {
            board,
            base,
            rows_version,
            next: first.min(base.next()),
            replay: head.replay,
            clients: self.clients(board, rows_version).await?,
            cards: Default::default(),
            ledger,
        };
        let before = Version(first.0.saturating_sub(1));
        (self.read(&mut history, Source::Activity, (Version(0), before))).await?;
        self.disagreeing(board, first).await?;
        (self.read(&mut history, Source::Log, (before, rows_version))).await?;
        let reached = rows_version >= base && rows_version <= last;
        if reached && let Some(replay) = &history.replay {
            self.rows(board, replay).await?;
            self.indexed(board, replay).await?;
        }
        let rest = (rows_version.max(before), Version(i64::MAX.cast_unsigned()));
        self.read(&mut history, Source::Log, rest).await?;
        if let Some(Err(fault)) = history.replay.as_ref().map(Board::verify) {
            let expected = "a board that keeps all rules";
            (self.report).add(Invariant::BoardValid, Some(id), fault, expected);
        }
        (self.card_versions(board, rows_version, history.cards)).await?;
        history.clients.finish(base, &mut self.report);
        let ending = Ending {
            id,
            epochs: &epochs,
            base,
            first,
            last_seqs: &history.clients.last_seqs(),
        };
        let counts = history.ledger.finish(&ending, &mut self.report);
        self.ledgers.add(counts);
        Ok(())
    }

    async fn head_of(&mut self, board: BoardId) -> Result<Head, CheckError> {
        let id = Some(board.as_str());
        let row = sqlx::query(HEAD)
            .bind(board.as_str())
            .fetch_one(&mut *self.conn)
            .await?;
        let version = |number: i64| Version(number.cast_unsigned());
        let rows_version = version(row.try_get(0)?);
        let first = row.try_get::<Option<i64>, _>(3)?.map(version);
        let last = row.try_get::<Option<i64>, _>(4)?.map(version);
        let base = row.try_get::<Option<i64>, _>(1)?.map(version);
        let replay = match row
            .try_get::<Option<&str>, _>(2)?
            .map(|doc| parse(board, doc))
        {
            Some(Ok(replay)) => Some(replay),
            found => {
                let reason = found.and_then(Result::err);
                let found = reason.unwrap_or_else(|| "no base".to_owned());
                let expected = "a board that keeps all rules";
                self.report.add(Invariant::BaseValid, id, found, expected);
                None
            }
        };
        let base = base.or(first).unwrap_or_default();
        let last = last.unwrap_or(base).max(base);
        if base > rows_version || rows_version > last {
            let found = format!("the rows stand at {rows_version}");
            let expected = format!("from {base}, the base, to {last}, the end of the log");
            (self.report).add(Invariant::RowsWithinLog, id, found, expected);
        }
        Ok(Head {
            rows_version,
            base,
            replay,
            first: first.unwrap_or(base.next()),
            last,
        })
    }

    /// The versions that are in the log as well, and those that should be.
    async fn disagreeing(&mut self, board: BoardId, first: Version) -> Result<(), CheckError> {
        let rows = sqlx::query(DISAGREEING)
            .bind(board.as_str())
            .bind(first.0.cast_signed())
            .fetch_all(&mut *self.conn)
            .await?;
        for row in rows {
            let (version, absent): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
            let found = format!("version {version} of the activity");
            let expected = if absent {
                "a version up to the base, or one of the log"
            } else {
                "the same as in the log"
            };
            let id = Some(board.as_str());
            (self.report).add(Invariant::ActivityMatchesLog, id, found, expected);
        }
        Ok(())
    }
}

/// The board of a base, or why it is none.
fn parse(board: BoardId, doc: &str) -> Result<Board, String> {
    let base: Base = serde_json::from_str(doc).map_err(|error| error.to_string())?;
    if base.view.id != board {
        return Err(format!("the base of board {}", base.view.id));
    }
    if let Some(card) = (base.details.keys()).find(|card| !base.view.cards.contains_key(card)) {
        return Err(format!("a detail of card {card}, which is not there"));
    }
    let board = Board::from(base);
    board.verify().map_err(|fault| fault.to_string())?;
    Ok(board)
}
