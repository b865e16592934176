//! What the statements that read answer, from the tables as they stand when a read begins.

use std::collections::{BTreeSet, VecDeque};

use serde_json::json;

use boardcast_protocol::board::{Board, Role};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{BoardId, CardId, ClientId, UserId};
use boardcast_protocol::message::{ActivityEntry, BoardSummary};
use boardcast_protocol::position::{Seq, Timestamp, Version};

use super::{BoardTables, Disk, Step};
use crate::storage::base::Base;
use crate::storage::fault::Fault;
use crate::storage::load::{BoardRows, Found, Tail, history};
use crate::storage::past::Part;
use crate::storage::rows::Table;
use crate::storage::{Append, ClientRecord, ImportRecord, StorageError, StoredVersion};

impl Disk {
    pub(in crate::storage) async fn find(
        &self,
        id: BoardId,
        clients_since: Timestamp,
        clients_max: usize,
    ) -> Result<Option<Found>, StorageError> {
        let tables = self.tables();
        self.step(Step::Read, None)
            .await
            .map_err(|fault| unreadable(&fault))?;
        let board = tables.boards.get(&id);
        Ok(board.map(|board| board.found(id, clients_since, clients_max)))
    }

    pub(in crate::storage) async fn client(
        &self,
        board: BoardId,
        client: ClientId,
    ) -> Result<Option<ClientRecord>, StorageError> {
        let tables = self.tables();
        self.step(Step::Read, None)
            .await
            .map_err(|fault| unreadable(&fault))?;
        let board = tables.boards.get(&board);
        Ok(board.and_then(|board| board.clients.get(&client).cloned()))
    }

    pub(in crate::storage) async fn boards_of(
        &self,
        user: Option<UserId>,
        archived: Option<bool>,
        after: Option<BoardId>,
        limit: usize,
    ) -> Result<Vec<BoardSummary>, StorageError> {
        let tables = self.tables();
        self.step(Step::Read, None)
            .await
            .map_err(|fault| unreadable(&fault))?;
        let boards = tables.boards.iter().filter(|(id, _)| Some(**id) > after);
        let boards = boards.filter(|(_, board)| board.deleted.is_none());
        let summaries = boards.filter_map(|(id, board)| {
            Some(BoardSummary {
                board: *id,
                title: field(&board.doc, "title")?,
                role: match user {
                    Some(user) => board.role_of(user)?,
                    None => Role::Admin,
                },
                archived: field(&board.doc, "archived").unwrap_or_default(),
            })
        });
        let summaries = summaries
            .filter(|summary| archived.is_none_or(|archived| summary.archived == archived));
        Ok(summaries.take(limit).collect())
    }

    pub(in crate::storage) async fn activity(
        &self,
        board: BoardId,
        card: Option<CardId>,
        before: Option<Version>,
        limit: usize,
    ) -> Result<Vec<ActivityEntry>, StorageError> {
        let tables = self.tables();
        self.step(Step::Read, None)
            .await
            .map_err(|fault| unreadable(&fault))?;
        let Some(board) = tables.boards.get(&board) else {
            return Ok(Vec::new());
        };
        let log = board.log.values().rev();
        let entries = log
            .filter(|entry| before.is_none_or(|before| entry.version < before))
            .filter(|entry| card.is_none_or(|card| is_about(entry, card)))
            .map(|entry| ActivityEntry {
                n: entry.version,
                by: entry.by,
                at: entry.at,
                ev: serde_json::from_slice(&entry.events).unwrap(),
                was: serde_json::from_slice(&entry.was).unwrap(),
            });
        Ok(entries.take(limit).collect())
    }

    pub(in crate::storage) async fn past(
        &self,
        board: BoardId,
        (after, to): (Version, Version),
        max_bytes: usize,
    ) -> Result<Vec<StoredVersion>, StorageError> {
        let tables = self.tables();
        self.step(Step::Read, None)
            .await
            .map_err(|fault| unreadable(&fault))?;
        let mut part = Part::after(after, max_bytes);
        let Some(board) = tables.boards.get(&board).filter(|_| after < to) else {
            return Ok(Vec::new());
        };
        let mut log = board.log.range(after.next()..=to);
        while log.next().is_some_and(|(_, entry)| part.add(stored(entry))) {}
        Ok(part.into_log())
    }

    pub(in crate::storage) fn import_record(&self, source: &str) -> Option<ImportRecord> {
        self.lock().imports.get(source).cloned()
    }
}

