//! R5: accepted is said by the echo or by an outcome, durable when it is on disk.

use boardcast_protocol::message::OutcomeResult;

use super::*;

fn durable(messages: &[ServerMessage]) -> Vec<u64> {
    messages
        .iter()
        .filter_map(|message| {
            if let ServerMessage::Durable(durable) = message {
                Some(durable.version.0)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn r5_the_echo_is_the_answer_for_a_subscribed_author() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    bench.room.flush();
    let messages = ed.take();
    assert_eq!(kinds(&messages), ["batch"]);
    let ServerMessage::Batch(batch) = &messages[0] else {
        panic!("{messages:?}");
    };
    assert_eq!(batch.v[0].client, Some(ed.client));
    assert_eq!(batch.v[0].seq, Some(Seq(1)));
    assert_eq!(batch.v[0].by, ed.actor.user);
}

#[test]
fn r5_an_author_without_subscription_is_told_accepted_and_durable() {
    let mut bench = Bench::new();
    let mut ed = Peer::new(1, "ed");
    bench.accepted(&ed, 1, create(1));
    let messages = ed.take();
    assert_eq!(kinds(&messages), ["outcome"]);
    bench.room.flush();
    bench.room.durable(Version(1));
    assert_eq!(durable(&ed.take()), [1]);
    assert!(bench.room.is_idle());
    assert!(bench.handle(ed.submit(1, vec![create(1)])).is_none());
    assert_eq!(kinds(&ed.take()), ["outcome", "durable"]);
}

#[test]
fn r5_durable_is_told_at_once_to_authors_who_wait_and_later_to_others() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let mut vi = bench.joined(2, "vi");
    bench.accepted(&ed, 1, create(1));
    bench.accepted(&ed, 2, create(2));
    bench.accepted(&ed, 3, create(3));
    bench.room.flush();
    ed.take();
    vi.take();
    bench.room.durable(Version(2));
    assert_eq!(durable(&ed.take()), [2], "once for both");
    assert!(vi.take().is_empty());
    assert!(bench.room.durable_is_due());
    bench.room.tell_durable();
    assert!(ed.take().is_empty(), "it knows");
    assert_eq!(durable(&vi.take()), [2]);
    assert!(!bench.room.durable_is_due());
}

#[test]
fn r5_a_batch_tells_its_author_what_is_durable_and_no_message_beside_it() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    bench.room.flush();
    bench.accepted(&ed, 2, create(2));
    ed.take();
    bench.room.learn_durable(Version(1));
    assert!(bench.room.awaits_durable());
    bench.room.flush();
    bench.room.tell_waiting();
    let messages = ed.take();
    assert_eq!(kinds(&messages), ["batch"]);
    let ServerMessage::Batch(batch) = &messages[0] else {
        panic!("{messages:?}");
    };
    assert_eq!(batch.durable, Version(1));
    assert!(bench.room.awaits_durable(), "the second is not durable");
    bench.room.durable(Version(2));
    assert_eq!(durable(&ed.take()), [2]);
    assert!(!bench.room.awaits_durable());
}

#[test]
fn r5_the_next_batch_tells_what_is_durable() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut vi = bench.joined(2, "vi");
    bench.accepted(&ed, 1, create(1));
    bench.room.flush();
    vi.take();
    bench.room.durable(Version(1));
    bench.accepted(&ed, 2, create(2));
    bench.room.flush();
    assert_eq!(vi.batches()[0].durable, Version(1));
    assert!(!bench.room.durable_is_due());
}

#[test]
fn r5_no_change_and_rejected_have_outcomes_and_use_up_their_numbers() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    assert!(bench.handle(ed.submit(1, vec![rename("To do")])).is_none());
    assert!(bench.handle(ed.submit(2, vec![rename("")])).is_none());
    let outcomes = ed.outcomes();
    assert_eq!(outcomes[0].result, OutcomeResult::NoChange);
    assert_eq!(outcomes[1].result, OutcomeResult::Rejected);
    assert!(outcomes[1].reason.is_some() && outcomes[1].hint.is_some());
    assert!(bench.handle(ed.join(None)).is_none());
    assert_eq!(subscribed(&ed.take()).last_seq, Seq(2));
}

#[test]
fn r5_without_place_for_the_answer_a_submit_is_busy() {
    let limits = RoomLimits {
        waiting_max: 1,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(loaded(), limits);
    let mut ed = Peer::new(1, "ed");
    bench.accepted(&ed, 1, create(1));
    assert!(bench.handle(ed.submit(2, vec![create(2)])).is_none());
    let outcomes = ed.outcomes();
    assert_eq!(outcomes[1].result, OutcomeResult::Busy);
    assert!(outcomes[1].retry_ms.is_some());
    bench.room.durable(Version(1));
    bench.accepted(&ed, 2, create(2));
}
