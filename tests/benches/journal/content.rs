//! What a run wrote: the same rows in the same transactions, to be written again by others.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, ensure};
use boardcast::storage::{Append, ClientRecord, KeptOutcome, Rows};
use boardcast_protocol::board::{Board, Moment, Stamp, View};
use boardcast_protocol::event::{Entity, Event};
use boardcast_protocol::ids::{BoardId, CardId};
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Seq, Timestamp, Version};
use bytes::Bytes;
use rusqlite::Connection;

use crate::trace::Step;
use crate::workload::owner;

const OUTCOMES_KEPT: usize = 64;

/// The rows of one board in one transaction.
pub(crate) struct BoardRows {
    pub(crate) board: BoardId,
    pub(crate) rows: Rows,
    /// The outcomes of each client, as they are kept.
    pub(crate) outcomes: Vec<String>,
}

/// One transaction, or a checkpoint.
pub(crate) enum Write {
    Log(Range<usize>),
    Rows(Vec<BoardRows>),
    Checkpoint,
}

/// Everything that was written after the boards were furnished, in order.
pub(crate) struct Content {
    pub(crate) versions: Vec<(BoardId, Append)>,
    pub(crate) writes: Vec<Write>,
}

struct Model {
    board: Board,
    /// Indices of versions that the model has not applied.
    ahead: VecDeque<usize>,
    clients: BTreeMap<String, ClientRecord>,
    dirty: BTreeSet<Entity>,
    cards: BTreeSet<(CardId, Version)>,
    touched: BTreeSet<String>,
}

impl Content {
    /// Reads what the steps wrote from the database that they have led to.
    pub(crate) fn read(
        database: &Path,
        steps: &[Step],
        versions_before: u64,
    ) -> anyhow::Result<Self> {
        let all = read_log(database)?;
        let before = usize::try_from(versions_before)?;
        let mut models: HashMap<BoardId, Model> = HashMap::new();
        for (n, (board, _)) in all.iter().enumerate() {
            let model = models.entry(*board).or_insert_with(|| Model::new(*board));
            model.ahead.push_back(n);
            if n < before {
                model.apply(&all)?;
                model.dirty.clear();
                model.cards.clear();
                model.touched.clear();
            }
        }
        let mut writes = Vec::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Group { versions, .. } => {
                    writes.push(Write::Log(next..next + versions));
                    next += versions;
                }
                Step::Rows { heads, .. } => {
                    let mut rows = Vec::new();
                    for (board, version) in heads {
                        let model = models.get_mut(board).context("rows of no board")?;
                        rows.extend(model.rows(*board, *version, &all)?);
                    }
                    writes.push(Write::Rows(rows));
                }
                Step::Checkpoint { .. } => writes.push(Write::Checkpoint),
            }
        }
        let versions = all[before..].to_vec();
        ensure!(
            next == versions.len(),
            "{next} versions were traced, {} are in the log",
            versions.len()
        );
        Ok(Self { versions, writes })
    }

    /// Rows of all tables, the log included.
    pub(crate) fn row_count(&self) -> usize {
        let rows = self.writes.iter().map(|write| match write {
            Write::Log(range) => range.len(),
            Write::Rows(all) => all.iter().map(BoardRows::count).sum(),
            Write::Checkpoint => 0,
        });
        rows.sum()
    }
}

impl BoardRows {
    fn count(&self) -> usize {
        let Rows { parts, clients, .. } = &self.rows;
        let boards = parts.iter().any(|(entity, _)| *entity == Entity::Board);
        parts.len() - usize::from(boards) + 1 + clients.len() + self.rows.touched.len()
    }
}

