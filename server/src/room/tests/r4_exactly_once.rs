//! R4: a submit is named by client and number, and applied once.

use boardcast_protocol::board::Reason;
use boardcast_protocol::limits::OUTCOMES_KEPT;
use boardcast_protocol::message::OutcomeResult;

use super::*;

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
fn r4_a_newer_connection_need_not_send_what_was_refused_over_the_older_one() {
    let mut bench = Bench::new();
    let older = bench.joined(1, "ed");
    let submit = older.submit(1, vec![create(1)]);
    assert!(bench.handle_at(submit, Err(Refusal::Busy)).is_none());
    let newer = bench.joined(2, "ed");
    assert_eq!(bench.accepted(&newer, 2, create(2)).version, Version(1));
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

#[test]
fn r4_above_the_bound_the_client_that_was_silent_longest_is_forgotten() {
    let limits = RoomLimits {
        clients_max: 1,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 5, create(1));
    assert!(bench.room.take_rows().is_some());
    let ann = bench.joined(2, "ann");
    bench.accepted(&ann, 1, create(2));
    let mut ed = Peer::new(3, "ed");
    assert!(bench.handle(ed.join(None)).is_none());
    assert_eq!(subscribed(&ed.take()).last_seq, Seq(0));
}
