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
        FROM clients WHERE board = b.id AND seen >= ?2)
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

/// What was read in one snapshot of the database.
struct Found {
    id: BoardId,
    rows: SqliteRow,
    epochs: Epochs,
    /// Oldest first: at least all that came after the rows.
    log: VecDeque<StoredVersion>,
}

/// Reads a board in one snapshot; `None` where there is none.
pub(super) async fn load(
    readers: &SqlitePool,
    id: BoardId,
    clients_since: Timestamp,
) -> Result<Option<Loaded>, StorageError> {
    let mut snapshot = readers.begin().await?;
    let found = find(&mut snapshot, id, clients_since).await?;
    snapshot.rollback().await?;
    let Some(found) = found else {
        return Ok(None);
    };
    // Thousands of cards take milliseconds to parse: not on a thread that serves connections.
    tokio::task::spawn_blocking(move || found.assemble())
        .await
        .map_err(|error| corrupt(id, &error))?
        .map(Some)
}

async fn find(
    conn: &mut SqliteConnection,
    id: BoardId,
    clients_since: Timestamp,
) -> Result<Option<Found>, StorageError> {
    let rows = sqlx::query(ROWS)
        .bind(id.as_str())
        .bind(clients_since.0.cast_signed())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(rows) = rows else {
        return Ok(None);
    };
    let epochs = epochs(conn, id).await?;
    let log = log(conn, id, version(&rows, 0)?).await?;
    Ok(Some(Found {
        id,
        rows,
        epochs,
        log,
    }))
}

async fn epochs(conn: &mut SqliteConnection, id: BoardId) -> Result<Epochs, StorageError> {
    let rows = sqlx::query(EPOCHS)
        .bind(id.as_str())
        .fetch_all(conn)
        .await?;
    let mut epochs: Option<Epochs> = None;
    for row in rows {
        let epoch: Epoch = row
            .try_get::<&str, _>(0)?
            .parse()
            .map_err(|error| corrupt(id, &error))?;
        let began = version(&row, 1)?;
        match &mut epochs {
            Some(epochs) => epochs.begin(epoch, began),
            None => epochs = Some(Epochs::starting(epoch, began)),
        }
    }
    epochs.ok_or_else(|| corrupt(id, &"it has no epoch"))
}

/// The end of the log: what came after the rows, and before that as much as `recent` may hold.
async fn log(
    conn: &mut SqliteConnection,
    id: BoardId,
    rows_version: Version,
) -> Result<VecDeque<StoredVersion>, StorageError> {
    let mut log = VecDeque::new();
    let mut bytes = 0;
    let mut found = sqlx::query(LOG).bind(id.as_str()).fetch(conn);
    while let Some(row) = found.try_next().await? {
        let entry = stored(id, &row)?;
        bytes += entry.events.len();
        let recent = log.len() < RECENT_MAX_VERSIONS && bytes <= RECENT_MAX_BYTES;
        if !recent && entry.version <= rows_version {
            break;
        }
        log.push_front(entry);
    }
    Ok(log)
}

fn stored(id: BoardId, row: &SqliteRow) -> Result<StoredVersion, StorageError> {
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

fn corrupt(board: BoardId, reason: &(impl std::fmt::Display + ?Sized)) -> StorageError {
    StorageError::Corrupt {
        board,
        reason: reason.to_string(),
    }
}

impl Found {
    fn assemble(self) -> Result<Loaded, StorageError> {
        let rows_version = version(&self.rows, 0)?;
        let version = self.check_sequence(rows_version)?;
        let mut board = self.board()?;
        let mut clients = Clients::new(self.json(10)?);
        let mut dirty = BTreeSet::new();
        let mut buried = Vec::new();
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
                recent,
                clients,
            },
            late: Late {
                buried,
                clients: late,
            },
        })
    }

    /// The last version, if the log has all versions from the rows' on.
    fn check_sequence(&self, rows_version: Version) -> Result<Version, StorageError> {
        let last = self.log.back().map_or(Version(0), |entry| entry.version);
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

    fn board(&self) -> Result<Board, StorageError> {
        let doc: &str = self.rows.try_get(1)?;
        let mut view: View = serde_json::from_str(doc).map_err(|error| corrupt(self.id, &error))?;
        view.members = self.things(2)?;
        view.columns = self.things(3)?;
        view.labels = self.things(4)?;
        view.fields = self.things(5)?;
        view.sprints = self.things(6)?;
        view.cards = self.things(7)?;
        let details: BTreeMap<_, _> = self.json(8)?;
        let buried: Vec<AnyId> = self.json(9)?;
        Ok(Board::new(view, details, buried.into_iter().collect()))
    }

    fn things<T: Keyed + DeserializeOwned>(
        &self,
        index: usize,
    ) -> Result<BTreeMap<T::Key, T>, StorageError> {
        let things: Vec<T> = self.json(index)?;
        Ok(things
            .into_iter()
            .map(|thing| (thing.key(), thing))
            .collect())
    }

    /// A collection; `NULL` is what SQLite makes of an empty one.
    fn json<T: DeserializeOwned + Default>(&self, index: usize) -> Result<T, StorageError> {
        let text: Option<&str> = self.rows.try_get(index)?;
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
