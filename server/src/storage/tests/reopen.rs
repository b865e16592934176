//! A board that was closed and opened again is the same board.

use boardcast_protocol::ids::ClientId;
use boardcast_protocol::position::{Position, Timestamp, Version};

use super::harness::{NOW, TestRoom, client, copy_of, options, reopen, reopen_with, start};
use crate::storage::{
    BoardJournal, ClientRecord, KEY_KEPT_MS, Storage, StorageError, StorageOptions,
};

#[tokio::test]
async fn rows_and_later_versions_make_the_same_board() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    let rows_version = room.version;
    room.change();
    storage.close().await.unwrap();

    let storage = reopen(dir.path()).await;
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.board, room.board);
    assert_eq!(again.loaded.version, room.version);
    assert_eq!(again.loaded.rows_version, rows_version);
    assert_eq!(again.loaded.clients, [room.client()]);
    let entities: Vec<_> = room
        .take_rows()
        .parts
        .into_iter()
        .map(|part| part.0)
        .collect();
    assert_eq!(again.loaded.dirty, entities);
}

#[tokio::test]
async fn r2_after_a_clean_stop_the_epoch_goes_on_and_recent_versions_are_there() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    storage.close().await.unwrap();

    let storage = reopen(dir.path()).await;
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.loaded.epochs.current(), room.loaded.epochs.current());
    let versions: Vec<_> = again
        .loaded
        .recent
        .iter()
        .map(|entry| entry.version.0)
        .collect();
    assert_eq!(versions, (1..=room.version.0).collect::<Vec<_>>());
    assert_eq!(again.loaded.rows_version, room.version);
    assert!(again.loaded.dirty.is_empty());
}

#[tokio::test]
async fn what_the_log_says_of_clients_and_deletions_goes_with_the_next_rows() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.change();
    storage.close().await.unwrap();

    // The next room writes only the parts that it was told are dirty.
    let storage = reopen(dir.path()).await;
    let mut again = TestRoom::open(&storage, room.id()).await;
    let mut rows = again.take_rows();
    rows.clients.clear();
    again.journal.rows(rows).unwrap();
    again.journal.close().await.unwrap();

    let third = TestRoom::open(&storage, room.id()).await;
    assert_eq!(third.loaded.rows_version, room.version);
    assert_eq!(third.board, room.board);
    assert_eq!(third.loaded.clients, [room.client()]);
}

#[tokio::test]
async fn r2_a_board_that_slept_keeps_its_epoch_even_when_the_server_then_crashes() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.journal.close().await.unwrap();
    let copy = super::harness::copy_of(dir.path());

    let storage = Storage::open(options(copy.path())).await.unwrap();
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.loaded.epochs.current(), room.loaded.epochs.current());
    assert_eq!(again.board, room.board);
}

#[tokio::test]
async fn r1_a_board_is_open_once() {
    let (_dir, storage) = start().await;
    let room = TestRoom::create(&storage).await;
    let second = storage.open_board(room.id(), NOW).await;
    assert!(matches!(second, Err(StorageError::BoardOpen(_))));

    room.journal.close().await.unwrap();
    assert!(
        room.journal.reserve().is_err(),
        "a closed board takes nothing"
    );
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.loaded.epochs, room.loaded.epochs);
}

#[tokio::test]
async fn r2_a_room_that_is_gone_without_closing_leaves_a_new_epoch() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    let id = room.id();
    let TestRoom {
        journal,
        board,
        loaded,
        version,
        ..
    } = room;
    drop::<BoardJournal>(journal);

    let again = TestRoom::open(&storage, id).await;
    assert_eq!(again.board, board, "what was handed over is written first");
    assert_ne!(again.loaded.epochs.current(), loaded.epochs.current());
    let seen = Position {
        epoch: loaded.epochs.current(),
        version,
    };
    assert!(again.loaded.epochs.continues(seen));
}

#[tokio::test]
async fn a_board_that_does_not_exist_is_none() {
    let (_dir, storage) = start().await;
    let none = storage.open_board("nowhere".parse().unwrap(), NOW).await;
    assert!(none.unwrap().is_none());
}

