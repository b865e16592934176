//! Reads a board: its rows, and the versions of the log that came after them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use futures::TryStreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use boardcast_protocol::board::{Board, Keyed, Moment, Stamp, View};
use boardcast_protocol::event::{Entity, Event};
use boardcast_protocol::ids::{AnyId, BoardId, ClientId, UserId};
use boardcast_protocol::limits::OUTCOMES_KEPT;
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Epoch, Epochs, Seq, Timestamp, Version};

use super::board::Late;
use super::{ClientRecord, KeptOutcome, LoadedBoard, StorageError, StoredVersion};
use crate::planted::{Bug, planted};

/// What is kept in memory of the log, for resume.
const RECENT_MAX_VERSIONS: usize = 2_000;
const RECENT_MAX_BYTES: usize = 2 * 1_024 * 1_024;

/// All rows of a board in one row: reading them one by one takes more than twice as long.
pub(super) const ROWS: &str = r#"
SELECT b.version, b.doc,
    (SELECT '[' || group_concat(doc) || ']' FROM members WHERE board = b.id),
    (SELECT '[' || group_concat(doc) || ']' FROM columns WHERE board = b.id),
    (SELECT '[' || group_concat(doc) || ']' FROM labels WHERE board = b.id),
    (SELECT '[' || group_concat(doc) || ']' FROM fields WHERE board = b.id),
    (SELECT '[' || group_concat(doc) || ']' FROM sprints WHERE board = b.id),
    (SELECT '[' || group_concat(doc) || ']' FROM cards WHERE board = b.id),
    (SELECT '{' || group_concat('"' || id || '":' || doc) || '}' FROM details WHERE board = b.id),
    (SELECT '["' || group_concat(id, '","') || '"]' FROM tombstones WHERE board = b.id),
    (SELECT '[' || group_concat('{"client":"' || client || '","user":"' || user
            || '","last_seq":' || last_seq || ',"seen":' || seen
            || ',"outcomes":' || outcomes || '}') || ']'
        FROM clients WHERE board = b.id AND seen >= ?2 AND (
            client IN (SELECT client FROM clients WHERE board = ?1 AND seen >= ?2 LIMIT ?3)
            OR client IN (SELECT client FROM events WHERE board = ?1 AND client IS NOT NULL
                AND version > (SELECT version FROM boards WHERE id = ?1)))),
    (SELECT version FROM bases WHERE board = b.id)
FROM boards AS b WHERE b.id = ?1"#;

pub(super) const EPOCHS: &str = "SELECT epoch, began FROM epochs WHERE board = ? ORDER BY number";

/// The log from its end. Callers stop reading when they have enough.
pub(super) const LOG: &str = "SELECT version, at, by_user, client, seq, body, ev \
     FROM events WHERE board = ? ORDER BY version DESC";

/// A board, and what must go with its first rows.
pub(super) struct Loaded {
    pub(super) board: LoadedBoard,
    pub(super) late: Late,
}

/// What was read of a board in one snapshot of the database.
pub(super) struct Found {
    pub(super) id: BoardId,
    pub(super) rows: BoardRows,
    pub(super) epochs: Epochs,
    /// Oldest first: at least all that came after the rows.
    pub(super) log: VecDeque<StoredVersion>,
    /// Clients that were to be read at most, beside those of the log.
    pub(super) clients_max: usize,
}

/// All rows of a board as JSON, each collection as one text; `None` for an empty one.
pub(super) struct BoardRows {
    pub(super) version: Version,
    /// The view without its collections.
    pub(super) doc: String,
    pub(super) members: Option<String>,
    pub(super) columns: Option<String>,
    pub(super) labels: Option<String>,
    pub(super) fields: Option<String>,
    pub(super) sprints: Option<String>,
    pub(super) cards: Option<String>,
    /// An object: details by card.
    pub(super) details: Option<String>,
    pub(super) tombstones: Option<String>,
    pub(super) clients: Option<String>,
    /// The version from which the log is replayed.
    pub(super) base: Version,
}

