//! What is listed and looked up.

use std::collections::BTreeSet;

use boardcast_protocol::board::Role;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

use super::harness::{NOW, TestRoom, describe, id, owner, retitle, start, user};
use crate::storage::{ImportRecord, Storage, StorageError};

async fn versions(
    storage: &Storage,
    room: &TestRoom,
    card: Option<&str>,
    before: Option<u64>,
    limit: usize,
) -> Vec<u64> {
    storage
        .activity(room.id(), card.map(id), before.map(Version), limit)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.n.0)
        .collect()
}

#[tokio::test]
async fn boards_are_listed_by_id_with_the_role_of_the_user() {
    let (_dir, storage) = start().await;
    let board = |id: &str| -> BoardId { id.parse().unwrap() };
    let viewer = boardcast_protocol::board::Member {
        role: Role::Viewer,
        ..owner()
    };
    for (name, member) in [("b", Some(&viewer)), ("a", Some(&owner())), ("c", None)] {
        assert!(
            storage
                .create_board_with_id(board(name), name, member, &BTreeSet::new(), NOW)
                .await
                .unwrap()
        );
    }
    let again = storage
        .create_board_with_id(board("a"), "x", None, &BTreeSet::new(), NOW)
        .await;
    assert!(!again.unwrap(), "it exists");

    let mine = storage
        .boards_of(Some(user()), None, None, 10)
        .await
        .unwrap();
    let mine: Vec<_> = mine
        .iter()
        .map(|summary| (summary.board.as_str(), summary.title.as_str(), summary.role))
        .collect();
    assert_eq!(mine, [("a", "a", Role::Admin), ("b", "b", Role::Viewer)]);
    let page = storage
        .boards_of(Some(user()), None, Some(board("a")), 10)
        .await;
    assert_eq!(page.unwrap().len(), 1);
    let all = storage.boards_of(None, None, None, 2).await.unwrap();
    assert_eq!(all.len(), 2);
    let rest = storage.boards_of(None, None, Some(all[1].board), 2).await;
    assert_eq!(rest.unwrap()[0].board, board("c"));
}

#[tokio::test]
async fn activity_of_a_board_comes_newest_first_in_pages() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.durable().await;
    let last = room.version.0;
    let page = versions(&storage, &room, None, None, 3).await;
    assert_eq!(page, [last, last - 1, last - 2]);
    let page = versions(&storage, &room, None, Some(3), 10).await;
    assert_eq!(page, [2, 1]);
}

#[tokio::test]
async fn activity_of_a_card_joins_what_is_in_the_rows_with_what_came_later() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    let created = 5; // After two columns, a label and the card c0.
    let described = room.version.0 - 4;
    room.hand_rows();
    room.submit(retitle("c2", "not this"));
    room.submit(retitle("c1", "this"));
    room.durable().await;
    let late = room.version.0;
    let all = versions(&storage, &room, Some("c1"), None, 10).await;
    assert_eq!(all, [late, described, created]);
    let two = versions(&storage, &room, Some("c1"), None, 2).await;
    assert_eq!(two, [late, described]);
    let rest = versions(&storage, &room, Some("c1"), Some(described), 10).await;
    assert_eq!(rest, [created]);

    room.hand_rows();
    room.journal.close().await.unwrap();
    let all = versions(&storage, &room, Some("c1"), None, 10).await;
    assert_eq!(all, [late, described, created], "the same, all in the rows");
}

#[tokio::test]
async fn a_page_of_activity_is_bounded_in_bytes() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    for n in 0..40 {
        room.submit(describe("c1", &format!("{n}").repeat(30_000)));
    }
    room.durable().await;
    let first = versions(&storage, &room, None, None, 100).await;
    assert!(!first.is_empty() && first.len() < 40, "{}", first.len());
    let next = versions(&storage, &room, None, first.last().copied(), 100).await;
    assert_eq!(next[0] + 1, first[first.len() - 1]);
}

#[tokio::test]
async fn the_last_import_of_a_source_is_remembered() {
    let (_dir, storage) = start().await;
    let board = storage.create_board("Imported", None, NOW).await.unwrap();
    assert_eq!(storage.import_record("trello:1").await.unwrap(), None);
    for digest in ["one", "two"] {
        let record = ImportRecord {
            board,
            digest: digest.into(),
            ids: vec!["a".into(), "b".into()],
        };
        storage
            .save_import_record("trello:1", &record)
            .await
            .unwrap();
        let found = storage.import_record("trello:1").await.unwrap();
        assert_eq!(found, Some(record));
    }
    let nowhere = ImportRecord {
        board: "nowhere".parse().unwrap(),
        digest: String::new(),
        ids: Vec::new(),
    };
    let refused = storage.save_import_record("trello:2", &nowhere).await;
    assert!(matches!(refused, Err(StorageError::Refused(_))));
}
