//! What scripts rely on: flags, what goes to standard output, exit codes.

use std::path::{Path, PathBuf};
use std::process::Output;

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::ServerMessage;
use boardcast_tests::client::{TestClient, apply};
use boardcast_tests::process::{Serving, run, stderr, stdout};
use serde_json::{Value, json};

/// A folder for files and a data directory inside.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        text(&self.path(name)).to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).expect("a file");
        self.text(name)
    }

    fn import(&self, format: &str, file: &str) -> Output {
        let data = self.text("data");
        run(&["import", format, file, "--data-dir", &data, "--json"])
    }

    fn export(&self, data: &str, board: &str) -> String {
        let data = self.text(data);
        let output = run(&["export", board, "--format", "json", "--data-dir", &data]);
        succeeded(&output)
    }

    fn token(&self, more: &[&str]) -> String {
        let data = self.text("data");
        let mut args = vec!["token", "--data-dir", &data, "--user", "ann"];
        args.extend(more);
        succeeded(&run(&args)).trim().to_owned()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// What a command printed that must have succeeded.
fn succeeded(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output)
}

/// What a command said that must have failed, and printed nothing.
fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert_eq!(stdout(output), "");
    stderr(output)
}

/// The one line of a report.
fn line(output: &Output) -> Value {
    let text = succeeded(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// An export of a small board, with one of everything.
fn trello(second_card: &str) -> Value {
    json!({
        "id": "6500000000000000000000a0", "name": "Plans",
        "lists": [
            {"id": "6500000000000000000000b1", "name": "To do", "closed": false, "pos": 1},
            {"id": "6500000000000000000000b2", "name": "Done", "closed": false, "pos": 2.5},
            {"id": "6500000000000000000000b3", "name": "Old", "closed": true, "pos": 3},
        ],
        "cards": [
            {"id": "6500000000000000000000c1", "idShort": 1, "idList": "6500000000000000000000b1",
             "name": "First", "desc": "**bold**", "closed": false, "pos": 1,
             "idLabels": ["6500000000000000000000d1"], "idMembers": ["6500000000000000000000e1"],
             "attachments": [{"id": "650000000000000000000091", "name": "a page",
                              "url": "https://example.com/"}]},
            {"id": "6500000000000000000000c2", "idShort": 2, "idList": "6500000000000000000000b1",
             "name": second_card, "closed": false, "pos": 2},
            {"id": "6500000000000000000000c3", "idShort": 3, "idList": "6500000000000000000000b2",
             "name": "Third", "closed": true, "pos": 3},
        ],
        "labels": [{"id": "6500000000000000000000d1", "name": "area/backend", "color": "green"}],
        "members": [{"id": "6500000000000000000000e1", "fullName": "Eve", "username": "eve"}],
        "checklists": [
            {"id": "6500000000000000000000f1", "idCard": "6500000000000000000000c1",
             "name": "Steps", "pos": 1, "checkItems": [
                {"id": "6500000000000000000000f2", "name": "one", "state": "complete", "pos": 1},
                {"id": "6500000000000000000000f3", "name": "two", "state": "incomplete", "pos": 2},
             ]},
        ],
        "actions": [
            {"id": "650000000000000000000081", "type": "updateCard", "data": {},
             "date": "2026-01-02T00:00:00.000Z", "idMemberCreator": "6500000000000000000000e1"},
            {"id": "650000000000000000000082", "type": "commentCard",
             "date": "2026-01-01T00:00:00.000Z", "idMemberCreator": "6500000000000000000000e1",
             "data": {"text": "looks good", "card": {"id": "6500000000000000000000c1"}}},
        ],
    })
}

#[tokio::test]
async fn tokens_work_beside_a_server_that_says_where_it_listens() {
    let scene = Scene::new();
    let serving = Serving::start(&scene.path("data"));
    let tokens = scene.token(&["--count", "3", "--ttl", "5m"]);
    let tokens: Vec<_> = tokens.lines().collect();
    assert_eq!(tokens.len(), 3);
    for (index, token) in tokens.iter().enumerate() {
        let mut client = TestClient::connect(serving.address(), Some(token)).await;
        let welcome = client.hello(None).await;
        assert_eq!(welcome.user.to_string(), format!("ann-{}", index + 1));
    }
    let mut health = ureq::get(serving.url("/healthz"))
        .call()
        .expect("an answer");
    assert_eq!(health.status(), 200);
    assert!(health.body_mut().read_to_string().is_ok());
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn an_import_tells_what_the_file_holds_and_what_became_of_it() {
    let scene = Scene::new();
    let file = scene.write("plans.json", &trello("Second").to_string());
    let output = scene.import("trello", &file);
    let told = line(&output);
    let board = told["board"].clone();
    let skipped = told["skipped"].clone();
    let expected = |outcome: &str| {
        json!({
            "file": file, "board": board, "outcome": outcome,
            "columns": {"open": 2, "archived": 1}, "cards": {"open": 2, "archived": 1},
            "labels": 1, "checklists": 1, "check_items": 2, "comments": 1, "attachments": 1,
            "members": 1, "skipped": skipped,
        })
    };
    assert_eq!(told, expected("created"));
    let [action] = skipped.as_array().expect("a list").as_slice() else {
        panic!("one thing is left out: {skipped}");
    };
    assert_eq!(
        (&action["what"], &action["count"]),
        (&json!("action"), &json!(1))
    );
    assert!(!action["why"].as_str().expect("a reason").is_empty());

    assert_eq!(line(&scene.import("trello", &file)), expected("unchanged"));
    scene.write("plans.json", &trello("Renamed").to_string());
    assert_eq!(line(&scene.import("trello", &file)), expected("updated"));
    assert_eq!(line(&scene.import("trello", &file)), expected("unchanged"));
}

#[test]
fn a_file_that_cannot_be_imported_is_named_and_the_others_are_imported() {
    let scene = Scene::new();
    let whole = trello("Second").to_string();
    let good = scene.write("good.json", &whole);
    let cut = scene.write("cut.json", &whole[..whole.len() / 2]);
    let other = scene.write("other.json", "{\"a\": 1}");
    let missing = scene.text("missing.json");

    let told = failed(&scene.import("trello", &missing));
    let expected = format!(
        "boardcast: {missing}: failed to read the file: No such file or directory (os error 2)\n\
         boardcast: one file was not imported; nothing of it was taken over\n"
    );
    assert_eq!(told, expected);
    let told = failed(&scene.import("trello", &cut));
    let place = format!("boardcast: {cut}: not readable at line 1, column ");
    assert!(told.starts_with(&place), "{told}");
    assert!(told.contains("the file is cut off"), "{told}");
    let told = failed(&scene.import("trello", &other));
    assert!(told.contains("not an export of a Trello board"), "{told}");
    let told = failed(&scene.import("json", &good));
    assert!(told.starts_with(&format!("boardcast: {good}: ")), "{told}");

    let data = scene.text("data");
    let args = [
        "import",
        "trello",
        &cut,
        &good,
        &missing,
        "--json",
        "--data-dir",
        &data,
    ];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(1));
    let printed: Value = serde_json::from_str(&stdout(&output)).expect("one line");
    assert_eq!(
        (&printed["file"], &printed["outcome"]),
        (&json!(good), &json!("created"))
    );
    assert!(
        stderr(&output).ends_with("2 files were not imported; nothing of them was taken over\n")
    );
}

#[tokio::test]
async fn an_import_into_a_running_server_is_seen_live() {
    let scene = Scene::new();
    let file = scene.write("plans.json", &trello("Second").to_string());
    let told = line(&scene.import("trello", &file));
    let board: BoardId = serde_json::from_value(told["board"].clone()).expect("a board");

    let serving = Serving::start(&scene.path("data"));
    let data = scene.text("data");
    for output in [
        scene.import("trello", &file),
        run(&[
            "export",
            board.as_str(),
            "--format",
            "json",
            "--data-dir",
            &data,
        ]),
    ] {
        let refused = failed(&output);
        let expected = format!("data directory {data} is in use by another server");
        assert!(refused.contains(&expected), "{refused}");
        assert!(refused.contains("--server URL"), "{refused}");
    }

    let token = scene.token(&["--role", "admin"]);
    let mut client = TestClient::connect(serving.address(), Some(&token)).await;
    client.hello(None).await;
    let joined = client.subscribe(board, None).await;
    let mut view = joined.view.expect("a snapshot");
    scene.write("plans.json", &trello("Renamed").to_string());
    let server = serving.url("");
    let import = [
        "import", "trello", &file, "--json", "--server", &server, "--token", &token,
    ];
    assert_eq!(line(&run(&import))["outcome"], json!("updated"));
    let batch = client.batch().await;
    assert_eq!(batch.from, joined.subscribed.version);
    batch.v.iter().for_each(|entry| apply(&mut view, entry));
    let titles: Vec<_> = view
        .cards
        .values()
        .map(|card| card.title.to_string())
        .collect();
    assert!(titles.contains(&"Renamed".to_owned()), "{titles:?}");
    assert_eq!(line(&run(&import))["outcome"], json!("unchanged"));

    let export = [
        "export",
        board.as_str(),
        "--format",
        "json",
        "--server",
        &server,
    ];
    let over_http = succeeded(&run(&[&export[..], &["--token", &token]].concat()));
    let stranger = scene.token(&[]);
    let refused = failed(&run(&[&export[..], &["--token", &stranger]].concat()));
    assert!(
        refused.contains("no such board, or you are not a member"),
        "{refused}"
    );
    let refused = failed(&run(&[&export[..], &["--token", "nonsense"]].concat()));
    assert!(!refused.is_empty());
    client.say(&json!({"type": "ping", "t": 1})).await;
    client
        .wait_for(|message| matches!(message, ServerMessage::Pong(_)).then_some(()))
        .await;
    assert_eq!(serving.terminate(), Some(0));
    assert_eq!(scene.export("data", board.as_str()), over_http);
}

#[test]
fn an_export_that_is_imported_elsewhere_is_the_same_board() {
    let scene = Scene::new();
    let file = scene.write("plans.json", &trello("Second").to_string());
    let board = line(&scene.import("trello", &file))["board"].clone();
    let board = board.as_str().expect("an id");
    assert_round_trip(&scene, board);
    let missing = BoardId::from_u128(7);
    let data = scene.text("data");
    let args = [
        "export",
        missing.as_str(),
        "--format",
        "json",
        "--data-dir",
        &data,
    ];
    assert!(failed(&run(&args)).contains(missing.as_str()));
    let nowhere = scene.text("nowhere");
    let args = ["export", board, "--format", "json", "--data-dir", &nowhere];
    assert!(failed(&run(&args)).contains("there is no data directory"));
    assert!(!scene.path("nowhere").exists(), "nothing was made");
}

/// Exports a board, imports it into an empty directory and compares both exports.
fn assert_round_trip(scene: &Scene, board: &str) {
    let export = scene.export("data", board);
    let document: Value = serde_json::from_str(&export).expect("JSON");
    let columns = document["columns"].as_array().expect("columns in order");
    assert!(
        columns
            .iter()
            .all(|column| column["cards"].is_array() || column.get("cards").is_none())
    );
    let copy = scene.write("export.json", &export);
    let other = scene.text(&format!("copy-of-{board}"));
    let args = ["import", "json", &copy, "--json", "--data-dir", &other];
    let told = line(&run(&args));
    assert_eq!(
        (&told["board"], &told["outcome"]),
        (&json!(board), &json!("created"))
    );
    assert_eq!(told["skipped"], json!([]));
    assert_eq!(scene.export(&format!("copy-of-{board}"), board), export);
    assert_eq!(line(&run(&args))["outcome"], json!("unchanged"));
}

#[test]
fn the_exports_of_real_boards_are_imported_with_everything() {
    let shared = std::env::var_os("BOARDCAST_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let data = shared.unwrap_or_else(beside).join("data");
    // Lists and cards: all, and those of them that are archived.
    for (name, lists, cards) in [
        ("trello-amirite.json", (7, 0), (81, 23)),
        ("trello-spark-project.json", (12, 0), (45, 12)),
        ("trello-food-app.json", (7, 1), (62, 5)),
        ("trello-photo-cms-it.json", (20, 0), (275, 0)),
        ("trello-custom-fields-fixture.json", (3, 0), (3, 0)),
    ] {
        let file = data.join(name);
        if !file.exists() {
            eprintln!(
                "skipped: {} is not there; set BOARDCAST_SHARED",
                file.display()
            );
            continue;
        }
        let scene = Scene::new();
        let told = line(&scene.import("trello", text(&file)));
        let tally =
            |(all, archived): (u32, u32)| json!({"open": all - archived, "archived": archived});
        assert_eq!(told["columns"], tally(lists), "{name}");
        assert_eq!(told["cards"], tally(cards), "{name}");

        let content = std::fs::read_to_string(&file).expect("the file");
        let content: Value = serde_json::from_str(&content).expect("JSON");
        let things = |thing: &Value, key: &str| thing[key].as_array().cloned().unwrap_or_default();
        let parts = |key: &str, part: &str| {
            let things = things(&content, key);
            things
                .iter()
                .map(|thing| thing[part].as_array().map_or(0, Vec::len))
                .sum::<usize>()
        };
        assert_eq!(
            told["attachments"],
            json!(parts("cards", "attachments")),
            "{name}"
        );
        assert_eq!(
            told["check_items"],
            json!(parts("checklists", "checkItems")),
            "{name}"
        );
        let lists = things(&content, "checklists").len();
        assert_eq!(told["checklists"], json!(lists), "{name}");
        assert_round_trip(&scene, told["board"].as_str().expect("an id"));
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_missing() {
    for (args, expected) in [
        (&[][..], "Usage: boardcast"),
        (
            &["import", "trello", "f"],
            "say where: `--data-dir DIR`, or `--server URL",
        ),
        (&["import", "trello", "--data-dir", "x"], "<FILE>"),
        (&["import", "notes", "f", "--data-dir", "x"], "notes"),
        (
            &["import", "trello", "f", "--server", "http://x:1"],
            "--token",
        ),
        (
            &["import", "trello", "f", "--server", "x:1", "--token", "t"],
            "is not a server such as http://127.0.0.1:8080",
        ),
        (
            &[
                "import",
                "trello",
                "f",
                "--data-dir",
                "x",
                "--server",
                "http://x:1",
                "--token",
                "t",
            ],
            "cannot be used with",
        ),
        (&["export", "b", "--data-dir", "x"], "--format"),
        (
            &[
                "export",
                "not a board",
                "--format",
                "json",
                "--data-dir",
                "x",
            ],
            "is not a board",
        ),
        (
            &["token", "--data-dir", "x", "--user", "ann", "--count", "0"],
            "--count",
        ),
        (&["link", "--user", "ann"], "--server"),
    ] {
        let output = run(args);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(expected), "{args:?}: {told}");
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}
