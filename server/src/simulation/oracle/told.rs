//! What the server may say at a moment.

use boardcast_protocol::board::{Moment, Stamp};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{
    Batch, Mode, Outcome, OutcomeResult, ServerMessage, Snapshot, Subscribed,
};
use boardcast_protocol::position::{Epoch, Position, Version};

use super::{Oracle, Truth};
use crate::simulation::link::Link;

impl Oracle {
    /// The server writes a message to a client.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others promise nothing about a board"
    )]
    pub(in crate::simulation) fn told(
        &mut self,
        link: &Link,
        message: &ServerMessage,
        (at_ms, bytes): (u64, usize),
    ) {
        self.frame_max_bytes = self.frame_max_bytes.max(bytes);
        self.mark(&(at_ms, link.id, bytes));
        self.note(|| {
            let text = serde_json::to_string(message).unwrap();
            let end = text.floor_char_boundary(400);
            format!("{at_ms} link {} is told {}", link.id, &text[..end])
        });
        match message {
            ServerMessage::Subscribed(subscribed) => self.subscribed(link, subscribed),
            ServerMessage::Snapshot(snapshot) => self.snapshot(link, snapshot),
            ServerMessage::Batch(batch) => self.batch(link, batch),
            ServerMessage::Durable(durable) => {
                self.durable(durable.board, durable.epoch, durable.version);
            }
            ServerMessage::Outcome(outcome) => self.outcome(outcome),
            ServerMessage::Role(change) => self.cover.count(match change.role {
                Some(_) => "role changed for a subscriber",
                None => "membership ended for a subscriber",
            }),
            ServerMessage::Error(error) => self.cover.code(error.code),
            _ => {}
        }
    }

    fn durable(&mut self, board: BoardId, epoch: Epoch, version: Version) {
        let Some(truth) = self.boards.get(&board) else {
            return self.fail(|| format!("{board} does not exist"));
        };
        if !truth.knows(epoch) {
            self.fail(|| format!("epoch {epoch} of {board} is not on the disk"));
        } else if !truth.reached(epoch, version) {
            self.fail(|| {
                format!(
                    "version {version} of {board} was called durable in epoch {epoch} and is not \
                     on the disk"
                )
            });
        }
    }

    fn subscribed(&mut self, link: &Link, said: &Subscribed) {
        let board = said.board;
        self.durable(board, said.epoch, said.durable);
        self.epochs.insert((link.id, board), said.epoch);
        let client = self.clients[link.person];
        let asked = (link.id, board, said.req);
        let at = self.asked.remove(&asked).flatten();
        if self.asked_in_vain.remove(&asked) && !self.is_unclear {
            let client = self.clients[link.person];
            return self.fail(|| format!("{client} is on {board}, which was in the bin"));
        }
        let began = Position {
            epoch: said.epoch,
            version: said.version,
        };
        if let Some(broken) = self.fences.subscribed((client, board), link.id, began) {
            self.fail(|| broken);
        }
        let Some(truth) = self.boards.get(&board) else {
            return;
        };
        let known = truth.last_seq(client);
        // What was written before a restart of the room may come late; the others must be fresh.
        if said.epoch == truth.current() && said.last_seq < known && said.durable == truth.durable()
        {
            let last = said.last_seq;
            return self.fail(|| {
                format!("{client} was told that its last command on {board} is {last}, not {known}")
            });
        }
        match (said.mode, at) {
            (Mode::Snapshot, None) => self.cover.count("joined with a snapshot"),
            (Mode::Snapshot, Some(_)) => self.cover.count("resumed with a snapshot"),
            (Mode::Events, None) => {
                self.fail(|| format!("{client} got events of {board} without a position"));
            }
            (Mode::Events, Some(at)) => {
                let other_epoch = at.epoch != said.epoch;
                if said.epoch == truth.current() && !truth.leads_here(at) {
                    return self.fail(|| {
                        format!(
                            "{client} went on with events of {board} from {at:?}, which is lost"
                        )
                    });
                }
                self.cover.count("resumed with events");
                if other_epoch {
                    self.cover
                        .count("resumed with events from an earlier epoch");
                }
            }
        }
    }

    /// A batch bears no epoch: it is of the one that the link was told last.
    fn batch(&mut self, link: &Link, batch: &Batch) {
        let Some(epoch) = self.epochs.get(&(link.id, batch.board)).copied() else {
            let board = batch.board;
            return self.fail(|| format!("a batch of {board} came without a subscription"));
        };
        self.durable(batch.board, epoch, batch.durable);
        let Some(truth) = self.boards.get_mut(&batch.board) else {
            return;
        };
        let board = batch.board;
        let mut broken = None;
        let mut through = None;
        for entry in &batch.v {
            if let (Some(client), Some(seq)) = (entry.client, entry.seq) {
                let at = Position {
                    epoch,
                    version: entry.n,
                };
                through = through.or(self.fences.applied((client, board, seq), at));
            }
            if !truth.is_content(epoch, entry) {
                broken = Some(entry.n);
            }
            let Some((at, view)) = &mut truth.shadow else {
                continue;
            };
            if at.epoch == epoch && entry.n == at.version.next() {
                let moment = Moment {
                    version: entry.n,
                    stamp: Stamp {
                        by: entry.by,
                        at: entry.at,
                    },
                };
                at.version = entry.n;
                if entry.ev.iter().any(|ev| view.apply(moment, ev).is_err()) {
                    broken = Some(entry.n);
                }
            }
        }
        if let Some(through) = through {
            self.fail(|| through);
        }
        if let Some(version) = broken {
            self.fail(|| format!("two people were told different things of {version} of {board}"));
        }
    }

    fn snapshot(&mut self, link: &Link, said: &Snapshot) {
        if self.epochs.get(&(link.id, said.board)) != Some(&said.epoch) {
            let (board, epoch) = (said.board, said.epoch);
            return self.fail(|| {
                format!("a snapshot of {board} is of epoch {epoch}, `subscribed` of another")
            });
        }
        let Some(truth) = self.boards.get_mut(&said.board) else {
            return;
        };
        let at = Position {
            epoch: said.epoch,
            version: said.version,
        };
        let differs = match &truth.shadow {
            Some((known, view)) if *known == at => *view != *said.view,
            Some((known, _)) if known.epoch == at.epoch && known.version > at.version => false,
            Some(_) | None => {
                if truth.current() == at.epoch {
                    truth.shadow = Some((at, (*said.view).clone()));
                }
                false
            }
        };
        if differs {
            let board = said.board;
            self.fail(|| format!("a snapshot of {board} at {at:?} is not what its events lead to"));
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.cover.count(match outcome.result {
            OutcomeResult::Accepted => "answered again or without an echo",
            OutcomeResult::NoChange => "answered that nothing changes",
            OutcomeResult::Rejected if outcome.conflict.is_some() => "rejected for a conflict",
            OutcomeResult::Rejected => "rejected",
            OutcomeResult::Busy => "refused: busy",
            OutcomeResult::Unavailable => "refused: unavailable",
            OutcomeResult::Forgotten => "forgotten",
        });
        // What a rejected command was answered is lost with a tail; that it was not applied is known.
        let board = outcome.board;
        let has_lost = self.boards.get(&board).is_some_and(Truth::has_lost);
        if outcome.result == OutcomeResult::Forgotten && !has_lost {
            let seq = outcome.seq;
            self.fail(|| format!("a client of {board} is told that its {seq} is forgotten"));
        }
    }
}
