//! Full disks, broken rules and boards at fault.

use std::collections::BTreeSet;

use bytes::Bytes;

use boardcast_protocol::position::Version;

use super::harness::{
    NOW, TestRoom, card, column, copy_of, describe, healthy, options, start, user,
};
use crate::storage::{Append, Health, Refusal, Storage, StorageError};

fn append(version: Version) -> Append {
    Append {
        version,
        origin: None,
        by: user(),
        at: NOW,
        events: Bytes::from_static(b"[]"),
        was: Bytes::from_static(b"[]"),
    }
}

/// Resolves when the board takes no version because of itself.
async fn refused(room: &TestRoom) {
    while room.journal.reserve().is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(room.journal.reserve().err(), Some(Refusal::Unavailable));
}

#[tokio::test]
async fn a_board_whose_versions_break_a_rule_is_at_fault_alone() {
    let (dir, storage) = start().await;
    let mut rooms = Vec::new();
    for n in 0..8 {
        let id = format!("board{n}").parse().unwrap();
        let owner = super::harness::owner();
        storage
            .create_board_with_id(id, "One of many", Some(&owner), &BTreeSet::new(), NOW)
            .await
            .unwrap();
        rooms.push(TestRoom::open(&storage, id).await);
    }
    storage
        .execute(
            "INSERT INTO events (board, version, at, by_user, ev, was) \
             VALUES ('board3', 2, 0, 'x', '[]', '[]')",
        )
        .await
        .unwrap();
    for n in 0..3 {
        for room in &mut rooms {
            room.submit(column(&format!("l{n}")));
        }
    }
    for room in &rooms {
        if room.id().as_str() == "board3" {
            refused(room).await;
        } else {
            room.durable().await;
        }
    }
    assert_eq!(storage.status().health, Health::Healthy);
    assert_eq!(storage.status().queued_versions, 0);
    assert_eq!(storage.status().counters.failed_boards, 1);

    assert!(rooms[3].journal.close().await.is_err());
    let closed = storage.close().await;
    assert!(
        matches!(closed, Err(StorageError::NotClean(_))),
        "{closed:?}"
    );
    let storage = Storage::open(options(dir.path())).await.unwrap();
    for (n, room) in rooms.iter().enumerate().filter(|(n, _)| *n != 3) {
        let again = TestRoom::open(&storage, room.id()).await;
        assert_eq!(again.board, room.board, "board {n}");
    }
}

#[tokio::test]
async fn versions_out_of_sequence_are_the_fault_of_their_board() {
    let (_dir, storage) = start().await;
    let mut twice = TestRoom::create(&storage).await;
    let gap = TestRoom::create(&storage).await;
    let mut fine = TestRoom::create(&storage).await;
    twice.submit(column("a"));
    let slot = twice.journal.reserve().unwrap();
    slot.append(append(Version(1)));
    let slot = gap.journal.reserve().unwrap();
    slot.append(append(Version(2)));
    fine.submit(column("a"));
    fine.durable().await;
    refused(&twice).await;
    refused(&gap).await;
    assert_eq!(*gap.journal.durable().borrow(), Version(0));

    let id = twice.id();
    drop(twice);
    let again = TestRoom::open(&storage, id).await;
    assert_eq!(again.version, Version(1), "opened again, it goes on");
    assert!(again.journal.reserve().is_ok());
}

#[tokio::test]
async fn r8_on_a_full_disk_nothing_is_lost_and_it_goes_on_when_there_is_space() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    let other = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    room.durable().await;
    storage.execute("PRAGMA max_page_count = 1").await.unwrap();
    let mut n = 0;
    while room.try_submit(card(&format!("c{n}"), "todo")).is_ok() {
        n += 1;
        tokio::task::yield_now().await;
    }
    let status = storage.status();
    assert!(
        matches!(status.health, Health::Degraded { .. }),
        "{status:?}"
    );
    assert!(status.queued_versions > 0);
    assert_eq!(other.journal.reserve().err(), Some(Refusal::Unavailable));
    assert!(*room.journal.durable().borrow() < room.version);
    let rows = room.take_rows();
    assert!(room.journal.rows(rows).is_err());
    let opened = storage.open_board(room.id(), NOW).await;
    assert!(matches!(opened, Err(StorageError::BoardOpen(_))));
    let created = storage.create_board("No space", None, NOW).await;
    assert!(matches!(created, Err(StorageError::Unavailable(_))));

    storage
        .execute("PRAGMA max_page_count = 1000000")
        .await
        .unwrap();
    room.durable().await;
    healthy(&storage).await;
    room.submit(column("more"));
    room.durable().await;
    assert_eq!(storage.status().queued_versions, 0);
}

