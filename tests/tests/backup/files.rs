//! Files of attachments go with a backup and come back with it.

use std::fs;
use std::path::{Path, PathBuf};

use boardcast_tests::process::Serving;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use super::{Scene, failed, succeeded, text};

/// More than one part of a file in a backup.
const BYTES: usize = 2_500_000;

fn file_of(seed: u8) -> Vec<u8> {
    (0..BYTES).map(|at| (at % 251) as u8 ^ seed).collect()
}

/// Asks a server as `ann`; the status and the body.
fn ask(serving: &Serving, token: &str, method: &str, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(serving.url(path))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body)
        .expect("a request");
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.run(request).expect("an answer");
    let body = answer.body_mut().read_to_vec().expect("a body");
    (answer.status().as_u16(), body)
}

/// A server that has a card with a file; the path of the file.
fn with_file(scene: &Scene, serving: &Serving) -> String {
    let token = scene.token(&[]);
    let post = |path: &str, body: Vec<u8>| -> Value {
        let (status, body) = ask(serving, &token, "POST", path, body);
        assert!(matches!(status, 200 | 201), "{path}: {status}");
        serde_json::from_slice(&body).expect("JSON")
    };
    let title = json!({"title": "Plans"}).to_string().into_bytes();
    let made = post("/api/v1/boards", title);
    let board = format!("/api/v1/boards/{}", made["board"].as_str().expect("an id"));
    let cards = json!({"commands": [
        {"type": "column.create", "column": "todo", "title": "To do"},
        {"type": "card.create", "card": "c1", "column": "todo", "title": "One"},
    ]});
    post(&format!("{board}/commands"), cards.to_string().into_bytes());
    let place = format!("{board}/cards/c1/attachments?name=plan.bin");
    let made = post(&place, file_of(1));
    format!(
        "{board}/attachments/{}",
        made["id"].as_str().expect("an id")
    )
}

/// The files in the store.
fn stored(data: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(data.join("attachments")).expect("the store");
    let folders = folders.map(|folder| folder.expect("a folder").path());
    let folders = folders.filter(|folder| folder.file_name().is_some_and(|name| name.len() == 2));
    let files = folders.flat_map(|folder| fs::read_dir(folder).expect("files"));
    files.map(|file| file.expect("a file").path()).collect()
}

fn back_up(scene: &Scene, serving: &Serving, file: &Path) {
    let (server, admin) = (serving.url(""), scene.admin());
    succeeded(&["backup", text(file), "--server", &server, "--token", &admin]);
}

#[test]
fn a_backup_has_the_files_and_a_restore_puts_them_into_an_empty_directory() {
    let scene = Scene::new();
    let data = scene.data();
    let serving = Serving::start(&data);
    let path = with_file(&scene, &serving);
    let (online, offline) = (scene.path("online.db"), scene.path("offline.db"));
    back_up(&scene, &serving, &online);
    assert_eq!(serving.terminate(), Some(0));
    succeeded(&["backup", text(&offline), "--data-dir", text(&data)]);
    for file in [&online, &offline] {
        assert_eq!(scene.clean(&["--file", text(file)])["files"], 1);
        fs::remove_dir_all(&data).expect("no data");
        succeeded(&["restore", text(file), "--data-dir", text(&data)]);
        assert_eq!(scene.clean(&["--data-dir", text(&data)])["files"], 1);
        let database = fs::metadata(data.join("boardcast.db")).expect("a database");
        assert!(
            database.len() < BYTES as u64,
            "the files are in the store alone"
        );
        let serving = Serving::start(&data);
        let (status, bytes) = ask(&serving, &scene.token(&[]), "GET", &path, Vec::new());
        assert!(status == 200 && bytes == file_of(1), "{status}");
        assert_eq!(serving.terminate(), Some(0));
    }
}

#[test]
fn a_restore_on_a_running_server_puts_back_what_was_lost() {
    let scene = Scene::new();
    let data = scene.data();
    let serving = Serving::start(&data);
    let path = with_file(&scene, &serving);
    let file = scene.path("backup.db");
    back_up(&scene, &serving, &file);
    for stored in stored(&data) {
        fs::remove_file(stored).expect("a loss");
    }
    let token = scene.token(&[]);
    assert_eq!(ask(&serving, &token, "GET", &path, Vec::new()).0, 500);
    let (server, admin) = (serving.url(""), scene.admin());
    succeeded(&[
        "restore",
        text(&file),
        "--server",
        &server,
        "--token",
        &admin,
    ]);
    let began = std::time::Instant::now();
    let bytes = loop {
        let (status, bytes) = ask(&serving, &token, "GET", &path, Vec::new());
        if status == 200 {
            break bytes;
        }
        assert!(
            began.elapsed() < boardcast_tests::harness::PATIENCE,
            "{status}"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(bytes == file_of(1));
    assert_eq!(serving.terminate(), Some(0));
    scene.clean(&["--data-dir", text(&data)]);
}

#[tokio::test]
async fn a_backup_with_a_damaged_file_is_not_restored_and_a_check_names_it() {
    let scene = Scene::new();
    let data = scene.data();
    let serving = Serving::start(&data);
    let (serving, scene) = tokio::task::spawn_blocking(move || {
        with_file(&scene, &serving);
        back_up(&scene, &serving, &scene.path("backup.db"));
        (serving, scene)
    })
    .await
    .expect("a backup");
    assert_eq!(serving.terminate(), Some(0));
    let file = scene.path("backup.db");
    let mut conn = SqliteConnection::connect(text(&file))
        .await
        .expect("a file");
    sqlx::query("UPDATE packed_files SET bytes = zeroblob(length(bytes)) WHERE part = 1")
        .execute(&mut conn)
        .await
        .expect("damage");
    conn.close().await.expect("a file");
    let told = failed(&["check", "--file", text(&file)]);
    assert!(told.contains("one invariant"), "{told}");
    for stored in stored(&data) {
        fs::remove_file(stored).expect("a loss");
    }
    let before = fs::read(data.join("boardcast.db")).expect("a database");
    let told = failed(&["restore", text(&file), "--data-dir", text(&data)]);
    assert!(
        told.contains("is damaged") && told.contains("another backup"),
        "{told}"
    );
    assert!(fs::read(data.join("boardcast.db")).expect("a database") == before);
}

#[test]
fn a_file_that_is_damaged_in_the_store_is_named_by_check_and_left_out_of_backups() {
    let scene = Scene::new();
    let data = scene.data();
    let serving = Serving::start(&data);
    with_file(&scene, &serving);
    let [stored] = stored(&data).try_into().expect("one file");
    let mut bytes = fs::read(&stored).expect("a file");
    bytes[BYTES / 2] ^= 1;
    fs::write(&stored, bytes).expect("damage");
    let file = scene.path("backup.db");
    back_up(&scene, &serving, &file);
    assert_eq!(serving.terminate(), Some(0));
    for (place, at) in [("--file", &file), ("--data-dir", &data)] {
        let checked = boardcast_tests::process::run(&["check", "--json", place, text(at)]);
        let report = boardcast_tests::process::stdout(&checked);
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["total"], 1, "{place} {report}");
        assert_eq!(report["violations"][0]["invariant"], "files_whole");
    }
    assert!(fs::metadata(&file).expect("a backup").len() < BYTES as u64);
}