/// Reads a board in one snapshot; `None` where there is none.
pub(super) async fn find(
    readers: &SqlitePool,
    id: BoardId,
    clients_since: Timestamp,
    clients_max: usize,
) -> Result<Option<Found>, StorageError> {
    let mut snapshot = readers.begin().await?;
    let found = find_in(&mut snapshot, id, clients_since, clients_max).await?;
    snapshot.rollback().await?;
    Ok(found)
}

async fn find_in(
    conn: &mut SqliteConnection,
    id: BoardId,
    clients_since: Timestamp,
    clients_max: usize,
) -> Result<Option<Found>, StorageError> {
    let rows = sqlx::query(ROWS)
        .bind(id.as_str())
        .bind(clients_since.0.cast_signed())
        .bind(i64::try_from(clients_max).unwrap_or(i64::MAX))
        .fetch_optional(&mut *conn)
        .await?;
    let Some(rows) = rows else {
        return Ok(None);
    };
    let rows = BoardRows::of(&rows)?;
    let epochs = epochs(conn, id).await?;
    let log = log(conn, id, rows.version).await?;
    Ok(Some(Found {
        id,
        rows,
        epochs,
        log,
        clients_max,
    }))
}

impl BoardRows {
    fn of(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            version: version(row, 0)?,
            doc: row.try_get(1)?,
            members: row.try_get(2)?,
            columns: row.try_get(3)?,
            labels: row.try_get(4)?,
            fields: row.try_get(5)?,
            sprints: row.try_get(6)?,
            cards: row.try_get(7)?,
            details: row.try_get(8)?,
            tombstones: row.try_get(9)?,
            clients: row.try_get(10)?,
            base: version(row, 11)?,
        })
    }
}

async fn epochs(conn: &mut SqliteConnection, id: BoardId) -> Result<Epochs, StorageError> {
    let rows = sqlx::query(EPOCHS)
        .bind(id.as_str())
        .fetch_all(conn)
        .await?;
    let mut epochs = Vec::with_capacity(rows.len());
    for row in rows {
        let epoch: Epoch = row
            .try_get::<&str, _>(0)?
            .parse()
            .map_err(|error| corrupt(id, &error))?;
        epochs.push((epoch, version(&row, 1)?));
    }
    history(&epochs).ok_or_else(|| corrupt(id, &"it has no epoch"))
}

/// The epochs of a board, given oldest first; `None` where there are none.
pub(super) fn history(epochs: &[(Epoch, Version)]) -> Option<Epochs> {
    let (last, earlier) = epochs.split_last()?;
    let mut all: Option<Epochs> = None;
    for (epoch, began) in earlier.iter().chain([last]) {
        let began = if planted(Bug::CompareWithLastEpochOnly) && epoch != &last.0 {
            Version(u64::MAX)
        } else {
            *began
        };
        match &mut all {
            Some(all) => all.begin(*epoch, began),
            None => all = Some(Epochs::starting(*epoch, began)),
        }
    }
    all
}

/// The end of the log: what came after the rows, and before that as much as `recent` may hold.
async fn log(
    conn: &mut SqliteConnection,
    id: BoardId,
    rows_version: Version,
) -> Result<VecDeque<StoredVersion>, StorageError> {
    let mut tail = Tail::new(rows_version);
    let mut found = sqlx::query(LOG).bind(id.as_str()).fetch(conn);
    while let Some(row) = found.try_next().await? {
        if !tail.add(stored(id, &row)?) {
            break;
        }
    }
    Ok(tail.into_log())
}

/// The end of the log, taken from its last version backwards.
pub(super) struct Tail {
    log: VecDeque<StoredVersion>,
    bytes: usize,
    rows_version: Version,
}

impl Tail {
    pub(super) fn new(rows_version: Version) -> Self {
        Self {
            log: VecDeque::new(),
            bytes: 0,
            rows_version,
        }
    }

    /// Takes the version before; `false` when it is enough.
    pub(super) fn add(&mut self, entry: StoredVersion) -> bool {
        self.bytes += entry.events.len();
        let recent = self.log.len() < RECENT_MAX_VERSIONS && self.bytes <= RECENT_MAX_BYTES;
        if !recent && entry.version <= self.rows_version {
            return false;
        }
        self.log.push_front(entry);
        true
    }

    pub(super) fn into_log(self) -> VecDeque<StoredVersion> {
        self.log
    }
}

