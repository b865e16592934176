//! Boards in the bin: as if there were none, back as they were, and after 30 days gone from all tables.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use boardcast_protocol::board::{Actor, Role};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;
use boardcast_protocol::search::{Asker, Query};

use super::harness::{NOW, TestRoom, card, copy_of, options, owner, start, user};
use crate::files::FileHash;
use crate::storage::directory::DATABASE;
use crate::storage::{
    AttachmentPlace, BIN_KEPT_MS, BinPage, CardSearch, CheckTarget, FileQuota, ImportRecord,
    LinkGives, LinkId, Retention, Storage, StoredBoardLink, StoredFile, check,
};

const LAST: Timestamp = Timestamp(NOW.0 + BIN_KEPT_MS - 1);
const ENDED: Timestamp = Timestamp(NOW.0 + BIN_KEPT_MS);
const ALL: BinPage<'_> = BinPage {
    user: None,
    among: None,
    after: None,
    limit: 10,
};

fn command(command: Value) -> Command {
    serde_json::from_value(command).unwrap()
}

fn bob() -> UserId {
    "bob".parse().unwrap()
}

/// A board with rows in every table, closed.
async fn filled(storage: &Storage, title: &str) -> BoardId {
    let id = storage
        .create_board(title, Some(&owner()), NOW)
        .await
        .unwrap();
    let mut room = TestRoom::open(storage, id).await;
    room.furnish();
    room.change();
    room.submit(command(
        json!({"type": "field.create", "field": "f", "name": "Size", "kind": "number"}),
    ));
    room.submit(command(
        json!({"type": "sprint.create", "sprint": "s", "title": "Sprint 1"}),
    ));
    for n in 0..250 {
        room.submit(card(&format!("more{n}"), "done"));
    }
    room.hand_rows();
    room.journal.close().await.unwrap();
    let few = Retention {
        keep_ms: 0,
        keep_versions: 210,
    };
    let trimmed = storage.trim_board(id, few, ENDED).await.unwrap();
    assert!(trimmed.versions > 0);
    let record = ImportRecord {
        board: id,
        digest: "d".into(),
        ids: Vec::new(),
    };
    storage.save_import_record(title, &record).await.unwrap();
    let link = StoredBoardLink {
        id: LinkId(title.len() as u64),
        board: id,
        gives: LinkGives::View,
        made_by: user(),
        created: NOW,
        expires: None,
    };
    let made = storage.make_board_link(link, secret(title)).await;
    assert!(made.unwrap());
    let place = AttachmentPlace {
        board: id,
        card: "c1".parse().unwrap(),
        attachment: "a1".parse().unwrap(),
    };
    let file = StoredFile {
        hash: FileHash(secret(title)),
        bytes: 7,
        mime: "image/png",
        created: NOW,
    };
    let quota = FileQuota {
        board_bytes: 100,
        server_bytes: 100,
    };
    assert!(storage.attach(place, file, quota).await.unwrap());
    id
}

fn secret(title: &str) -> [u8; 32] {
    [u8::try_from(title.len()).unwrap(); 32]
}

async fn put(storage: &Storage, board: BoardId) {
    assert!(storage.put_into_bin(board, user(), NOW).await.unwrap());
}

/// The tables that have a board in each row, and how many rows are this board's.
async fn rows_of(storage: &Storage, board: BoardId) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT m.name FROM sqlite_schema AS m CROSS JOIN pragma_table_info(m.name) AS c \
         WHERE m.type = 'table' AND c.name = 'board' AND m.name <> 'audit' ORDER BY m.name",
    )
    .fetch_all(storage.readers())
    .await
    .unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let sql = format!("SELECT count(*) FROM {table} WHERE board = '{board}'");
        counts.push((table, number(storage, sql).await));
    }
    let sql = format!("SELECT count(*) FROM boards WHERE id = '{board}'");
    counts.push(("boards".to_owned(), number(storage, sql).await));
    counts
}

async fn number(storage: &Storage, sql: String) -> i64 {
    let sql = AssertSqlSafe(sql);
    let count = sqlx::query_scalar(sql).fetch_one(storage.readers()).await;
    count.unwrap()
}

async fn indexed(storage: &Storage) -> i64 {
    number(storage, "SELECT count(*) FROM card_index".to_owned()).await
}

