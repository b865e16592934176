//! `boardcast config`: what is in force, and from where.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use boardcast::config::Settings;
use boardcast_tests::process::{binary, stderr, stdout};
use serde_json::{Value, json};

use super::{Scene, succeeded};

/// Runs it with these variables and no others of this program.
fn config(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.arg("config").args(args);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BOARDCAST_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command.output().expect("the binary runs")
}

/// The value of each setting and where it comes from.
fn settings(args: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, (Value, String)> {
    let output = config(&[args, &["--json"]].concat(), variables);
    let text = succeeded(&output);
    let entries = text.lines().map(|line| {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
        (text("name"), (entry["value"].clone(), text("from")))
    });
    entries.collect()
}

#[test]
fn each_setting_is_told_with_where_it_comes_from() {
    let scene = Scene::new();
    let toml =
        "max_connections = 1\nmax_http_connections = 2\nkeep_days = 3\nyields = \"oldest\"\n";
    let file = scene.write("boardcast.toml", toml);
    let args = [
        "--max-connections",
        "10",
        "--allowed-origins",
        "https://a.example,https://b.example",
    ];
    let args = [&args[..], &["--config", file.as_str()]].concat();
    let variables = [
        ("BOARDCAST_MAX_CONNECTIONS", "20"),
        ("BOARDCAST_MAX_HTTP_CONNECTIONS", "30"),
        ("BOARDCAST_TRUSTED_PROXIES", "10.0.0.0/8,::1"),
    ];
    let told = settings(&args, &variables);
    for (name, value, from) in [
        ("max_connections", json!(10), "flag"),
        (
            "allowed_origins",
            json!(["https://a.example", "https://b.example"]),
            "flag",
        ),
        ("max_http_connections", json!(30), "environment"),
        (
            "trusted_proxies",
            json!(["10.0.0.0/8", "::1"]),
            "environment",
        ),
        ("keep_days", json!(3), "file"),
        ("yields", json!("oldest"), "file"),
        ("listen", json!("127.0.0.1:8080"), "default"),
        ("public_url", json!(""), "default"),
        ("ping_every_ms", json!(25_000), "default"),
        ("log_format", json!("text"), "default"),
    ] {
        assert_eq!(told[name], (value, from.to_owned()), "{name}");
    }
    let by_file = [("BOARDCAST_CONFIG", file.as_str())];
    assert_eq!(
        settings(&[], &by_file)["max_connections"],
        (json!(1), "file".to_owned())
    );
}

#[test]
fn it_tells_every_setting_and_what_it_prints_is_a_file_for_the_server() {
    let all = serde_json::to_value(Settings::default()).expect("JSON");
    let all: Vec<_> = all
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let told = settings(&[], &[]);
    assert_eq!(told.keys().cloned().collect::<Vec<_>>(), all);
    assert!(
        told.values()
            .all(|(value, from)| !value.is_null() && from == "default")
    );

    let scene = Scene::new();
    let flags = [
        "--keep-days",
        "3",
        "--trusted-proxies",
        "::1",
        "--log",
        "info,boardcast=debug",
    ];
    let printed = stdout(&config(&flags, &[]));
    assert_eq!(printed.lines().count(), all.len());
    assert!(printed.contains("keep_days = 3 # flag\n"), "{printed}");
    let file = scene.write("printed.toml", &printed);
    let read = settings(&["--config", &file], &[]);
    let values = |told: &BTreeMap<String, (Value, String)>| -> Vec<Value> {
        told.values().map(|(value, _)| value.clone()).collect()
    };
    assert_eq!(values(&read), values(&settings(&flags, &[])));
    assert!(read.values().all(|(_, from)| from == "file"));
}

#[test]
fn the_key_of_a_bucket_is_no_setting() {
    let variables = [
        ("BOARDCAST_S3_ACCESS_KEY_ID", "AKIDHIDDEN"),
        ("BOARDCAST_S3_SECRET_ACCESS_KEY", "hidden-secret"),
        ("BOARDCAST_S3_SESSION_TOKEN", "hidden-token"),
    ];
    let printed = config(&["--s3-timeout-ms", "5000"], &variables);
    let text = succeeded(&printed) + &stderr(&printed);
    assert!(text.contains("s3_timeout_ms = 5000 # flag\n"), "{text}");
    let lower = text.to_lowercase();
    assert!(
        !lower.contains("hidden") && !lower.contains("secret"),
        "{text}"
    );
}

#[test]
fn a_program_that_was_built_without_buckets_says_which_one_has_them() {
    let scene = Scene::new();
    let data = scene.text("data");
    for args in [
        &["config"][..],
        &["serve", "--data-dir", &data],
        &["check", "--data-dir", &data],
        &["backup", "all.db", "--data-dir", &data],
        &["restore", "all.db", "--data-dir", &data],
    ] {
        let output = Command::new(binary())
            .args(args)
            .env("BOARDCAST_S3_BUCKET", "plans")
            .output()
            .expect("the binary runs");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?} {said}");
        let expected = "`s3_bucket` needs a program that is built with `--features s3`";
        assert!(said.contains(expected), "{args:?} {said}");
    }
    assert!(!scene.path("data").exists());
}

#[test]
fn what_the_server_would_not_take_is_wrong_usage_here_too() {
    for (args, expected) in [
        (
            &["--max-connections", "0"][..],
            "`max_connections` is 0; it must be from 1",
        ),
        (
            &["--public-url", "boards.example"],
            "`public_url` is \"boards.example\"",
        ),
        (
            &["--config", "/nowhere/boardcast.toml"],
            "failed to read the configuration",
        ),
    ] {
        let output = config(args, &[]);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}