#[tokio::test]
async fn r8_a_reader_without_end_lets_the_write_ahead_log_grow_to_its_bound_only() {
    const MAX: u64 = 12 * 1_024 * 1_024;
    /// What may be written before the size is looked at.
    const SURPLUS: u64 = 13 * 1_024 * 1_024;
    let dir = tempfile::TempDir::new().unwrap();
    let options = crate::storage::StorageOptions {
        wal_max_bytes: MAX,
        ..options(dir.path())
    };
    let storage = Storage::open(options).await.unwrap();
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    room.submit(card("c1", "todo"));
    room.durable().await;
    let mut reader = storage.readers().begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM events")
        .fetch_one(&mut *reader)
        .await
        .unwrap();

    let text = "long ".repeat(12_000);
    let mut sizes = vec![storage.status().wal_bytes];
    for n in 0..2_000 {
        let submitted = room.try_submit(describe("c1", &format!("{n} {text}")));
        if submitted == Err(Refusal::Unavailable) {
            break;
        }
        room.durable().await;
        sizes.push(storage.status().wal_bytes);
    }
    assert!(sizes.is_sorted(), "the size is that of the moment");
    let status = storage.status();
    assert!(status.wal_bytes > MAX && status.wal_bytes < MAX + SURPLUS);
    let Health::Degraded { reason } = status.health else {
        panic!("{status:?}");
    };
    assert!(reason.contains("stop other programs"), "{reason}");
    let copied = storage.activity(room.id(), None, None, 1).await;
    assert_eq!(copied.unwrap()[0].n, room.version, "reads go on");

    reader.rollback().await.unwrap();
    healthy(&storage).await;
    let status = storage.status();
    assert!(status.wal_bytes < MAX, "{status:?}");
    // The log holds each page as often as it was written, the database once.
    assert!(
        status.database_bytes > MAX / 2,
        "it is in the database now: {status:?}"
    );
    room.submit(describe("c1", "short"));
    room.durable().await;
}

#[tokio::test]
async fn r2_a_close_on_a_full_disk_gives_up_and_is_not_clean() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    room.durable().await;
    storage.execute("PRAGMA max_page_count = 1").await.unwrap();
    let mut n = 0;
    while room.try_submit(card(&format!("c{n}"), "todo")).is_ok() {
        n += 1;
        tokio::task::yield_now().await;
    }
    let closed = storage.close().await;
    assert!(
        matches!(closed, Err(StorageError::NotClean(_))),
        "{closed:?}"
    );
    assert!(matches!(storage.status().health, Health::Stopped { .. }));
}

#[tokio::test]
async fn after_a_write_of_unknown_outcome_nothing_is_written_any_more() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    room.durable().await;
    let slot = room.journal.reserve().unwrap();
    let unknown = storage.execute("SELECT no_such_function()").await;
    assert!(matches!(unknown, Err(StorageError::Stopped(_))));
    slot.append(append(room.version.next()));

    assert_eq!(room.journal.reserve().err(), Some(Refusal::Unavailable));
    let created = storage.create_board("Too late", None, NOW).await;
    assert!(matches!(created, Err(StorageError::Stopped(_))));
    assert!(room.journal.close().await.is_err());
    assert!(storage.close().await.is_err());
    assert_eq!(*room.journal.durable().borrow(), room.version);

    let copy = copy_of(dir.path());
    let storage = Storage::open(options(copy.path())).await.unwrap();
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.board, room.board);
    assert_ne!(again.loaded.epochs, room.loaded.epochs);
}
