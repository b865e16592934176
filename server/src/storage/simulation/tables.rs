//! The tables of the database as maps, with the rules that their statements rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use boardcast_protocol::ids::{AnyId, BoardId, ClientId, UserId};
use boardcast_protocol::position::{Epoch, Timestamp, Version};

use crate::storage::bin::BinAct;
use crate::storage::board::BoardState;
use crate::storage::fault::Fault;
use crate::storage::queue::{QueuedRows, QueuedVersion};
use crate::storage::requests::{Act, begins_epoch};
use crate::storage::rows::{Coalesced, Table};
use crate::storage::users::QueuedUser;
use crate::storage::{Append, ClientRecord, ImportRecord};

/// Everything that a disk holds. Copies share the boards that they do not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    /// Whether each run was clean; the first one is number 1.
    runs: Vec<bool>,
    pub(crate) boards: BTreeMap<BoardId, Arc<BoardTables>>,
    pub(super) users: BTreeMap<UserId, String>,
    pub(super) imports: BTreeMap<String, ImportRecord>,
}

/// The rows of a board.
#[derive(Clone, Debug)]
pub(crate) struct BoardTables {
    /// The version of all rows.
    pub(crate) version: Version,
    /// Oldest first, each with the version at which it began.
    pub(crate) epochs: Vec<(Epoch, Version)>,
    pub(crate) log: BTreeMap<Version, Append>,
    pub(crate) base: String,
    pub(super) doc: Bytes,
    /// The run of the room that has it open, or had it and did not close it.
    pub(crate) run: Option<i64>,
    /// When it went into the bin.
    pub(crate) deleted: Option<Timestamp>,
    pub(super) parts: BTreeMap<(Table, String), Bytes>,
    pub(super) tombstones: BTreeSet<AnyId>,
    pub(super) clients: BTreeMap<ClientId, ClientRecord>,
}

impl Tables {
    /// What a backup of these tables is when it is put back: no board counts as closed.
    pub(crate) fn restored(mut self) -> Self {
        self.runs.push(false);
        let run = i64::try_from(self.runs.len()).unwrap();
        for board in self.boards.values_mut() {
            Arc::make_mut(board).run = Some(run);
        }
        self
    }

    pub(super) fn begin_run(&mut self) -> i64 {
        self.runs.push(false);
        i64::try_from(self.runs.len()).unwrap()
    }

    fn is_clean(&self, run: i64) -> bool {
        let index = usize::try_from(run - 1).unwrap();
        self.runs[index]
    }

    fn board(&mut self, key: &str) -> Option<&mut BoardTables> {
        let id: BoardId = key.parse().unwrap();
        self.boards.get_mut(&id).map(Arc::make_mut)
    }

    pub(super) fn append(&mut self, version: &QueuedVersion) -> Result<(), Fault> {
        let QueuedVersion { board, entry, .. } = version;
        let missing = || Fault::Data("a version of no board".to_owned());
        let rows = self.board(board.key()).ok_or_else(missing)?;
        let taken = rows.log.insert(entry.version, entry.clone());
        if taken.is_some() {
            return Err(Fault::Data("UNIQUE constraint failed: events".to_owned()));
        }
        Ok(())
    }

    pub(super) fn put_rows(&mut self, all: &[QueuedRows]) -> Result<(), Fault> {
        let coalesced = Coalesced::of(all);
        for (key, (version, doc)) in &coalesced.boards {
            let missing = || Fault::Data("rows came for a board that does not exist".to_owned());
            let rows = self.board(key).ok_or_else(missing)?;
            rows.version = *version;
            if let Some(doc) = doc {
                rows.doc = Bytes::clone(doc);
            }
        }
        for ((table, key, id), doc) in &coalesced.parts {
            let Some(rows) = self.board(key) else {
                continue;
            };
            let part = (*table, (*id).to_owned());
            match doc {
                Some(doc) => rows.parts.insert(part, Bytes::clone(doc)),
                None => rows.parts.remove(&part),
            };
        }
        for (key, id) in &coalesced.buried {
            if let Some(rows) = self.board(key) {
                rows.tombstones.insert(*id);
            }
        }
        for ((key, id), record) in &coalesced.clients {
            if let Some(rows) = self.board(key) {
                rows.clients.insert(*id, ClientRecord::clone(record));
            }
        }
        Ok(())
    }

