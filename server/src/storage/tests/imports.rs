//! A board that an import makes: all of it is there, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use boardcast_protocol::board::{Board, View};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;

use super::harness::{NOW, copy_of, options, owner, start, user};
use crate::storage::{Append, ImportRecord, Imported, Storage, StorageError};

const LABEL: &[u8] = br#"[{"type":"label.put","label":{"id":"bug","name":"bug"}}]"#;

fn id() -> BoardId {
    "imported".parse().unwrap()
}

fn empty() -> Board {
    let mut view = View::new(id(), "From a file".into());
    view.members.insert(user(), owner());
    let buried = BTreeSet::from(["gone".parse().unwrap()]);
    Board::new(view, BTreeMap::new(), buried)
}

fn imported() -> Imported {
    Imported {
        history: Vec::new(),
        first: Some(Append {
            version: Version(1),
            origin: None,
            by: user(),
            at: NOW,
            events: Bytes::from_static(LABEL),
            was: Bytes::from_static(b"[null]"),
        }),
        source: "a file".into(),
        record: ImportRecord {
            board: id(),
            digest: "d".into(),
            ids: vec!["bug".into()],
        },
    }
}

#[tokio::test]
async fn a_new_board_its_first_version_and_the_record_come_together() {
    let (dir, storage) = start().await;
    let empty = empty();
    let made = storage.create_imported_board(&empty, imported(), NOW);
    assert!(made.await.unwrap());
    // What a kill right after the answer would leave.
    let copy = copy_of(dir.path());
    let storage = Storage::open(options(copy.path())).await.unwrap();
    let record = storage.import_record("a file").await.unwrap();
    assert_eq!(record, Some(imported().record));
    let (loaded, _journal) = storage.open_board(id(), NOW).await.unwrap().unwrap();
    assert_eq!(loaded.version, Version(1));
    assert_eq!(loaded.board.view().labels.len(), 1);
    assert_eq!(loaded.board.view().members.len(), 1);
    assert_eq!(loaded.board.buried(), empty.buried());
    assert_eq!(loaded.recent.len(), 1, "it is in the log, for the history");
    assert!(!loaded.dirty.is_empty(), "its rows are written behind");
}

#[tokio::test]
async fn an_import_that_fails_on_the_way_leaves_no_board() {
    let (_dir, storage) = start().await;
    let empty = empty();
    for (table, trigger) in [
        (
            "events",
            "CREATE TRIGGER fails BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END",
        ),
        (
            "imports",
            "CREATE TRIGGER fails BEFORE INSERT ON imports BEGIN SELECT RAISE(ABORT, 'no'); END",
        ),
    ] {
        storage.execute(trigger).await.unwrap();
        let made = storage.create_imported_board(&empty, imported(), NOW);
        let error = made.await.unwrap_err();
        assert!(
            matches!(error, StorageError::Refused(_)),
            "{table}: {error}"
        );
        assert!(
            storage
                .boards_of(None, None, None, 9)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(storage.import_record("a file").await.unwrap().is_none());
        storage.execute("DROP TRIGGER fails").await.unwrap();
    }
    for expected in [true, false] {
        let made = storage.create_imported_board(&empty, imported(), NOW);
        assert_eq!(made.await.unwrap(), expected);
    }
    let (loaded, _journal) = storage.open_board(id(), NOW).await.unwrap().unwrap();
    assert_eq!(loaded.version, Version(1), "the second one changed nothing");
}
