//! One client's copy of one board, and the rules by which it believes what it receives.
//!
//! A replica is pure: messages go in, effects come out, time stays outside. It takes a batch only
//! if its epoch and `from` are its own position, asks again with its position where they are not,
//! and counts what no correct server would have sent. With [`Keep::View`] it holds the whole view and
//! applies every event; with [`Keep::Position`] it holds only the position, and relies on the
//! process-wide [`crate::chronicle`] to compare the content of each version.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use boardcast_protocol::board::{Detail, Moment, Stamp, View, detail_digest, view_hash};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, CardId, ClientId};
use boardcast_protocol::message::{
    Batch, CardDetail, Mode, Outcome, OutcomeResult, ServerMessage, Snapshot, Subscribed,
    VersionEntry,
};
use boardcast_protocol::position::{Position, Seq, Version};
use bytes::Bytes;

use crate::arrival::Arrival;
use crate::pending::{Pending, Saved};
use crate::violation::Violation;

/// Opened cards whose details are kept up to date; the one opened first makes room.
const OPENED_MAX: usize = 4;
/// How long a batch that came too soon waits for the one before it, in milliseconds.
const EARLY_MS: u32 = 1_000;

/// How much of the board a replica holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The whole view.
    View,
    /// Only how far it has come.
    Position,
}

/// What the owner of a replica has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this text.
    Send(Bytes),
    /// Subscribe again, with the replica's position.
    Subscribe,
    /// Call [`Replica::retry`] after so many milliseconds.
    Retry(u32),
    /// A command was answered, for the first time.
    Answered(Answered),
    /// A command is on disk.
    Saved(Saved),
    /// The server broke a promise.
    Violation(Violation, String),
}

/// An answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its number.
    pub seq: Seq,
    /// What became of it.
    pub result: OutcomeResult,
    /// Why it was rejected.
    pub why: Option<String>,
}

/// What a message brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The entries of the batch that were delivered live.
    pub live: Range<usize>,
    /// Versions delivered live that were held back until this message; they are not in `live`.
    pub held: u64,
    /// Versions that came by resume.
    pub resumed: u64,
    /// Versions that a snapshot passed over.
    pub skipped: u64,
    /// Versions that should have come live and did not.
    pub missed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not subscribed; batches are ignored.
    Away,
    /// Subscribed; a snapshot, where one is due, and the versions up to `until` are on their way.
    Joining { until: Version, snapshot_due: bool },
    /// Everything comes as it happens.
    Live,
}

#[derive(Debug)]
struct Opened {
    detail: Detail,
    since: Version,
}

/// One client's copy of one board.
#[derive(Debug)]
pub struct Replica {
    board: BoardId,
    client: ClientId,
    keep: Keep,
    phase: Phase,
    position: Option<Position>,
    /// The highest version of this epoch that was ever seen: an echo counts as an answer once.
    high: Version,
    durable: Version,
    view: Option<Box<View>>,
    opened: BTreeMap<CardId, Opened>,
    early: Option<Arc<Arrival>>,
    pending: Pending,
}

impl Replica {
    /// A client that has seen nothing.
    pub fn new(board: BoardId, client: ClientId, keep: Keep) -> Self {
        Self {
            board,
            client,
            keep,
            phase: Phase::Away,
            position: None,
            high: Version(0),
            durable: Version(0),
            view: None,
            opened: BTreeMap::new(),
            early: None,
            pending: Pending::new(board),
        }
    }

    /// Its client's id.
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// How far it has come; `None` before the first snapshot.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// The view, where it is kept and has come.
    pub fn view(&self) -> Option<&View> {
        self.view.as_deref()
    }

    /// The hash of the view, where it is kept and has come.
    pub fn hash(&self) -> Option<String> {
        self.view().map(view_hash)
    }

    /// Whether everything comes as it happens.
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Its own commands that are not done.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Numbers a list of commands; it is sent at once where that is allowed.
    pub fn submit(&mut self, cmds: Vec<Command>, intended_ns: u64) -> Seq {
        self.pending.push(cmds, intended_ns)
    }

    /// What may be sent now.
    pub fn pump(&mut self, effects: &mut Vec<Effect>) {
        if self.is_live() {
            self.pending.due(|text| effects.push(Effect::Send(text)));
        }
    }

