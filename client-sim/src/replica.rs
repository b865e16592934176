//! One client's copy of one board, and the rules by which it believes what it receives.
//!
//! A replica is pure: messages go in, effects come out, time stays outside. It takes a batch only
//! if its epoch and `from` are its own position, asks again with its position where they are not,
//! and counts what no correct server would have sent. With [`Keep::View`] it holds the whole view and
//! applies every event; with [`Keep::Position`] it holds only the position, and relies on the
//! process-wide [`crate::chronicle`] to compare the content of each version.

mod answers;
mod batches;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use boardcast_protocol::board::{Detail, Moment, Seen, Stamp, View, view_hash};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, CardId, ClientId};
use boardcast_protocol::message::{
    Mode, OutcomeResult, ServerMessage, Snapshot, Subscribed, VersionEntry,
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
        self.submit_seen(cmds, Seen::new(), intended_ns)
    }

    /// The same for commands that hold only if their author has seen the present revisions.
    pub fn submit_seen(&mut self, cmds: Vec<Command>, seen: Seen, intended_ns: u64) -> Seq {
        self.pending.push(cmds, seen, intended_ns)
    }

    /// What may be sent now.
    pub fn pump(&mut self, effects: &mut Vec<Effect>) {
        if self.is_live() {
            self.pending.due(|text| effects.push(Effect::Send(text)));
        }
    }

    /// The connection has ended.
    pub fn disconnected(&mut self) {
        self.unsubscribed();
        self.pending.disconnected();
    }

    /// The subscription has ended; answers may still come over the connection.
    pub fn unsubscribed(&mut self) {
        self.phase = Phase::Away;
        self.early = None;
        self.opened.clear();
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
