//! Which versions are about which card. The table is compared by an order-free digest first, so
//! that neither side is held in memory; where that differs, SQLite names the differences.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures::TryStreamExt;
use sqlx::Row;

use boardcast_protocol::event::Event;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

use super::report::Invariant;
use super::{Check, CheckError};

const PAIRS: &str = "SELECT card, version FROM card_versions WHERE board = ?";

/// Differences that are named; no more are looked for.
const NAMED_MAX: usize = 100;

const SURPLUS: &str = "\
    SELECT c.card, c.version FROM card_versions AS c \
    WHERE c.board = ?1 AND (c.version > ?2 OR NOT EXISTS ( \
        SELECT 1 FROM ( \
            SELECT ev FROM events WHERE board = ?1 AND version = c.version \
            UNION ALL SELECT ev FROM activity WHERE board = ?1 AND version = c.version) AS e, \
        json_each(e.ev) AS x \
        WHERE json_extract(x.value, '$.card') = c.card \
            OR json_extract(x.value, '$.card.id') = c.card)) \
    LIMIT 100";

const MISSING: &str = "\
    SELECT DISTINCT w.card, w.version FROM ( \
        SELECT e.version AS version, CASE json_type(x.value, '$.card') \
            WHEN 'object' THEN json_extract(x.value, '$.card.id') \
            ELSE json_extract(x.value, '$.card') END AS card \
        FROM ( \
            SELECT version, ev FROM events WHERE board = ?1 AND version <= ?2 \
            UNION ALL SELECT version, ev FROM activity WHERE board = ?1 AND version <= ?2) AS e, \
        json_each(e.ev) AS x \
        WHERE json_type(x.value, '$.card') IS NOT NULL) AS w \
    WHERE NOT EXISTS (SELECT 1 FROM card_versions AS c \
        WHERE c.board = ?1 AND c.card = w.card AND c.version = w.version) \
    LIMIT 100";

/// The pairs of card and version that the log leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CardVersions {
    count: u64,
    sum: u64,
}

impl CardVersions {
    /// A version of log or activity, up to that of the rows.
    pub(super) fn note(&mut self, version: Version, events: &[Event]) {
        let mut cards: Vec<_> = events.iter().filter_map(Event::card).collect();
        cards.sort_unstable();
        cards.dedup();
        for card in cards {
            self.add(card.as_str(), version.0);
        }
    }

    fn add(&mut self, card: &str, version: u64) {
        let mut hasher = DefaultHasher::new();
        (card, version).hash(&mut hasher);
        self.count += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

impl Check<'_> {
    /// Compares the table with what the log leads to, up to the version of the rows.
    pub(super) async fn card_versions(
        &mut self,
        board: BoardId,
        rows_version: Version,
        logged: CardVersions,
    ) -> Result<(), CheckError> {
        let mut kept = CardVersions::default();
        let mut pairs = sqlx::query(PAIRS)
            .bind(board.as_str())
            .fetch(&mut *self.conn);
        while let Some(row) = pairs.try_next().await? {
            kept.add(row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned());
        }
        drop(pairs);
        if kept == logged {
            return Ok(());
        }
        for (sql, what) in [(SURPLUS, "surplus"), (MISSING, "missing")] {
            let differences = sqlx::query(sql)
                .bind(board.as_str())
                .bind(rows_version.0.cast_signed())
                .fetch_all(&mut *self.conn)
                .await?;
            for row in differences.iter().take(NAMED_MAX) {
                let (card, version): (&str, i64) = (row.try_get(0)?, row.try_get(1)?);
                let found = format!("card {card} with version {version} is {what}");
                let expected = "the cards of each version up to the rows";
                let id = Some(board.as_str());
                (self.report).add(Invariant::CardVersionsMatchLog, id, found, expected);
            }
        }
        Ok(())
    }
}