#[tokio::test]
async fn r4_a_client_is_forgotten_after_ninety_days() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.journal.close().await.unwrap();
    let days = |count: u64| boardcast_protocol::position::Timestamp(NOW.0 + count * 86_400_000);

    let (loaded, journal) = storage
        .open_board(room.id(), days(89))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(loaded.clients.len(), 1);
    assert_eq!(loaded.clients[0].client, client());
    journal.close().await.unwrap();
    let (loaded, _journal) = storage
        .open_board(room.id(), days(91))
        .await
        .unwrap()
        .unwrap();
    assert!(loaded.clients.is_empty());
    assert!(loaded.version > Version(0));
}

#[tokio::test]
async fn r4_keys_are_forgotten_after_a_day_and_clients_are_not() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    let mut rows = room.take_rows();
    let (old, new) = (ClientId::of_key(1 << 21), ClientId::of_key(2 << 21));
    let seen = |client, at| ClientRecord {
        client,
        seen: at,
        ..room.client()
    };
    let later = Timestamp(NOW.0 + 1);
    rows.clients.extend([seen(old, NOW), seen(new, later)]);
    room.durable().await;
    room.journal.rows(rows).unwrap();
    room.journal.close().await.unwrap();

    let id = room.id();
    let a_day_later = Timestamp(NOW.0 + KEY_KEPT_MS);
    assert!(!storage.forget_keys(id, a_day_later).await.unwrap());
    let now = Timestamp(a_day_later.0 + 1);
    assert!(storage.forget_keys(id, now).await.unwrap());
    for (client, is_kept) in [(old, false), (new, true), (room.client().client, true)] {
        let kept = storage.client(id, client).await.unwrap();
        assert_eq!(kept.is_some(), is_kept, "{client}");
    }
}

#[tokio::test]
async fn r4_opening_reads_a_bounded_count_of_clients_and_says_so() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    let mut rows = room.take_rows();
    let records: Vec<_> = (0..10)
        .map(|n| ClientRecord {
            client: format!("client{n}").parse().unwrap(),
            ..room.client()
        })
        .collect();
    rows.clients.extend(records.clone());
    room.durable().await;
    room.journal.rows(rows).unwrap();
    room.journal.close().await.unwrap();
    storage.close().await.unwrap();

    let id = room.id();
    for (clients_max, count, all) in [(4, 4, false), (11, 11, false), (12, 11, true)] {
        let options = StorageOptions {
            clients_max,
            ..options(dir.path())
        };
        let storage = reopen_with(options).await;
        let (loaded, journal) = storage.open_board(id, NOW).await.unwrap().unwrap();
        assert_eq!(
            (loaded.clients.len(), loaded.knows_all_clients),
            (count, all)
        );
        for record in &records {
            let found = storage.client(id, record.client).await.unwrap();
            assert_eq!(found.as_ref(), Some(record));
        }
        let nobody = "nobody".parse().unwrap();
        assert_eq!(storage.client(id, nobody).await.unwrap(), None);
        journal.close().await.unwrap();
        storage.close().await.unwrap();
    }
}

#[tokio::test]
async fn r2_crashes_in_a_row_begin_an_epoch_each_where_the_log_ends() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.durable().await;
    let (id, first, version) = (room.id(), room.loaded.epochs.current(), room.version);
    // Killed with versions on the disk, twice without any between, and with one more.
    let mut dirs = vec![copy_of(dir.path())];
    let mut seen = vec![(first, version)];
    for grows in [false, false, true, false] {
        let storage = Storage::open(options(dirs.last().unwrap().path()))
            .await
            .unwrap();
        let mut room = TestRoom::open(&storage, id).await;
        let epoch = room.loaded.epochs.current();
        assert!(seen.iter().all(|(older, _)| *older != epoch), "each is new");
        assert_eq!(room.version, seen.last().unwrap().1);
        if grows {
            room.change();
            room.durable().await;
        }
        seen.push((epoch, room.version));
        for (older, last) in &seen {
            let at = |version| Position {
                epoch: *older,
                version,
            };
            assert!(
                room.loaded.epochs.continues(at(*last)),
                "{older:?} at its end"
            );
            if *older != epoch {
                assert!(
                    !room.loaded.epochs.continues(at(last.next())),
                    "{older:?} beyond"
                );
            }
        }
        dirs.push(copy_of(dirs.last().unwrap().path()));
    }
    assert_eq!(seen.len(), 5);
}
