//! What is durable survives a kill; what was only accepted may not, and a new epoch says so.

use boardcast_protocol::position::Position;

use super::harness::{TestRoom, copy_of, options, retitle, start};
use crate::storage::Storage;

#[tokio::test]
async fn r2_after_a_kill_durable_versions_are_there_under_a_new_epoch() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.durable().await;
    let durable = room.board.clone();
    let version = room.version;
    let copy = copy_of(dir.path());
    room.submit(retitle("c1", "after the kill"));

    let storage = Storage::open(options(copy.path())).await.unwrap();
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.board, durable);
    assert_eq!(again.loaded.version, version);
    let before = room.loaded.epochs.current();
    assert_ne!(again.loaded.epochs.current(), before);
    let at = |version| Position {
        epoch: before,
        version,
    };
    assert!(again.loaded.epochs.continues(at(version)));
    assert!(
        !again.loaded.epochs.continues(at(version.next())),
        "a version that was lost cannot be resumed from"
    );
}

#[tokio::test]
async fn r4_after_a_kill_the_last_number_comes_from_the_log() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.change();
    room.durable().await;
    let copy = copy_of(dir.path());

    let storage = Storage::open(options(copy.path())).await.unwrap();
    let again = TestRoom::open(&storage, room.id()).await;
    assert_eq!(again.loaded.clients, [room.client()]);
}

#[tokio::test]
async fn r2_dropping_all_handles_is_no_clean_stop() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    let (id, epochs, board) = (room.id(), room.loaded.epochs.clone(), room.board.clone());
    drop((room, storage));

    let storage = loop {
        match Storage::open(options(dir.path())).await {
            Ok(storage) => break storage,
            Err(crate::storage::StorageError::InUse(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let again = TestRoom::open(&storage, id).await;
    assert_eq!(again.board, board, "what was handed over is written");
    assert_ne!(again.loaded.epochs, epochs);
}
