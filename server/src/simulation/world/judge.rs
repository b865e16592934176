//! Whether everything is as it must be: for each command that is called saved, and at the end.

use std::collections::BTreeMap;

use boardcast_protocol::board::{Board, Role};
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Position, Seq, Version};
use boardcast_sim::violation::Violation;

use super::{QUIET_MS, World};
use crate::clock;
use crate::simulation::oracle::{replay, spoiled, undone};
use crate::simulation::person::user_id;
use crate::simulation::schedule::Event;
use crate::storage::Storage;
use crate::storage::simulation::{BoardTables, Disk, Tables};

/// Versions of a person from which one is undone.
const MADE_MAX: usize = 6;

impl World {
    fn committed(&self) -> Tables {
        match &self.disk {
            Some(disk) => disk.tables(),
            None => self.tables.clone(),
        }
    }

    fn restores(&self, board: BoardId) -> u64 {
        let oracle = self.oracle();
        oracle.boards.get(&board).map_or(0, |truth| truth.restores)
    }

    /// A person reads that a command is saved: it must be on the disk, unless it was restored
    /// meanwhile.
    pub(super) fn saved(&mut self, index: usize, board: BoardId, seq: Seq, version: Version) {
        let client = self.people[index].client;
        let tables = self.committed();
        let entry = tables.boards[&board].log.get(&version);
        let origin = entry.and_then(|entry| entry.origin);
        let is_kept = origin.is_some_and(|(by, number, _)| (by, number) == (client, seq));
        if !is_kept && self.restores(board) == 0 {
            self.fail(|| {
                format!(
                    "{client} was told that its {seq} on {board} is saved as {version}; it is not"
                )
            });
        }
        self.count("commands saved");
        if let Some(seat) = self.people[index].seats.get_mut(&board) {
            seat.saved.insert(seq);
            seat.made.push_back(version);
            if seat.made.len() > MADE_MAX {
                seat.made.pop_front();
            }
            if !is_kept {
                seat.lost.insert(seq);
            }
        }
    }

    /// A replica has seen what no server may do, unless a backup was restored.
    pub(super) fn violated(
        &mut self,
        index: usize,
        board: BoardId,
        violation: Violation,
        note: &str,
    ) {
        let by_restore = note.contains("was durable, the board is at")
            || note.contains("is forgotten") && violation == Violation::Unanswered;
        if by_restore && self.restores(board) > 0 {
            return self.count("a client saw that a backup was restored");
        }
        self.fail(|| format!("person {index} on {board}: {violation:?}: {note}"));
    }

    /// What was committed after the backup is lost by definition.
    pub(super) fn restored(&mut self) {
        self.count("restored a backup");
        let tables = self.tables.clone();
        self.oracle().restored(&tables);
        for person in &mut self.people {
            for (board, seat) in &mut person.seats {
                let kept = numbers(&tables.boards[board], person.client);
                let lost = seat.saved.iter().filter(|seq| !kept.contains(seq));
                seat.lost.extend(lost);
            }
        }
    }

    pub(super) fn check_bounds(&self) {
        let frame_max_bytes = self.oracle().frame_max_bytes;
        let house = self.house.as_ref();
        let over = house.and_then(|house| house.over_bound(self.connections, frame_max_bytes));
        if let Some(over) = over {
            self.fail(|| over);
        }
    }

    /// Looks whether everything is quiet and, if so, whether it is right.
    pub(super) async fn look(&mut self) -> bool {
        if let Some(why) = self.unrest().await {
            if self.schedule.now_ms() > self.plan.heal_ms + QUIET_MS {
                self.fail(|| format!("it does not become quiet: {why}"));
            }
            if self.house.as_ref().is_some_and(|house| house.is_hurt()) {
                self.schedule.die(10);
            } else {
                self.schedule.after(50, Event::Look);
            }
            return false;
        }
        self.check_end().await;
        true
    }

    /// Why it is not quiet yet. Whoever lost the membership is let in again.
    async fn unrest(&mut self) -> Option<String> {
        let house = self.house.clone()?;
        for board in self.boards.clone() {
            let Some((present, version)) = house.copy(board).await else {
                house.take_out(board).await;
                return Some(format!("{board} cannot be opened"));
            };
            let root = &self.people[0].seats[&board].replica;
            let may_ask = root.is_live() && root.pending().is_empty();
            if present.view().archived {
                if may_ask {
                    self.archive(board, false);
                }
                return Some(format!("{board} is archived"));
            }
            for user in 1..self.plan.users {
                let member = present.view().members.get(&user_id(user));
                if member.is_none_or(|member| member.role < Role::Editor) {
                    if may_ask {
                        self.give_role(user, board, Some(Role::Editor));
                    }
                    return Some(format!("user {user} is not on {board}"));
                }
            }
            let oracle = self.oracle();
            let truth = &oracle.boards[&board];
            if truth.durable() != version {
                return Some(format!(
                    "{board} is at {version}, durable {}",
                    truth.durable()
                ));
            }
            let at = Position {
                epoch: truth.current(),
                version,
            };
            drop(oracle);
            for (index, person) in self.people.iter().enumerate() {
                let Some(seat) = person.seats.get(&board) else {
                    continue;
                };
                let replica = &seat.replica;
                if !replica.is_live() || replica.position() != Some(at) {
                    let position = replica.position();
                    return Some(format!(
                        "person {index} is at {position:?}, {board} at {at:?}"
                    ));
                }
                if !replica.pending().is_empty() {
                    let first = replica.pending().answered_to();
                    return Some(format!("person {index} waits for what follows {first}"));
                }
            }
        }
        None
    }

