//! A server that stops, or is killed, and starts again on the same data under a fleet of clients.

use std::path::{Path, PathBuf};
use std::time::Duration;

use boardcast_protocol::board::view_hash;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::Mode;
use boardcast_protocol::position::{Epoch, Position, Version};
use boardcast_sim::ledger::Line;
use boardcast_tests::client::{Joined, TestClient};
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::process::{Serving, Simulating, run, stderr, stdout};
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};
use tempfile::TempDir;
use tokio::time::timeout;

/// Commands that are durable before the server is stopped under load.
const DURABLE_BEFORE: usize = 80;

/// A data directory and the files of a fleet.
struct Scene {
    dir: TempDir,
    token: String,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let data_dir = dir.path().join("data");
        let data_dir = data_dir.to_str().expect("a path");
        let tokens = run(&[
            "token",
            "--data-dir",
            data_dir,
            "--user",
            "sim",
            "--count",
            "6",
        ]);
        let tokens = stdout(&tokens);
        std::fs::write(dir.path().join("tokens"), &tokens).expect("a token file");
        let token = tokens.lines().next().expect("a token").to_owned();
        Self { dir, token }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts twenty clients, of which some come and go, on one board.
    fn simulate(&self, serving: &Serving, duration: &str) -> Simulating {
        let [tokens, ledger, report] = ["tokens", "ledger", "report"].map(|name| {
            self.dir
                .path()
                .join(name)
                .to_str()
                .expect("a path")
                .to_owned()
        });
        let server = serving.url("");
        let mut args = vec!["run", "--clients", "20", "--rate", "60", "--cards", "40"];
        args.extend(["--churn", "0.2", "--settle", "60s", "--duration", duration]);
        args.extend(["--server", &server, "--token-file", &tokens]);
        args.extend(["--ledger", &ledger, "--report", &report]);
        Simulating::start(&args)
    }

    /// The lines of the ledger that are whole.
    fn ledger(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(self.dir.path().join("ledger")).unwrap_or_default();
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).expect("a line of the ledger"))
            .collect()
    }

    async fn until_durable(&self, count: usize) {
        let grown = async {
            while self.ledger().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE * 2, grown)
            .await
            .expect("durable commands");
    }

    /// Waits for the end of the fleet, in which nothing may have been wrong.
    fn clean_report(&self, fleet: Simulating) -> Report {
        let output = fleet.finish();
        let (told, errors) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{told}{errors}");
        let text = std::fs::read(self.dir.path().join("report")).expect("a report");
        Report(serde_json::from_slice(&text).expect("JSON"))
    }

    async fn client(&self, serving: &Serving) -> TestClient {
        let mut client = TestClient::connect(serving.address(), Some(&self.token)).await;
        client.hello(None).await;
        client
    }
}

struct Report(Value);

impl Report {
    fn board(&self) -> BoardId {
        self.end("board")
    }

    fn end<T: serde::de::DeserializeOwned>(&self, what: &str) -> T {
        serde_json::from_value(self.0["ends"][0][what].clone()).expect(what)
    }

    fn position(&self) -> Position {
        Position {
            epoch: self.end("epoch"),
            version: self.end("version"),
        }
    }
}

fn hash(joined: &Joined) -> String {
    view_hash(joined.view.as_ref().expect("a snapshot"))
}

async fn database(data: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}?mode=ro", data.join("boardcast.db").display());
    SqliteConnection::connect(&url).await.expect("the database")
}

/// The epochs of the board, the oldest first, and where each began.
async fn epochs(data: &Path, board: BoardId) -> Vec<(Epoch, Version)> {
    let rows = sqlx::query("SELECT epoch, began FROM epochs WHERE board = ? ORDER BY number")
        .bind(board.to_string())
        .fetch_all(&mut database(data).await)
        .await
        .expect("epochs");
    rows.iter()
        .map(|row| {
            let epoch = serde_json::from_value(json!(row.get::<String, _>("epoch")));
            let began = u64::try_from(row.get::<i64, _>("began"));
            (epoch.expect("an epoch"), Version(began.expect("a version")))
        })
        .collect()
}

/// Asserts that each command of the ledger stands in the log, once, as the version it was told.
async fn assert_on_the_log(data: &Path, ledger: &[Line]) {
    let mut database = database(data).await;
    for line in ledger {
        let rows =
            sqlx::query("SELECT version FROM events WHERE board = ? AND client = ? AND seq = ?")
                .bind(line.board.to_string())
                .bind(line.client.to_string())
                .bind(i64::try_from(line.seq.0).expect("a number"))
                .fetch_all(&mut database)
                .await
                .expect("the log");
        let versions: Vec<i64> = rows.iter().map(|row| row.get("version")).collect();
        let told = i64::try_from(line.version.0).expect("a version");
        assert_eq!(versions, [told], "{line:?}");
    }
}

