//! Imports: the report, errors, and a server that runs.

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::ServerMessage;
use boardcast_tests::client::{TestClient, apply};
use boardcast_tests::process::{Serving, run, stderr, stdout};
use serde_json::{Value, json};

use super::{Scene, failed, line, succeeded, trello};

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
    let mut updated = expected("updated");
    // The history of a board that is there already stays as it is.
    let why = "the history is taken over when the board is made";
    let skipped = updated["skipped"].as_array_mut().expect("a list");
    skipped.push(json!({"what": "action", "count": 1, "why": why}));
    assert_eq!(line(&scene.import("trello", &file)), updated);
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