/// The boards of the cards that are found.
async fn found(storage: &Storage, query: &str, all: bool) -> BTreeSet<BoardId> {
    let query: Query = query.parse().unwrap();
    let asker = Asker {
        user: user(),
        now: NOW,
    };
    let search = CardSearch {
        query: &query,
        asker,
        all,
        boards: None,
        after: None,
        limit: 400,
    };
    let found = storage.search(search).await.unwrap().cards;
    found.into_iter().map(|found| found.view.id).collect()
}

async fn assert_whole(dir: &Path) {
    let target = CheckTarget::File(dir.join(DATABASE));
    let report = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    let report = report.unwrap();
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
}

#[tokio::test]
async fn a_board_in_the_bin_is_as_if_there_were_none_and_comes_back_as_it_was() {
    let (dir, storage) = start().await;
    let board = filled(&storage, "Plans").await;
    let other = filled(&storage, "Other plans").await;
    let both = BTreeSet::from([board, other]);
    assert_eq!(found(&storage, "card", false).await, both);
    let opened = TestRoom::open(&storage, board).await;
    opened.journal.close().await.unwrap();
    let before = rows_of(&storage, board).await;
    put(&storage, board).await;
    let again = storage.put_into_bin(board, bob(), NOW).await.unwrap();
    assert!(!again, "it is there already");

    assert!(storage.open_board(board, NOW).await.unwrap().is_none());
    for (asker, among) in [(Some(user()), false), (None, false), (Some(user()), true)] {
        let listed = match among {
            true => {
                storage
                    .boards_among(user(), &[board, other], None, None)
                    .await
            }
            false => storage.boards_of(asker, None, None, 9).await,
        };
        let listed: Vec<_> = listed.unwrap().iter().map(|found| found.board).collect();
        assert_eq!(listed, [other], "{asker:?}");
    }
    for all in [false, true] {
        for query in [
            "card",
            "assignee:me",
            "board:plans card",
            "-board:x label:red",
        ] {
            let boards = found(&storage, query, all).await;
            assert!(
                boards.is_subset(&BTreeSet::from([other])),
                "{query} {all} {boards:?}"
            );
            assert_eq!(boards.is_empty(), query.contains("label"), "{query} {all}");
        }
    }
    assert_eq!(rows_of(&storage, board).await, before, "nothing is lost");

    assert!(storage.take_out_of_bin(board, LAST).await.unwrap());
    assert!(!storage.take_out_of_bin(board, LAST).await.unwrap());
    assert_eq!(found(&storage, "card", false).await, both);
    assert_eq!(found(&storage, "assignee:me", true).await, both);
    let room = TestRoom::open(&storage, board).await;
    assert_eq!(room.board.view().title, "Plans of spring");
    assert_eq!(
        room.loaded.epochs, opened.loaded.epochs,
        "nothing was lost on the way"
    );
    room.journal.close().await.unwrap();
    drop((opened, room));
    storage.close().await.unwrap();
    assert_whole(dir.path()).await;
}

#[tokio::test]
async fn admins_find_their_boards_in_the_bin_a_page_at_a_time() {
    let (_dir, storage) = start().await;
    let mut boards = Vec::new();
    for title in ["One", "Two", "Three"] {
        let made = storage.create_board(title, Some(&owner()), NOW).await;
        boards.push((made.unwrap(), title));
    }
    boards.sort();
    let in_use = storage.create_board("In use", Some(&owner()), NOW).await;
    for (board, _) in &boards {
        put(&storage, *board).await;
    }
    let mine = BinPage {
        user: Some(user()),
        ..ALL
    };
    let listed = async |page: BinPage<'_>, now| {
        let listed = storage.bin(page, now).await.unwrap();
        let listed = listed.into_iter().map(|binned| {
            assert_eq!((binned.deleted, binned.by), (NOW, user()));
            (binned.board, binned.title)
        });
        listed.collect::<Vec<_>>()
    };
    let of = |range: std::ops::Range<usize>| {
        let titled = boards[range]
            .iter()
            .map(|(board, title)| (*board, (*title).to_owned()));
        titled.collect::<Vec<_>>()
    };
    for page in [mine, ALL] {
        assert_eq!(listed(page, LAST).await, of(0..3));
        let first = BinPage { limit: 2, ..page };
        assert_eq!(listed(first, LAST).await, of(0..2));
        let rest = BinPage {
            after: Some(boards[1].0),
            ..page
        };
        assert_eq!(listed(rest, LAST).await, of(2..3));
        let among = [boards[1].0, in_use.as_ref().copied().unwrap()];
        let some = BinPage {
            among: Some(&among),
            ..page
        };
        assert_eq!(listed(some, LAST).await, of(1..2));
        assert_eq!(listed(page, ENDED).await, [], "they have ended");
    }
    let others = BinPage {
        user: Some(bob()),
        ..ALL
    };
    assert_eq!(listed(others, LAST).await, []);
}

