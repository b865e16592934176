//! The true history of a board, as the disk has it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound::{Excluded, Included, Unbounded};

use boardcast_protocol::board::{Board, Moment, Stamp, View};
use boardcast_protocol::codec;
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::message::VersionEntry;
use boardcast_protocol::position::{Epoch, Position, Seq, Version};

use crate::storage::Append;
use crate::storage::simulation::{BoardTables, Kind};

/// A stretch of history: it goes on from `parent` at `began`.
struct Line {
    parent: Option<Epoch>,
    began: Version,
    /// The last version that was committed in it.
    reached: Version,
}

/// The true history of a board.
pub(in crate::simulation) struct Truth {
    id: BoardId,
    lines: BTreeMap<Epoch, Line>,
    current: Epoch,
    durable: Version,
    /// The last number of each client in the log.
    last_seq: BTreeMap<ClientId, Seq>,
    /// What each version was when somebody was told of it, or when it was committed.
    content: BTreeMap<(Epoch, Version), u64>,
    /// The board as the log says, at the version of the rows.
    projection: Board,
    projected: Version,
    projected_seq: BTreeMap<ClientId, Seq>,
    /// The view as clients were told of it.
    pub(super) shadow: Option<(Position, View)>,
    /// A room has opened it in this life of the server.
    pub(super) is_open: bool,
    /// It was closed cleanly, so no epoch may begin.
    clean: bool,
    pub(in crate::simulation) restores: u64,
}

impl Truth {
    pub(super) fn new(id: BoardId, rows: &BoardTables) -> Self {
        let (current, began) = rows.epochs[0];
        let line = Line {
            parent: None,
            began,
            reached: began,
        };
        Self {
            id,
            lines: BTreeMap::from([(current, line)]),
            current,
            durable: Version(0),
            last_seq: BTreeMap::new(),
            content: BTreeMap::new(),
            projection: rows.first(),
            projected: Version(0),
            projected_seq: BTreeMap::new(),
            shadow: None,
            is_open: false,
            clean: false,
            restores: 0,
        }
    }

    pub(in crate::simulation) fn durable(&self) -> Version {
        self.durable
    }

    pub(in crate::simulation) fn current(&self) -> Epoch {
        self.current
    }

    /// Whether a tail may have been lost since the board was made.
    pub(super) fn has_lost(&self) -> bool {
        self.lines.len() > 1 || self.restores > 0
    }

    pub(in crate::simulation) fn last_seq(&self, client: ClientId) -> Seq {
        self.last_seq.get(&client).copied().unwrap_or_default()
    }

    pub(super) fn knows(&self, epoch: Epoch) -> bool {
        self.lines.contains_key(&epoch)
    }

    /// Whether a version is on the disk, or was in the epoch in which somebody is told of it.
    pub(super) fn reached(&self, epoch: Epoch, version: Version) -> bool {
        let line = self.lines.get(&epoch);
        line.is_some_and(|line| version <= line.reached)
    }

    /// Whether a position lies on the way to the present end of the history: back from the present
    /// epoch, each parent counts up to where its child began.
    pub(super) fn leads_here(&self, at: Position) -> bool {
        let (mut epoch, mut bound) = (self.current, Version(u64::MAX));
        while epoch != at.epoch {
            let Some(Line {
                parent: Some(parent),
                began,
                ..
            }) = self.lines.get(&epoch)
            else {
                return false;
            };
            bound = bound.min(*began);
            epoch = *parent;
        }
        at.version <= bound
    }

    /// Takes note of what a version is; `false` if it was something else before.
    pub(super) fn is_content(&mut self, epoch: Epoch, entry: &VersionEntry) -> bool {
        let mut hasher = DefaultHasher::new();
        codec::encode(entry).hash(&mut hasher);
        let digest = hasher.finish();
        *self.content.entry((epoch, entry.n)).or_insert(digest) == digest
    }

    pub(super) fn committed(
        &mut self,
        kind: Kind,
        (before, after): (&BoardTables, &BoardTables),
        failures: &mut Vec<String>,
    ) {
        let id = self.id;
        if !after.epochs.starts_with(&before.epochs) {
            failures.push(format!("the epochs of {id} were changed"));
        }
        for (epoch, began) in after.epochs.iter().skip(before.epochs.len()) {
            self.begin(*epoch, *began, failures);
        }
        if after.log.len() < before.log.len() {
            failures.push(format!("versions of {id} were taken out of the log"));
        }
        for entry in after.log.range((Excluded(self.durable), Unbounded)) {
            self.append(entry.1, failures);
        }
        if after.log.len() > before.log.len() && before.run.is_none() {
            failures.push(format!(
                "a version of {id} was written, and no room has it open"
            ));
        }
        if before.run != after.run {
            self.is_open = true;
            self.clean = false;
        }
        if kind == Kind::Rows {
            self.project(after, failures);
            self.check_rows(after, failures);
        }
    }

