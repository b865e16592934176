//! The load generator of `benches/peers` drives this server and counts what it is told: two
//! seconds, so that it cannot rot between measurements.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use boardcast_tests::process::{Serving, binary, run, stderr, stdout};
use serde_json::{Value, json};

const SUBSCRIBERS: u64 = 10;

/// The path of the generator, which is built if it is not up to date: it is in a workspace of its
/// own.
fn generator() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/peers/Cargo.toml");
        let target = binary().ancestors().nth(2).expect("a target folder");
        let target = target.join("peers");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--package", "generator"])
            .args(["--manifest-path", manifest, "--target-dir"])
            .arg(&target)
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the generator is built");
        target.join("debug/generator")
    })
}

/// A server with the boards of a load, and tokens of the subscribers and of those who open boards.
struct Bench {
    folder: tempfile::TempDir,
    server: Serving,
}

impl Bench {
    fn start(load: &str, users: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| {
            folder
                .path()
                .join(name)
                .to_str()
                .expect("a path")
                .to_owned()
        };
        let (boards, data) = (path("boards"), path("data"));
        std::fs::create_dir(&boards).expect("a folder");
        let written = generate(&["boards", "--load", load, "--into", &boards]);
        assert!(written.status.success(), "{}", stderr(&written));

        let files = std::fs::read_dir(&boards).expect("documents");
        let files = files.map(|file| file.expect("a document").path());
        let files: Vec<_> = files
            .map(|file| file.to_str().expect("a path").to_owned())
            .collect();
        let mut import = vec!["import", "json", "--data-dir", &data];
        import.extend(files.iter().map(String::as_str));
        let imported = run(&import);
        assert!(imported.status.success(), "{}", stderr(&imported));

        let token = ["token", "--data-dir", &data, "--user"];
        let users = run(&[&token[..], &["u", "--count", &users.to_string()]].concat());
        std::fs::write(folder.path().join("users"), users.stdout).expect("a token file");
        let openers = run(&[&token[..], &["opener", "--role", "admin", "--count", "2"]].concat());
        std::fs::write(folder.path().join("openers"), openers.stdout).expect("a token file");
        let server = Serving::start(Path::new(&data));
        Self { folder, server }
    }

    fn generate(&self, arguments: &[&str]) -> Output {
        let port = self.server.address().port().to_string();
        let path = |name: &str| {
            self.folder
                .path()
                .join(name)
                .to_str()
                .expect("a path")
                .to_owned()
        };
        let (users, openers) = (path("users"), path("openers"));
        let place = ["run", "--protocol", "boardcast", "--port", &port];
        let tokens = ["--token-file", &users, "--opener-token-file", &openers];
        generate(&[&place[..], &tokens[..], arguments].concat())
    }
}

fn generate(arguments: &[&str]) -> Output {
    let generator = Command::new(generator()).args(arguments).output();
    generator.expect("the generator runs")
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_str(&stdout(output)).expect("a report")
}

#[test]
fn r5_the_generator_loses_nothing_and_sees_that_all_is_durable() {
    let load = format!("1x{SUBSCRIBERS}@50");
    let bench = Bench::start(&load, SUBSCRIBERS);
    let arguments = [
        "--mode",
        "fixed",
        "--load",
        &load,
        "--warm",
        "0.2",
        "--seconds",
        "2",
        "--drain",
        "30",
    ];
    let report = report(&bench.generate(&arguments));
    let step = &report["best"];
    assert_eq!(report["connections"], json!(SUBSCRIBERS), "{report}");
    assert_eq!(step["loads"][0]["published"], json!(100), "{step}");
    assert_eq!(
        step["loads"][0]["received"],
        json!(100 * SUBSCRIBERS),
        "{step}"
    );
    assert_eq!(step["loads"][0]["lost"], json!(0), "{step}");
    assert_eq!(step["loads"][0]["duplicate"], json!(0), "{step}");
    assert_eq!(step["durable"]["commands"], json!(100), "{step}");
    assert_eq!(step["durable"]["missing"], json!(0), "{step}");
    assert_eq!(step["refused"], json!(0), "{step}");
    assert_eq!(step["disconnected"], json!(0), "{step}");
    assert_eq!(bench.server.terminate(), Some(0));
}

#[test]
fn the_generator_opens_boards_before_it_looks_at_memory() {
    let load = "120x2@1";
    let bench = Bench::start(load, 240);
    let arguments = ["--mode", "idle", "--load", load, "--seconds", "1"];
    let report = report(&bench.generate(&arguments));
    assert_eq!(report["boards_opened"], json!(120), "{report}");
    assert_eq!(report["connections"], json!(240), "{report}");
    assert_eq!(report["disconnected"], json!(0), "{report}");
}

#[test]
fn the_generator_fails_where_it_is_not_let_in() {
    let load = "2x1@1";
    let bench = Bench::start(load, 2);
    // Each user now has the place of the other, on whose board it is no member.
    let file = bench.folder.path().join("users");
    let tokens = std::fs::read_to_string(&file).expect("tokens");
    let mut lines: Vec<_> = tokens.lines().collect();
    lines.swap(0, 1);
    std::fs::write(&file, lines.join("\n")).expect("a token file");
    let output = bench.generate(&["--mode", "fixed", "--load", load, "--seconds", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no_such_board"),
        "{}",
        stderr(&output)
    );
}
