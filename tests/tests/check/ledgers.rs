//! What clients were told is durable, against the log.

use std::fs::OpenOptions;
use std::io::Write as _;

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::{Epoch, Seq, Version};
use boardcast_sim::ledger::Line;

use super::{Scene, VERSIONS};

#[tokio::test]
async fn every_command_of_a_ledger_is_found() {
    let scene = Scene::new().await;
    let mut lines = scene.lines().await;
    let ledger = scene.ledger(&lines);
    // The crash of a client cuts off its last line.
    let mut cut = OpenOptions::new()
        .append(true)
        .open(&ledger)
        .expect("a ledger");
    write!(cut, "{{\"board\":\"").expect("half a line");
    let checked = scene.check(&[&ledger]);
    checked.assert_clean();
    assert_eq!(checked.ledger("lines"), VERSIONS);
    assert_eq!(checked.ledger("found"), VERSIONS);
    assert_eq!(checked.ledger("cut"), 1);

    // Another ledger says some of it again.
    lines.truncate(3);
    let again = scene.copy();
    let checked = scene.check(&[&ledger, &again.ledger(&lines)]);
    checked.assert_clean();
    assert_eq!(checked.ledger("repeated"), 3);
    assert_eq!(checked.ledger("found"), VERSIONS);
}

/// What a line says wrong, the invariant, and the count that shows it.
type Lie = (fn(&mut Line), &'static str, Option<&'static str>);

#[tokio::test]
async fn a_line_that_the_log_does_not_bear_out_is_named() {
    let scene = Scene::new().await;
    let lines = scene.lines().await;
    let lies: [Lie; 5] = [
        (
            |line| line.board = BoardId::from_u128(7),
            "ledger_board",
            Some("lost"),
        ),
        (|line| line.seq = Seq(99), "ledger_found", Some("lost")),
        (
            |line| line.client = "nobody".parse().expect("an id"),
            "ledger_found",
            Some("lost"),
        ),
        (
            |line| line.version = Version(4),
            "ledger_version",
            Some("misplaced"),
        ),
        (|line| line.epoch = Epoch(7), "ledger_epoch", None),
    ];
    for (lie, broken, count) in lies {
        let mut lines = lines.clone();
        lie(&mut lines[4]);
        let checked = scene.check(&[&scene.ledger(&lines)]);
        assert_eq!(checked.code, Some(1), "{broken}");
        assert_eq!(checked.broken(), [broken].into(), "{}", checked.report);
        assert_eq!(checked.report["total"], 1, "{broken}");
        if let Some(count) = count {
            assert_eq!(checked.ledger(count), 1, "{broken}");
            assert_eq!(checked.ledger("found"), VERSIONS - 1, "{broken}");
        }
    }
}

#[tokio::test]
async fn a_log_that_lost_or_doubled_a_command_is_found_out() {
    let scene = Scene::new().await;
    let ledger = scene.ledger(&scene.lines().await);
    let count = |checked: &super::Checked, what: &str| checked.ledger(what);

    let lost = scene.copy();
    lost.execute("DELETE FROM events WHERE version = 12").await;
    let checked = lost.check(&[&ledger]);
    assert!(
        checked.broken().contains("ledger_found"),
        "{}",
        checked.report
    );
    assert_eq!((checked.code, count(&checked, "lost")), (Some(1), 1));

    let doubled = scene.copy();
    let again = "INSERT INTO events SELECT board, 13, at, by_user, client, seq, body, ev, was \
        FROM events WHERE version = 12";
    doubled.execute(again).await;
    let checked = doubled.check(&[&ledger]);
    let broken = checked.broken();
    assert!(broken.contains("ledger_once") && broken.contains("seq_once"));
    assert_eq!((checked.code, count(&checked, "doubled")), (Some(1), 1));
    assert_eq!(count(&checked, "found"), VERSIONS);

    // An epoch that began at 9 leaves nothing after it to the one before.
    let epoch = scene.copy();
    epoch
        .execute("INSERT INTO epochs VALUES ($BOARD, 2, '00000000000000aa', 9)")
        .await;
    let checked = epoch.check(&[&ledger]);
    assert_eq!(checked.broken(), ["ledger_within_epoch"].into());
    assert_eq!(checked.report["total"], 3);
    assert_eq!(count(&checked, "found"), VERSIONS);
}
