//! R8: a slow subscriber has a cursor, not a queue; it is resynchronised once, then closed.

use boardcast_protocol::board::CardKey;
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::command::CardChange;
use boardcast_protocol::limits::TEXT_MAX_BYTES;
use boardcast_protocol::message::OutcomeResult;

use super::*;

const TIGHT: OutboxLimits = OutboxLimits {
    soft_bytes: 4_000,
    hard_bytes: 8_000,
};

fn slow(bench: &mut Bench) -> (Peer, Replica) {
    let mut peer = Peer::with(2, "vi", Codec::Json, TIGHT);
    assert!(bench.handle(peer.join(None)).is_none());
    let mut replica = Replica::default();
    replica.read(peer.take());
    (peer, replica)
}

/// Reads what is queued, and tells the room that the outbox is drained, until nothing comes.
fn read_all(bench: &mut Bench, peer: &mut Peer, replica: &mut Replica) {
    loop {
        let messages = peer.take();
        replica.read(messages);
        if peer.outbox.take_left_behind().is_empty() {
            return;
        }
        assert!(
            bench
                .handle(RoomInput::Drained { conn: peer.conn })
                .is_none()
        );
    }
}

#[test]
fn r8_a_slow_subscriber_goes_on_from_its_cursor() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let (mut vi, mut replica) = slow(&mut bench);
    for seq in 1..=30 {
        bench.make_cards(&ed, seq..=seq, 500);
        bench.room.flush();
    }
    assert!(vi.outbox.pending_bytes() <= TIGHT.hard_bytes);
    read_all(&mut bench, &mut vi, &mut replica);
    bench.assert_equal(&replica);
    bench.make_cards(&ed, 31..=31, 10);
    bench.room.flush();
    replica.read(vi.take());
    bench.assert_equal(&replica);
    assert_eq!(bench.stats.resyncs.get(), 0);
}

#[test]
fn r8_an_overrun_subscriber_is_resynchronised_once_then_closed() {
    let limits = RoomLimits {
        recent_versions: 4,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let (mut vi, mut replica) = slow(&mut bench);
    let mut seq = 0;
    let overrun = |bench: &mut Bench, seq: &mut u64| {
        for _ in 0..20 {
            *seq += 1;
            bench.make_cards(&ed, *seq..=*seq, 1_000);
            bench.room.flush();
        }
    };
    overrun(&mut bench, &mut seq);
    replica.read(vi.take());
    assert_eq!(vi.outbox.take_left_behind(), [board_id()]);
    let drained = RoomInput::Drained { conn: vi.conn };
    assert!(bench.handle(drained).is_none());
    assert_eq!(bench.stats.resyncs.get(), 1);
    assert_eq!(vi.outbox.closing(), None);
    overrun(&mut bench, &mut seq);
    let messages = vi.take();
    assert!(kinds(&messages).contains(&"snapshot".to_owned()));
    replica.read(messages);
    assert_eq!(vi.outbox.take_left_behind(), [board_id()]);
    let drained = RoomInput::Drained { conn: vi.conn };
    assert!(bench.handle(drained).is_none());
    assert_eq!(vi.outbox.closing(), Some(CloseCode::SlowConsumer));
    assert_eq!(bench.stats.slow_consumers.get(), 1);
}

#[test]
fn r8_who_was_level_in_between_may_be_resynchronised_again() {
    let limits = RoomLimits {
        recent_versions: 4,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let (mut vi, mut replica) = slow(&mut bench);
    for round in 0..3 {
        for n in 1..=20 {
            let seq = round * 20 + n;
            bench.make_cards(&ed, seq..=seq, 1_000);
            bench.room.flush();
        }
        read_all(&mut bench, &mut vi, &mut replica);
        bench.assert_equal(&replica);
    }
    assert_eq!(bench.stats.resyncs.get(), 3);
    assert_eq!(vi.outbox.closing(), None);
}

#[test]
fn r8_events_during_a_large_snapshot_are_a_cursor_not_a_queue() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=40, 1_000);
    bench.room.flush();
    let mut vi = Peer::with(2, "vi", Codec::Json, TIGHT);
    assert!(bench.handle(vi.join(None)).is_none());
    let snapshot_bytes = vi.outbox.pending_bytes();
    assert!(snapshot_bytes > TIGHT.hard_bytes, "an answer has no bound");
    bench.make_cards(&ed, 41..=60, 1_000);
    bench.room.flush();
    assert_eq!(vi.outbox.pending_bytes(), snapshot_bytes);
    let mut replica = Replica::default();
    read_all(&mut bench, &mut vi, &mut replica);
    bench.assert_equal(&replica);
}

