//! R8: a slow subscriber has a cursor, not a queue; it is resynchronised once, then closed.

use boardcast_protocol::close::CloseCode;

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
