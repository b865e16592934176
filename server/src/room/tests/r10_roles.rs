//! R10: the present role counts, and a lost one ends a subscription at once.

use boardcast_protocol::board::Reason;
use boardcast_protocol::message::{ErrorCode, RoleChange};

use super::*;

fn add(name: &str, role: Role) -> Command {
    Command::MemberAdd {
        user: user(name),
        name: None,
        role,
    }
}

fn remove(name: &str) -> Command {
    Command::MemberRemove { user: user(name) }
}

#[test]
fn r10_a_stranger_gets_the_answer_of_a_board_that_does_not_exist() {
    let mut bench = Bench::new();
    let mut stranger = Peer::new(1, "stranger");
    let open = RoomInput::OpenCard {
        origin: stranger.origin().into(),
        req: 7,
        card: CardId::from_u128(1),
    };
    for input in [
        stranger.join(None),
        stranger.submit(3, vec![create(1)]),
        open,
    ] {
        assert!(bench.handle(input).is_none());
    }
    let expected = [(Some(7), None), (None, Some(Seq(3))), (Some(7), None)]
        .map(|(req, seq)| ServerMessage::Error(no_such_board(req, board_id(), seq)));
    assert_eq!(stranger.take(), expected);
    let ServerMessage::Error(error) = &expected[0] else {
        unreachable!()
    };
    assert_eq!(error.code, ErrorCode::NoSuchBoard);
}

#[test]
fn r10_who_is_removed_gets_nothing_afterwards() {
    let mut bench = Bench::new();
    let ann = bench.joined(1, "ann");
    let mut ed = bench.joined(2, "ed");
    bench.accepted(&ann, 1, remove("ed"));
    bench.accepted(&ann, 2, create(1));
    bench.room.flush();
    bench.room.durable(Version(2));
    bench.room.tell_durable();
    bench.room.tell_presence();
    let change = RoleChange {
        board: board_id(),
        role: None,
    };
    assert_eq!(ed.take(), [ServerMessage::Role(change)]);
    assert!(bench.handle(ed.submit(1, vec![create(2)])).is_none());
    assert_eq!(kinds(&ed.take()), ["error"]);
}

#[test]
fn r10_a_lowered_role_is_told_and_counts_for_the_next_command() {
    let mut bench = Bench::new();
    let ann = bench.joined(1, "ann");
    let mut ed = bench.joined(2, "ed");
    bench.accepted(&ann, 1, add("ed", Role::Viewer));
    assert!(bench.handle(ed.submit(1, vec![create(1)])).is_none());
    bench.room.flush();
    let messages = ed.take();
    assert_eq!(kinds(&messages), ["role", "outcome", "batch"]);
    let ServerMessage::Outcome(outcome) = &messages[1] else {
        panic!("{messages:?}");
    };
    assert_eq!(outcome.reason, Some(Reason::Forbidden));
}

#[test]
fn r10_who_leaves_is_told_what_became_of_the_last_submit() {
    let mut bench = Bench::new();
    let ann = bench.joined(1, "ann");
    let mut ed = bench.joined(2, "ed");
    bench.accepted(&ann, 1, add("ed", Role::Admin));
    bench.room.flush();
    ed.take();
    bench.accepted(&ed, 1, remove("ed"));
    bench.room.flush();
    assert_eq!(kinds(&ed.take()), ["role", "outcome"]);
    bench.room.durable(Version(2));
    assert_eq!(kinds(&ed.take()), ["durable"]);
}

#[test]
fn r10_an_administrator_of_the_server_needs_no_membership() {
    let mut bench = Bench::new();
    let mut root = Peer::new(1, "root");
    root.actor.admin = true;
    assert!(bench.handle(root.join(None)).is_none());
    assert_eq!(subscribed(&root.take()).role, Role::Admin);
    bench.accepted(&root, 1, create(1));
}

#[test]
fn r10_the_role_of_a_user_can_be_asked() {
    let mut bench = Bench::new();
    for (name, role) in [("vi", Some(Role::Viewer)), ("stranger", None)] {
        let (answer, mut answered) = tokio::sync::oneshot::channel();
        let actor = Peer::new(1, name).actor;
        assert!(bench.handle(RoomInput::RoleOf { actor, answer }).is_none());
        assert_eq!(answered.try_recv().unwrap(), role);
    }
}