impl Model {
    fn new(id: BoardId) -> Self {
        let mut view = View::new(id, String::new());
        view.members.insert(owner().id, owner());
        Self {
            board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
            ahead: VecDeque::new(),
            clients: BTreeMap::new(),
            dirty: BTreeSet::new(),
            cards: BTreeSet::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Applies the next version.
    fn apply(&mut self, all: &[(BoardId, Append)]) -> anyhow::Result<()> {
        let next = self.ahead.pop_front().context("no version is left")?;
        let entry = &all[next].1;
        let events: Vec<Event> = serde_json::from_slice(&entry.events)?;
        let moment = Moment {
            version: entry.version,
            stamp: Stamp {
                by: entry.by,
                at: entry.at,
            },
        };
        self.board.replay([(moment, events.as_slice())])?;
        self.dirty.extend(events.iter().flat_map(Event::touches));
        let cards = events.iter().filter_map(Event::card);
        self.cards.extend(cards.map(|card| (card, entry.version)));
        let Some((client, seq, body)) = entry.origin else {
            return Ok(());
        };
        let record = self
            .clients
            .entry(client.to_string())
            .or_insert_with(|| ClientRecord {
                client,
                user: entry.by,
                last_seq: Seq(0),
                seen: entry.at,
                outcomes: Vec::new(),
            });
        self.touched.insert(client.to_string());
        record.last_seq = seq;
        record.seen = entry.at;
        record.outcomes.push(KeptOutcome {
            seq,
            body,
            result: OutcomeResult::Accepted,
            version: Some(entry.version),
            reason: None,
        });
        let surplus = record.outcomes.len().saturating_sub(OUTCOMES_KEPT);
        record.outcomes.drain(..surplus);
        Ok(())
    }

    /// The rows as of `version`; none where they were written already.
    fn rows(
        &mut self,
        board: BoardId,
        version: Version,
        all: &[(BoardId, Append)],
    ) -> anyhow::Result<Option<BoardRows>> {
        while self
            .ahead
            .front()
            .is_some_and(|next| all[*next].1.version <= version)
        {
            self.apply(all)?;
        }
        if self.dirty.is_empty() {
            return Ok(None);
        }
        let parts = std::mem::take(&mut self.dirty)
            .into_iter()
            .map(|entity| Ok((entity, self.part(entity)?)))
            .collect::<anyhow::Result<_>>()?;
        let clients: Vec<_> = std::mem::take(&mut self.touched)
            .iter()
            .filter_map(|client| self.clients.get(client).cloned())
            .collect();
        let outcomes = clients
            .iter()
            .map(|client| serde_json::to_string(&client.outcomes))
            .collect::<Result<_, _>>()?;
        Ok(Some(BoardRows {
            board,
            rows: Rows {
                version,
                parts,
                touched: std::mem::take(&mut self.cards).into_iter().collect(),
                buried: Vec::new(),
                clients,
            },
            outcomes,
        }))
    }

    fn part(&self, entity: Entity) -> anyhow::Result<Option<Bytes>> {
        let view = self.board.view();
        match entity {
            Entity::Board => json(Some(&View {
                next_number: view.next_number,
                ..View::new(view.id, view.title.clone())
            })),
            Entity::Member(id) => json(view.members.get(&id)),
            Entity::Column(id) => json(view.columns.get(&id)),
            Entity::Label(id) => json(view.labels.get(&id)),
            Entity::Field(id) => json(view.fields.get(&id)),
            Entity::Sprint(id) => json(view.sprints.get(&id)),
            Entity::Card(id) => json(view.cards.get(&id)),
            Entity::Detail(id) => json(self.board.detail(id)),
        }
    }
}

fn json<T: serde::Serialize>(part: Option<&T>) -> anyhow::Result<Option<Bytes>> {
    let json = part.map(serde_json::to_vec).transpose()?;
    Ok(json.map(Bytes::from))
}

/// The log in the order in which it was committed.
fn read_log(database: &Path) -> anyhow::Result<Vec<(BoardId, Append)>> {
    let conn = Connection::open(database)?;
    let mut select = conn.prepare(
        "SELECT board, version, at, by_user, client, seq, body, ev, was FROM events ORDER BY rowid",
    )?;
    let mut rows = select.query([])?;
    let mut log = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |n| row.get_ref(n)?.as_str().map_err(anyhow::Error::from);
        let number = |n| anyhow::Ok(row.get::<_, i64>(n)?.cast_unsigned());
        let entry = Append {
            version: Version(number(1)?),
            origin: Some((text(4)?.parse()?, Seq(number(5)?), number(6)?)),
            by: text(3)?.parse()?,
            at: Timestamp(number(2)?),
            events: Bytes::copy_from_slice(text(7)?.as_bytes()),
            was: Bytes::copy_from_slice(text(8)?.as_bytes()),
        };
        log.push((text(0)?.parse()?, entry));
    }
    Ok(log)
}