    /// The connection has ended.
    pub fn disconnected(&mut self) {
        self.phase = Phase::Away;
        self.early = None;
        self.opened.clear();
        self.pending.disconnected();
    }

    /// The delay of [`Effect::Retry`] is over.
    pub fn retry(&mut self, effects: &mut Vec<Effect>) -> Receipt {
        self.pending.resume();
        let receipt = self.give_up_early(effects);
        self.pump(effects);
        receipt
    }

    /// Takes a message. Messages about other things than this board change nothing.
    pub fn handle(&mut self, arrival: &Arc<Arrival>, effects: &mut Vec<Effect>) -> Receipt {
        let mut receipt = Receipt::default();
        match &arrival.message {
            ServerMessage::Subscribed(message) if message.board == self.board => {
                self.subscribed(message, effects);
            }
            ServerMessage::Snapshot(message) if message.board == self.board => {
                self.snapshot(message, &mut receipt, effects);
                if let Some(flaw) = arrival.flaw {
                    let note = "the snapshot differs from what others have";
                    effects.push(Effect::Violation(flaw, note.into()));
                }
            }
            ServerMessage::Batch(message) if message.board == self.board => {
                self.batch(arrival, message, &mut receipt, effects);
            }
            ServerMessage::Batch(message) => {
                let note = format!(
                    "a batch of board {}, which was not asked for",
                    message.board
                );
                effects.push(Effect::Violation(Violation::Diverged, note));
            }
            ServerMessage::Outcome(message) if message.board == self.board => {
                self.outcome(message, effects);
            }
            ServerMessage::Durable(message) if message.board == self.board => {
                if self.position.is_some_and(|at| at.epoch == message.epoch) {
                    self.durable_to(message.version, effects);
                }
            }
            ServerMessage::Card(message) if message.board == self.board => {
                self.open(message, effects);
            }
            ServerMessage::Subscribed(_)
            | ServerMessage::Snapshot(_)
            | ServerMessage::Outcome(_)
            | ServerMessage::Durable(_)
            | ServerMessage::Card(_)
            | ServerMessage::Welcome(_)
            | ServerMessage::Unsubscribed(_)
            | ServerMessage::Presence(_)
            | ServerMessage::Role(_)
            | ServerMessage::Activity(_)
            | ServerMessage::BoardCreated(_)
            | ServerMessage::Boards(_)
            | ServerMessage::Error(_)
            | ServerMessage::Goodbye(_)
            | ServerMessage::Pong(_) => {}
        }
        self.pump(effects);
        receipt
    }

    fn subscribed(&mut self, message: &Subscribed, effects: &mut Vec<Effect>) {
        self.early = None;
        let snapshot_due = match (message.mode, &mut self.position) {
            (Mode::Events, Some(position)) => {
                position.epoch = message.epoch;
                false
            }
            (Mode::Events, None) => {
                let note = "events were offered to a client that has no board";
                effects.push(Effect::Violation(Violation::Gap, note.into()));
                true
            }
            (Mode::Snapshot, _) => true,
        };
        if message.durable > message.version {
            let note = "`subscribed` calls a version durable that does not exist";
            effects.push(Effect::Violation(Violation::Reordered, note.into()));
        }
        if message.version < self.durable {
            let note = format!(
                "version {} was durable, the board is at {}",
                self.durable, message.version
            );
            effects.push(Effect::Violation(Violation::Gap, note));
        }
        if let Err(violation) = self.pending.rejoin(message.last_seq) {
            let note = format!("a durable command above {} is forgotten", message.last_seq);
            effects.push(Effect::Violation(violation, note));
        }
        self.phase = Phase::Joining {
            until: message.version,
            snapshot_due,
        };
        self.durable = message.durable;
        self.join(effects);
    }

    /// Ends the joining phase once all that was promised has come.
    fn join(&mut self, effects: &mut Vec<Effect>) {
        let Phase::Joining {
            until,
            snapshot_due: false,
        } = self.phase
        else {
            return;
        };
        if self.position.is_some_and(|at| at.version >= until) {
            self.phase = Phase::Live;
            self.pending.ask_again();
            self.pending
                .durable(self.durable, |saved| effects.push(Effect::Saved(saved)));
        }
    }

