//! Rooms with their tasks, over real storage.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;

use boardcast_protocol::message::{Mode, OutcomeResult};

use super::*;
use crate::storage::{Storage, StorageOptions};

/// A data directory, its storage and the rooms over it.
pub(super) struct House {
    data: TempDir,
    storage: Storage,
    pub(super) rooms: Rooms,
}

impl House {
    pub(super) async fn new(limits: RoomLimits) -> Self {
        Self::over(tempfile::tempdir().unwrap(), limits).await
    }

    async fn over(data: TempDir, limits: RoomLimits) -> Self {
        let options = StorageOptions::new(data.path());
        Self::with(data, options, limits).await
    }

    async fn with(data: TempDir, options: StorageOptions, limits: RoomLimits) -> Self {
        let storage = Storage::open(options).await.unwrap();
        let rooms = Rooms::new(storage.clone(), limits);
        Self {
            data,
            storage,
            rooms,
        }
    }

    /// Stops and starts again.
    async fn restarted(self, limits: RoomLimits) -> Self {
        self.rooms.stop().await;
        self.storage.close().await.unwrap();
        drop((self.storage, self.rooms));
        Self::over(self.data, limits).await
    }

    /// A board with ed and ann as admins and a column.
    pub(super) async fn board(&self) -> BoardId {
        let ed = member("ed", Role::Admin);
        let board = self.rooms.create("Plan", &ed).await.unwrap();
        let mut peer = Peer::new(1, "ed");
        peer.client = "setup".parse().unwrap();
        let handle = self.rooms.open(board).await.unwrap().unwrap();
        let add = Command::MemberAdd {
            user: user("ann"),
            name: None,
            role: Role::Admin,
        };
        let make = Command::ColumnCreate {
            column: column(),
            title: "To do".to_owned(),
            wip: None,
            done: false,
            place: Where::default(),
        };
        handle.send(peer.submit(1, vec![add, make])).await.unwrap();
        next_of(&mut peer, "durable").await;
        handle
            .send(RoomInput::Gone { conn: peer.conn })
            .await
            .unwrap();
        board
    }
}

/// The next messages of a connection.
pub(super) async fn next(peer: &mut Peer) -> Vec<ServerMessage> {
    poll_fn(|context| {
        peer.outbox.register(context.waker());
        let messages = peer.take();
        if messages.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(messages)
        }
    })
    .await
}

/// The messages up to the first of a kind.
pub(super) async fn next_of(peer: &mut Peer, kind: &str) -> Vec<ServerMessage> {
    let mut all = Vec::new();
    while !kinds(&all).iter().any(|one| one == kind) {
        all.extend(next(peer).await);
    }
    all
}