pub(super) fn stored(id: BoardId, row: &SqliteRow) -> Result<StoredVersion, StorageError> {
    let bad = |error: &dyn std::fmt::Display| corrupt(id, error);
    let client: Option<&str> = row.try_get(3)?;
    let seq: Option<i64> = row.try_get(4)?;
    let body: Option<i64> = row.try_get(5)?;
    let origin = match (client, seq, body) {
        (Some(client), Some(seq), Some(body)) => Some((
            client.parse().map_err(|error| bad(&error))?,
            Seq(seq.cast_unsigned()),
            body.cast_unsigned(),
        )),
        (_, _, _) => None,
    };
    Ok(StoredVersion {
        version: version(row, 0)?,
        origin,
        by: row
            .try_get::<&str, _>(2)?
            .parse()
            .map_err(|error| bad(&error))?,
        at: Timestamp(row.try_get::<i64, _>(1)?.cast_unsigned()),
        events: Bytes::from(row.try_get::<String, _>(6)?),
    })
}

fn version(row: &SqliteRow, index: usize) -> Result<Version, sqlx::Error> {
    row.try_get::<i64, _>(index)
        .map(|version| Version(version.cast_unsigned()))
}

pub(super) fn corrupt(board: BoardId, reason: &(impl std::fmt::Display + ?Sized)) -> StorageError {
    StorageError::Corrupt {
        board,
        reason: reason.to_string(),
    }
}

impl Found {
    /// The board at the last version of the log.
    pub(super) fn assemble(self) -> Result<Loaded, StorageError> {
        let rows_version = self.rows.version;
        let base = self.rows.base;
        let version = self.check_sequence(rows_version, base)?;
        let mut board = self.board()?;
        let rows: Vec<ClientRow> = self.json(self.rows.clients.as_deref())?;
        let knows_all_clients = rows.len() < self.clients_max;
        let mut clients = Clients::new(rows);
        let mut dirty = BTreeSet::new();
        let (mut touched, mut buried) = (BTreeSet::new(), Vec::new());
        for entry in self.log.iter().filter(|entry| entry.version > rows_version) {
            let events: Vec<Event> = serde_json::from_slice(&entry.events)
                .map_err(|error| self.corrupt(entry.version, &error))?;
            let moment = Moment {
                version: entry.version,
                stamp: Stamp {
                    by: entry.by,
                    at: entry.at,
                },
            };
            board
                .replay([(moment, events.as_slice())])
                .map_err(|error| self.corrupt(entry.version, &error))?;
            dirty.extend(events.iter().flat_map(Event::touches));
            let cards = events.iter().filter_map(Event::card);
            touched.extend(cards.map(|card| (card, entry.version)));
            buried.extend(events.iter().filter_map(Event::buries));
            clients.accepted(entry);
        }
        let (clients, late) = clients.split();
        let recent = recent(self.log);
        Ok(Loaded {
            board: LoadedBoard {
                board,
                epochs: self.epochs,
                version,
                rows_version,
                dirty: dirty.into_iter().collect::<Vec<Entity>>(),
                base,
                recent,
                clients,
                knows_all_clients,
            },
            late: Late {
                touched: touched.into_iter().collect(),
                buried,
                clients: late,
            },
        })
    }

    /// The last version, if the log has all versions from the rows' on. Where all of the log has been
    /// trimmed it is that of the base.
    fn check_sequence(
        &self,
        rows_version: Version,
        base: Version,
    ) -> Result<Version, StorageError> {
        let last = self.log.back().map_or(base, |entry| entry.version);
        if last < rows_version {
            let reason = format!("the rows stand at {rows_version}, the log ends at {last}");
            return Err(corrupt(self.id, &reason));
        }
        let mut next = self.log.front().map_or(Version(0), |entry| entry.version);
        if next.0 > rows_version.0 + 1 {
            let reason = format!("the rows stand at {rows_version}, the log goes on at {next}");
            return Err(corrupt(self.id, &reason));
        }
        for entry in &self.log {
            if entry.version != next {
                return Err(corrupt(self.id, &format!("the log lacks version {next}")));
            }
            next = next.next();
        }
        Ok(last)
    }

    fn corrupt(&self, version: Version, error: &dyn std::fmt::Display) -> StorageError {
        corrupt(self.id, &format!("version {version}: {error}"))
    }