    fn begin(&mut self, epoch: Epoch, began: Version, failures: &mut Vec<String>) {
        let id = self.id;
        if began != self.durable {
            let durable = self.durable;
            failures.push(format!(
                "an epoch of {id} began at {began}, the log ended at {durable}"
            ));
        }
        if self.clean {
            failures.push(format!("an epoch of {id} began after a clean stop"));
        }
        let line = Line {
            parent: Some(self.current),
            began,
            reached: began,
        };
        if self.lines.insert(epoch, line).is_some() {
            failures.push(format!("{id} had the epoch {epoch} before"));
        }
        self.current = epoch;
        self.shadow = None;
    }

    fn append(&mut self, entry: &Append, failures: &mut Vec<String>) {
        let id = self.id;
        self.clean = false;
        if entry.version != self.durable.next() {
            let durable = self.durable;
            failures.push(format!(
                "version {} of {id} was committed after {durable}",
                entry.version
            ));
        }
        self.durable = entry.version;
        if let Some(line) = self.lines.get_mut(&self.current) {
            line.reached = entry.version;
        }
        if let Some((client, seq, _)) = entry.origin {
            let last = self.last_seq.insert(client, seq);
            if last.is_some_and(|last| last >= seq) {
                failures.push(format!(
                    "command {seq} of {client} was applied to {id} after {last:?}"
                ));
            }
        }
        if !self.is_content(self.current, &entry_of(entry)) {
            failures.push(format!(
                "version {} of {id} is not what people were told",
                entry.version
            ));
        }
    }

    /// Replays the log up to the version of the rows.
    fn project(&mut self, rows: &BoardTables, failures: &mut Vec<String>) {
        let id = self.id;
        let (from, to) = (self.projected, rows.version);
        if to < from || to > self.durable {
            let durable = self.durable;
            failures.push(format!(
                "the rows of {id} went from {from} to {to}, the log ends at {durable}"
            ));
            return;
        }
        for (_, entry) in rows.log.range((Excluded(from), Included(to))) {
            if let Err(error) = replay(&mut self.projection, entry) {
                failures.push(format!("version {} of {id}: {error}", entry.version));
            }
            if let Some((client, seq, _)) = entry.origin {
                self.projected_seq.insert(client, seq);
            }
        }
        self.projected = to;
    }

    fn check_rows(&self, rows: &BoardTables, failures: &mut Vec<String>) {
        let (id, version) = (self.id, rows.version);
        match rows.board(id) {
            Ok(board) if board == self.projection => {}
            Ok(_) => failures.push(format!(
                "the rows of {id} at version {version} are not what the log leads to"
            )),
            Err(error) => failures.push(format!("the rows of {id}: {error}")),
        }
        for (client, seq) in &self.projected_seq {
            let row = rows.last_seq(*client);
            if row < Some(*seq) {
                failures.push(format!(
                    "the rows of {id} at version {version} know client {client} up to {row:?}, \
                     the log up to {seq}"
                ));
            }
        }
    }

    /// Nothing that anybody was told is lost; else the version.
    pub(super) fn stopped_cleanly(&mut self) -> Option<Version> {
        if !self.is_open {
            // What was lost before, the next opening finds.
            return None;
        }
        self.clean = true;
        let end = (self.current, Version(u64::MAX));
        let ((_, last), _) = self
            .content
            .range((self.current, Version(0))..=end)
            .next_back()?;
        (*last > self.durable).then_some(*last)
    }

    pub(super) fn restored(&mut self, rows: &BoardTables) {
        let mut failures = Vec::new();
        self.restores += 1;
        self.clean = false;
        self.shadow = None;
        self.current = rows.epochs.last().unwrap().0;
        self.durable = rows.log.keys().next_back().copied().unwrap_or_default();
        self.last_seq.clear();
        for entry in rows.log.values() {
            if let Some((client, seq, _)) = entry.origin {
                self.last_seq.insert(client, seq);
            }
        }
        self.projection = rows.first();
        self.projected = Version(0);
        self.projected_seq.clear();
        self.project(rows, &mut failures);
        assert!(failures.is_empty(), "{failures:?}");
    }
}

/// Applies a version of the log.
pub(in crate::simulation) fn replay(board: &mut Board, entry: &Append) -> Result<(), String> {
    let events: Vec<Event> = serde_json::from_slice(&entry.events).unwrap();
    let moment = Moment {
        version: entry.version,
        stamp: Stamp {
            by: entry.by,
            at: entry.at,
        },
    };
    board
        .replay([(moment, events.as_slice())])
        .map_err(|error| error.to_string())
}

fn entry_of(entry: &Append) -> VersionEntry {
    VersionEntry {
        n: entry.version,
        client: entry.origin.map(|(client, _, _)| client),
        seq: entry.origin.map(|(_, seq, _)| seq),
        by: entry.by,
        at: entry.at,
        ev: serde_json::from_slice(&entry.events).unwrap(),
    }
}
