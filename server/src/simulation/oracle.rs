//! What must hold, judged from outside: from what is committed on the disk and from what the server
//! says to its clients, with rules of its own.

mod fences;
mod told;
mod truth;
mod undone;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound::{Excluded, Unbounded};

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Epoch, Position};

use self::fences::Fences;
use super::cover::Cover;
use crate::storage::simulation::{Kind, Tables};

pub(super) use truth::{Truth, replay};
pub(super) use undone::{spoiled, undone};

/// What the oracle knows.
pub(super) struct Oracle {
    pub(super) boards: BTreeMap<BoardId, Truth>,
    pub(super) cover: Cover,
    /// What was broken first.
    pub(super) failure: Option<String>,
    /// The clients of people, by their place in the plan.
    clients: Vec<ClientId>,
    /// From where a client asked to go on, by link and request.
    asked: BTreeMap<(u64, BoardId, Option<u32>), Option<Position>>,
    /// Boards in the bin, and what was asked for while they were there.
    binned: BTreeSet<BoardId>,
    asked_in_vain: BTreeSet<(u64, BoardId, Option<u32>)>,
    /// In this life a commit did not say whether it was kept: the server does not know what is there.
    pub(super) is_unclear: bool,
    /// The epoch that a link was told last of a board.
    epochs: BTreeMap<(u64, BoardId), Epoch>,
    pub(super) fences: Fences,
    trace: DefaultHasher,
    /// Lines of what happened, where they are wanted.
    pub(super) lines: Option<Vec<String>>,
    pub(super) frame_max_bytes: usize,
}

impl Oracle {
    pub(super) fn new(clients: Vec<ClientId>, with_lines: bool) -> Self {
        Self {
            boards: BTreeMap::new(),
            cover: Cover::default(),
            failure: None,
            clients,
            asked: BTreeMap::new(),
            binned: BTreeSet::new(),
            asked_in_vain: BTreeSet::new(),
            is_unclear: false,
            epochs: BTreeMap::new(),
            fences: Fences::default(),
            trace: DefaultHasher::new(),
            lines: with_lines.then(Vec::new),
            frame_max_bytes: 0,
        }
    }

    /// Something must not have happened.
    pub(super) fn fail(&mut self, what: impl FnOnce() -> String) {
        if self.failure.is_none() {
            let what = what();
            self.note(|| format!("FAILED: {what}"));
            self.failure = Some(what);
        }
    }

    /// Takes note of something that happened: equal runs have equal notes.
    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let line = what();
            line.hash(&mut self.trace);
            lines.push(line);
        }
    }

    /// Takes note of something without words.
    pub(super) fn mark(&mut self, what: &impl Hash) {
        what.hash(&mut self.trace);
    }

    /// Digest of everything that happened.
    pub(super) fn trace(&self) -> u64 {
        self.trace.finish()
    }

    /// A client asks for a board from its position on.
    pub(super) fn asks(
        &mut self,
        (link, board, req): (u64, BoardId, Option<u32>),
        at: Option<Position>,
    ) {
        self.asked.insert((link, board, req), at);
        if self.binned.contains(&board) {
            self.asked_in_vain.insert((link, board, req));
            self.cover.count("somebody asked for a board in the bin");
        }
    }

    /// The bin is what the disk says.
    fn look_into_bin(&mut self, tables: &Tables) {
        for (id, rows) in &tables.boards {
            let is_there = rows.deleted.is_some();
            if is_there && self.binned.insert(*id) {
                self.cover.count("a board went into the bin");
            }
            if !is_there && self.binned.remove(id) {
                self.cover.count("a board came out of the bin");
                self.asked_in_vain.retain(|(_, board, _)| board != id);
            }
        }
    }

    /// A transaction was committed.
    pub(super) fn committed(&mut self, kind: Kind, before: &Tables, after: &Tables) {
        self.mark(&(kind as u8, after.boards.len()));
        let mut failures = Vec::new();
        self.look_into_bin(after);
        for (id, rows) in &after.boards {
            match before.boards.get(id) {
                Some(old) if std::sync::Arc::ptr_eq(old, rows) => {}
                Some(old) => {
                    let Some(truth) = self.boards.get_mut(id) else {
                        continue;
                    };
                    let durable = truth.durable();
                    truth.committed(kind, (old, rows), &mut failures);
                    let epoch = truth.current();
                    for (version, entry) in rows.log.range((Excluded(durable), Unbounded)) {
                        let Some((client, seq, _)) = entry.origin else {
                            continue;
                        };
                        let version = Position {
                            epoch,
                            version: *version,
                        };
                        failures.extend(self.fences.applied((client, *id, seq), version));
                    }
                    let line = (truth.durable().0, rows.version.0, rows.epochs.len());
                    self.mark(&line);
                    self.note(|| format!("committed {kind:?} of {id}: {line:?}"));
                }
                None => {
                    self.boards.insert(*id, Truth::new(*id, rows));
                }
            }
        }
        for failure in failures {
            self.fail(|| failure);
        }
    }

    /// A life of the server begins.
    pub(super) fn begin_life(&mut self) {
        self.is_unclear = false;
        for truth in self.boards.values_mut() {
            truth.is_open = false;
        }
    }

    /// The server has stopped in order and says that everything was written.
    pub(super) fn stopped_cleanly(&mut self) {
        let lost = self.boards.iter_mut().find_map(|(id, truth)| {
            let lost = truth.stopped_cleanly()?;
            Some(format!("a clean stop lost version {lost} of {id}"))
        });
        if let Some(lost) = lost {
            self.fail(|| lost);
        }
    }

    /// A backup takes the place of what is on the disk.
    pub(super) fn restored(&mut self, tables: &Tables) {
        self.look_into_bin(tables);
        for (id, rows) in &tables.boards {
            if let Some(truth) = self.boards.get_mut(id) {
                truth.restored(rows);
            }
        }
    }
}
