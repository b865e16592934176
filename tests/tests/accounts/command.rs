//! `boardcast user`, in a directory and on a server that runs.

use boardcast_tests::process::{Serving, run, stderr, stdout};
use serde_json::{Value, json};

use super::{PASSWORD, ask, secret};

fn done(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

fn refused(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    stderr(&output)
}

/// Adds and lists, disables and enables, resets: the same in both places.
fn rounds(place: &[&str]) -> String {
    let with = |args: &[&str]| -> Vec<String> {
        let words = ["user"].iter().chain(args).chain(place);
        words.map(|word| (*word).to_owned()).collect()
    };
    let run_with = |args: &[&str]| {
        let args = with(args);
        done(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused_with = |args: &[&str], code| {
        let args = with(args);
        refused(&args.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let people = || -> Vec<Value> {
        let text = run_with(&["list", "--json"]);
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let boss = [
        "add",
        "boss@x.org",
        "--name",
        "Boss",
        "--user",
        "boss",
        "--role",
        "admin",
    ];
    run_with(&boss);
    let link = run_with(&["add", "ann@x.org", "--name", "Ann", "--user", "ann"]);
    assert!(link.contains("/password#link="), "{link}");
    assert!(refused_with(&boss, 1).contains("there is an account"));
    assert!(refused_with(&["add", "x", "--name", "X"], 2).contains("NAME@HOST"));
    assert!(refused_with(&["disable", "boss"], 1).contains("last administrator"));
    assert!(refused_with(&["disable", "nobody"], 1).contains("no account"));
    run_with(&["disable", "ann"]);
    let listed = people();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["user"], &listed[0]["disabled"]),
        (&json!("ann"), &json!(true))
    );
    assert_eq!(
        (&listed[1]["user"], &listed[1]["admin"]),
        (&json!("boss"), &json!(true))
    );
    assert!(refused_with(&["reset", "ann"], 1).contains("disabled"));
    run_with(&["enable", "ann"]);
    assert_eq!(people()[0]["disabled"], false);
    let text = run_with(&["list"]);
    assert!(
        text.contains("ann\tann@x.org\tperson\tno password\tAnn"),
        "{text}"
    );
    run_with(&["reset", "ann", "--url", "https://boards.example/"])
}

#[tokio::test]
async fn accounts_are_made_in_a_directory_and_their_links_work_when_it_is_served() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let place = ["--data-dir", data.to_str().expect("a path")];
    let link = rounds(&place);
    assert!(
        link.starts_with("https://boards.example/password#link="),
        "{link}"
    );
    let serving = Serving::start(&data);
    let args = ["user", "list", place[0], place[1]];
    assert!(refused(&args, 1).contains("in use by another server"));
    let sent = json!({"link": secret(link.trim()), "password": PASSWORD});
    let set = ask(&serving.url("/api/v1/password"), "POST", &[], Some(&sent)).await;
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(set.json()["user"], "ann");
    let token = done(&[
        "token",
        "--data-dir",
        place[1],
        "--user",
        "root",
        "--role",
        "admin",
    ]);
    let bearer = format!("Bearer {}", token.trim());
    let headers = [("Authorization", bearer.as_str())];
    let url = serving.url("/api/v1/admin/audit?about=ann");
    let noted = ask(&url, "GET", &headers, None).await.json();
    let noted: Vec<_> = noted["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["address"].is_null() && entry["by"].is_null())
        .map(|entry| entry["act"].as_str().expect("a word"))
        .collect();
    let expected = [
        "password_link_made",
        "account_enabled",
        "account_disabled",
        "account_made",
    ];
    assert_eq!(noted, expected, "done by a shell on the machine");
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn accounts_are_made_on_a_server_that_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(dir.path());
    let data = dir.path().to_str().expect("a path");
    let token = done(&[
        "token",
        "--data-dir",
        data,
        "--user",
        "root",
        "--role",
        "admin",
    ]);
    let server = serving.url("");
    let link = rounds(&["--server", &server, "--token", token.trim()]);
    assert!(
        link.starts_with("https://boards.example/password#link="),
        "{link}"
    );
    let args = [
        "user",
        "reset",
        "boss",
        "--server",
        &server,
        "--token",
        token.trim(),
    ];
    assert!(done(&args).starts_with(&format!("{server}/password#link=")));
    assert_eq!(serving.terminate(), Some(0));
}
