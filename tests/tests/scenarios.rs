//! Each scenario that is shipped, small, against a real server; and what becomes of its reports.

use std::path::{Path, PathBuf};
use std::process::Output;

use boardcast_tests::process::{Serving, Simulating, run, simulate, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server and the tokens of a small fleet.
struct Scene {
    dir: TempDir,
    serving: Serving,
    url: String,
}

impl Scene {
    /// A server, and tokens of so many users; each may have five connections, and each board has
    /// one more at the end.
    fn new(users: u32) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let data_dir = dir.path().join("data");
        let serving = Serving::start(&data_dir);
        let scene = Self {
            url: serving.url(""),
            serving,
            dir,
        };
        scene.tokens("sim", users);
        scene
    }

    /// Writes tokens of the users `name`-1, `name`-2 and so on to the file `name`.
    fn tokens(&self, name: &str, users: u32) {
        let (data_dir, count) = (self.path("data"), users.to_string());
        let place = ["token", "--data-dir", text(&data_dir)];
        let tokens = run(&[&place[..], &["--user", name, "--count", &count]].concat());
        std::fs::write(self.path(name), tokens.stdout).expect("a token file");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The arguments that play `file` with the tokens of `users`.
    fn args(&self, file: &Path, users: &str, more: &[&str]) -> Vec<String> {
        let tokens = self.path(users);
        let place = ["--server", &self.url, "--token-file", text(&tokens)];
        let all = [&["scenario", text(file)], &place[..], more].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    fn play(&self, file: &Path, more: &[&str]) -> Output {
        let args = self.args(file, "sim", more);
        simulate(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Plays a shipped scenario that must keep every promise; its report.
    fn small(&self, name: &str, scale: &str, seconds: &str) -> Value {
        let (report, html) = (self.path("report.json"), self.path("report.html"));
        let pid = self.serving.id().to_string();
        let output = self.play(
            &shipped(name),
            &[
                &["--scale", scale, "--seconds", seconds, "--server-pid", &pid][..],
                &["--report", text(&report), "--html", text(&html)],
            ]
            .concat(),
        );
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{told}{}", stdout(&output));
        let page = std::fs::read_to_string(html).expect("a page");
        assert!(page.matches("<svg ").count() >= 6, "plots");
        let report = std::fs::read(report).expect("a report");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        kept(name, &report);
        report
    }
}

/// What is true of every scenario that went well.
fn kept(name: &str, report: &Value) {
    let scenario = name.replace('-', " ");
    assert_eq!(report["scenario"]["name"], json!(scenario));
    assert_eq!(report["violations"]["total"], json!(0), "{name}");
    assert_eq!(report["settled"], json!(true), "{name}");
    assert_eq!(report["connections"]["ended"], json!([]), "{name}");
    assert!(number(report, "/commands/sent") > 0, "{name}");
    assert_eq!(number(report, "/commands/unanswered"), 0, "{name}");
    assert_eq!(
        number(report, "/commands/accepted"),
        number(report, "/commands/durable"),
        "{name}"
    );
    assert_eq!(
        number(report, "/deliveries/received"),
        number(report, "/deliveries/expected"),
        "{name}"
    );
    // Each accepted command was answered and became durable once.
    for of in ["/echo_ms/count", "/durable_ms/count"] {
        assert_eq!(number(report, of), number(report, "/commands/durable"));
    }
    // Each client came at least once.
    assert!(number(report, "/join_ms/count") >= number(report, "/clients"));

    let samples = report["series"]["samples"].as_array().expect("samples");
    assert!(samples.len() > 4, "{name}: {}", samples.len());
    let most = |key: &str| {
        samples
            .iter()
            .filter_map(|s| s[key].as_f64())
            .fold(0.0, f64::max)
    };
    assert_eq!(most("live"), report["clients"].as_f64().expect("clients"));
    assert!(most("server_rss_bytes") > 0.0, "{name}");
    assert!(
        samples
            .iter()
            .any(|sample| sample["server_cpu"].is_number())
    );
    assert!(report["server"]["cpu_seconds"].is_number(), "{name}");
}

fn number(report: &Value, pointer: &str) -> u64 {
    let value = report.pointer(pointer).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("{pointer} is a count"))
}

fn shipped(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../client-sim/scenarios");
    Path::new(folder).join(format!("{name}.toml"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn hot_board_every_command_goes_to_everybody() {
    let scene = Scene::new(10);
    let report = scene.small("hot-board", "0.02", "3");
    assert_eq!(number(&report, "/clients"), 20);
    assert_eq!(
        number(&report, "/deliveries/received"),
        20 * number(&report, "/commands/durable")
    );
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn many_boards_each_command_goes_to_four() {
    let scene = Scene::new(20);
    let report = scene.small("many-boards", "0.02", "3");
    assert_eq!(
        (number(&report, "/clients"), number(&report, "/boards")),
        (40, 10)
    );
    assert_eq!(
        number(&report, "/deliveries/received"),
        4 * number(&report, "/commands/durable")
    );
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn idle_crowd_is_there_and_hears_of_a_change() {
    let scene = Scene::new(60);
    let report = scene.small("idle-crowd", "0.02", "3");
    assert_eq!(number(&report, "/clients"), 200);
    assert_eq!(number(&report, "/connections/cut"), 0);
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn great_hall_hears_every_command_and_comes_back() {
    let scene = Scene::new(120);
    let report = scene.small("great-hall", "0.05", "16");
    assert_eq!(number(&report, "/clients"), 450);
    assert_eq!(number(&report, "/connections/cut"), 450);
    assert_eq!(number(&report, "/connections/resumed_with_events"), 450);
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn reconnect_storm_brings_everybody_back_with_events() {
    let scene = Scene::new(30);
    let report = scene.small("reconnect-storm", "0.02", "4");
    // All hundred of them, and then half of them.
    assert_eq!(number(&report, "/connections/cut"), 150);
    assert_eq!(number(&report, "/connections/resumed_with_events"), 150);
    assert_eq!(number(&report, "/join_ms/count"), 250);
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn slow_readers_are_counted_apart_and_come_after() {
    let scene = Scene::new(20);
    let report = scene.small("slow-readers", "0.05", "6");
    let durable = number(&report, "/commands/durable");
    let slow = number(&report, "/slow_ms/count");
    assert!(slow > 0, "five clients of fifty are slow");
    assert_eq!(
        slow + number(&report, "/latency_ms/count"),
        number(&report, "/deliveries/received")
    );
    assert_eq!(number(&report, "/latency_ms/count"), 45 * durable);
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn chatty_presence_is_heard_and_coalesced() {
    let scene = Scene::new(10);
    let report = scene.small("chatty-presence", "0.02", "3");
    let sent = number(&report, "/presence/sent");
    let received = number(&report, "/presence/received");
    assert_eq!(sent, 120, "forty a second");
    assert!(received > 20, "more than one message for each of twenty");
    assert!(received < 20 * sent, "not each update to each of twenty");
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn mixed_day_has_all_of_it() {
    let scene = Scene::new(20);
    let report = scene.small("mixed-day", "0.05", "6");
    assert!(number(&report, "/presence/sent") > 0);
    assert!(number(&report, "/slow_ms/count") > 0);
    // The half that the storm cuts, and those who come and go.
    assert!(number(&report, "/connections/cut") > 20);
    assert!(number(&report, "/deliveries/resumed") > 0);
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn two_processes_share_a_server_from_several_addresses() {
    let scene = Scene::new(5);
    scene.tokens("others", 5);
    let file = shipped("hot-board");
    let small = ["--scale", "0.02", "--seconds", "2", "--json"];
    let sources = ["--source-addresses", "3", "--connects-per-s", "100"];
    let runs = [("sim", "1"), ("others", "2")].map(|(users, seed)| {
        let more = [&small[..], &sources, &["--seed", seed]].concat();
        let args = scene.args(&file, users, &more);
        Simulating::start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    });
    for run in runs {
        let output = run.finish();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON alone");
        assert_eq!(number(&report, "/clients"), 20);
        assert_eq!(number(&report, "/violations/total"), 0);
    }
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn two_processes_with_one_seed_are_told_so() {
    let scene = Scene::new(5);
    let file = shipped("hot-board");
    let small = ["--scale", "0.005", "--seconds", "4", "--json"];
    let runs = [(); 2].map(|()| {
        let args = scene.args(&file, "sim", &small);
        Simulating::start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let outputs = runs.map(Simulating::finish);
    let failed = outputs.iter().filter(|output| !output.status.success());
    let told: Vec<_> = failed
        .map(|output| stdout(output) + &stderr(output))
        .collect();
    assert!(!told.is_empty(), "the same clients came twice");
    assert!(
        told.iter()
            .any(|told| told.contains("need different `--seed`")),
        "{told:?}"
    );
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn compare_exits_with_1_where_a_threshold_is_passed() {
    let scene = Scene::new(5);
    let report = scene.small("hot-board", "0.005", "1");
    let (a, b) = (scene.path("report.json"), scene.path("slower.json"));
    let mut slower = report.clone();
    let p99 = report["latency_ms"]["p99"].as_f64().expect("a latency");
    slower["latency_ms"]["p99"] = json!(p99 * 1.5);
    std::fs::write(&b, slower.to_string()).expect("a file");
    let compare = |first: &Path, more: &[&str]| {
        simulate(&[&["compare", text(first), text(&b)], more].concat())
    };

    let output = compare(&a, &["--max-ratio", "p99=1.6", "--min-ratio", "durable=1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = stdout(&output);
    let row = table.lines().find(|line| line.starts_with("p99 "));
    assert!(row.expect("a row").ends_with(" 1.500"), "{table}");

    let output = compare(&a, &["--max-ratio", "p99=1.25", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told: Value = serde_json::from_str(&stdout(&output)).expect("JSON alone");
    let rows = told["rows"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == "p99");
    assert_eq!(row.expect("a row")["passes"], json!(["above 1.25"]));

    let output = compare(&scene.path("nothing"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("failed to read the report"));
    let output = compare(&a, &["--max-ratio", "p98=1"]);
    assert_eq!(output.status.code(), Some(2), "wrong usage");
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn what_cannot_be_played_exits_with_1_and_says_what_to_do() {
    let scene = Scene::new(1);
    let file = scene.path("scenario.toml");
    let whole = std::fs::read_to_string(shipped("hot-board")).expect("a scenario");
    let told = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).expect("a file");
        let output = scene.play(&file, more);
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        stderr(&output)
    };
    let unknown = told(&whole.replace("cards =", "card ="), &[]);
    assert!(unknown.contains("unknown field `card`"), "{unknown}");
    let many = whole.replace("clients = 1000", "clients = 4000000");
    let many = told(&many, &["--source-addresses", "200"]);
    assert!(many.contains("raise the hard limit"), "{many}");
    // One user has five connections: too few for six clients, and for five and a look at the end.
    for scale in ["0.006", "0.005"] {
        let users = told(&whole, &["--scale", scale, "--seconds", "1"]);
        assert!(users.contains("give more tokens"), "{users}");
    }
    assert_eq!(scene.serving.terminate(), Some(0));
}

#[test]
fn a_scenario_ends_within_its_bound() {
    let scene = Scene::new(4);
    let file = scene.path("scenario.toml");
    let whole = std::fs::read_to_string(shipped("hot-board")).expect("a scenario");
    // Ten clients at one a second need nine seconds to come; there are two for everything.
    let bound = whole
        .replace("connects_per_s = 1000", "connects_per_s = 1")
        .replace("settle_seconds = 30", "settle_seconds = 1")
        .replace("within_seconds = 240", "within_seconds = 61");
    std::fs::write(&file, bound).expect("a file");
    let output = scene.play(&file, &["--scale", "0.01", "--seconds", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let told = stderr(&output);
    assert!(
        told.contains("did not end within its bound of 2 s"),
        "{told}"
    );
    assert!(told.contains("raise `within_seconds`"), "{told}");
    assert_eq!(scene.serving.terminate(), Some(0));
}
