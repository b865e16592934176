use std::ops::ControlFlow;

use boardcast_protocol::board::view_hash;
use boardcast_protocol::command::Command;
use serde_json::{Value, json};

use super::*;
use crate::clock;
use crate::files::FilesPlace;
use crate::import::{ExportFormat, FileFormat, Source, export};
use crate::room::RoomLimits;
use crate::storage::{CheckTarget, StorageOptions, check};

struct Home {
    rooms: Rooms,
    storage: Storage,
    dir: tempfile::TempDir,
}

impl Home {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageOptions::new(dir.path()))
            .await
            .unwrap();
        let rooms = Rooms::new(storage.clone(), RoomLimits::default());
        Self {
            rooms,
            storage,
            dir,
        }
    }

    async fn import(&self, importer: &Importer, file: &Value) -> Result<ImportAnswer, ImportError> {
        let text = file.to_string();
        let format = if file["format"].is_null() {
            FileFormat::Trello
        } else {
            FileFormat::Json
        };
        let read = format
            .read(Source::new(text.as_bytes()), importer.actor.user)
            .unwrap();
        import(&self.rooms, &self.storage, importer, read, clock::now()).await
    }

    async fn export(&self, id: BoardId) -> Value {
        let text = export(
            &self.rooms,
            Importer::offline().actor,
            id,
            ExportFormat::Json,
        )
        .await
        .unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    async fn outcome(&self, importer: &Importer, file: &Value) -> Outcome {
        self.import(importer, file).await.unwrap().outcome
    }
}

fn person(name: &str) -> Importer {
    let actor = Actor::new(name.parse().unwrap(), false);
    Importer::user(actor, name)
}

fn trello() -> Value {
    json!({"id": "5a1532fe1a583c9b3bb5bc8b", "name": "Board", "lists": [{"id": "5a1532fe0000000000000001"}],
    "cards": [
        {"id": "5a1532fe000000000000000a", "idList": "5a1532fe0000000000000001", "name": "one", "pos": 1},
        {"id": "5a1532fe000000000000000b", "idList": "5a1532fe0000000000000001", "name": "two", "pos": 2}
    ]})
}

