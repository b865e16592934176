//! Commands: who may send them, whether they were sent before, what becomes of them (R4, R5, R10).

use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use boardcast_protocol::board::{Pass, Reason, Rejection, Seen, rejection_of};
use boardcast_protocol::command::Command;
use boardcast_protocol::message::{Outcome, OutcomeResult, ServerMessage, Submit};
use boardcast_protocol::position::{Seq, Timestamp, Version};

use super::{Place, Room, Waiting};
use crate::rate::Pace;
use crate::room::clients::{Name, Standing};
use crate::room::{Origin, Submission, answers};
use crate::storage::{Append, BodyHash, KeptOutcome, Refusal};

/// Submits of a subscriber whose echo was not queued for it yet; above it the next is `busy`.
const UNECHOED_MAX: usize = 256;
/// How much longer than for `busy` a client waits when the board cannot be written.
pub(super) const UNAVAILABLE_FACTOR: u32 = 8;

impl Room {
    pub(super) fn submit(
        &mut self,
        submission: Submission,
        place: Place,
        now: Timestamp,
    ) -> Option<Append> {
        let Submission {
            origin,
            submit,
            received: _,
            after,
        } = submission;
        let board = self.feed.board();
        if self.board.role_of(&origin.actor).is_none() {
            self.clients.turn_away(&origin, submit.seq);
            let error = answers::no_such_board(None, board, Some(submit.seq));
            answers::send(&origin.outbox, &ServerMessage::Error(error));
            return None;
        }
        if origin.actor.pass == Pass::Link {
            self.refuse_guest(&origin, submit.seq);
            return None;
        }
        if self.is_fenced(&origin) {
            return None;
        }
        let name = Name {
            client: origin.client,
            user: origin.actor.user,
            conn: origin.conn,
            seq: submit.seq,
            body: self.body_hash(&submit.cmds, &submit.seen),
        };
        match self.clients.judge(name, after) {
            Standing::Fresh => return self.decide(&origin, name, &submit, place, now),
            Standing::Repeated(kept) => self.repeat(&origin, &kept, &submit, now),
            Standing::Reused => {
                self.stats.rejected.of(Reason::SeqReused as usize).add(1);
                self.answer(
                    &origin,
                    Outcome {
                        reason: Some(Reason::SeqReused),
                        hint: Some("the number was used for other commands; use the next".into()),
                        ..answers::outcome(board, name.seq, OutcomeResult::Rejected)
                    },
                );
            }
            Standing::Forgotten => {
                let outcome = answers::outcome(board, name.seq, OutcomeResult::Forgotten);
                self.answer(&origin, outcome);
            }
            Standing::AfterRefused => self.refuse(&origin, name.seq, Refusal::Busy),
            Standing::Foreign => {
                let error = answers::foreign_client(None, board, Some(name.seq));
                answers::send(&origin.outbox, &ServerMessage::Error(error));
            }
        }
        None
    }

    fn decide(
        &mut self,
        origin: &Origin,
        name: Name,
        submit: &Submit,
        place: Place,
        now: Timestamp,
    ) -> Option<Append> {
        if let Err(refusal) = place.and_then(|()| self.has_room_for_answer(origin)) {
            self.clients.refuse(name, now);
            self.refuse(origin, name.seq, refusal);
            return None;
        }
        let count = u32::try_from(submit.cmds.len()).unwrap_or(u32::MAX).max(1);
        let pace = Pace::commands(self.limits.commands_per_s);
        if let Err(wait_ms) = self.rate.take(now, count, pace) {
            self.clients.refuse(name, now);
            self.refuse_over_rate(origin, name.seq, wait_ms);
            return None;
        }
        let moment = self.next_moment(name.user, now);
        match self.carry_out(&origin.actor, &submit.cmds, &submit.seen, moment) {
            Err(rejection) => {
                self.reject(origin, name, rejection, now);
                None
            }
            Ok(applied) if applied.events.is_empty() => {
                let board = self.feed.board();
                self.settle(name, OutcomeResult::NoChange, None, now);
                self.answer(
                    origin,
                    answers::outcome(board, name.seq, OutcomeResult::NoChange),
                );
                None
            }
            Ok(applied) => {
                self.settle(name, OutcomeResult::Accepted, Some(moment.version), now);
                let append = self.commit(&applied, Some(name), moment, Some(origin.address));
                self.accept(origin, name.seq, moment.version);
                Some(append)
            }
        }
    }

    /// Who comes by a public link may only look, and nothing is remembered of it.
    fn refuse_guest(&self, origin: &Origin, seq: Seq) {
        self.stats.rejected.of(Reason::Forbidden as usize).add(1);
        let outcome = Outcome {
            reason: Some(Reason::Forbidden),
            hint: Some("a public link shows the board and changes nothing".into()),
            ..answers::outcome(self.feed.board(), seq, OutcomeResult::Rejected)
        };
        self.answer(origin, outcome);
    }

    /// Whether the author can be answered without a queue that grows: otherwise it must wait.
    fn has_room_for_answer(&mut self, origin: &Origin) -> Place {
        let waits = self.waiting.len() >= self.limits.waiting_max;
        let full = match self.subscribers.get_mut(origin.conn) {
            Some(author) => author.unechoed() >= UNECHOED_MAX,
            None => waits,
        };
        // A rejection may bear two long texts.
        if full || origin.outbox.is_full() {
            return Err(Refusal::Busy);
        }
        Ok(())
    }

