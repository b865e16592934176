//! The simulator notices what it is made to notice, and says so by its exit code.

use std::path::{Path, PathBuf};
use std::process::Output;

use boardcast_tests::process::{Serving, run, simulate, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server and the tokens of a small fleet.
struct Scene {
    dir: TempDir,
    serving: Serving,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let data_dir = dir.path().join("data");
        let serving = Serving::start(&data_dir);
        let data_dir = data_dir.to_str().expect("a path");
        let tokens = run(&[
            "token",
            "--data-dir",
            data_dir,
            "--user",
            "sim",
            "--count",
            "4",
        ]);
        std::fs::write(dir.path().join("tokens"), tokens.stdout).expect("a token file");
        Self { dir, serving }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs four clients for a moment; what it printed, and its report.
    fn run(&self, more: &[&str]) -> (Output, Value) {
        let report = self.path("report.json");
        let output = simulate_at(&self.serving.url(""), &self.path("tokens"), &{
            let mut args = vec!["--clients", "4", "--rate", "40", "--duration", "1500ms"];
            args.extend(["--cards", "20", "--report", text(&report)]);
            args.extend(more);
            args
        });
        let report = std::fs::read(report).expect("a report");
        (output, serde_json::from_slice(&report).expect("JSON"))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn simulate_at(server: &str, tokens: &Path, more: &[&str]) -> Output {
    let mut args = vec!["run", "--server", server, "--token-file", text(tokens)];
    args.extend(more);
    simulate(&args)
}

#[test]
fn a_clean_run_exits_with_0_and_tells_the_same_on_standard_output_and_in_the_report() {
    let scene = Scene::new();
    let ledger = scene.path("ledger");
    let (output, report) = scene.run(&["--json", "--ledger", text(&ledger)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(report["violations"]["total"], json!(0));
    let printed: Value = serde_json::from_str(&stdout(&output)).expect("JSON alone");
    assert_eq!(printed, report);

    let commands = &report["commands"];
    let count = |name: &str| commands[name].as_u64().expect("a count");
    // Rate times duration, whatever the server does.
    assert_eq!(count("sent") + count("held_back"), 60);
    assert_eq!(commands["unanswered"], json!(0));
    let ledger = std::fs::read_to_string(ledger).expect("a ledger");
    assert_eq!(json!(ledger.lines().count()), commands["durable"]);
    for pointer in [
        "/clients",
        "/boards",
        "/deliveries/expected",
        "/deliveries/received",
        "/actions/read",
        "/actions/sent",
        "/latency_ms/p50",
        "/latency_ms/p90",
        "/latency_ms/p99",
        "/latency_ms/p999",
        "/latency_ms/max",
        "/durable_ms/p99",
        "/bytes/sent",
        "/bytes/received",
    ] {
        let value = report.pointer(pointer).expect(pointer);
        assert!(value.is_number(), "{pointer} is {value}");
    }
    assert!(report["actions"]["skipped"].is_array());
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn each_planted_fault_is_counted_as_what_it_is_and_exits_with_1() {
    let scene = Scene::new();
    let faults = [
        ("gap", "gaps"),
        ("duplicate", "duplicates"),
        ("reorder", "reordered"),
        ("diverge", "diverged"),
        ("unanswered", "unanswered"),
    ];
    for (fault, counter) in faults {
        let (output, report) = scene.run(&["--plant-fault", fault, "--settle", "2s"]);
        assert_eq!(output.status.code(), Some(1), "{fault}");
        let violations = &report["violations"];
        for (_, other) in faults {
            let expected = if other == counter { 1 } else { 0 };
            assert_eq!(violations[other], json!(expected), "{fault}: {violations}");
        }
        assert_eq!(violations["total"], json!(1), "{fault}");
        let summary = stdout(&output);
        assert!(summary.contains("violations   1 ("), "{summary}");
        assert!(
            summary.contains("  violation "),
            "a note says which: {summary}"
        );
    }
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &[][..],
        &["dance"],
        &["run"],
        &["run", "--server", "http://127.0.0.1:1"],
        &["run", "--server", "https://x", "--token-file", "t"],
        &[
            "run",
            "--server",
            "http://x:1",
            "--token-file",
            "t",
            "--clients",
            "0",
        ],
        &[
            "run",
            "--server",
            "http://x:1",
            "--token-file",
            "t",
            "--duration",
            "1w",
        ],
        &[
            "run",
            "--server",
            "http://x:1",
            "--token-file",
            "t",
            "--churn",
            "2",
        ],
        &[
            "run",
            "--server",
            "http://x:1",
            "--token-file",
            "t",
            "--plant-fault",
            "flood",
        ],
        &["replay", "--server", "http://x:1", "--token-file", "t"],
    ] {
        let output = simulate(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stdout(&output).is_empty(), "{args:?}");
        assert!(stderr(&output).contains("Usage") || stderr(&output).contains("--help"));
    }
}

#[test]
fn what_cannot_be_done_is_told_exactly_and_exits_with_1() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    };
    let nobody = "http://127.0.0.1:1";
    let missing = dir.path().join("missing");
    let empty = file("empty", "\n");
    let garbage = file("garbage", "what is this");
    // The payload is {"sub":"ann"}; nobody looks at the signature before there is a server.
    let token = file("token", "e30.eyJzdWIiOiJhbm4ifQ.x");
    for (tokens, message) in [
        (
            &missing,
            format!(
                "failed to read the tokens in {}: No such file or directory (os error 2)",
                missing.display()
            ),
        ),
        (
            &empty,
            format!(
                "{} holds no token; write one with `boardcast token --data-dir DIR --user sim`",
                empty.display()
            ),
        ),
        (
            &garbage,
            format!(
                "line 1 of {} is no token: it has no payload",
                garbage.display()
            ),
        ),
        (
            &token,
            "no connection to the server: connect: Connection refused".to_owned(),
        ),
    ] {
        let output = simulate_at(nobody, tokens, &[]);
        assert_eq!(output.status.code(), Some(1), "{message}");
        let told = stderr(&output);
        assert!(
            told.starts_with(&format!("boardcast-sim: {message}")),
            "{told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(stdout(&output).is_empty());
    }
}
