//! R1: a version counts accepted submits; a list is applied all or nothing.

use tokio::sync::oneshot;

use boardcast_protocol::board::{Label, Reason};

use super::*;

fn import(name: &str, events: Vec<Event>) -> (RoomInput, oneshot::Receiver<ImportAnswer>) {
    let (answer, answered) = oneshot::channel();
    let import = Import {
        actor: Actor::new(user(name), false),
        change: Box::new(move |_| Ok(events)),
        answer,
    };
    (RoomInput::Import(Box::new(import)), answered)
}

type ImportAnswer = Result<ImportReport, ImportRefused>;

fn label(id: u128, name: &str) -> Event {
    let label = Label {
        id: boardcast_protocol::ids::LabelId::from_u128(id),
        name: name.to_owned(),
        color: None,
    };
    Event::LabelPut { label }
}

#[test]
fn r1_a_list_is_one_version() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let append = bench
        .handle(ed.submit(1, vec![create(1), create(2)]))
        .unwrap();
    assert_eq!(append.version, Version(1));
    assert_eq!(events_of(&append).len(), 2);
    bench.room.flush();
    let batches = ed.batches();
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].v.len(), 1);
    assert_eq!(batches[0].v[0].ev, events_of(&append));
}

#[test]
fn r1_a_list_with_a_command_that_does_not_fit_changes_nothing() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let before = bench.view();
    assert!(
        bench
            .handle(ed.submit(1, vec![create(1), create(1)]))
            .is_none()
    );
    assert_eq!(bench.view(), before);
    let outcomes = ed.outcomes();
    assert_eq!(outcomes[0].reason, Some(Reason::DuplicateId));
    assert_eq!(bench.accepted(&ed, 2, create(1)).version, Version(1));
}

#[test]
fn r1_a_version_is_stored_with_what_would_undo_it() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let append = bench.accepted(&ed, 1, rename("Doing"));
    let was: Vec<Option<Event>> = serde_json::from_slice(&append.was).unwrap();
    let Some(Event::ColumnPut { column }) = &was[0] else {
        panic!("{was:?}");
    };
    assert_eq!(column.title, "To do");
    assert_eq!(append.by, user("ed"));
    assert_eq!(append.at, Timestamp(bench.now));
}

#[test]
fn r1_an_import_is_one_version_answered_when_durable() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    let (input, mut answered) = import("ann", vec![label(1, "a"), label(2, "b")]);
    let append = bench.handle(input).unwrap();
    assert_eq!(append.origin, None);
    assert!(answered.try_recv().is_err(), "not durable yet");
    bench.room.durable(Version(1));
    let report = ImportReport {
        version: Version(1),
        events: 2,
    };
    assert_eq!(answered.try_recv().unwrap(), Ok(report));
    bench.room.flush();
    let batches = ed.batches();
    assert_eq!((batches[0].v[0].client, batches[0].v[0].seq), (None, None));
}

#[test]
fn r1_an_import_that_changes_nothing_is_no_version() {
    let mut bench = Bench::new();
    let (input, mut answered) = import("ann", Vec::new());
    assert!(bench.handle(input).is_none());
    let report = ImportReport {
        version: Version(0),
        events: 0,
    };
    assert_eq!(answered.try_recv().unwrap(), Ok(report));
}

#[test]
fn r1_an_import_that_does_not_fit_leaves_the_board_as_it_was() {
    let mut bench = Bench::new();
    let before = bench.view();
    let gone = Event::CardRemoved {
        card: CardId::from_u128(9),
    };
    let (input, mut answered) = import("ann", vec![label(1, "a"), gone]);
    assert!(bench.handle(input).is_none());
    assert!(answered.try_recv().unwrap().is_err());
    assert_eq!(bench.view(), before);
}

#[test]
fn r1_an_import_larger_than_a_batch_comes_as_a_snapshot() {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    let labels = (0..400).map(|id| label(id + 10, &"n".repeat(2_000)));
    let (input, _answered) = import("ann", labels.collect());
    let append = bench.handle(input).unwrap();
    assert!(append.events.len() > boardcast_protocol::limits::VERSION_MAX_BYTES);
    bench.room.flush();
    let messages = ed.take();
    assert_eq!(kinds(&messages), ["snapshot", "outcome"]);
    let mut replica = Replica::default();
    replica.read(messages);
    bench.assert_equal(&replica);
    bench.accepted(&ed, 2, create(2));
    bench.room.flush();
    assert!(bench.handle(RoomInput::Drained { conn: ed.conn }).is_none());
    replica.read(ed.take());
    bench.assert_equal(&replica);
    assert_eq!(bench.stats.resyncs.get(), 0, "nobody was slow");
}

#[test]
fn r10_only_an_admin_of_the_board_imports() {
    let mut bench = Bench::new();
    for name in ["ed", "vi", "stranger"] {
        let (input, mut answered) = import(name, vec![label(1, "a")]);
        assert!(bench.handle(input).is_none());
        let Err(ImportRefused::Rejected(rejection)) = answered.try_recv().unwrap() else {
            panic!("{name} imported");
        };
        assert_eq!(rejection.reason, Reason::Forbidden);
    }
}

#[test]
fn r1_a_list_that_the_journal_has_no_place_for_comes_again_whole() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let before = bench.view();
    let list = vec![create(1), create(2), rename("Doing")];
    let refused = bench.handle_at(ed.submit(1, list.clone()), Err(Refusal::Busy));
    assert!(refused.is_none());
    assert_eq!(bench.view(), before);
    let append = bench.handle(ed.submit(1, list)).unwrap();
    assert_eq!((append.version, events_of(&append).len()), (Version(1), 3));
}

#[test]
fn r8_an_import_that_the_journal_has_no_place_for_is_refused_and_may_come_again() {
    let mut bench = Bench::new();
    let before = bench.view();
    for refusal in [Refusal::Busy, Refusal::Unavailable] {
        let (input, mut answered) = import("ann", vec![label(1, "a")]);
        assert!(bench.handle_at(input, Err(refusal)).is_none());
        let refused = ImportRefused::Refused(refusal);
        assert_eq!(answered.try_recv().unwrap(), Err(refused));
    }
    assert_eq!(bench.view(), before);
    let (input, _answered) = import("ann", vec![label(1, "a")]);
    assert!(bench.handle(input).is_some());
}
