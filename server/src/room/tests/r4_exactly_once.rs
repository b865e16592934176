//! R4: a submit is named by client and number, and applied once.

use boardcast_protocol::board::{CardKey, Reason};
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::command::CardChange;
use boardcast_protocol::limits::OUTCOMES_KEPT;
use boardcast_protocol::message::OutcomeResult;

use super::*;
use crate::storage::ClientRecord;

#[test]
fn r4_a_repeated_submit_is_answered_again_and_not_applied_again() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    assert!(bench.handle(ed.submit(2, vec![create(1)])).is_none());
    assert!(bench.handle(ed.submit(3, vec![rename("To do")])).is_none());
    let first = ed.outcomes();
    for (seq, command) in [(1, create(1)), (2, create(1)), (3, rename("To do"))] {
        assert!(bench.handle(ed.submit(seq, vec![command])).is_none());
    }
    let again = ed.outcomes();
    assert_eq!(again[0].result, OutcomeResult::Accepted);
    assert_eq!(again[0].version, Some(Version(1)));
    let plain = |outcome: &Outcome| (outcome.seq, outcome.result, outcome.reason);
    let expected: Vec<_> = first.iter().map(plain).collect();
    assert_eq!(again[1..].iter().map(plain).collect::<Vec<_>>(), expected);
    assert_eq!(bench.view().1, Version(1));
}

#[test]
fn r4_a_number_with_another_body_is_rejected() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    assert!(bench.handle(ed.submit(1, vec![create(2)])).is_none());
    let outcomes = ed.outcomes();
    assert_eq!(outcomes[0].reason, Some(Reason::SeqReused));
    assert_eq!(bench.view().1, Version(1));
}

#[test]
fn r4_what_was_answered_too_long_ago_is_forgotten_and_never_applied_again() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let last = OUTCOMES_KEPT as u64 + 1;
    bench.make_cards(&ed, 1..=last, 5);
    bench.room.flush();
    ed.take();
    for (seq, result) in [(1, OutcomeResult::Forgotten), (2, OutcomeResult::Accepted)] {
        let command = create_titled(u128::from(seq), "xxxxx");
        assert!(bench.handle(ed.submit(seq, vec![command])).is_none());
        assert_eq!(ed.outcomes()[0].result, result, "{seq}");
    }
    assert_eq!(bench.view().1, Version(last));
}

#[test]
fn r4_after_busy_higher_numbers_wait_for_the_refused_one() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let results = |ed: &mut Peer| -> Vec<_> {
        let outcomes = ed.outcomes();
        outcomes.iter().map(|outcome| outcome.result).collect()
    };
    for (refusal, result) in [
        (Refusal::Busy, OutcomeResult::Busy),
        (Refusal::Unavailable, OutcomeResult::Unavailable),
    ] {
        let submit = ed.submit(1, vec![create(1)]);
        assert!(bench.handle_at(submit, Err(refusal)).is_none());
        assert_eq!(results(&mut ed), [result]);
    }
    assert!(bench.handle(ed.submit(2, vec![create(2)])).is_none());
    assert_eq!(results(&mut ed), [OutcomeResult::Busy]);
    assert_eq!(bench.accepted(&ed, 1, create(1)).version, Version(1));
    assert_eq!(bench.accepted(&ed, 2, create(2)).version, Version(2));
    assert_eq!(bench.stats.busy.get(), 3);
}

#[test]
fn r4_busy_for_one_client_holds_up_no_other() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let ann = bench.joined(2, "ann");
    let submit = ed.submit(1, vec![create(1)]);
    assert!(bench.handle_at(submit, Err(Refusal::Busy)).is_none());
    assert_eq!(bench.accepted(&ann, 2, create(2)).version, Version(1));
    assert!(bench.handle(ed.submit(2, vec![create(3)])).is_none());
    assert_eq!(bench.accepted(&ed, 1, create(1)).version, Version(2));
}

#[test]
fn r4_a_newer_connection_need_not_send_what_was_refused_over_the_older_one() {
    let mut bench = Bench::new();
    let older = bench.joined(1, "ed");
    let submit = older.submit(1, vec![create(1)]);
    assert!(bench.handle_at(submit, Err(Refusal::Busy)).is_none());
    let newer = bench.joined(2, "ed");
    assert_eq!(bench.accepted(&newer, 2, create(2)).version, Version(1));
}

