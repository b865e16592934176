//! R3: what a client has missed comes from the log where the ring has lost it, and goes on into the
//! ring without a gap.

use boardcast_protocol::message::Mode;

use super::*;

const PART_BYTES: usize = 2_000;

fn small() -> RoomLimits {
    RoomLimits {
        recent_versions: 4,
        past_waiting_max: 4,
        catch_up_bytes: PART_BYTES,
        ..RoomLimits::default()
    }
}

/// A board with a client that has gone, and so many versions since.
fn missed(limits: RoomLimits, versions: u64) -> (Bench, Peer, Replica, Peer) {
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let mut replica = Replica::default();
    let mut vi = Peer::new(2, "vi");
    assert!(bench.handle(vi.join(None)).is_none());
    replica.read(vi.take());
    assert!(bench.handle(RoomInput::Gone { conn: vi.conn }).is_none());
    for seq in 1..=versions {
        bench.make_cards(&ed, seq..=seq, 300);
        bench.room.flush();
    }
    bench.room.durable(Version(versions));
    (bench, ed, replica, vi)
}

/// Takes what comes until no read is wanted and nothing is left behind; the kinds of messages.
fn read_all(bench: &mut Bench, peer: &mut Peer, replica: &mut Replica) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let messages = peer.take();
        all.extend(kinds(&messages));
        replica.read(messages);
        let drained = !peer.outbox.take_left_behind().is_empty();
        if drained {
            let drained = RoomInput::Drained { conn: peer.conn };
            assert!(bench.handle(drained).is_none());
        }
        if bench.serve_reads(PART_BYTES) == 0 && !drained {
            return all;
        }
    }
}

fn snapshots(kinds: &[String]) -> usize {
    kinds.iter().filter(|kind| *kind == "snapshot").count()
}

#[test]
fn r3_versions_older_than_the_ring_come_from_the_log() {
    let (mut bench, ed, mut replica, mut vi) = missed(small(), 40);
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    let messages = vi.take();
    assert_eq!(subscribed(&messages).mode, Mode::Events);
    assert_eq!(kinds(&messages), ["subscribed"], "the rest is to be read");
    let kinds = read_all(&mut bench, &mut vi, &mut replica);
    assert_eq!(snapshots(&kinds), 0);
    bench.assert_equal(&replica);
    assert!(bench.stats.past_reads.get() > 5, "in several parts");

    bench.make_cards(&ed, 41..=42, 10);
    bench.room.flush();
    replica.read(vi.take());
    bench.assert_equal(&replica);
    assert_eq!(bench.stats.past_given_up.get(), 0);
}

#[test]
fn r3_the_log_is_read_on_while_the_board_goes_on() {
    let (mut bench, ed, mut replica, mut vi) = missed(small(), 40);
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    for seq in 41..=60 {
        bench.make_cards(&ed, seq..=seq, 300);
        bench.room.flush();
        bench.serve_reads(PART_BYTES);
        replica.read(vi.take());
    }
    read_all(&mut bench, &mut vi, &mut replica);
    bench.assert_equal(&replica);
    assert_eq!(bench.stats.past_given_up.get(), 0);
}

#[test]
fn r3_what_is_not_durable_is_read_when_it_is() {
    let (mut bench, ed, mut replica, mut vi) = missed(small(), 10);
    for seq in 11..=30 {
        bench.make_cards(&ed, seq..=seq, 300);
    }
    bench.room.flush();
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    let mut read_to = Version(0);
    loop {
        let reads = bench.room.take_reads();
        let Some(read) = reads.first() else { break };
        assert!(read.to <= Version(10), "{read:?} is not on disk");
        let versions = bench.log[read.after.0 as usize..read.to.0 as usize].to_vec();
        read_to = read.to;
        let after = read.after;
        assert!(bench.handle(RoomInput::Past { after, versions }).is_none());
    }
    assert_eq!(read_to, Version(10));
    assert!(!bench.room.is_idle());
    bench.room.durable(Version(30));
    let kinds = read_all(&mut bench, &mut vi, &mut replica);
    assert_eq!(snapshots(&kinds), 0);
    bench.assert_equal(&replica);
}

#[test]
fn r3_who_resumes_from_the_same_version_shares_the_reads() {
    let (mut bench, _ed, mut replica, mut vi) = missed(small(), 40);
    let at = Some(replica.position());
    assert!(bench.handle(vi.join(at)).is_none());
    let mut others: Vec<_> = (3..20).map(|conn| Peer::new(conn, "ann")).collect();
    for (n, peer) in others.iter_mut().enumerate() {
        peer.client = ClientId::from_u128(n as u128);
        assert!(bench.handle(peer.join(at)).is_none());
    }
    read_all(&mut bench, &mut vi, &mut replica);
    let reads = bench.stats.past_reads.get();
    assert!(reads < 20, "{reads} reads for 18 clients");
    for peer in &mut others {
        let batches = peer.batches();
        assert_eq!(batches[0].from, Version(0));
        assert_eq!(batches.last().unwrap().to(), Version(40));
    }
}