#[tokio::test]
async fn a_clean_stop_keeps_the_board_and_the_epoch() {
    let scene = Scene::new();
    let serving = Serving::start(&scene.data());
    let report = scene.clean_report(scene.simulate(&serving, "3s"));
    let (board, end) = (report.board(), report.position());
    assert_eq!(serving.terminate(), Some(0));
    assert_on_the_log(&scene.data(), &scene.ledger()).await;

    let serving = Serving::start(&scene.data());
    let mut client = scene.client(&serving).await;
    for back in [0, 1, 20] {
        let at = Position {
            epoch: end.epoch,
            version: Version(end.version.0 - back),
        };
        let joined = client.subscribe(board, Some(at)).await;
        assert_eq!(joined.subscribed.mode, Mode::Events, "from {back} back");
        assert_eq!(joined.subscribed.epoch, end.epoch);
        assert_eq!(joined.subscribed.version, end.version);
        assert_eq!(joined.entries.len() as u64, back);
    }
    let fresh = client.subscribe(board, None).await;
    assert_eq!(hash(&fresh), report.end::<String>("hash"));
    assert_eq!(serving.terminate(), Some(0));
    assert_eq!(epochs(&scene.data(), board).await.len(), 1);
}

#[tokio::test]
async fn r2_clients_go_on_with_events_after_a_clean_stop_under_load() {
    let scene = Scene::new();
    let serving = Serving::start(&scene.data());
    let address = serving.address();
    let fleet = scene.simulate(&serving, "5s");
    scene.until_durable(DURABLE_BEFORE).await;
    assert_eq!(serving.terminate(), Some(0));
    let before = scene.ledger().len();

    let serving = Serving::start_at(&scene.data(), address);
    let report = scene.clean_report(fleet);
    let connections = &report.0["connections"];
    assert!(
        connections["resumed_with_events"].as_u64() >= Some(20),
        "{connections}"
    );
    assert_eq!(connections["resumed_with_snapshot"], json!(0));
    let ledger = scene.ledger();
    assert!(ledger.len() > before, "the work went on");
    assert_eq!(serving.terminate(), Some(0));
    assert_eq!(epochs(&scene.data(), report.board()).await.len(), 1);
    assert_on_the_log(&scene.data(), &ledger).await;
}

#[tokio::test]
async fn r5_every_durable_command_survives_kill_9_under_load() {
    let scene = Scene::new();
    let serving = Serving::start(&scene.data());
    let address = serving.address();
    let fleet = scene.simulate(&serving, "5s");
    scene.until_durable(DURABLE_BEFORE).await;
    serving.kill();
    let before = scene.ledger().len();

    // The fleet comes back, sends again what was not durable, and agrees with the server at the end.
    let serving = Serving::start_at(&scene.data(), address);
    let report = scene.clean_report(fleet);
    let ledger = scene.ledger();
    assert!(ledger.len() > before, "the work went on");
    assert_eq!(serving.terminate(), Some(0));
    assert_on_the_log(&scene.data(), &ledger).await;

    let (board, end) = (report.board(), report.position());
    let epochs = epochs(&scene.data(), board).await;
    let [(old, _), (new, began)] = epochs[..] else {
        panic!("the crash began one epoch: {epochs:?}");
    };
    assert_eq!(end.epoch, new);
    let of_old = ledger.iter().filter(|line| line.epoch == old);
    let last = of_old.map(|line| line.version).max();
    assert!(
        last >= Some(Version(1)) && last <= Some(began),
        "{last:?}, {began:?}"
    );

    // What the old epoch had beyond `began` is the lost tail, whoever saw it.
    let serving = Serving::start(&scene.data());
    let mut client = scene.client(&serving).await;
    for (version, mode) in [
        (began.0, Mode::Events),
        (began.0 + 1, Mode::Snapshot),
        (end.version.0, Mode::Snapshot),
    ] {
        let at = Position {
            epoch: old,
            version: Version(version),
        };
        let joined = client.subscribe(board, Some(at)).await;
        assert_eq!(joined.subscribed.mode, mode, "{version} of {began:?}");
        assert_eq!(joined.subscribed.epoch, new);
        if mode == Mode::Snapshot {
            assert_eq!(hash(&joined), report.end::<String>("hash"));
        }
    }
    assert_eq!(serving.terminate(), Some(0));
}
