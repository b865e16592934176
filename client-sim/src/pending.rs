//! A client's own commands, from their number until they are on the server's disk (rules R4, R5).

use std::collections::{BTreeMap, VecDeque};

use boardcast_protocol::board::Seen;
use boardcast_protocol::codec;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::limits::OUTCOMES_KEPT;
use boardcast_protocol::message::{ClientMessage, Submit};
use boardcast_protocol::position::{Seq, Version};
use bytes::Bytes;

use crate::violation::Violation;

/// Commands that are sent and not answered at one time. The server keeps the outcomes of the last
/// 64, so what is asked again after a cut is always among them.
pub const WINDOW: usize = 32;
/// Answers that may still come to commands that are done.
const LATE_KEPT: usize = 256;

const _: () = assert!(WINDOW <= OUTCOMES_KEPT);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not sent on this subscription, or refused for now.
    Queued,
    /// Sent, not answered.
    Sent,
    /// Answered: applied as this version, not yet durable.
    Accepted(Version),
}

#[derive(Debug)]
struct Own {
    seq: Seq,
    text: Bytes,
    intended_ns: u64,
    sends: u32,
    answers: u32,
    state: State,
}

/// A command of one's own that has become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its number.
    pub seq: Seq,
    /// The version as which it was applied.
    pub version: Version,
    /// When it was meant to be sent.
    pub intended_ns: u64,
}

/// The commands of one client to one board that are not done.
#[derive(Debug)]
pub struct Pending {
    board: BoardId,
    last: Seq,
    saved_to: Seq,
    queue: VecDeque<Own>,
    late: BTreeMap<Seq, u32>,
    paused: bool,
}

impl Pending {
    /// None yet.
    pub fn new(board: BoardId) -> Self {
        Self {
            board,
            last: Seq(0),
            saved_to: Seq(0),
            queue: VecDeque::new(),
            late: BTreeMap::new(),
            paused: false,
        }
    }

    /// Count of commands that are not done.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether all commands are done.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Count of commands that were sent and neither answered nor durable.
    pub fn unanswered(&self) -> usize {
        let open = |own: &&Own| !matches!(own.state, State::Accepted(_));
        self.queue.iter().filter(open).count()
    }

    /// Whether a command waits for its answer.
    pub fn is_open(&self, seq: Seq) -> bool {
        let own = self.index(seq).and_then(|index| self.queue.get(index));
        own.is_some_and(|own| !matches!(own.state, State::Accepted(_)))
    }

    /// The highest number up to which all commands are answered.
    pub fn answered_to(&self) -> Seq {
        let first = self
            .queue
            .iter()
            .find(|own| !matches!(own.state, State::Accepted(_)));
        first.map_or(self.last, |own| Seq(own.seq.0 - 1))
    }

    /// Numbers a list of commands and queues it; `seen` are the revisions that its author saw.
    pub fn push(&mut self, cmds: Vec<Command>, seen: Seen, intended_ns: u64) -> Seq {
        self.last = Seq(self.last.0 + 1);
        let message = ClientMessage::Submit(Submit {
            board: self.board,
            seq: self.last,
            cmds,
            seen,
        });
        self.queue.push_back(Own {
            seq: self.last,
            text: codec::encode(&message).into(),
            intended_ns,
            sends: 0,
            answers: 0,
            state: State::Queued,
        });
        self.last
    }

    /// The messages to send now, in order; a window bounds them.
    pub fn due(&mut self, mut send: impl FnMut(Bytes)) {
        if self.paused {
            return;
        }
        let sent = |own: &&Own| own.state == State::Sent;
        let room = WINDOW.saturating_sub(self.queue.iter().filter(sent).count());
        let queued = self.queue.iter_mut();
        for own in queued.filter(|own| own.state == State::Queued).take(room) {
            own.state = State::Sent;
            own.sends += 1;
            send(own.text.clone());
        }
    }

    /// A subscription begins: what is above `last_seq` has not come, or is lost with a tail.
    ///
    /// # Errors
    /// The server has forgotten a command that was durable.
    pub fn rejoin(&mut self, last_seq: Seq) -> Result<(), Violation> {
        self.paused = false;
        for own in self.queue.iter_mut().filter(|own| own.seq > last_seq) {
            own.state = State::Queued;
        }
        if last_seq < self.saved_to {
            return Err(Violation::Unanswered);
        }
        Ok(())
    }

