//! Exports: imported elsewhere, they give the same board.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_tests::client::TestClient;
use boardcast_tests::process::{Serving, run, simulate};
use serde_json::{Value, json};

use super::{Scene, failed, line, succeeded, text, trello};

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

#[test]
fn the_cards_are_exported_as_a_table_with_a_server_and_without() {
    let scene = Scene::new();
    let file = scene.write("plans.json", &trello("=1+1").to_string());
    let board = line(&scene.import("trello", &file))["board"].clone();
    let board = board.as_str().expect("an id");
    let data = scene.text("data");
    let args = ["export", board, "--format", "csv", "--data-dir", &data];
    let table = succeeded(&run(&args));
    assert!(table.starts_with("number,id,title,column,"), "{table}");
    assert!(table.contains(",'=1+1,"), "{table}");
    let token = scene.token(&["--role", "admin"]);
    let serving = Serving::start(&scene.path("data"));
    let url = serving.url("");
    let args = [
        "export", board, "--format", "csv", "--server", &url, "--token", &token,
    ];
    assert_eq!(succeeded(&run(&args)), table);
    assert_eq!(serving.terminate(), Some(0));
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
            // Past the capture of the test runner: a skipped test is to be seen.
            let _ = writeln!(
                std::io::stderr(),
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
        // Its history is that of a board here.
        succeeded(&run(&["check", "--data-dir", &scene.text("data")]));
        assert_round_trip(&scene, told["board"].as_str().expect("an id"));
    }
}

#[tokio::test]
async fn a_board_that_people_worked_on_is_exported_with_everything() {
    let scene = Scene::new();
    let serving = Serving::start(&scene.path("data"));
    let data = scene.text("data");
    let tokens = [
        "token",
        "--data-dir",
        &data,
        "--user",
        "sim",
        "--count",
        "2",
    ];
    let tokens = scene.write("tokens", &succeeded(&run(&tokens)));
    let server = serving.url("");
    let mut args = vec![
        "run",
        "--server",
        &server,
        "--token-file",
        &tokens,
        "--json",
    ];
    args.extend([
        "--clients",
        "4",
        "--cards",
        "40",
        "--rate",
        "150",
        "--duration",
        "2s",
    ]);
    let report: Value = serde_json::from_str(&succeeded(&simulate(&args))).expect("JSON");
    let board: BoardId = serde_json::from_value(report["ends"][0]["board"].clone()).expect("an id");

    // The id of what was deleted stays used, in the copy too.
    let token = std::fs::read_to_string(&tokens).expect("tokens");
    let token = token.lines().next().expect("a token");
    let mut client = TestClient::connect(serving.address(), Some(token)).await;
    client.hello(None).await;
    let joined = client.subscribe(board, None).await;
    let view = joined.view.expect("a snapshot");
    let card = *view.cards.keys().next().expect("a card");
    client
        .submit(board, 1, vec![Command::CardRemove { card }])
        .await;
    client.durable(board, joined.subscribed.version.0 + 1).await;
    assert_eq!(serving.terminate(), Some(0));
    let document: Value =
        serde_json::from_str(&scene.export("data", board.as_str())).expect("JSON");
    let deleted = document["deleted"].as_array().expect("deleted ids");
    assert!(deleted.contains(&json!(card)));
    assert_round_trip(&scene, board.as_str());
}

/// Exports a board, imports it into an empty directory and compares both exports.
fn assert_round_trip(scene: &Scene, board: &str) {
    let export = scene.export("data", board);
    let document: Value = serde_json::from_str(&export).expect("JSON");
    let columns = document["columns"].as_array().expect("columns in order");
    let cards = columns
        .iter()
        .filter_map(|column| column["cards"].as_array());
    assert!(
        cards.map(Vec::len).sum::<usize>() > 0,
        "cards stand in their columns"
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
    let again = scene.export(&format!("copy-of-{board}"), board);
    assert!(again == export, "not the same board: {again}\n{export}");
    assert_eq!(line(&run(&args))["outcome"], json!("unchanged"));
}
