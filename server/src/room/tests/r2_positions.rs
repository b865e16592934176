//! R2: a position resumes with events only where its history is the board's.

use boardcast_protocol::message::Mode;

use super::*;

fn at(epoch: Epoch, version: u64) -> Option<Position> {
    Some(Position {
        epoch,
        version: Version(version),
    })
}

fn mode(bench: &mut Bench, at: Option<Position>) -> Mode {
    let mut peer = Peer::new(99, "vi");
    assert!(bench.handle(peer.join(at)).is_none());
    let messages = peer.take();
    let mode = subscribed(&messages).mode;
    let expected = match mode {
        Mode::Events => "batch",
        Mode::Snapshot => "snapshot",
    };
    assert!(messages.len() == 1 || kinds(&messages)[1] == expected);
    assert!(bench.handle(RoomInput::Gone { conn: peer.conn }).is_none());
    mode
}

#[test]
fn r2_a_position_of_a_lost_tail_gets_a_snapshot() {
    let mut before = loaded();
    before.epochs.begin(Epoch(2), Version(0));
    let mut bench = Bench::with(before, RoomLimits::default());
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=3, 10);
    assert_eq!(mode(&mut bench, at(EPOCH, 0)), Mode::Events);
    assert_eq!(mode(&mut bench, at(EPOCH, 1)), Mode::Snapshot);
    assert_eq!(mode(&mut bench, at(Epoch(2), 1)), Mode::Events);
    assert_eq!(mode(&mut bench, at(Epoch(2), 3)), Mode::Events);
}

#[test]
fn r2_an_unknown_epoch_or_a_version_to_come_gets_a_snapshot() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=3, 10);
    assert_eq!(mode(&mut bench, at(Epoch(5), 1)), Mode::Snapshot);
    assert_eq!(mode(&mut bench, at(EPOCH, 4)), Mode::Snapshot);
    assert_eq!(mode(&mut bench, None), Mode::Snapshot);
    assert_eq!(bench.stats.resumes_by_snapshot.get(), 4);
}

#[test]
fn r2_a_version_that_is_not_kept_any_more_gets_a_snapshot() {
    let limits = RoomLimits {
        recent_versions: 2,
        past_versions: 4,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=5, 10);
    bench.room.flush();
    assert_eq!(mode(&mut bench, at(EPOCH, 0)), Mode::Snapshot);
    assert_eq!(mode(&mut bench, at(EPOCH, 1)), Mode::Events, "from the log");
    assert_eq!(mode(&mut bench, at(EPOCH, 3)), Mode::Events, "from memory");
}

#[test]
fn r2_a_version_before_the_base_of_the_log_gets_a_snapshot() {
    let mut stored = Vec::new();
    let mut first = Bench::new();
    let ed = first.joined(1, "ed");
    for seq in 1..=6 {
        let append = first.accepted(&ed, seq, create(u128::from(seq)));
        stored.extend((seq > 4).then(|| super::stored(&append)));
    }
    let (view, version) = first.view();
    let trimmed = LoadedBoard {
        board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
        version,
        base: Version(2),
        recent: stored,
        ..loaded()
    };
    let mut bench = Bench::with(trimmed, RoomLimits::default());
    assert_eq!(mode(&mut bench, at(EPOCH, 1)), Mode::Snapshot);
    assert_eq!(mode(&mut bench, at(EPOCH, 2)), Mode::Events);
}

#[test]
fn r2_a_log_that_seems_larger_than_the_bound_is_not_read() {
    let limits = RoomLimits {
        recent_versions: 2,
        past_bytes: 50_000,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    bench.make_cards(&ed, 1..=90, 600);
    bench.room.flush();
    assert_eq!(
        mode(&mut bench, at(EPOCH, 0)),
        Mode::Events,
        "the board itself is larger"
    );
    bench.make_cards(&ed, 91..=92, 1);
    for seq in 93..=300 {
        bench.accepted(&ed, seq, rename(&"x".repeat(2_000 + seq as usize % 2)));
    }
    bench.room.flush();
    assert_eq!(mode(&mut bench, at(EPOCH, 0)), Mode::Snapshot);
    assert_eq!(bench.stats.past_reads.get(), 0);
}

#[test]
fn r2_versions_from_the_log_resume_after_a_restart() {
    let mut first = Bench::new();
    let mut vi = first.joined(1, "vi");
    let mut replica = Replica::default();
    assert!(first.handle(vi.join(None)).is_none());
    replica.read(vi.take());
    let ed = first.joined(2, "ed");
    let mut stored = Vec::new();
    for seq in 1..=3 {
        let append = first.accepted(&ed, seq, create(u128::from(seq)));
        stored.push(super::stored(&append));
    }
    let (view, version) = first.view();
    let again = LoadedBoard {
        board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
        version,
        recent: stored,
        ..loaded()
    };
    let mut second = Bench::with(again, RoomLimits::default());
    vi.take();
    assert!(second.handle(vi.join(Some(replica.position()))).is_none());
    let messages = vi.take();
    assert_eq!(subscribed(&messages).mode, Mode::Events);
    replica.read(messages);
    second.assert_equal(&replica);
}