#[test]
fn r4_who_was_refused_by_a_room_whose_board_is_deleted_comes_back_over_a_new_connection() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let mut ann = bench.joined(2, "ann");
    let submit = ed.submit(1, vec![create(1)]);
    assert!(bench.handle_at(submit, Err(Refusal::Busy)).is_none());
    ed.take();
    bench.room.dismiss();
    for (peer, closing) in [(&mut ed, Some(CloseCode::InternalError)), (&mut ann, None)] {
        assert_eq!(peer.outbox.closing(), closing);
        assert_eq!(kinds(&peer.take()), ["role"]);
    }
    // What comes in while the room ends.
    bench.room.turn_away(ann.submit(1, vec![create(1)]));
    assert_eq!(ann.outbox.closing(), Some(CloseCode::InternalError));
    assert_eq!(kinds(&ann.take()), ["error"]);
}

#[test]
fn r4_a_gap_upward_is_accepted() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    assert_eq!(bench.accepted(&ed, 7, create(7)).version, Version(2));
}

#[test]
fn r4_a_repeated_submit_is_answered_even_when_the_journal_is_full() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    let submit = ed.submit(1, vec![create(1)]);
    assert!(bench.handle_at(submit, Err(Refusal::Busy)).is_none());
    assert_eq!(ed.outcomes()[0].result, OutcomeResult::Accepted);
}

#[test]
fn r4_the_older_connection_of_a_client_is_fenced() {
    let mut bench = Bench::new();
    let mut older = bench.joined(1, "ed");
    let newer = bench.joined(2, "ed");
    assert!(bench.handle(older.submit(1, vec![create(1)])).is_none());
    assert!(bench.handle(older.join(None)).is_none());
    bench.accepted(&newer, 1, create(2));
    bench.room.flush();
    assert!(older.take().is_empty());
    assert!(bench.handle(RoomInput::Gone { conn: newer.conn }).is_none());
    assert!(bench.handle(older.submit(2, vec![create(3)])).is_none());
    assert_eq!(bench.view().1, Version(1));
}

#[test]
fn r4_a_client_id_belongs_to_one_user() {
    let mut bench = Bench::new();
    let ed = bench.joined(2, "ed");
    bench.accepted(&ed, 1, create(1));
    for conn in [1, 3] {
        let mut thief = Peer::new(conn, "ann");
        thief.client = ed.client;
        assert!(bench.handle(thief.submit(1, vec![create(1)])).is_none());
        assert!(bench.handle(thief.join(None)).is_none());
        assert_eq!(kinds(&thief.take()), ["error", "error"]);
    }
    bench.accepted(&ed, 2, create(2));
}

#[test]
fn r4_clients_are_remembered_over_a_restart() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    assert!(bench.handle(ed.submit(2, vec![create(1)])).is_none());
    let rows = bench.room.take_rows().unwrap();
    let (view, version) = bench.view();
    let again = LoadedBoard {
        board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
        version,
        clients: rows.clients,
        ..loaded()
    };
    let mut bench = Bench::with(again, RoomLimits::default());
    let mut ed = Peer::new(1, "ed");
    assert!(bench.handle(ed.join(None)).is_none());
    assert_eq!(subscribed(&ed.take()).last_seq, Seq(2));
    assert!(bench.handle(ed.submit(1, vec![create(1)])).is_none());
    assert!(bench.handle(ed.submit(2, vec![create(1)])).is_none());
    let outcomes = ed.outcomes();
    assert_eq!(outcomes[0].result, OutcomeResult::Accepted);
    assert_eq!(outcomes[1].reason, Some(Reason::DuplicateId));
}

/// Rows are handed over, and the disk has them.
fn write_rows(bench: &mut Bench) -> Vec<ClientRecord> {
    let rows = bench.room.take_rows().unwrap();
    bench.room.rows_are_written();
    rows.clients
}

#[test]
fn r4_above_the_bound_the_client_that_was_silent_longest_leaves_memory_and_is_looked_up() {
    let limits = RoomLimits {
        clients_max: 1,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 5, create(1));
    let written = write_rows(&mut bench);
    let ann = bench.joined(2, "ann");
    bench.accepted(&ann, 1, create(2));
    let mut ed = Peer::new(3, "ed");
    for input in [ed.join(None), ed.submit(5, vec![create(1)])] {
        let lacking = bench.room.lacks(&input).expect("not in memory");
        assert_eq!(lacking, ed.client);
    }
    bench.room.recall(written[0].clone());
    assert!(bench.room.lacks(&ed.join(None)).is_none());
    assert!(bench.handle(ed.join(None)).is_none());
    assert_eq!(subscribed(&ed.take()).last_seq, Seq(5));
    assert!(bench.handle(ed.submit(5, vec![create(1)])).is_none());
    assert_eq!(ed.outcomes()[0].result, OutcomeResult::Accepted);
    assert_eq!(bench.view().1, Version(2), "nothing is applied twice");
}