    pub(super) fn perform(&mut self, run: i64, act: &Act) -> Result<bool, Fault> {
        match act {
            Act::Create { board, .. } if self.boards.contains_key(board) => Ok(false),
            Act::Create {
                board,
                doc,
                member,
                buried,
                base,
                epoch,
                created: _,
                imported,
            } => {
                let imported = imported.as_deref();
                if let Some(imported) = imported {
                    let (source, record) = (imported.source.clone(), imported.record.clone());
                    self.imports.insert(source, record);
                }
                let past = imported.map_or(0, |imported| imported.history.len());
                let first = imported.and_then(|imported| imported.first.clone());
                let member = member.iter();
                let rows = BoardTables {
                    version: Version(past as u64),
                    epochs: vec![(*epoch, Version(0))],
                    log: first
                        .into_iter()
                        .map(|first| (first.version, first))
                        .collect(),
                    base: base.clone(),
                    doc: Bytes::copy_from_slice(doc.as_bytes()),
                    run: None,
                    deleted: None,
                    parts: member
                        .map(|(user, doc)| {
                            let key = (Table::Members, user.as_str().to_owned());
                            (key, Bytes::copy_from_slice(doc.as_bytes()))
                        })
                        .collect(),
                    tombstones: serde_json::from_str(buried).unwrap(),
                    clients: BTreeMap::new(),
                };
                self.boards.insert(*board, Arc::new(rows));
                Ok(true)
            }
            Act::Open {
                board,
                epoch,
                forget_before,
            } => Ok(self.open(run, board, *epoch, *forget_before)),
            Act::Sleep(board) if board.has_failed() => {
                Err(Fault::Data(format!("board {} has failed", board.id())))
            }
            Act::Sleep(board) => {
                let rows = self.board(board.key());
                Ok(rows.is_some_and(|rows| rows.run.take_if(|open| *open == run).is_some()))
            }
            Act::SaveImport { source, record } => {
                self.imports.insert(source.clone(), record.clone());
                Ok(true)
            }
            Act::Close => {
                let index = usize::try_from(run - 1).unwrap();
                self.runs[index] = true;
                Ok(true)
            }
            Act::ForgetKeys { .. } => Ok(false),
            Act::Trim(_) => Err(Fault::Data("the simulated disk keeps its log".to_owned())),
            Act::Bin(BinAct::Put { board, at, .. }) => {
                let rows = self.boards.get_mut(board).map(Arc::make_mut);
                let rows = rows.filter(|rows| rows.deleted.is_none());
                Ok(rows.is_some_and(|rows| rows.deleted.replace(*at).is_none()))
            }
            Act::Bin(BinAct::TakeOut { board, after }) => {
                let rows = self.boards.get_mut(board).map(Arc::make_mut);
                Ok(rows.is_some_and(|rows| rows.deleted.take_if(|at| *at > *after).is_some()))
            }
            Act::Bin(BinAct::Condemn { .. } | BinAct::Remove(_)) => {
                Err(Fault::Data("the simulated disk ends no board".to_owned()))
            }
            Act::Account(_) | Act::File(_) | Act::Audit(_) => Err(Fault::Data(
                "the simulated disk keeps no accounts".to_owned(),
            )),
            Act::Execute(_) => Err(Fault::Data("the simulated disk knows no SQL".to_owned())),
        }
    }

    pub(super) fn put_users(&mut self, users: &[QueuedUser]) {
        let names = users.iter().map(|user| (user.id, user.name.to_string()));
        self.users.extend(names);
    }

    fn open(&mut self, run: i64, board: &BoardState, epoch: Epoch, forget: Timestamp) -> bool {
        let in_use = self
            .board(board.key())
            .filter(|rows| rows.deleted.is_none());
        let Some(last_run) = in_use.map(|rows| rows.run) else {
            return false;
        };
        let clean = last_run.is_none_or(|last| self.is_clean(last));
        let Some(rows) = self.board(board.key()) else {
            return false;
        };
        if begins_epoch(clean) {
            let last = rows.log.keys().next_back().copied().unwrap_or_default();
            rows.epochs.push((epoch, last));
        }
        rows.run = Some(run);
        rows.clients.retain(|_, client| client.seen >= forget);
        true
    }
}
