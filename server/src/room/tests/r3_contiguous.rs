//! R3: a subscriber gets every version once and in order, whenever it joins.

use boardcast_protocol::message::Mode;

use super::*;

#[test]
fn r3_whoever_joins_between_two_batches_misses_nothing_and_gets_nothing_twice() {
    let mut bench = Bench::new();
    let mut ed = Peer::new(1, "ed");
    let mut replicas = [(); 3].map(|()| Replica::default());
    assert!(bench.handle(ed.join(None)).is_none());
    bench.accepted(&ed, 1, create(1));
    let mut vi = Peer::new(2, "vi");
    assert!(bench.handle(vi.join(None)).is_none());
    bench.accepted(&ed, 2, create(2));
    let mut ann = Peer::new(3, "ann");
    assert!(bench.handle(ann.join(None)).is_none());
    bench.accepted(&ed, 3, create(3));
    bench.room.flush();
    for (peer, replica) in [&mut ed, &mut vi, &mut ann].into_iter().zip(&mut replicas) {
        replica.read(peer.take());
        bench.assert_equal(replica);
    }
}

#[test]
fn r3_joining_again_replaces_the_subscription() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut vi = Peer::new(2, "vi");
    let mut replica = Replica::default();
    assert!(bench.handle(vi.join(None)).is_none());
    replica.read(vi.take());
    bench.make_cards(&ed, 1..=2, 10);
    bench.room.flush();
    vi.take();
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    bench.accepted(&ed, 3, create(3));
    bench.room.flush();
    let messages = vi.take();
    assert_eq!(subscribed(&messages).mode, Mode::Events);
    replica.read(messages);
    bench.assert_equal(&replica);
}

#[test]
fn r3_long_tails_come_in_several_batches() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut vi = Peer::new(2, "vi");
    let mut replica = Replica::default();
    assert!(bench.handle(vi.join(None)).is_none());
    replica.read(vi.take());
    assert!(bench.handle(RoomInput::Gone { conn: vi.conn }).is_none());
    bench.make_cards(&ed, 1..=120, 2_000);
    bench.room.flush();
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    let messages = vi.take();
    let batches = kinds(&messages)
        .iter()
        .filter(|kind| *kind == "batch")
        .count();
    assert!(batches > 1, "{batches} batches");
    replica.read(messages);
    bench.assert_equal(&replica);
}

#[test]
fn r3_a_card_is_answered_after_the_versions_that_it_shows() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    let open = |peer: &Peer, card| RoomInput::OpenCard {
        origin: peer.origin().into(),
        req: 4,
        card: CardId::from_u128(card),
    };
    assert!(bench.handle(open(&ed, 1)).is_none());
    let messages = ed.take();
    assert_eq!(kinds(&messages), ["batch", "card"]);
    let ServerMessage::Card(card) = &messages[1] else {
        panic!("{messages:?}");
    };
    assert_eq!((card.req, card.version), (4, Version(1)));
    bench.room.flush();
    assert!(ed.take().is_empty(), "the version is not sent twice");
    assert!(bench.handle(open(&ed, 2)).is_none());
    assert_eq!(kinds(&ed.take()), ["error"]);
}

#[test]
fn r3_after_unsubscribing_nothing_comes() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut vi = bench.joined(2, "vi");
    let leave = RoomInput::Leave {
        conn: vi.conn,
        req: 3,
        outbox: Arc::clone(&vi.outbox),
    };
    assert!(bench.handle(leave).is_none());
    bench.accepted(&ed, 1, create(1));
    bench.room.flush();
    bench.room.tell_presence();
    bench.room.durable(Version(1));
    bench.room.tell_durable();
    assert_eq!(kinds(&vi.take()), ["unsubscribed"]);
}