    /// Everything is quiet: is everything there, once, and the same for all?
    async fn check_end(&mut self) {
        let Some(house) = self.house.take() else {
            return;
        };
        let mut boards = Vec::new();
        for board in self.boards.clone() {
            let Some((present, version)) = house.copy(board).await else {
                return self.fail(|| format!("{board} cannot be opened"));
            };
            for (index, person) in self.people.iter().enumerate() {
                let seat = person.seats.get(&board);
                let view = seat.and_then(|seat| seat.replica.view());
                if view.is_some_and(|view| view != present.view()) {
                    self.fail(|| format!("person {index} sees another {board}"));
                }
            }
            boards.push((board, present, version));
        }
        house.count(&mut self.oracle().cover);
        let epochs = self.epochs();
        if !house.end().await {
            self.fail(|| "the last stop was not clean".to_owned());
        }
        self.oracle().stopped_cleanly();
        let tables = self.committed();
        for (board, present, version) in &boards {
            self.check_log(&tables.boards[board], *board, present);
            if tables.boards[board].version != *version {
                let rows = tables.boards[board].version;
                self.fail(|| format!("the rows of {board} stand at {rows} instead of {version}"));
            }
        }
        self.check_reopened(&boards, &epochs).await;
    }

    fn epochs(&self) -> Vec<usize> {
        let tables = self.committed();
        let boards = tables.boards.values();
        boards.map(|board| board.epochs.len()).collect()
    }

    /// The log leads to the board, and bears what each client did, once and in its order.
    fn check_log(&self, rows: &BoardTables, id: BoardId, present: &Board) {
        let mut replayed = rows.first();
        for entry in rows.log.values() {
            if let Some(what) = spoiled(&replayed, entry) {
                let version = entry.version;
                self.fail(|| format!("{version} changed {id}, which was archived: {what}"));
            }
            let was_archived = replayed.view().archived;
            if let Err(error) = replay(&mut replayed, entry) {
                return self.fail(|| format!("the log of {id}: {error}"));
            }
            if replayed.view().archived && !was_archived {
                self.count("a board was archived");
            }
        }
        self.check_undoings(rows, id);
        if replayed != *present {
            self.fail(|| format!("the log of {id} does not lead to the board"));
        }
        for person in &self.people {
            let Some(seat) = person.seats.get(&id) else {
                continue;
            };
            let numbers = numbers(rows, person.client);
            if !numbers.is_sorted_by(|a, b| a < b) {
                self.fail(|| format!("{} is in the log of {id} as {numbers:?}", person.client));
            }
            for seq in seat.saved.difference(&seat.lost) {
                if !numbers.contains(seq) {
                    self.fail(|| format!("{seq} of {} was saved on {id}: lost", person.client));
                }
            }
            for (seq, result) in &seat.done {
                let is_there = numbers.contains(seq);
                let must = *result == OutcomeResult::Accepted && !seat.lost.contains(seq);
                let may = *result == OutcomeResult::Accepted;
                if must && !is_there || is_there && !may {
                    let client = person.client;
                    self.fail(|| {
                        format!("{seq} of {client} on {id} was {result:?}; logged: {is_there}")
                    });
                }
            }
        }
    }

    /// What was undone is as it was, and nothing else has changed.
    fn check_undoings(&self, rows: &BoardTables, id: BoardId) {
        let mut undoings = BTreeMap::new();
        for entry in rows.log.values() {
            let Some((client, seq, _)) = entry.origin else {
                continue;
            };
            let author = self.people.iter().find(|person| person.client == client);
            let seat = author.and_then(|person| person.seats.get(&id));
            if let Some(version) = seat.and_then(|seat| seat.undoings.get(&seq)) {
                self.count("a version was undone");
                if undoings.contains_key(version) {
                    self.count("an undoing was undone");
                }
                undoings.insert(entry.version, *version);
            }
        }
        if let Some(broken) = undone(&rows.first(), &rows.log, &undoings) {
            self.fail(|| format!("on {id} {broken}"));
        }
    }

    /// A fresh server finds the same boards, in the same epochs.
    async fn check_reopened(&self, boards: &[(BoardId, Board, Version)], epochs: &[usize]) {
        let disk = Disk::new(self.committed(), std::sync::Arc::clone(&self.sky) as _);
        let Ok(storage) = Storage::simulate(disk.clone(), &self.plan.storage).await else {
            return self.fail(|| "the disk cannot be opened again".to_owned());
        };
        for (id, present, version) in boards {
            match storage.open_board(*id, clock::now()).await {
                Ok(Some((loaded, _))) => {
                    if loaded.board != *present || loaded.version != *version {
                        self.fail(|| format!("{id} is another one when it is opened again"));
                    }
                }
                Ok(None) => self.fail(|| format!("{id} is gone")),
                Err(error) => self.fail(|| format!("{id} cannot be opened again: {error}")),
            }
        }
        let tables = disk.tables();
        let after = tables.boards.values().map(|board| board.epochs.len());
        if !after.eq(epochs.iter().copied()) {
            self.fail(|| "an epoch began after a clean stop".to_owned());
        }
    }
}

/// The numbers of a client's commands in the log, in its order.
fn numbers(rows: &BoardTables, client: ClientId) -> Vec<Seq> {
    let origins = rows.log.values().filter_map(|entry| entry.origin);
    let own = origins.filter(|(by, _, _)| *by == client);
    own.map(|(_, seq, _)| seq).collect()
}