#[test]
fn r3_what_cannot_be_read_is_replaced_by_a_snapshot() {
    let (mut bench, _ed, mut replica, mut vi) = missed(small(), 40);
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    bench.log.clear();
    let kinds = read_all(&mut bench, &mut vi, &mut replica);
    assert_eq!(snapshots(&kinds), 1);
    bench.assert_equal(&replica);
    assert_eq!(bench.stats.past_given_up.get(), 1);
    assert_eq!(vi.outbox.closing(), None);
    assert!(!bench.room.is_idle(), "it is subscribed");
}

#[test]
fn r3_a_log_that_turns_out_too_long_ends_in_a_snapshot() {
    let limits = RoomLimits {
        recent_versions: 2,
        past_bytes: 30_000,
        ..small()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let mut vi = Peer::new(2, "vi");
    let mut replica = Replica::default();
    assert!(bench.handle(vi.join(None)).is_none());
    replica.read(vi.take());
    assert!(bench.handle(RoomInput::Gone { conn: vi.conn }).is_none());
    for seq in 1..=98 {
        let title = format!("{seq}{}", "x".repeat(2_000));
        bench.accepted(&ed, seq, rename(&title));
    }
    // The ring holds small ones by now, so the log looks smaller than it is.
    bench.make_cards(&ed, 99..=102, 1);
    bench.room.flush();
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    let kinds = read_all(&mut bench, &mut vi, &mut replica);
    assert_eq!((kinds[0].as_str(), snapshots(&kinds)), ("subscribed", 1));
    bench.assert_equal(&replica);
    let reads = bench.stats.past_reads.get();
    assert!(reads < 20, "{reads} reads of 98");
}

#[test]
fn r8_reads_of_the_log_are_bounded_and_who_finds_no_place_gets_a_snapshot() {
    let (mut bench, _ed, _, _) = missed(small(), 40);
    let mut peers: Vec<_> = (0..8_u64)
        .map(|n| {
            let mut peer = Peer::new(10 + n, "ann");
            peer.client = ClientId::from_u128(u128::from(n));
            let at = Position {
                epoch: EPOCH,
                version: Version(n),
            };
            assert!(bench.handle(peer.join(Some(at))).is_none());
            peer
        })
        .collect();
    assert_eq!(bench.room.take_reads().len(), 2);
    assert_eq!(bench.room.take_reads().len(), 0, "two are under way");
    let kinds: Vec<_> = peers.iter_mut().map(|peer| kinds(&peer.take())).collect();
    let with_snapshot = kinds.iter().filter(|kinds| snapshots(kinds) == 1).count();
    assert_eq!(with_snapshot, 4, "{kinds:?}");
    assert_eq!(bench.stats.past_given_up.get(), 4);
}

#[test]
fn r8_a_slow_reader_of_the_log_gets_a_part_when_its_outbox_is_drained() {
    let (mut bench, _ed, mut replica, _) = missed(small(), 60);
    let tight = OutboxLimits {
        soft_bytes: 3_000,
        hard_bytes: 6_000,
    };
    let mut vi = Peer::with(3, "vi", Codec::Json, tight);
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    while bench.serve_reads(PART_BYTES) > 0 {
        assert!(vi.outbox.pending_bytes() < tight.hard_bytes);
    }
    let kinds = read_all(&mut bench, &mut vi, &mut replica);
    assert_eq!(snapshots(&kinds), 0);
    bench.assert_equal(&replica);
}

#[test]
fn r3_a_room_does_not_sleep_while_its_log_is_read() {
    let (mut bench, ed, replica, vi) = missed(small(), 40);
    assert!(bench.handle(vi.join(Some(replica.position()))).is_none());
    for conn in [ed.conn, vi.conn] {
        assert!(bench.handle(RoomInput::Gone { conn }).is_none());
    }
    bench.room.durable(Version(40));
    assert!(!bench.room.is_idle());
    assert_eq!(bench.serve_reads(PART_BYTES), 1);
    assert!(bench.room.is_idle(), "nobody waits for a second part");
}

#[test]
fn r5_who_reads_the_log_hears_of_its_own_submits() {
    let (mut bench, _ed, mut replica, _) = missed(small(), 40);
    let mut ann = Peer::new(5, "ann");
    assert!(bench.handle(ann.join(Some(replica.position()))).is_none());
    bench.accepted(&ann, 1, create(1_000));
    bench.room.flush();
    bench.room.durable(Version(41));
    let mut echoed = Vec::new();
    loop {
        for message in ann.take() {
            if let ServerMessage::Batch(batch) = message {
                let own = |client: &Option<ClientId>| *client == Some(ann.client);
                let mine = batch.v.iter().filter(|entry| own(&entry.client));
                echoed.extend(mine.filter_map(|entry| entry.seq));
                replica.apply(batch);
            }
        }
        if bench.serve_reads(PART_BYTES) == 0 {
            break;
        }
    }
    assert_eq!(echoed, [Seq(1)]);
    bench.assert_equal(&replica);
}