    fn snapshot(&mut self, message: &Snapshot, receipt: &mut Receipt, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Away {
            return;
        }
        self.early = None;
        self.opened.clear();
        if let Some(old) = self.position.filter(|old| old.epoch == message.epoch) {
            receipt.skipped = message.version.0.saturating_sub(old.version.0);
            self.high = self.high.max(message.version);
        } else {
            self.high = message.version;
        }
        self.position = Some(Position {
            epoch: message.epoch,
            version: message.version,
        });
        if self.keep == Keep::View {
            self.view = Some(message.view.clone());
        }
        if let Phase::Joining { snapshot_due, .. } = &mut self.phase {
            *snapshot_due = false;
            self.join(effects);
        } else {
            self.pending.ask_again();
        }
    }

    fn batch(
        &mut self,
        arrival: &Arc<Arrival>,
        batch: &Batch,
        receipt: &mut Receipt,
        effects: &mut Vec<Effect>,
    ) {
        let waiting = matches!(
            self.phase,
            Phase::Away
                | Phase::Joining {
                    snapshot_due: true,
                    ..
                }
        );
        let Some(at) = self.position.filter(|_| !waiting) else {
            return;
        };
        if batch.epoch != at.epoch {
            let note = format!("a batch of epoch {} at epoch {}", batch.epoch, at.epoch);
            return self.ask(Violation::Reordered, note, effects);
        }
        if let Some(early) = self.early.take() {
            let ServerMessage::Batch(next) = &early.message else {
                return;
            };
            if batch.from == at.version && batch.to <= next.from {
                let note = format!("versions up to {} came after {}", batch.to, next.to);
                effects.push(Effect::Violation(Violation::Reordered, note));
                self.take(arrival, batch, receipt, effects);
                let mut later = Receipt::default();
                self.batch(&early, next, &mut later, effects);
                receipt.held += later.live.len() as u64;
                receipt.resumed += later.resumed;
                return;
            }
            self.early = Some(early);
            *receipt = self.give_up_early(effects);
            return;
        }
        match batch.from.cmp(&at.version) {
            std::cmp::Ordering::Equal => self.take(arrival, batch, receipt, effects),
            std::cmp::Ordering::Greater => {
                self.early = Some(Arc::clone(arrival));
                effects.push(Effect::Retry(EARLY_MS));
            }
            std::cmp::Ordering::Less => {
                let note = format!(
                    "versions {} to {} came at {}",
                    batch.from.next(),
                    batch.to,
                    at.version
                );
                effects.push(Effect::Violation(Violation::Duplicate, note));
                if batch.to > at.version {
                    self.take(arrival, batch, receipt, effects);
                }
            }
        }
    }

    /// The batch before the one that came too soon does not come any more.
    fn give_up_early(&mut self, effects: &mut Vec<Effect>) -> Receipt {
        let mut receipt = Receipt::default();
        let (Some(early), Some(at)) = (self.early.take(), self.position) else {
            return receipt;
        };
        if let ServerMessage::Batch(batch) = &early.message {
            receipt.missed = batch.to.0 - at.version.0;
            let note = format!(
                "versions {} to {} are missing",
                at.version.next(),
                batch.from
            );
            self.ask(Violation::Gap, note, effects);
        }
        receipt
    }

    fn ask(&mut self, violation: Violation, note: String, effects: &mut Vec<Effect>) {
        self.phase = Phase::Away;
        effects.push(Effect::Violation(violation, note));
        effects.push(Effect::Subscribe);
    }

