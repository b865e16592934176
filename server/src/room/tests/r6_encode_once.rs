//! R6: one encoding for all who get the same.

use super::*;

fn crowd(count: u64, codec: Codec) -> Vec<Peer> {
    (0..count)
        .map(|n| {
            let mut peer = Peer::with(100 + n, "vi", codec, OutboxLimits::default());
            peer.client = ClientId::from_u128(u128::from(n));
            peer
        })
        .collect()
}

#[test]
fn r6_one_encoding_for_a_thousand_joiners() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=50, 100);
    bench.room.flush();
    let mut crowd = crowd(1_000, Codec::Json);
    let mut frames = Vec::new();
    for (n, peer) in crowd.iter_mut().enumerate() {
        if n == 500 {
            bench.accepted(&ed, 51, create(51));
            bench.room.flush();
        }
        assert!(bench.handle(peer.join(None)).is_none());
        peer.outbox.take(&mut peer.taken, usize::MAX);
        frames.push(peer.taken[1].as_ptr());
        if n % 100 == 0 {
            let mut replica = Replica::default();
            replica.read(peer.take());
            bench.assert_equal(&replica);
        }
    }
    frames.dedup();
    assert_eq!(frames.len(), 1, "the bytes are shared");
    assert_eq!(bench.stats.snapshots_encoded.get(), 1);
    // Two batches for those who are level, and a tail after the snapshot before and after the
    // second one.
    assert_eq!(bench.stats.batches.get(), 4);
}

#[test]
fn r6_a_batch_is_encoded_once_for_all() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut crowd = crowd(100, Codec::Json);
    for peer in &mut crowd {
        assert!(bench.handle(peer.join(None)).is_none());
        peer.take();
    }
    bench.make_cards(&ed, 1..=3, 10);
    bench.room.flush();
    let mut frames = Vec::new();
    for peer in &mut crowd {
        peer.outbox.take(&mut peer.taken, usize::MAX);
        assert_eq!(peer.taken.len(), 1);
        frames.push(peer.taken[0].as_ptr());
    }
    frames.dedup();
    assert_eq!(frames.len(), 1, "the bytes are shared");
    assert_eq!(bench.stats.batches.get(), 1);
    assert_eq!(bench.stats.batch_versions.get(), 3);
    assert_eq!(bench.stats.deliveries.get(), 101);
}

#[test]
fn r6_the_shared_snapshot_is_made_anew_when_its_tail_is_long() {
    let limits = RoomLimits {
        snapshot_tail_versions: 2,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let mut encoded = Vec::new();
    for seq in 1..=4 {
        bench.accepted(&ed, seq, create(u128::from(seq)));
        bench.room.flush();
        let mut vi = Peer::new(2, "vi");
        assert!(bench.handle(vi.join(None)).is_none());
        let mut replica = Replica::default();
        replica.read(vi.take());
        bench.assert_equal(&replica);
        encoded.push(bench.stats.snapshots_encoded.get());
    }
    assert_eq!(encoded, [1, 1, 2, 2]);
}

#[test]
fn r6_large_messages_are_deflated_for_those_who_want_it() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut plain = Peer::with(2, "vi", Codec::Json, OutboxLimits::default());
    let mut small = Peer::with(3, "ann", Codec::Deflate, OutboxLimits::default());
    for peer in [&mut plain, &mut small] {
        assert!(bench.handle(peer.join(None)).is_none());
        peer.take();
    }
    bench.make_cards(&ed, 1..=40, 200);
    bench.room.flush();
    assert!(small.outbox.pending_bytes() * 4 < plain.outbox.pending_bytes());
    assert_eq!(small.take(), plain.take());
    bench.accepted(&ed, 41, create(41));
    bench.room.flush();
    assert_eq!(small.outbox.pending_bytes(), plain.outbox.pending_bytes());
}
