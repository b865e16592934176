//! Long random runs: whoever joins, reads slowly, loses its connection or is resynchronised, every
//! replica ends equal to the board, without a gap, and every submit is answered exactly once.

use std::collections::BTreeMap;

use boardcast_protocol::message::OutcomeResult;

use super::*;

/// A small generator (xorshift), so that a run is named by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A client that keeps its replica over its connections and sends again what was not answered.
struct Person {
    peer: Peer,
    replica: Replica,
    joined: bool,
    next_seq: u64,
    unanswered: BTreeMap<u64, Vec<Command>>,
    /// Answered `busy`: to be sent again, in order.
    refused: BTreeSet<u64>,
}

const TIGHT: OutboxLimits = OutboxLimits {
    soft_bytes: 3_000,
    hard_bytes: 6_000,
};

impl Person {
    fn new(index: u64) -> Self {
        let codec = if index.is_multiple_of(2) {
            Codec::Json
        } else {
            Codec::Deflate
        };
        Self {
            peer: Self::connect(index, index, codec),
            replica: Replica::default(),
            joined: false,
            next_seq: 1,
            unanswered: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }

    fn connect(conn: u64, index: u64, codec: Codec) -> Peer {
        let mut peer = Peer::with(conn + 1, "ed", codec, TIGHT);
        peer.client = ClientId::from_u128(u128::from(index));
        peer
    }

    fn read(&mut self, bench: &mut Bench) {
        for message in self.peer.take() {
            self.read_one(message);
        }
        if !self.peer.outbox.take_left_behind().is_empty() {
            let conn = self.peer.conn;
            assert!(bench.handle(RoomInput::Drained { conn }).is_none());
        }
        for seq in std::mem::take(&mut self.refused) {
            let cmds = self.unanswered[&seq].clone();
            let _ = bench.handle(self.peer.submit(seq, cmds));
        }
    }

    fn read_one(&mut self, message: ServerMessage) {
        if let ServerMessage::Subscribed(subscribed) = &message {
            self.joined = true;
            // What was applied is in the events or the snapshot; the rest goes again.
            self.unanswered
                .retain(|seq, _| *seq > subscribed.last_seq.0);
        } else if let ServerMessage::Outcome(outcome) = &message {
            if outcome.result == OutcomeResult::Busy {
                self.refused.insert(outcome.seq.0);
                return;
            }
            let known = self.unanswered.remove(&outcome.seq.0).is_some();
            assert!(known, "answered twice: {outcome:?}");
            assert_eq!(outcome.result, OutcomeResult::Accepted);
        } else if let ServerMessage::Batch(batch) = &message {
            for entry in &batch.v {
                let seq = entry.seq.unwrap().0;
                if entry.client == Some(self.peer.client) && self.unanswered.remove(&seq).is_none()
                {
                    assert!(seq < self.next_seq, "an echo of nothing");
                }
            }
        }
        self.replica.read(vec![message]);
    }

    fn position(&self) -> Option<Position> {
        self.replica.epoch.map(|_| self.replica.position())
    }

    /// Over a new connection: subscribes with its position, then sends again what is unanswered.
    fn reconnect(&mut self, bench: &mut Bench, conn: u64, index: u64) {
        let gone = RoomInput::Gone {
            conn: self.peer.conn,
        };
        assert!(bench.handle(gone).is_none());
        self.peer = Self::connect(conn, index, self.peer.outbox.codec());
        self.refused.clear();
        assert!(bench.handle(self.peer.join(self.position())).is_none());
        self.read(bench);
        for (seq, cmds) in self.unanswered.clone() {
            let _ = bench.handle(self.peer.submit(seq, cmds));
        }
    }

    fn submit(&mut self, bench: &mut Bench, card: u128, title_bytes: u64) {
        let title = "t".repeat(usize::try_from(title_bytes).unwrap() + 1);
        let cmds = vec![create_titled(card, &title)];
        self.unanswered.insert(self.next_seq, cmds.clone());
        let _ = bench.handle(self.peer.submit(self.next_seq, cmds));
        self.next_seq += 1;
    }
}

fn run(seed: u64) -> Arc<RoomStats> {
    let limits = RoomLimits {
        recent_versions: 12,
        snapshot_tail_versions: 5,
        catch_up_bytes: 2_000,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let mut dice = Dice(seed);
    let mut people: Vec<_> = (0..6).map(Person::new).collect();
    let mut conns = 10;
    let mut card = 0;
    for _ in 0..400 {
        let index = dice.roll(people.len() as u64);
        let person = &mut people[usize::try_from(index).unwrap()];
        let closed = person.peer.outbox.closing().is_some();
        match dice.roll(10) {
            _ if closed || !person.joined => {
                conns += 1;
                person.reconnect(&mut bench, conns, index);
            }
            0 if dice.roll(4) == 0 => {
                conns += 1;
                person.reconnect(&mut bench, conns, index);
            }
            0..=5 => {
                card += 1;
                person.submit(&mut bench, card, dice.roll(800));
            }
            6 | 7 => person.read(&mut bench),
            8 => drop(bench.serve_reads(2_000)),
            _ => bench.room.flush(),
        }
    }
    for _ in 0..200 {
        bench.room.flush();
        bench.serve_reads(2_000);
        for (index, person) in people.iter_mut().enumerate() {
            if person.peer.outbox.closing().is_some() || !person.joined {
                conns += 1;
                person.reconnect(&mut bench, conns, index as u64);
            }
            person.read(&mut bench);
        }
    }
    for person in &people {
        bench.assert_equal(&person.replica);
        assert!(person.unanswered.is_empty(), "{:?}", person.unanswered);
    }
    let (view, _) = bench.view();
    assert_eq!(view.cards.len() as u128, card, "each submit once");
    bench.stats
}

#[test]
fn replicas_agree_whatever_happens_to_their_connections() {
    let (mut resyncs, mut resumes, mut reads) = (0, 0, 0);
    for seed in 1..=10 {
        let stats = run(seed * 0x9e37_79b9);
        resyncs += stats.resyncs.get();
        resumes += stats.resumes_by_events.get();
        reads += stats.past_reads.get();
    }
    assert!(
        resyncs > 0 && resumes > 0 && reads > 0,
        "{resyncs} {resumes} {reads}"
    );
}