#[test]
fn r4_a_client_whose_outcomes_may_not_be_on_the_disk_stays_in_memory() {
    let limits = RoomLimits {
        clients_max: 1,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    let ann = bench.joined(2, "ann");
    bench.accepted(&ann, 1, create(2));
    assert!(
        bench.room.lacks(&ed.join(None)).is_none(),
        "not handed over"
    );
    let handed = bench.room.take_rows().unwrap();
    let vi = bench.joined(3, "vi");
    assert!(bench.handle(vi.submit(1, vec![create(3)])).is_none());
    assert!(bench.room.lacks(&ed.join(None)).is_none(), "not written");
    bench.room.give_back(handed);
    bench.room.rows_are_written();
    bench.accepted(&Peer::new(4, "eve_of_ed").of("ed"), 1, create(4));
    assert!(bench.room.lacks(&ed.join(None)).is_none(), "given back");
}

#[test]
fn r4_a_repeated_conflict_shows_both_values_as_they_are_now() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let ann = bench.joined(2, "ann");
    let titled = |title: &str| {
        let set = CardChange {
            title: Some(title.to_owned()),
            ..CardChange::default()
        };
        let card = CardId::from_u128(1);
        vec![Command::CardSet {
            card,
            set: Box::new(set),
        }]
    };
    bench.accepted(&ann, 1, create(1));
    assert!(bench.handle(ann.submit(2, titled("first"))).is_some());
    let stale = |ed: &Peer| ed.submit_seen(1, titled("mine"), CardKey::Title, 1);
    let mut told = Vec::new();
    assert!(bench.handle(stale(&ed)).is_none());
    told.extend(ed.outcomes());
    assert!(bench.handle(ann.submit(3, titled("second"))).is_some());
    assert!(bench.handle(stale(&ed)).is_none());
    told.extend(ed.outcomes());
    for (outcome, theirs) in told.iter().zip(["first", "second"]) {
        assert_eq!(outcome.reason, Some(Reason::Conflict));
        let conflict = outcome.conflict.as_ref().expect("both values");
        assert_eq!(
            (&conflict.mine, &conflict.theirs),
            (&"mine".into(), &theirs.into())
        );
    }
    assert_eq!(told.len(), 2);
    // The reason is gone with the card: the answer stays.
    let remove = Command::CardRemove {
        card: CardId::from_u128(1),
    };
    bench.accepted(&ann, 4, remove);
    assert!(bench.handle(stale(&ed)).is_none());
    let last = ed.outcomes();
    assert_eq!(
        (last[0].reason, &last[0].conflict),
        (Some(Reason::Conflict), &None)
    );
    assert_eq!(bench.view().1, Version(4), "nothing was overwritten");
}

/// A submit behind one that was refused before it came to the room.
fn behind(peer: &Peer, seq: u64, refused: u64) -> RoomInput {
    let RoomInput::Submit(mut submission) = peer.submit(seq, vec![create(u128::from(seq))]) else {
        unreachable!("it is a submit");
    };
    submission.after = Some(Seq(refused));
    RoomInput::Submit(submission)
}

#[test]
fn r4_what_was_refused_at_the_door_comes_first_unless_it_was_answered() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    assert!(bench.handle(behind(&ed, 2, 1)).is_none());
    assert_eq!(ed.outcomes()[0].result, OutcomeResult::Busy);
    bench.accepted(&ed, 1, create(1));
    // It was answered, and only its repetition was refused: nothing waits for that.
    assert!(bench.handle(behind(&ed, 2, 1)).is_some());
    assert!(bench.handle(behind(&ed, 4, 3)).is_none());
    bench.accepted(&ed, 3, create(3));
    bench.accepted(&ed, 4, create(4));
    assert_eq!(bench.view().1, Version(4));
}

#[test]
fn r4_what_came_while_the_membership_was_gone_comes_first_when_it_is_back() {
    let mut bench = Bench::new();
    let ann = bench.joined(1, "ann");
    let mut ed = bench.joined(2, "ed");
    bench.accepted(&ed, 1, create(1));
    let ed_is = |role: Option<Role>| match role {
        Some(role) => Command::MemberAdd {
            user: user("ed"),
            name: None,
            role,
        },
        None => Command::MemberRemove { user: user("ed") },
    };
    bench.accepted(&ann, 1, ed_is(None));
    assert!(bench.handle(ed.submit(2, vec![create(2)])).is_none());
    bench.accepted(&ann, 2, ed_is(Some(Role::Editor)));
    ed.take();
    assert!(bench.handle(ed.submit(3, vec![create(3)])).is_none());
    assert_eq!(ed.outcomes()[0].result, OutcomeResult::Busy);
    bench.accepted(&ed, 2, create(2));
    bench.accepted(&ed, 3, create(3));
    assert_eq!(bench.view().1, Version(5));
}
