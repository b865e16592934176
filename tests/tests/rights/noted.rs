//! What is done at a shell, without a server or beside one, is in the audit log of the directory.

use std::path::Path;

use boardcast_tests::harness::PATIENCE;
use boardcast_tests::http::ask;
use boardcast_tests::process::{Serving, run, stderr, stdout};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

fn done(data: &Path, words: &[&str]) -> String {
    let data = data.to_str().expect("a path");
    let output = run(&[words, &["--data-dir", data]].concat());
    assert_eq!(
        output.status.code(),
        Some(0),
        "{words:?} {}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("audit"), "{}", stderr(&output));
    stdout(&output)
}

/// The log, the oldest entry first, once there are as many entries.
async fn noted(serving: &Serving, token: &str, count: usize) -> Vec<Value> {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let url = serving.url("/api/v1/admin/audit?limit=200");
    let written = async {
        loop {
            let answer = ask(&url, "GET", &headers, None).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let entries = answer.json()["entries"]
                .as_array()
                .expect("entries")
                .clone();
            if entries.len() >= count {
                return entries.into_iter().rev().collect();
            }
            sleep(PATIENCE / 200).await;
        }
    };
    let entries: Vec<Value> = timeout(PATIENCE, written).await.expect("the entries");
    assert_eq!(entries.len(), count, "{entries:#?}");
    entries
}

fn acts(entries: &[Value]) -> Vec<&str> {
    let acts = entries.iter().map(|entry| entry["act"].as_str());
    acts.map(|act| act.expect("a word")).collect()
}

#[tokio::test]
async fn what_is_done_at_a_shell_is_in_the_log_of_the_directory() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let backup = dir.path().join("backup.db");
    let backup = backup.to_str().expect("a path");
    let root = done(&data, &["token", "--user", "root", "--role", "admin"]);
    let many = done(
        &data,
        &["token", "--user", "bot", "--count", "3", "--ttl", "1m"],
    );
    done(
        &data,
        &["user", "add", "ann@x.org", "--name", "Ann", "--user", "ann"],
    );
    done(&data, &["backup", backup]);
    done(&data, &["restore", backup]);
    done(&data, &["key", "rotate"]);

    let serving = Serving::start(&data);
    let root = root.trim();
    let all = noted(&serving, root, 6).await;
    // The account is written at once, where there is a database; the others wait for the next who
    // writes the log, and that was `user add` for the tokens.
    let mut sorted = acts(&all);
    sorted.sort_unstable();
    let expected = [
        "account_made",
        "backup_taken",
        "key_rotated",
        "restored",
        "token_signed",
        "token_signed",
    ];
    assert_eq!(sorted, expected);
    for entry in &all {
        assert_eq!(
            (&entry["by"], &entry["address"]),
            (&Value::Null, &Value::Null)
        );
    }
    let signed: Vec<_> = all.iter().filter(|e| e["act"] == "token_signed").collect();
    assert_eq!(signed[0]["about"], "root");
    assert_eq!(signed[0]["detail"]["admin"], true);
    let hour_ms = 60 * 60 * 1_000;
    let at = signed[0]["at"].as_u64().expect("a time");
    assert_eq!(signed[0]["detail"]["expires"], at + hour_ms);
    assert_eq!(signed[1]["about"], Value::Null);
    assert_eq!(signed[1]["detail"]["users"], json!("bot-1 to bot-3"));
    let said = format!("{all:?}");
    for secret in many.lines().chain([root]) {
        assert!(!said.contains(secret.rsplit('.').next().expect("a signature")));
    }

    // Beside the server that runs.
    let user = done(&data, &["token", "--user", "root", "--role", "admin"]);
    done(&data, &["key", "retire"]);
    let server = ["link", "--server", &serving.url(""), "--user", "eve"];
    assert!(done(&data, &server).contains("#ticket="));
    let all = noted(&serving, user.trim(), 9).await;
    let beside = acts(&all[6..]);
    assert_eq!(beside, ["token_signed", "key_retired", "token_signed"]);
    assert_eq!(all[8]["about"], "eve");
}
