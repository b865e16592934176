//! Many versions share a commit, and what waits is bounded.

use std::sync::Arc;

use bytes::Bytes;

use boardcast_protocol::event::Entity;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

use super::harness::{
    NOW, TestRoom, card, column, give_back, hold_writes, options, retitle, start, user,
};
use crate::storage::board::BoardState;
use crate::storage::queue::{Queue, QueueLimits, QueuedRows, QueuedVersion};
use crate::storage::{Append, Refusal, Rows, Storage, StorageOptions};

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
    let held = hold_writes(dir.path()).await;
    for room in &mut rooms {
        room.hand_rows();
    }
    give_back(held).await;
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

#[test]
fn rows_are_few_at_a_time_while_versions_wait() {
    let queue = Queue::new(QueueLimits {
        versions: 10,
        bytes: 1_000_000,
        rows_bytes: 10_000_000,
    });
    let doc = Bytes::from(vec![b' '; 20_000]);
    for n in 0..30 {
        let rows = Rows {
            parts: vec![(Entity::Board, Some(doc.clone()))],
            ..Rows::default()
        };
        let board = Arc::new(BoardState::new(BoardId::from_u128(n)));
        queue.push_rows(QueuedRows { board, rows }).unwrap();
    }
    queue.reserve().unwrap();
    queue.push_version(QueuedVersion {
        board: Arc::new(BoardState::new(BoardId::from_u128(99))),
        entry: Append {
            version: Version(1),
            origin: None,
            by: user(),
            at: NOW,
            events: Bytes::from_static(b"[]"),
            was: Bytes::from_static(b"[]"),
        },
        since: std::time::Instant::now(),
    });
    let mut dropped = Vec::new();
    let boards =
        |rows: Vec<QueuedRows>| rows.iter().map(|rows| rows.board.id()).collect::<Vec<_>>();
    let ids = |range: std::ops::Range<u128>| range.map(BoardId::from_u128).collect::<Vec<_>>();
    assert_eq!(boards(queue.take_rows(&mut dropped)), ids(0..3));
    assert_eq!(boards(queue.take_rows(&mut dropped)), ids(3..6));
    assert_eq!(queue.take_group().len(), 1);
    assert_eq!(boards(queue.take_rows(&mut dropped)), ids(6..30));
    assert!(dropped.is_empty());
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
    // Most of it is written back beside the journal, which counts it when that has ended.
    let written_back = async {
        while storage.status().counters.checkpoints == 0 {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    assert!(tokio::time::timeout(patience, written_back).await.is_ok());
}