    /// A subscribed author reads in the batch that its submit was accepted; others are told.
    fn accept(&mut self, origin: &Origin, seq: Seq, version: Version) {
        let board = self.feed.board();
        match self.subscribers.get_mut(origin.conn) {
            Some(author) => author.await_echo(version, seq),
            None => self.answer(
                origin,
                Outcome {
                    version: Some(version),
                    ..answers::outcome(board, seq, OutcomeResult::Accepted)
                },
            ),
        }
        self.await_durable(origin, version);
    }

    fn await_durable(&mut self, origin: &Origin, version: Version) {
        let start = self.waiting.partition_point(|w| w.version < version);
        let end = self.waiting.partition_point(|w| w.version <= version);
        let mut same = self.waiting.range(start..end);
        // Above the bound a subscriber hears of it with the next batch.
        if version <= self.feed.durable()
            || self.waiting.len() >= self.limits.waiting_max
            || same.any(|waiting| waiting.conn == origin.conn)
        {
            return;
        }
        let waiting = Waiting {
            version,
            conn: origin.conn,
            outbox: Arc::clone(&origin.outbox),
        };
        self.waiting.insert(end, waiting);
    }

    fn reject(&mut self, origin: &Origin, name: Name, rejection: Rejection, now: Timestamp) {
        self.stats.rejected.of(rejection.reason as usize).add(1);
        let board = self.feed.board();
        self.clients.settle(
            name,
            KeptOutcome {
                seq: name.seq,
                body: name.body,
                result: OutcomeResult::Rejected,
                version: None,
                reason: Some(rejection.reason),
            },
            now,
        );
        self.answer(
            origin,
            Outcome {
                reason: Some(rejection.reason),
                hint: Some(rejection.hint),
                conflict: rejection.conflict,
                ..answers::outcome(board, name.seq, OutcomeResult::Rejected)
            },
        );
    }

    fn settle(
        &mut self,
        name: Name,
        result: OutcomeResult,
        version: Option<Version>,
        now: Timestamp,
    ) {
        let outcome = KeptOutcome {
            seq: name.seq,
            body: name.body,
            result,
            version,
            reason: None,
        };
        self.clients.settle(name, outcome, now);
    }

    /// A submit came again: the same answer. Hint and conflict are not kept: they are told as the
    /// board stands now, unless the reason is gone or the author does not read.
    fn repeat(&mut self, origin: &Origin, kept: &KeptOutcome, submit: &Submit, now: Timestamp) {
        let rejection = kept.reason.map(|reason| {
            let today = (!origin.outbox.is_full())
                .then(|| {
                    let (cmds, seen) = (&submit.cmds, &submit.seen);
                    rejection_of(&self.board, &origin.actor, cmds, seen, now)
                })
                .flatten();
            today
                .filter(|today| today.reason == reason)
                .unwrap_or_else(|| {
                    let hint = "it was rejected when it came first; the number is used up";
                    Rejection::new(reason, hint)
                })
        });
        let (hint, conflict) = rejection.map_or((None, None), |rejection| {
            (Some(rejection.hint), rejection.conflict)
        });
        let outcome = Outcome {
            version: kept.version,
            reason: kept.reason,
            hint,
            conflict,
            ..answers::outcome(self.feed.board(), kept.seq, kept.result)
        };
        self.answer(origin, outcome);
        let Some(version) = kept.version else { return };
        if version <= self.feed.durable() {
            let frame = self.feed.durable_message().frame(origin.outbox.codec());
            let _ = origin.outbox.push_answer(frame);
        } else {
            self.await_durable(origin, version);
        }
    }

    fn refuse(&mut self, origin: &Origin, seq: Seq, refusal: Refusal) {
        self.stats.busy.add(1);
        let (result, retry_ms) = match refusal {
            Refusal::Busy => (OutcomeResult::Busy, self.limits.retry_ms),
            Refusal::Unavailable => (
                OutcomeResult::Unavailable,
                self.limits.retry_ms * UNAVAILABLE_FACTOR,
            ),
        };
        let outcome = Outcome {
            retry_ms: Some(retry_ms),
            ..answers::outcome(self.feed.board(), seq, result)
        };
        self.answer(origin, outcome);
    }

    fn refuse_over_rate(&self, origin: &Origin, seq: Seq, wait_ms: u64) {
        self.stats.busy.add(1);
        self.stats.over_rate.add(1);
        let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        let per_s = self.limits.commands_per_s;
        let outcome = Outcome {
            retry_ms: Some(wait_ms.max(self.limits.retry_ms)),
            hint: Some(format!("a board takes {per_s} commands a second")),
            ..answers::outcome(self.feed.board(), seq, OutcomeResult::Busy)
        };
        self.answer(origin, outcome);
    }

    fn answer(&self, origin: &Origin, outcome: Outcome) {
        answers::send(&origin.outbox, &ServerMessage::Outcome(outcome));
    }

    /// Digest of what was submitted: the first 8 bytes of the SHA-256 of its JSON.
    pub(super) fn body_hash(&mut self, cmds: &[Command], seen: &Seen) -> BodyHash {
        #[derive(Serialize)]
        struct Body<'a> {
            cmds: &'a [Command],
            seen: &'a Seen,
        }
        self.scratch.clear();
        // Commands hold no map with keys that are not strings, the only case that fails.
        let _ = serde_json::to_writer(&mut self.scratch, &Body { cmds, seen });
        let digest = Sha256::digest(&self.scratch);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        BodyHash::from_be_bytes(first)
    }
}