async fn copy(handle: &RoomHandle) -> (Board, Version) {
    let (answer, copy) = oneshot::channel();
    handle.send(RoomInput::Copy { answer }).await.unwrap();
    *copy.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_is_opened_once_for_all_who_ask() {
    let house = House::new(RoomLimits::default()).await;
    let ed = member("ed", Role::Admin);
    let board = house.rooms.create("Plan", &ed).await.unwrap();
    let opening = (0..100).map(|_| {
        let rooms = house.rooms.clone();
        tokio::spawn(async move { rooms.open(board).await })
    });
    for opened in futures::future::join_all(opening).await {
        assert_eq!(opened.unwrap().unwrap().unwrap().board(), board);
    }
    assert_eq!(house.rooms.loaded().boards, 1);
    assert!(house.rooms.loaded().bytes > 0);
    assert!(house.rooms.get(board).is_some());
}

#[tokio::test]
async fn a_board_that_does_not_exist_leaves_nothing_behind() {
    let house = House::new(RoomLimits::default()).await;
    assert!(house.rooms.open(board_id()).await.unwrap().is_none());
    assert!(house.rooms.get(board_id()).is_none());
    assert_eq!(house.rooms.loaded(), Loaded::default());
}

#[tokio::test]
async fn r5_what_is_accepted_becomes_durable() {
    let house = House::new(RoomLimits::default()).await;
    let board = house.board().await;
    let handle = house.rooms.open(board).await.unwrap().unwrap();
    let mut ed = Peer::new(2, "ed");
    let mut ann = Peer::new(3, "ann");
    for peer in [&mut ed, &mut ann] {
        handle.send(peer.join(None)).await.unwrap();
        next_of(peer, "presence").await;
    }
    handle.send(ed.submit(1, vec![create(1)])).await.unwrap();
    let messages = next_of(&mut ed, "durable").await;
    let of_board: Vec<_> = kinds(&messages);
    assert_eq!(of_board.iter().filter(|kind| *kind == "batch").count(), 1);
    // The other one hears of it too, without a further batch.
    next_of(&mut ann, "durable").await;
}

#[tokio::test]
async fn a_room_that_nobody_uses_sleeps_and_wakes_as_it_was() {
    let house = House::new(RoomLimits::default()).await;
    let board = house.board().await;
    let first = house.rooms.open(board).await.unwrap().unwrap();
    let mut ed = Peer::new(2, "ed");
    let mut replica = Replica::default();
    first.send(ed.join(None)).await.unwrap();
    replica.read(next_of(&mut ed, "snapshot").await);
    first.send(ed.submit(1, vec![create(1)])).await.unwrap();
    let (before, version) = copy(&first).await;
    next_of(&mut ed, "durable").await;
    first.send(RoomInput::Gone { conn: ed.conn }).await.unwrap();
    first.send(RoomInput::Sleep).await.unwrap();
    first.closed().await;
    let second = house.rooms.open(board).await.unwrap().unwrap();
    assert_eq!(copy(&second).await, (before, version));
    second
        .send(ed.join(Some(replica.position())))
        .await
        .unwrap();
    let messages = next_of(&mut ed, "batch").await;
    assert_eq!(subscribed(&messages).mode, Mode::Events);
    assert_eq!(subscribed(&messages).last_seq, Seq(1));
    replica.read(messages);
    assert_eq!(replica.version, version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_join_is_lost_while_a_room_lies_down() {
    let house = House::new(RoomLimits::default()).await;
    let board = house.board().await;
    for round in 0..50 {
        let sleeper = house.rooms.open(board).await.unwrap().unwrap();
        let lie_down = tokio::spawn(async move { sleeper.send(RoomInput::Sleep).await });
        let mut ed = Peer::new(10 + round, "ed");
        house.rooms.send(board, ed.join(None)).await.unwrap();
        let messages = next_of(&mut ed, "snapshot").await;
        assert_eq!(subscribed(&messages).board, board);
        let _ = lie_down.await.unwrap();
        let gone = RoomInput::Gone { conn: ed.conn };
        house.rooms.send(board, gone).await.unwrap();
    }
}

#[tokio::test]
async fn stopping_hands_over_everything() {
    let house = House::new(RoomLimits::default()).await;
    let board = house.board().await;
    let handle = house.rooms.open(board).await.unwrap().unwrap();
    let mut ed = Peer::new(2, "ed");
    let mut replica = Replica::default();
    handle.send(ed.join(None)).await.unwrap();
    for seq in 1..=200 {
        let submit = ed.submit(seq, vec![create(u128::from(seq))]);
        handle.send(submit).await.unwrap();
    }
    house.rooms.stop().await;
    assert!(handle.is_closed());
    let refused = house.rooms.open(board).await;
    assert!(matches!(refused, Err(OpenError::Stopping)));
    replica.read(ed.take());
    assert_eq!(replica.version, Version(201), "what was sent was handled");
    let house = house.restarted(RoomLimits::default()).await;
    let handle = house.rooms.open(board).await.unwrap().unwrap();
    let (stored, version) = copy(&handle).await;
    assert_eq!(version, replica.version);
    assert_eq!(Some(stored.view()), replica.view.as_ref());
    handle
        .send(ed.join(Some(replica.position())))
        .await
        .unwrap();
    let messages = next(&mut ed).await;
    assert_eq!(subscribed(&messages).mode, Mode::Events);
}

#[tokio::test]
async fn r8_the_room_that_nobody_used_for_longest_makes_place_for_another() {
    let limits = RoomLimits {
        loaded_bytes: 1,
        ..RoomLimits::default()
    };
    let house = House::new(limits).await;
    let first = house.board().await;
    let ed = member("ed", Role::Admin);
    let second = house.rooms.create("Second", &ed).await.unwrap();
    let third = house.rooms.create("Third", &ed).await.unwrap();
    let mut peer = Peer::new(2, "ed");
    let handle = house.rooms.open(second).await.unwrap().unwrap();
    assert!(house.rooms.get(first).is_none(), "it sleeps");
    handle.send(peer.join(None)).await.unwrap();
    next_of(&mut peer, "snapshot").await;
    let refused = house.rooms.open(third).await;
    assert!(matches!(refused, Err(OpenError::Busy { .. })));
    assert!(house.rooms.get(third).is_none());
    handle
        .send(RoomInput::Gone { conn: peer.conn })
        .await
        .unwrap();
    copy(&handle).await;
    assert!(house.rooms.open(third).await.unwrap().is_some());
    assert_eq!(house.rooms.loaded().boards, 1);
}

#[tokio::test]
async fn r4_a_client_that_left_memory_is_found_on_the_disk() {
    let limits = RoomLimits {
        clients_max: 2,
        rows_after_ms: 1,
        ..RoomLimits::default()
    };
    let house = House::new(limits).await;
    let board = house.board().await;
    let handle = house.rooms.open(board).await.unwrap().unwrap();
    let rounds = 12_u64;
    let peer_of = |conn: u64, n: u64| {
        let mut peer = Peer::new(conn, "ed");
        peer.client = format!("c{n}").parse().unwrap();
        peer
    };
    for n in 1..=rounds {
        let mut peer = peer_of(n + 1, n);
        let submit = peer.submit(1, vec![create(u128::from(n))]);
        handle.send(submit).await.unwrap();
        next_of(&mut peer, "durable").await;
        while house.storage.status().counters.rows_transactions < n {
            tokio::task::yield_now().await;
        }
    }
    for n in 1..=rounds {
        let mut peer = peer_of(n + 100, n);
        handle.send(peer.join(None)).await.unwrap();
        assert_eq!(
            subscribed(&next_of(&mut peer, "subscribed").await).last_seq,
            Seq(1)
        );
        let submit = peer.submit(1, vec![create(u128::from(n))]);
        handle.send(submit).await.unwrap();
        let again = next_of(&mut peer, "outcome").await;
        let outcome = again.into_iter().find_map(outcome_of).unwrap();
        assert_eq!(outcome.version, Some(Version(n + 1)), "client {n}");
        let gone = RoomInput::Gone { conn: peer.conn };
        handle.send(gone).await.unwrap();
    }
    assert_eq!(copy(&handle).await.1, Version(rounds + 1));
}

#[tokio::test]
async fn a_board_whose_rows_were_not_written_for_too_many_versions_is_busy_until_they_are() {
    let limits = RoomLimits {
        rows_after_ms: 2_000,
        rows_touched_max: 3,
        ..RoomLimits::default()
    };
    let house = House::new(limits).await;
    let handle = house.rooms.open(house.board().await).await;
    let handle = handle.unwrap().unwrap();
    let mut peer = Peer::new(2, "ed");
    let mut results = Vec::new();
    for seq in 1..=4 {
        let submit = peer.submit(seq, vec![create(u128::from(seq))]);
        handle.send(submit).await.unwrap();
    }
    while results.len() < 4 {
        let told = next_of(&mut peer, "outcome").await;
        results.extend(told.into_iter().filter_map(outcome_of));
    }
    let (refused, accepted) = results.split_last().unwrap();
    assert!(
        accepted
            .iter()
            .all(|it| it.result == OutcomeResult::Accepted)
    );
    assert_eq!((refused.seq, refused.result), (Seq(4), OutcomeResult::Busy));
    loop {
        let again = peer.submit(4, vec![create(4)]);
        handle.send(again).await.unwrap();
        let told = next_of(&mut peer, "outcome").await;
        let outcome = told.into_iter().find_map(outcome_of).unwrap();
        if outcome.result == OutcomeResult::Accepted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn rows_of_all_boards_are_written_at_the_stop_though_only_one_finds_place_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let options = StorageOptions {
        rows_max_bytes: 1,
        ..StorageOptions::new(data.path())
    };
    let limits = RoomLimits {
        rows_after_ms: 60_000,
        ..RoomLimits::default()
    };
    let house = House::with(data, options, limits).await;
    let boards = [
        house.board().await,
        house.board().await,
        house.board().await,
    ];
    house.rooms.stop().await;
    house.storage.close().await.unwrap();
    let storage = Storage::open(StorageOptions::new(house.data.path())).await;
    let storage = storage.unwrap();
    for board in boards {
        let opened = storage.open_board(board, Timestamp(1)).await.unwrap();
        let (loaded, _) = opened.unwrap();
        assert_eq!(loaded.rows_version, loaded.version);
        assert!(loaded.version > Version(0));
    }
}