#[test]
fn r8_a_resynchronised_author_is_told_of_the_submits_in_the_snapshot() {
    let limits = RoomLimits {
        recent_versions: 2,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ann = bench.joined(1, "ann");
    let mut ed = Peer::with(2, "ed", Codec::Json, TIGHT);
    assert!(bench.handle(ed.join(None)).is_none());
    ed.take();
    let mut echoed = Vec::new();
    for seq in 1..=12 {
        bench.make_cards(&ed, seq..=seq, 1_000);
        bench.room.flush();
    }
    let _ = &ann;
    loop {
        for message in ed.take() {
            if let ServerMessage::Batch(batch) = message {
                echoed.extend(batch.v.iter().filter_map(|entry| entry.seq));
            } else if let ServerMessage::Outcome(outcome) = message {
                echoed.push(outcome.seq);
            }
        }
        if ed.outbox.take_left_behind().is_empty() {
            break;
        }
        assert!(bench.handle(RoomInput::Drained { conn: ed.conn }).is_none());
    }
    assert_eq!(echoed, (1..=12).map(Seq).collect::<Vec<_>>());
    assert!(bench.stats.resyncs.get() > 0);
}

#[test]
fn r8_durable_is_heard_of_by_a_slow_subscriber_too() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let (mut vi, mut replica) = slow(&mut bench);
    bench.make_cards(&ed, 1..=20, 1_000);
    bench.room.flush();
    bench.room.durable(Version(20));
    bench.room.tell_durable();
    let mut heard = Version(0);
    loop {
        let messages = vi.take();
        for message in &messages {
            if let ServerMessage::Batch(batch) = message {
                heard = heard.max(batch.durable);
            } else if let ServerMessage::Durable(durable) = message {
                heard = heard.max(durable.version);
            }
        }
        replica.read(messages);
        if vi.outbox.take_left_behind().is_empty() {
            break;
        }
        assert!(bench.handle(RoomInput::Drained { conn: vi.conn }).is_none());
    }
    assert_eq!(heard, Version(20));
}

/// A card with the longest description.
fn describe(bench: &mut Bench, peer: &Peer, seq: u64) {
    let set = CardChange {
        description: Some("d".repeat(TEXT_MAX_BYTES)),
        ..CardChange::default()
    };
    let command = Command::CardSet {
        card: CardId::from_u128(1),
        set: Box::new(set),
    };
    bench.accepted(peer, seq, command);
}

#[test]
fn r8_who_asks_for_much_and_reads_nothing_gets_one_answer_beyond_the_soft_bound() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=1, 10);
    describe(&mut bench, &ed, 2);
    bench.room.flush();
    let (mut vi, _) = slow(&mut bench);
    let joins = 200_u32;
    for req in 0..joins {
        let open = RoomInput::OpenCard {
            origin: vi.origin().into(),
            req,
            card: CardId::from_u128(1),
        };
        assert!(bench.handle(open).is_none());
    }
    let small = joins as usize * 300;
    assert!(vi.outbox.pending_bytes() > TEXT_MAX_BYTES);
    assert!(vi.outbox.pending_bytes() < TIGHT.soft_bytes + TEXT_MAX_BYTES + small);
    let told = vi.take();
    let count = |kind: &str| kinds(&told).iter().filter(|one| *one == kind).count();
    assert_eq!((count("card"), count("error")), (1, joins as usize - 1));

    bench.make_cards(&ed, 3..=90, 1_000);
    for _ in 0..joins {
        assert!(bench.handle(vi.join(None)).is_none());
    }
    let told = vi.take();
    assert_eq!(
        kinds(&told)
            .iter()
            .filter(|kind| *kind == "snapshot")
            .count(),
        1
    );
    let mut replica = Replica::default();
    replica.read(told);
    assert_eq!(vi.outbox.take_left_behind(), [board_id()]);
    assert!(bench.handle(RoomInput::Drained { conn: vi.conn }).is_none());
    read_all(&mut bench, &mut vi, &mut replica);
    bench.assert_equal(&replica);
}

#[test]
fn r8_who_submits_and_does_not_read_the_answers_is_told_busy() {
    let mut bench = Bench::new();
    let mut ed = Peer::with(1, "ed", Codec::Json, TIGHT);
    bench.accepted(&ed, 1, create(1));
    describe(&mut bench, &ed, 2);
    ed.take();
    let stale = |seq| {
        let set = CardChange {
            description: Some("mine".to_owned()),
            ..CardChange::default()
        };
        let command = Command::CardSet {
            card: CardId::from_u128(1),
            set: Box::new(set),
        };
        (seq, vec![command])
    };
    for n in 3..=100 {
        let (seq, cmds) = stale(n);
        assert!(
            bench
                .handle(ed.submit_seen(seq, cmds, CardKey::Description, 1))
                .is_none()
        );
    }
    let outcomes = ed.outcomes();
    assert_eq!(outcomes[0].result, OutcomeResult::Rejected);
    assert!(outcomes[0].conflict.is_some());
    for outcome in &outcomes[1..] {
        assert_eq!(outcome.result, OutcomeResult::Busy);
    }
    let (seq, cmds) = stale(4);
    assert!(
        bench
            .handle(ed.submit_seen(seq, cmds, CardKey::Description, 1))
            .is_none()
    );
    assert_eq!(ed.outcomes()[0].result, OutcomeResult::Rejected);
}

#[test]
fn r8_a_subscriber_that_closes_behind_the_ring_does_not_hold_the_room() {
    let limits = RoomLimits {
        recent_versions: 2,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let vi = bench.joined(2, "vi");
    bench.make_cards(&ed, 1..=5, 10);
    vi.outbox.close(CloseCode::Replaced);
    bench.room.flush();
    assert!(bench.handle(RoomInput::Drained { conn: vi.conn }).is_none());
    assert_eq!(bench.view().1, Version(5));
}
