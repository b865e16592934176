//! What one has done is undone: from the journal's queue, or from the disk (R1, R4).

use boardcast_protocol::board::Reason;
use boardcast_protocol::message::ActivityEntry;

use super::*;

fn undo(version: u64) -> Command {
    Command::VersionUndo {
        version: Version(version),
    }
}

fn title(bench: &mut Bench) -> String {
    let (view, _) = bench.view();
    view.columns[&column()].title.clone()
}

/// As the disk has it.
fn entry(append: &Append) -> ActivityEntry {
    ActivityEntry {
        n: append.version,
        by: append.by,
        at: append.at,
        ev: serde_json::from_slice(&append.events).unwrap(),
        was: serde_json::from_slice(&append.was).unwrap(),
    }
}

fn renamed() -> (Bench, Peer, Append) {
    let mut bench = Bench::new();
    let mut ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create_titled(1, "First"));
    let append = bench.accepted(&ed, 2, rename("Second"));
    bench.room.flush();
    ed.take();
    (bench, ed, append)
}

#[test]
fn what_is_on_its_way_to_the_disk_is_undone_and_is_a_version_like_any_other() {
    let (mut bench, mut ed, _) = renamed();
    let input = ed.submit(3, vec![undo(2)]);
    assert_eq!(bench.room.lacks_deed(&input), None);
    let append = bench.handle(input).expect("a version");
    assert_eq!(append.version, Version(3));
    assert_eq!(title(&mut bench), "To do");
    bench.room.flush();
    let [batch] = ed.batches().try_into().expect("one batch");
    assert_eq!(batch.v[0].by, user("ed"));
    // The same number again is answered from what is kept, and changes nothing.
    assert!(bench.handle(ed.submit(3, vec![undo(2)])).is_none());
    let [outcome] = ed.outcomes().try_into().expect("one answer");
    assert_eq!(outcome.version, Some(Version(3)));
    bench.accepted(&ed, 4, undo(3));
    assert_eq!(title(&mut bench), "Second");
}

#[test]
fn what_is_on_the_disk_is_read_there() {
    let (mut bench, mut ed, append) = renamed();
    bench.room.durable(Version(2));
    let input = ed.submit(3, vec![undo(2)]);
    assert_eq!(bench.room.lacks_deed(&input), Some(Version(2)));
    bench.room.remember(Some(entry(&append)));
    assert!(bench.handle(input).is_some());
    assert_eq!(title(&mut bench), "To do");
    // What was read is used once, and never for another version.
    bench.room.remember(Some(entry(&append)));
    assert!(bench.handle(ed.submit(4, vec![undo(1)])).is_none());
    assert!(bench.handle(ed.submit(5, vec![undo(99)])).is_none());
    let reasons: Vec<_> = ed.outcomes().into_iter().map(|o| o.reason).collect();
    assert_eq!(reasons, [Some(Reason::NotFound); 2]);
}

#[test]
fn another_ones_version_and_one_in_a_list_are_refused() {
    let (mut bench, ed, _) = renamed();
    let mut ann = bench.joined(2, "ann");
    assert!(bench.handle(ann.submit(1, vec![undo(2)])).is_none());
    assert!(
        bench
            .handle(ann.submit(2, vec![undo(2), rename("Third")]))
            .is_none()
    );
    let reasons: Vec<_> = ann.outcomes().into_iter().map(|o| o.reason).collect();
    assert_eq!(reasons, [Some(Reason::Forbidden), Some(Reason::Invalid)]);
    drop(ed);
    assert_eq!(title(&mut bench), "Second");
}