#[tokio::test]
async fn r10_rights_in_the_bin_are_those_of_the_log_and_not_of_rows_behind_it() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    let board = room.id();
    room.hand_rows();
    room.submit(command(
        json!({"type": "member.add", "user": "bob", "role": "editor"}),
    ));
    room.durable().await;
    put(&storage, board).await;
    // What a kill at this moment leaves: the rows do not know of the member.
    let copy = copy_of(dir.path());
    let storage = Storage::open(options(copy.path())).await.unwrap();
    let role = async |user: &str, admin, now| {
        let actor = Actor::new(user.parse().unwrap(), admin);
        storage.role_in_bin(board, &actor, now).await.unwrap()
    };
    assert_eq!(role("bob", false, LAST).await, Some(Role::Editor));
    assert_eq!(role("ann", false, LAST).await, Some(Role::Admin));
    assert_eq!(role("eve", true, LAST).await, Some(Role::Admin));
    assert_eq!(role("eve", false, LAST).await, None);
    assert_eq!(role("ann", false, ENDED).await, None, "it has ended");
    assert!(storage.take_out_of_bin(board, LAST).await.unwrap());
    assert_eq!(role("ann", false, LAST).await, None, "it is in use");
    let opened = storage.open_board(board, NOW).await.unwrap();
    let (loaded, _journal) = opened.expect("the board");
    assert_eq!(loaded.version, room.version, "what was durable is there");
}

#[tokio::test]
async fn after_thirty_days_nothing_is_left_of_a_board_and_others_are_whole() {
    let (dir, storage) = start().await;
    let board = filled(&storage, "Plans").await;
    let other = filled(&storage, "Other plans").await;
    let (cards, whole) = (indexed(&storage).await, rows_of(&storage, other).await);
    for (table, count) in rows_of(&storage, board).await {
        assert!(count > 0, "{table}: nothing to remove");
    }
    put(&storage, board).await;
    assert_eq!(storage.ended_board(LAST).await.unwrap(), None);
    assert!(
        !storage.remove_some(board).await.unwrap(),
        "it may come back"
    );
    assert_eq!(storage.ended_board(ENDED).await.unwrap(), Some(board));
    assert!(!storage.take_out_of_bin(board, LAST).await.unwrap());
    let mut transactions = 0;
    while storage.remove_some(board).await.unwrap() {
        transactions += 1;
    }
    // 250 and more cards, versions and so on: each takes two, and most tables one.
    assert!(transactions > 20, "{transactions}");
    for (table, count) in rows_of(&storage, board).await {
        assert_eq!(count, 0, "{table}");
    }
    assert_eq!(rows_of(&storage, other).await, whole);
    assert_eq!(indexed(&storage).await, cards / 2);
    assert_eq!(storage.ended_board(ENDED).await.unwrap(), None);
    assert_eq!(storage.unused_files(None, 9).await.unwrap().len(), 1);
    // The id is free again.
    let made = storage
        .create_board_with_id(board, "New", None, &Default::default(), NOW)
        .await;
    assert!(made.unwrap());
    storage.close().await.unwrap();
    assert_whole(dir.path()).await;
}

#[tokio::test]
async fn a_removal_that_is_cut_short_goes_on_and_the_board_does_not_come_back() {
    let (dir, storage) = start().await;
    let board = filled(&storage, "Plans").await;
    put(&storage, board).await;
    assert_eq!(storage.ended_board(ENDED).await.unwrap(), Some(board));
    let mut copies = vec![copy_of(dir.path())];
    while storage.remove_some(board).await.unwrap() {
        copies.push(copy_of(dir.path()));
    }
    assert!(copies.len() > 20, "{}", copies.len());
    for copy in copies {
        assert_whole(copy.path()).await;
        let storage = Storage::open(options(copy.path())).await.unwrap();
        assert!(!storage.take_out_of_bin(board, NOW).await.unwrap());
        assert!(storage.open_board(board, NOW).await.unwrap().is_none());
        assert_eq!(storage.bin(ALL, NOW).await.unwrap(), []);
        // By any clock, also one that was put back.
        assert_eq!(storage.ended_board(NOW).await.unwrap(), Some(board));
        while storage.remove_some(board).await.unwrap() {}
        assert_eq!(indexed(&storage).await, 0);
        storage.close().await.unwrap();
        assert_whole(copy.path()).await;
    }
}
