//! `boardcast doctor`: what it finds behind proxies that do one thing wrong, and in a data directory.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod directory;
mod faults;
mod proxy;

use boardcast_tests::process::{run, stdout};
use serde_json::Value;

/// What it has found, and its exit code.
async fn examine(args: Vec<String>) -> (Vec<Value>, Option<i32>) {
    let run = move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&[&["doctor", "--json"], &args[..]].concat())
    };
    let output = tokio::task::spawn_blocking(run).await.expect("an output");
    let found = stdout(&output);
    let found = found
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (found.collect(), output.status.code())
}

/// The checks that have found what is not as it should be.
fn wrong(found: &[Value]) -> Vec<(&str, &str)> {
    found
        .iter()
        .filter(|finding| !matches!(finding["verdict"].as_str(), Some("ok" | "skipped")))
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().expect("a text");
            (text("check"), text("change"))
        })
        .collect()
}
