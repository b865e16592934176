//! Many versions share a commit, and what waits is bounded.

use super::harness::{TestRoom, card, column, options, retitle, start};
use crate::storage::{Refusal, Storage, StorageOptions};

#[tokio::test]
async fn a_thousand_versions_of_fifty_boards_take_few_commits() {
    let (_dir, storage) = start().await;
    let mut rooms = Vec::new();
    for _ in 0..50 {
        let mut room = TestRoom::create(&storage).await;
        room.submit(column("todo"));
        room.durable().await;
        rooms.push(room);
    }
    let before = storage.status().counters;
    for n in 0..20 {
        for room in &mut rooms {
            room.submit(card(&format!("c{n}"), "todo"));
        }
    }
    for room in &rooms {
        room.durable().await;
    }
    let after = storage.status().counters;
    assert_eq!(after.versions - before.versions, 1_000);
    assert!(after.groups - before.groups < 50, "{after:?}");
}

#[tokio::test]
async fn rows_of_many_boards_share_a_transaction() {
    let (dir, storage) = start().await;
    let mut rooms = Vec::new();
    for _ in 0..30 {
        let mut room = TestRoom::create(&storage).await;
        room.furnish();
        room.durable().await;
        rooms.push(room);
    }
    for room in &mut rooms {
        room.hand_rows();
    }
    storage.close().await.unwrap();
    let counters = storage.status().counters;
    assert_eq!(storage.status().queued_rows_bytes, 0);
    assert!(counters.rows_transactions <= 2, "{counters:?}");

    let storage = Storage::open(options(dir.path())).await.unwrap();
    for room in rooms {
        let again = TestRoom::open(&storage, room.id()).await;
        assert_eq!(again.board, room.board);
        assert_eq!(again.loaded.rows_version, room.version);
    }
}

#[tokio::test]
async fn r8_at_the_bound_a_place_is_refused_and_comes_back() {
    let dir = tempfile::TempDir::new().unwrap();
    let storage = Storage::open(StorageOptions {
        journal_max_versions: 3,
        ..options(dir.path())
    })
    .await
    .unwrap();
    let mut room = TestRoom::create(&storage).await;
    let slots: Vec<_> = (0..3).map(|_| room.journal.reserve().unwrap()).collect();
    assert_eq!(room.journal.reserve().err(), Some(Refusal::Busy));
    drop(slots);
    room.submit(column("a"));
    room.submit(column("b"));
    room.submit(column("c"));
    assert_eq!(room.journal.reserve().err(), Some(Refusal::Busy));
    room.durable().await;
    room.submit(column("d"));
    room.durable().await;
}

#[tokio::test]
async fn r8_rows_over_the_bound_come_back_to_the_room() {
    let dir = tempfile::TempDir::new().unwrap();
    let storage = Storage::open(StorageOptions {
        rows_max_bytes: 1,
        ..options(dir.path())
    })
    .await
    .unwrap();
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("a"));
    let rows = room.take_rows();
    room.journal.rows(rows.clone()).unwrap();
    assert_eq!(room.journal.rows(rows.clone()), Err(rows));
}

#[tokio::test]
async fn a_write_ahead_log_that_has_grown_is_written_back() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    room.submit(card("c", "todo"));
    for n in 0..2_500 {
        room.submit(retitle("c", &format!("{n}")));
    }
    room.durable().await;
    room.journal.close().await.unwrap();
    assert!(storage.status().counters.checkpoints > 0);
}