impl BoardTables {
    /// What reading the board gives.
    pub(in crate::storage) fn found(
        &self,
        id: BoardId,
        clients_since: Timestamp,
        clients_max: usize,
    ) -> Found {
        let mut tail = Tail::new(self.version);
        let mut log = self.log.values().rev();
        while log.next().is_some_and(|entry| tail.add(stored(entry))) {}
        Found {
            id,
            rows: self.texts(clients_since, clients_max),
            epochs: history(&self.epochs).expect("a board has an epoch"),
            log: tail.into_log(),
            clients_max,
        }
    }

    /// The board from which its log is replayed.
    pub(crate) fn first(&self) -> Board {
        let base: Base = serde_json::from_str(&self.base).unwrap();
        base.into()
    }

    /// The board as its rows show it.
    pub(crate) fn board(&self, id: BoardId) -> Result<Board, StorageError> {
        let found = Found {
            log: VecDeque::new(),
            ..self.found(id, Timestamp(0), usize::MAX)
        };
        found.board()
    }

    /// The last number of a client, as its row says.
    pub(crate) fn last_seq(&self, client: ClientId) -> Option<Seq> {
        self.clients.get(&client).map(|record| record.last_seq)
    }

    fn texts(&self, clients_since: Timestamp, clients_max: usize) -> BoardRows {
        let late: BTreeSet<_> = (self.log.values())
            .filter(|entry| entry.version > self.version)
            .filter_map(|entry| entry.origin.map(|(client, _, _)| client))
            .collect();
        let clients = self.clients.values();
        let clients: Vec<_> = clients
            .filter(|client| client.seen >= clients_since)
            .enumerate()
            .filter(|(index, client)| *index < clients_max || late.contains(&client.client))
            .map(|(_, client)| client)
            .map(|client| {
                json!({
                    "client": client.client,
                    "user": client.user,
                    "last_seq": client.last_seq,
                    "seen": client.seen,
                    "outcomes": client.outcomes,
                })
                .to_string()
            })
            .collect();
        let details = self.of(Table::Details);
        let details = details.map(|(id, doc)| format!("\"{id}\":{doc}"));
        let tombstones: Vec<_> = self.tombstones.iter().collect();
        BoardRows {
            version: self.version,
            doc: text(&self.doc).to_owned(),
            members: self.list(Table::Members),
            columns: self.list(Table::Columns),
            labels: self.list(Table::Labels),
            fields: self.list(Table::Fields),
            sprints: self.list(Table::Sprints),
            cards: self.list(Table::Cards),
            details: Some(format!("{{{}}}", details.collect::<Vec<_>>().join(","))),
            tombstones: Some(serde_json::to_string(&tombstones).unwrap()),
            clients: Some(format!("[{}]", clients.join(","))),
            base: Version(0),
        }
    }

    fn of(&self, table: Table) -> impl Iterator<Item = (&str, &str)> {
        let rows = self.parts.iter().filter(move |((of, _), _)| *of == table);
        rows.map(|((_, id), doc)| (id.as_str(), text(doc)))
    }

    fn list(&self, table: Table) -> Option<String> {
        let docs: Vec<_> = self.of(table).map(|(_, doc)| doc).collect();
        (!docs.is_empty()).then(|| format!("[{}]", docs.join(",")))
    }

    fn role_of(&self, user: UserId) -> Option<Role> {
        let key = (Table::Members, user.as_str().to_owned());
        field(self.parts.get(&key)?, "role")
    }
}

fn stored(entry: &Append) -> StoredVersion {
    StoredVersion {
        version: entry.version,
        origin: entry.origin,
        by: entry.by,
        at: entry.at,
        events: entry.events.clone(),
    }
}

fn is_about(entry: &Append, card: CardId) -> bool {
    let events: Vec<Event> = serde_json::from_slice(&entry.events).unwrap();
    events.iter().any(|event| event.card() == Some(card))
}

fn text(doc: &[u8]) -> &str {
    std::str::from_utf8(doc).unwrap()
}

fn field<T: serde::de::DeserializeOwned>(doc: &[u8], name: &str) -> Option<T> {
    let mut doc: serde_json::Value = serde_json::from_slice(doc).unwrap();
    serde_json::from_value(doc.get_mut(name)?.take()).ok()
}

fn unreadable(fault: &Fault) -> StorageError {
    StorageError::Unavailable(format!("{fault:?}"))
}