fn titles(document: &Value) -> Vec<&str> {
    let cards = document["columns"][0]["cards"].as_array().unwrap();
    cards
        .iter()
        .map(|card| card["title"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_file_makes_a_board_then_changes_nothing_then_updates_it() {
    let home = Home::new().await;
    let offline = Importer::offline();
    let first = home.import(&offline, &trello()).await.unwrap();
    assert_eq!(
        (first.outcome, first.counts.cards.open),
        (Outcome::Created, 2)
    );
    assert_eq!(home.outcome(&offline, &trello()).await, Outcome::Unchanged);

    let mut later = trello();
    later["cards"][0]["name"] = json!("renamed");
    later["cards"][0]["pos"] = json!(9);
    later["cards"][1] = json!({"id": "5a1532fe000000000000000c", "name": "three", "pos": 3,
        "idList": "5a1532fe0000000000000001"});
    assert_eq!(home.outcome(&offline, &later).await, Outcome::Updated);
    let document = home.export(first.board).await;
    assert_eq!(titles(&document), ["three", "renamed", "two"]);
    assert_eq!(document["columns"][0]["cards"][2]["archived"], true);
    assert_eq!(document["members"], json!([]));
}

#[tokio::test]
async fn the_same_file_changes_nothing_even_after_work_on_the_board() {
    let home = Home::new().await;
    let ann = person("ann");
    let board = home.import(&ann, &trello()).await.unwrap().board;
    let room = home.rooms.open(board).await.unwrap().unwrap();
    let document = home.export(board).await;
    let card = document["columns"][0]["cards"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (answer, report) = oneshot::channel();
    let actor = ann.actor;
    let change = move |board: &Board| {
        let command = Command::CardArchive {
            card: card.parse().unwrap(),
            archived: true,
        };
        boardcast_protocol::board::decide(board, &actor, &command, Timestamp(1))
    };
    let input = Import {
        actor,
        change: Box::new(change),
        answer,
    };
    room.send(RoomInput::Import(Box::new(input))).await.unwrap();
    report.await.unwrap().unwrap();
    assert_eq!(home.outcome(&ann, &trello()).await, Outcome::Unchanged);
    assert_eq!(
        home.export(board).await["columns"][0]["cards"][0]["archived"],
        true
    );
}

#[tokio::test]
async fn an_export_makes_an_equal_board_on_another_server() {
    let sample = include_str!("../../../assets/sample-board.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (here, there) = (Home::new().await, Home::new().await);
    let offline = Importer::offline();
    let id = here.import(&offline, &sample).await.unwrap().board;
    let exported = here.export(id).await;
    assert_eq!(there.outcome(&offline, &exported).await, Outcome::Created);
    assert_eq!(there.export(id).await, exported);
    let hash = |document: Value| {
        let document: boardcast_protocol::board::BoardDocument =
            serde_json::from_value(document).unwrap();
        view_hash(document.into_board().unwrap().view())
    };
    assert_eq!(hash(sample), hash(exported));
}

#[tokio::test]
async fn what_was_imported_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut exports = Vec::new();
    for _ in 0..2 {
        let storage = Storage::open(StorageOptions::new(dir.path()))
            .await
            .unwrap();
        let rooms = Rooms::new(storage.clone(), RoomLimits::default());
        let home = Home {
            rooms,
            storage,
            dir: tempfile::tempdir().unwrap(),
        };
        let answer = home.import(&person("ann"), &trello()).await.unwrap();
        exports.push((answer.outcome, home.export(answer.board).await));
        home.rooms.stop().await;
        home.storage.close().await.unwrap();
    }
    assert_eq!(
        (exports[0].0, exports[1].0),
        (Outcome::Created, Outcome::Unchanged)
    );
    assert_eq!(exports[0].1, exports[1].1);
}

#[tokio::test]
async fn what_happened_at_trello_is_the_history_of_a_new_board_and_its_cards() {
    let home = Home::new().await;
    let ann = person("ann");
    let mut file = trello();
    let action = |second: u32, kind: &str, card: &str, fields: Value, old: Value| {
        let mut card = json!({"id": format!("5a1532fe000000000000000{card}")});
        card.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({
            "id": format!("5a1532fe00000000000001{second:02}"), "type": kind,
            "idMemberCreator": "5a1532fe00000000000000e1",
            "date": format!("2018-01-01T00:00:{second:02}.000Z"),
            "data": {"card": card, "old": old, "list": {"id": "5a1532fe0000000000000001"}},
        })
    };
    // An export has the newest first.
    file["actions"] = json!([
        action(
            4,
            "updateCard",
            "a",
            json!({"closed": false}),
            json!({"closed": true})
        ),
        action(3, "createCard", "b", json!({"name": "two"}), json!({})),
        action(
            2,
            "updateCard",
            "a",
            json!({"name": "one"}),
            json!({"name": "eins"})
        ),
        action(1, "createCard", "a", json!({"name": "eins"}), json!({})),
    ]);
    let answer = home.import(&ann, &file).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Created);
    let is_action = |skipped: &Skipped| skipped.what == "action";
    assert!(!answer.skipped.iter().any(is_action), "{answer:?}");
    let board = answer.board;
    let activity = async |card: Option<&str>| {
        let card = card.map(|card| {
            let bits = u128::from_str_radix(&format!("5a1532fe000000000000000{card}"), 16);
            boardcast_protocol::ids::CardId::from_u128(bits.unwrap())
        });
        let entries = home.storage.activity(board, card, None, 50).await.unwrap();
        let entries = entries.iter().map(|entry| {
            let count = |list: &Value| list.as_array().unwrap().len();
            assert_eq!(count(&entry.ev), count(&entry.was));
            (entry.n.0, entry.at.0)
        });
        entries.collect::<Vec<_>>()
    };
    let at = |second: u64| 1_514_764_800_000 + second * 1_000;
    let past = [(4, at(4)), (3, at(3)), (2, at(2)), (1, at(1))];
    let all = activity(None).await;
    assert_eq!(all.len(), 5);
    assert_eq!(
        (all[0].0, &all[1..]),
        (5, past.as_slice()),
        "then the import"
    );
    let of_card = activity(Some("a")).await;
    assert_eq!(
        of_card.iter().map(|entry| entry.0).collect::<Vec<_>>(),
        [5, 4, 2, 1]
    );

    // A later export brings the board up to date; what was before it was made stays as it is.
    let mut later = file.clone();
    later["cards"][0]["name"] = json!("uno");
    let updated = home.import(&ann, &later).await.unwrap();
    assert_eq!(updated.outcome, Outcome::Updated);
    let left_out = updated.skipped.into_iter().find(is_action).unwrap();
    assert_eq!(left_out.count, 4);
    let all = activity(None).await;
    assert_eq!((all[0].0, &all[1].0, &all[2..]), (6, &5, past.as_slice()));
    assert_eq!(home.outcome(&ann, &later).await, Outcome::Unchanged);

    home.rooms.stop().await;
    home.storage.close().await.unwrap();
    let target = CheckTarget::Directory(home.dir.path().to_owned(), FilesPlace::Directory);
    let report = check(&target, &[], &|_, _| ControlFlow::Continue(()))
        .await
        .unwrap();
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert_eq!(report.versions, 6);
}

#[tokio::test]
async fn only_an_admin_imports_onto_a_board_and_strangers_do_not_learn_of_it() {
    let home = Home::new().await;
    let ann = person("ann");
    let board = home.import(&ann, &trello()).await.unwrap().board;
    let document = home.export(board).await;
    assert_eq!(
        document["members"],
        json!([{"id": "ann", "name": "ann", "role": "admin"}])
    );

    let eve = home.import(&person("eve"), &trello()).await;
    assert!(matches!(eve, Err(ImportError::NoSuchBoard(_))), "{eve:?}");
    let taken = export(&home.rooms, person("eve").actor, board, ExportFormat::Json)
        .await
        .unwrap_err();
    let missing = export(
        &home.rooms,
        person("eve").actor,
        "nosuch".parse().unwrap(),
        ExportFormat::Json,
    )
    .await;
    let place = |error: ImportError| error.to_string().replace(board.as_str(), "nosuch");
    assert_eq!(place(taken), place(missing.unwrap_err()));

    let mut with_bob = document;
    with_bob["members"] = json!([{"id": "ann", "name": "ann", "role": "viewer"},
        {"id": "bob", "name": "Bob", "role": "editor"}]);
    assert_eq!(home.outcome(&ann, &with_bob).await, Outcome::Updated);
    assert_eq!(
        home.export(board).await["members"][0]["role"],
        "admin",
        "roles stay"
    );
    let bob = home.import(&person("bob"), &trello()).await;
    assert!(matches!(bob, Err(ImportError::Rejected(_))), "{bob:?}");
}
