//! Back to a backup: who saw more gets a snapshot, who did not goes on, nothing is doubled.

use std::path::Path;

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::message::{Mode, OutcomeResult};
use boardcast_protocol::position::{Position, Seq, Version};
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::http::ask;
use boardcast_tests::process::Serving;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{Scene, column, failed, succeeded, text};

/// Versions at the backup, and at its loss.
const KEPT: u64 = 5;
const LOST: u64 = 8;

/// What clients knew when the database was replaced.
struct Before {
    board: BoardId,
    client: ClientId,
    at_backup: Position,
    at_end: Position,
}

/// Commands up to the backup, the backup, and commands after it.
async fn work(scene: &Scene, serving: &Serving, file: &Path) -> Before {
    let mut ann = scene.client(serving).await;
    ann.hello(None).await;
    let board = ann.create_board("Plans").await;
    let epoch = ann.subscribe(board, None).await.subscribed.epoch;
    for seq in 1..=LOST {
        ann.submit(board, seq, column(&format!("c{seq}"))).await;
        ann.durable(board, seq).await;
        if seq == KEPT {
            let server = serving.url("");
            let admin = scene.admin();
            succeeded(&["backup", text(file), "--server", &server, "--token", &admin]);
        }
    }
    let at = |version| Position {
        epoch,
        version: Version(version),
    };
    Before {
        board,
        client: ann.client_id(),
        at_backup: at(KEPT),
        at_end: at(LOST),
    }
}

/// What must hold after the restore.
async fn judge(scene: &Scene, serving: &Serving, before: &Before) {
    let Before {
        board,
        client,
        at_backup,
        at_end,
    } = *before;
    // Whoever saw more than the backup holds begins anew, in a new epoch.
    let mut ann = scene.client(serving).await.as_client(client);
    ann.hello(None).await;
    let joined = ann.subscribe(board, Some(at_end)).await;
    assert_eq!(joined.subscribed.mode, Mode::Snapshot);
    assert_eq!(joined.subscribed.version, Version(KEPT));
    assert_ne!(joined.subscribed.epoch, at_end.epoch);
    assert_eq!(joined.subscribed.last_seq, Seq(KEPT));
    assert_eq!(joined.view.expect("a view").columns.len() as u64, KEPT);
    // What the client had not been told to be durable it sends again: once more is once.
    for _ in 0..2 {
        ann.submit(board, LOST + 1, column("unsent")).await;
    }
    let repeated = ann.outcome().await;
    assert_eq!(repeated.result, OutcomeResult::Accepted);
    assert_eq!(repeated.version, Some(Version(KEPT + 1)));
    ann.durable(board, KEPT + 1).await;

    // Whoever saw no more than that goes on, out of the old epoch.
    let mut ben = scene.client(serving).await;
    ben.hello(None).await;
    let joined = ben.subscribe(board, Some(at_backup)).await;
    assert_eq!(joined.subscribed.mode, Mode::Events);
    assert_eq!(joined.entries.len(), 1);
    assert_ne!(joined.subscribed.epoch, at_backup.epoch);
}

/// Who has put the backup in place, as the audit log of that backup says.
async fn restored_by(serving: &Serving, admin: &str) -> String {
    let url = serving.url("/api/v1/admin/audit?act=restored");
    let bearer = format!("Bearer {admin}");
    let headers = [("Authorization", bearer.as_str())];
    let noted = async {
        loop {
            let page = ask(&url, "GET", &headers, None).await.json();
            if let Some(by) = page["entries"][0]["by"].as_str() {
                return by.to_owned();
            }
            sleep(PATIENCE / 200).await;
        }
    };
    timeout(PATIENCE, noted).await.expect("an entry")
}

#[tokio::test]
async fn a_restored_directory_begins_a_new_epoch() {
    let scene = Scene::new();
    let data = scene.data();
    let file = scene.path("backup.db");
    let serving = Serving::start(&data);
    let before = work(&scene, &serving, &file).await;
    let args = ["restore", text(&file), "--data-dir", text(&data)];
    let told = failed(&args);
    assert!(told.contains("is in use"), "{told}");
    // The old database is kept with what a crash left in its write-ahead log.
    serving.kill();
    succeeded(&args);
    let replaced = scene.files("boardcast.db.replaced-");
    assert_eq!(replaced.len(), 1, "{replaced:?}");
    let report = scene.clean(&["--file", text(&replaced[0])]);
    assert_eq!(report["versions"], LOST);
    let report = scene.clean(&["--data-dir", text(&data)]);
    assert_eq!(report["versions"], KEPT);

    let serving = Serving::start(&data);
    judge(&scene, &serving, &before).await;
    assert_eq!(serving.terminate(), Some(0));
    let report = scene.clean(&["--data-dir", text(&data)]);
    assert_eq!(report["versions"], KEPT + 1);
    for left in ["unfinished-", "boardcast.db.restored"] {
        assert!(scene.files(left).is_empty(), "{left}");
    }
}

#[tokio::test]
async fn a_restored_server_starts_again_on_its_socket() {
    let scene = Scene::new();
    let data = scene.data();
    let file = scene.path("backup.db");
    let serving = Serving::start(&data);
    let before = work(&scene, &serving, &file).await;
    let mut watching = scene.client(&serving).await;
    watching.hello(None).await;
    watching.subscribe(before.board, None).await;
    let server = serving.url("");
    let admin = scene.admin();
    succeeded(&[
        "restore",
        text(&file),
        "--server",
        &server,
        "--token",
        &admin,
    ]);
    assert_eq!(watching.closed().await, Some(1012));
    judge(&scene, &serving, &before).await;
    assert_eq!(restored_by(&serving, &admin).await, "ann");
    let replaced = scene.files("boardcast.db.replaced-");
    assert_eq!(replaced.len(), 1, "{replaced:?}");
    assert_eq!(serving.terminate(), Some(0));
    let report = scene.clean(&["--data-dir", text(&data)]);
    assert_eq!(report["versions"], KEPT + 1);
    let report = scene.clean(&["--file", text(&replaced[0])]);
    assert_eq!(report["versions"], LOST);
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_nothing_changes() {
    let scene = Scene::new();
    let data = scene.data();
    let file = scene.path("backup.db");
    let serving = Serving::start(&data);
    work(&scene, &serving, &file).await;
    assert_eq!(serving.terminate(), Some(0));
    let database = data.join("boardcast.db");
    let before = std::fs::read(&database).expect("the database");
    let mut torn = std::fs::read(&file).expect("the backup");
    let middle = torn.len() / 2;
    torn[middle..].fill(0);
    for (content, why) in [
        (json!({}).to_string().repeat(1_000).into_bytes(), "damaged"),
        (torn, "damaged"),
        (Vec::new(), "empty database"),
    ] {
        let bad = scene.path("bad.db");
        std::fs::write(&bad, content).expect("a file");
        let told = failed(&["restore", text(&bad), "--data-dir", text(&data)]);
        assert!(told.contains(why), "{told}");
        let now = std::fs::read(&database).expect("the database");
        assert!(now == before, "{told}");
    }
    let nowhere = scene.path("nowhere.db");
    failed(&["restore", text(&nowhere), "--data-dir", text(&data)]);
    assert!(scene.files("boardcast.db.").is_empty());
    assert!(scene.files("unfinished-").is_empty());
}