    /// What was sent and has not been answered goes out again, and is answered from the server's
    /// memory where it had come.
    pub fn ask_again(&mut self) {
        for own in &mut self.queue {
            if own.state == State::Sent {
                own.state = State::Queued;
            }
        }
    }

    /// `busy` at `seq`: nothing is sent until [`Self::resume`], and then everything from `seq` on. What
    /// was sent behind it is refused as well, but a later one might be taken before those answers
    /// have come.
    pub fn refuse(&mut self, seq: Seq) {
        self.paused = true;
        let behind = self.queue.iter_mut().filter(|own| own.seq >= seq);
        for own in behind.filter(|own| own.state == State::Sent) {
            own.state = State::Queued;
        }
    }

    /// The delay of `busy` is over.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// Whether `busy` holds back what is queued.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// An answer: applied as `version`, or done without one. Whether it is the first one.
    ///
    /// # Errors
    /// It was answered more often than asked.
    pub fn answer(&mut self, seq: Seq, version: Option<Version>) -> Result<bool, Violation> {
        let Some(index) = self.index(seq) else {
            return self.answer_late(seq).map(|()| false);
        };
        let own = &mut self.queue[index];
        own.answers += 1;
        if own.answers > own.sends {
            return Err(Violation::Duplicate);
        }
        let first = !matches!(own.state, State::Accepted(_));
        match version {
            Some(version) => own.state = State::Accepted(version),
            None => self.done(index),
        }
        Ok(first)
    }

    /// Everything up to `version` is on disk.
    pub fn durable(&mut self, version: Version, mut saved: impl FnMut(Saved)) {
        let mut index = 0;
        while let Some(own) = self.queue.get(index) {
            match own.state {
                State::Accepted(at) if at <= version => {
                    saved(Saved {
                        seq: own.seq,
                        version: at,
                        intended_ns: own.intended_ns,
                    });
                    self.saved_to = self.saved_to.max(own.seq);
                    self.done(index);
                }
                State::Accepted(_) | State::Sent | State::Queued => index += 1,
            }
        }
    }

    /// The connection has ended: answers to what was done before do not come any more.
    pub fn disconnected(&mut self) {
        self.late.clear();
    }

    fn answer_late(&mut self, seq: Seq) -> Result<(), Violation> {
        match self.late.get_mut(&seq) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Ok(())
            }
            Some(_) | None => Err(Violation::Duplicate),
        }
    }

    fn done(&mut self, index: usize) {
        if let Some(own) = self.queue.remove(index)
            && own.sends > own.answers
        {
            self.late.insert(own.seq, own.sends - own.answers);
            if self.late.len() > LATE_KEPT {
                self.late.pop_first();
            }
        }
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        self.queue.binary_search_by_key(&seq, |own| own.seq).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pending: &mut Pending) -> Vec<u64> {
        let mut seqs = Vec::new();
        pending.due(|text| {
            let text = std::str::from_utf8(&text).unwrap();
            if let Ok(ClientMessage::Submit(submit)) = codec::decode_client(text) {
                seqs.push(submit.seq.0);
            }
        });
        seqs
    }

    #[test]
    fn r4_after_busy_everything_from_there_on_goes_again_before_what_is_new() {
        let mut pending = Pending::new("b".parse().unwrap());
        let submit = |pending: &mut Pending| pending.push(Vec::new(), Seen::new(), 0);
        for _ in 0..4 {
            submit(&mut pending);
        }
        assert_eq!(sent(&mut pending), [1, 2, 3, 4]);
        pending.refuse(Seq(2));
        submit(&mut pending);
        assert_eq!(sent(&mut pending), [0; 0]);
        pending.resume();
        assert_eq!(sent(&mut pending), [2, 3, 4, 5]);
        // The answers to the first 3 and 4.
        pending.refuse(Seq(3));
        pending.resume();
        assert_eq!(sent(&mut pending), [3, 4, 5]);
        assert_eq!(pending.answer(Seq(1), Some(Version(1))), Ok(true));
    }
}