    /// The board as its rows show it.
    pub(super) fn board(&self) -> Result<Board, StorageError> {
        let rows = &self.rows;
        let mut view: View =
            serde_json::from_str(&rows.doc).map_err(|error| corrupt(self.id, &error))?;
        view.members = self.things(rows.members.as_deref())?;
        view.columns = self.things(rows.columns.as_deref())?;
        view.labels = self.things(rows.labels.as_deref())?;
        view.fields = self.things(rows.fields.as_deref())?;
        view.sprints = self.things(rows.sprints.as_deref())?;
        view.cards = self.things(rows.cards.as_deref())?;
        let details: BTreeMap<_, _> = self.json(rows.details.as_deref())?;
        let buried: Vec<AnyId> = self.json(rows.tombstones.as_deref())?;
        Ok(Board::new(view, details, buried.into_iter().collect()))
    }

    fn things<T: Keyed + DeserializeOwned>(
        &self,
        text: Option<&str>,
    ) -> Result<BTreeMap<T::Key, T>, StorageError> {
        let things: Vec<T> = self.json(text)?;
        Ok(things
            .into_iter()
            .map(|thing| (thing.key(), thing))
            .collect())
    }

    /// A collection; `NULL` is what SQLite makes of an empty one.
    fn json<T: DeserializeOwned + Default>(&self, text: Option<&str>) -> Result<T, StorageError> {
        text.map_or_else(
            || Ok(T::default()),
            |text| serde_json::from_str(text).map_err(|error| corrupt(self.id, &error)),
        )
    }
}

/// The end of the log within the bounds of `recent`.
fn recent(mut log: VecDeque<StoredVersion>) -> Vec<StoredVersion> {
    let mut bytes = 0;
    let count = log
        .iter()
        .rev()
        .take(RECENT_MAX_VERSIONS)
        .take_while(|entry| {
            bytes += entry.events.len();
            bytes <= RECENT_MAX_BYTES
        })
        .count();
    log.split_off(log.len() - count).into()
}

#[derive(Deserialize)]
struct ClientRow {
    client: ClientId,
    user: UserId,
    last_seq: Seq,
    seen: Timestamp,
    outcomes: Vec<KeptOutcome>,
}

/// Clients as their rows say, brought up to date from the log.
struct Clients {
    known: HashMap<ClientId, ClientRecord>,
    late: BTreeSet<ClientId>,
}

impl Clients {
    fn new(rows: Vec<ClientRow>) -> Self {
        let known = rows
            .into_iter()
            .map(|row| {
                let record = ClientRecord {
                    client: row.client,
                    user: row.user,
                    last_seq: row.last_seq,
                    seen: row.seen,
                    outcomes: row.outcomes,
                };
                (row.client, record)
            })
            .collect();
        Self {
            known,
            late: BTreeSet::new(),
        }
    }

    fn accepted(&mut self, entry: &StoredVersion) {
        let Some((client, seq, body)) = entry.origin else {
            return;
        };
        if planted(Bug::ClientsFromRowsOnly) {
            return;
        }
        let record = self.known.entry(client).or_insert_with(|| ClientRecord {
            client,
            user: entry.by,
            last_seq: Seq(0),
            seen: entry.at,
            outcomes: Vec::new(),
        });
        if seq <= record.last_seq {
            return;
        }
        record.last_seq = seq;
        record.seen = record.seen.max(entry.at);
        record.outcomes.push(KeptOutcome {
            seq,
            body,
            result: OutcomeResult::Accepted,
            version: Some(entry.version),
            reason: None,
        });
        let surplus = record.outcomes.len().saturating_sub(OUTCOMES_KEPT);
        record.outcomes.drain(..surplus);
        self.late.insert(client);
    }

    /// All clients, and again those that the log has changed.
    fn split(self) -> (Vec<ClientRecord>, Vec<ClientRecord>) {
        let late: Vec<_> = self
            .late
            .iter()
            .filter_map(|client| self.known.get(client).cloned())
            .collect();
        let mut all: Vec<_> = self.known.into_values().collect();
        all.sort_unstable_by_key(|record| record.client);
        (all, late)
    }
}