    fn take(
        &mut self,
        arrival: &Arc<Arrival>,
        batch: &Batch,
        receipt: &mut Receipt,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut at) = self.position else { return };
        if let Some(flaw) = arrival.flaw {
            let note = format!(
                "the versions {} to {} are flawed",
                batch.from.next(),
                batch.to
            );
            effects.push(Effect::Violation(flaw, note));
        }
        let until = match self.phase {
            Phase::Joining { until, .. } => until,
            Phase::Away | Phase::Live => Version(0),
        };
        let seen = at.version.max(self.high).max(until);
        let fresh = batch.v.partition_point(|entry| entry.n <= at.version);
        let live = batch.v.partition_point(|entry| entry.n <= seen).max(fresh);
        receipt.resumed += (live - fresh) as u64;
        receipt.live = live..batch.v.len();
        for entry in &batch.v[fresh..] {
            self.apply(entry, effects);
            self.echo(entry, effects);
        }
        at.version = batch.to;
        self.position = Some(at);
        self.high = self.high.max(batch.to);
        if !self.opened.is_empty() {
            self.check_opened(effects);
        }
        self.durable_to(batch.durable, effects);
        self.join(effects);
    }

    fn apply(&mut self, entry: &VersionEntry, effects: &mut Vec<Effect>) {
        if let Some(view) = &mut self.view {
            apply(view, entry, |note| {
                effects.push(Effect::Violation(Violation::Diverged, note));
            });
        }
        for (card, opened) in &mut self.opened {
            if opened.since < entry.n {
                let about = entry.ev.iter().filter(|event| event.card() == Some(*card));
                about.for_each(|event| opened.detail.apply(event));
            }
        }
    }

    fn echo(&mut self, entry: &VersionEntry, effects: &mut Vec<Effect>) {
        if entry.client != Some(self.client) || entry.n <= self.high {
            return;
        }
        let Some(seq) = entry.seq else { return };
        self.answered(seq, OutcomeResult::Accepted, Some(entry.n), None, effects);
    }

    fn outcome(&mut self, message: &Outcome, effects: &mut Vec<Effect>) {
        let (version, why) = match message.result {
            OutcomeResult::Busy | OutcomeResult::Unavailable => {
                self.pending.refuse(message.seq);
                effects.push(Effect::Retry(message.retry_ms.unwrap_or(100)));
                return;
            }
            OutcomeResult::Accepted => (message.version, None),
            OutcomeResult::Rejected => {
                let reason = message.reason.map(|reason| format!("{reason:?}"));
                (None, Some(reason.unwrap_or_default().to_lowercase()))
            }
            OutcomeResult::NoChange | OutcomeResult::Forgotten => (None, None),
        };
        self.answered(message.seq, message.result, version, why, effects);
        self.pending
            .durable(self.durable, |saved| effects.push(Effect::Saved(saved)));
    }

    fn answered(
        &mut self,
        seq: Seq,
        result: OutcomeResult,
        version: Option<Version>,
        why: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        match self.pending.answer(seq, version) {
            Ok(true) => effects.push(Effect::Answered(Answered { seq, result, why })),
            Ok(false) => {}
            Err(violation) => {
                let note = format!("command {seq} was answered more often than asked");
                effects.push(Effect::Violation(violation, note));
            }
        }
    }

    fn durable_to(&mut self, version: Version, effects: &mut Vec<Effect>) {
        self.durable = self.durable.max(version);
        if !self.pending.is_empty() {
            let durable = self.durable;
            self.pending
                .durable(durable, |saved| effects.push(Effect::Saved(saved)));
        }
    }

    fn open(&mut self, message: &CardDetail, effects: &mut Vec<Effect>) {
        // A detail older than the view lacks what happened between: it cannot be kept up.
        if self.view.is_none() || self.position.is_none_or(|at| at.version > message.version) {
            return;
        }
        if self.opened.len() >= OPENED_MAX {
            self.opened.pop_first();
        }
        let opened = Opened {
            detail: message.detail.clone(),
            since: message.version,
        };
        self.opened.insert(message.card, opened);
        self.check_opened(effects);
    }

    /// The digest of each opened card is the one in the view.
    fn check_opened(&mut self, effects: &mut Vec<Effect>) {
        let (Some(view), Some(at)) = (&self.view, self.position) else {
            return;
        };
        self.opened.retain(|id, opened| {
            let Some(card) = view.cards.get(id) else {
                return opened.since > at.version;
            };
            let equal =
                opened.since > at.version || card.detail.digest == detail_digest(&opened.detail);
            if !equal {
                let note = format!("the detail of card {id} does not match its digest");
                effects.push(Effect::Violation(Violation::Diverged, note));
            }
            equal
        });
    }
}

/// Applies a version to a view; `failed` hears of events that do not fit.
pub fn apply(view: &mut View, entry: &VersionEntry, mut failed: impl FnMut(String)) {
    let moment = Moment {
        version: entry.n,
        stamp: Stamp {
            by: entry.by,
            at: entry.at,
        },
    };
    for event in &entry.ev {
        if let Err(error) = view.apply(moment, event) {
            failed(format!("version {}: {error}", entry.n));
        }
    }
}
