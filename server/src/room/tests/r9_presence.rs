//! R9: presence is coalesced, bounded, and told only when it changes.

use boardcast_protocol::limits::{PRESENCE_NAMES_MAX, PRESENCE_TICK_MAX_BYTES};
use boardcast_protocol::message::{Activity, Presence, Whereabouts};

use super::*;

fn presence(peer: &mut Peer) -> Vec<Presence> {
    let only = |message| {
        if let ServerMessage::Presence(presence) = message {
            Some(presence)
        } else {
            None
        }
    };
    peer.take().into_iter().filter_map(only).collect()
}

fn doing(peer: &Peer, doing: Activity) -> RoomInput {
    RoomInput::Presence {
        conn: peer.conn,
        at: Some(Whereabouts {
            doing,
            card: None,
            column: None,
        }),
    }
}

/// So many users, all members, subscribed.
fn crowd(count: u64) -> (Bench, Vec<Peer>) {
    let mut loaded = loaded();
    let mut view = loaded.board.view().clone();
    for n in 0..count {
        let name = format!("a-long-user-name-{n:05}");
        view.members
            .insert(user(&name), member(&name, Role::Viewer));
    }
    loaded.board = Board::new(view, BTreeMap::new(), BTreeSet::new());
    let mut bench = Bench::with(loaded, RoomLimits::default());
    let peers = (0..count).map(|n| {
        let mut peer = Peer::new(n + 1, "vi");
        peer.actor.user = user(&format!("a-long-user-name-{n:05}"));
        peer.client = ClientId::from_u128(u128::from(n));
        assert!(bench.handle(peer.join(None)).is_none());
        peer
    });
    let mut peers: Vec<_> = peers.collect();
    bench.room.tell_presence();
    for peer in &mut peers {
        assert_eq!(presence(peer).len(), 1);
    }
    (bench, peers)
}

#[test]
fn r9_coming_moving_and_going_are_told_once_a_tick() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let vi = bench.joined(2, "vi");
    ed.take();
    for activity in [Activity::Typing, Activity::Dragging, Activity::Viewing] {
        assert!(bench.handle(doing(&vi, activity)).is_none());
    }
    assert!(bench.room.presence_is_due());
    bench.room.tell_presence();
    let told = presence(&mut ed);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].count, 2);
    let at = told[0].people[1].at.unwrap();
    assert_eq!(
        (told[0].people[1].user, at.doing),
        (user("vi"), Activity::Viewing)
    );
    assert!(bench.handle(RoomInput::Gone { conn: vi.conn }).is_none());
    bench.room.tell_presence();
    assert_eq!(presence(&mut ed)[0].count, 1);
}

#[test]
fn r9_what_has_not_changed_is_not_told() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    assert!(!bench.room.presence_is_due());
    assert!(bench.handle(doing(&ed, Activity::Typing)).is_none());
    bench.room.tell_presence();
    ed.take();
    assert!(bench.handle(doing(&ed, Activity::Typing)).is_none());
    assert!(!bench.room.presence_is_due());
    assert!(bench.handle(doing(&ed, Activity::Dragging)).is_none());
    assert!(bench.handle(doing(&ed, Activity::Typing)).is_none());
    bench.room.tell_presence();
    assert!(ed.take().is_empty());
}

#[test]
fn r9_a_second_window_of_a_user_is_told_and_counted_once() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let mut second = Peer::new(2, "ed");
    second.client = ClientId::from_u128(2);
    assert!(bench.handle(second.join(None)).is_none());
    bench.room.tell_presence();
    assert_eq!(presence(&mut second)[0].count, 1);
    assert!(ed.take().is_empty(), "nothing has changed for others");
}

#[test]
fn r9_above_fifty_people_the_count_and_those_who_edit() {
    let count = PRESENCE_NAMES_MAX as u64 + 1;
    let (mut bench, mut peers) = crowd(count);
    assert!(bench.handle(doing(&peers[3], Activity::Dragging)).is_none());
    bench.room.tell_presence();
    let told = presence(&mut peers[0]);
    assert_eq!(u64::from(told[0].count), count);
    assert_eq!(told[0].people.len(), 1);
    assert_eq!(told[0].people[0].user, peers[3].actor.user);
}

#[test]
fn r9_a_tick_has_at_most_4_kib() {
    let (mut bench, mut peers) = crowd(300);
    for peer in &peers {
        assert!(bench.handle(doing(peer, Activity::Typing)).is_none());
    }
    bench.room.tell_presence();
    let bytes = peers[0].outbox.pending_bytes();
    assert!(bytes <= PRESENCE_TICK_MAX_BYTES, "{bytes}");
    let told = presence(&mut peers[0]);
    assert_eq!(told[0].count, 300);
    assert!(told[0].people.len() > 20);
}

#[test]
fn r9_presence_changes_no_version_and_needs_a_subscription() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let stranger = Peer::new(9, "stranger");
    assert!(bench.handle(doing(&stranger, Activity::Typing)).is_none());
    assert!(!bench.room.presence_is_due());
    assert!(bench.handle(doing(&ed, Activity::Typing)).is_none());
    bench.room.tell_presence();
    assert_eq!(presence(&mut ed)[0].count, 1);
    assert_eq!(bench.view().1, Version(0));
    assert!(!bench.room.is_dirty());
}
