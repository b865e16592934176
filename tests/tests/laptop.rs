//! A laptop that is closed over a weekend with unsent work neither loses nor doubles it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use boardcast::clock;
use boardcast_protocol::board::Role;
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ClientId};
use boardcast_protocol::message::OutcomeResult;
use boardcast_sim::chronicle::Chronicle;
use boardcast_sim::client::{ClientConfig, ClientHandle};
use boardcast_sim::fleet::Fleet;
use boardcast_sim::link::{Codec, Server};
use boardcast_sim::replica::Keep;
use boardcast_tests::client::TestClient;
use boardcast_tests::fixture::{column, make_column};
use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::process::{Serving, run, stdout};
use sqlx::{Connection, Row, SqliteConnection};
use tempfile::TempDir;
use tokio::time::timeout;

/// The ring is so short that the laptop comes back far behind it.
const FLAGS: [&str; 2] = ["--recent-versions", "16"];
/// Longer than the test: the laptop is opened by hand.
const WEEKEND: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// The `number`th command of somebody: a card of its own.
fn make(who: u128, number: u64) -> Command {
    Command::CardCreate {
        card: CardId::from_u128(who << 32 | u128::from(number)),
        column: column(),
        title: format!("{number} of {who}"),
        place: Place::default(),
        set: Box::default(),
        labels: Vec::new(),
        assignees: Vec::new(),
    }
}

/// A colleague who works on while the laptop is closed.
struct Colleague {
    client: TestClient,
    board: BoardId,
    seq: u64,
}

impl Colleague {
    async fn connect(serving: &Serving, token: &str, id: ClientId) -> TestClient {
        let client = TestClient::connect(serving.address(), Some(token)).await;
        let mut client = client.as_client(id);
        client.hello(None).await;
        client
    }

    async fn work(&mut self, count: u64) {
        for _ in 0..count {
            self.seq += 1;
            let cmds = vec![make(2, self.seq)];
            self.client.submit(self.board, self.seq, cmds).await;
        }
        let board = self.board;
        let last = self.seq;
        let version = self.client.wait_for(|message| match message {
            boardcast_protocol::message::ServerMessage::Outcome(outcome)
                if outcome.seq.0 == last =>
            {
                outcome.version
            }
            _ => None,
        });
        let version = version.await;
        self.client.durable(board, version.0).await;
    }

    /// Comes back to a server that was started again.
    async fn back(&mut self, serving: &Serving, token: &str) {
        self.client = Self::connect(serving, token, self.client.client_id()).await;
    }
}

struct Scene {
    dir: TempDir,
    tokens: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().to_str().expect("a path").to_owned();
        let args = [
            "token",
            "--data-dir",
            &data,
            "--user",
            "user",
            "--count",
            "2",
        ];
        let tokens = stdout(&run(&args));
        Self {
            tokens: tokens.lines().map(str::to_owned).collect(),
            dir,
        }
    }

    fn start(&self, address: SocketAddr) -> Serving {
        Serving::start_with(self.dir.path(), address, &FLAGS)
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE * 2, waiting).await.expect(what);
}

/// The numbers of a client's commands in the order of the log.
async fn numbers(data: &Path, client: ClientId) -> Vec<i64> {
    let url = format!("sqlite://{}?mode=ro", data.join("boardcast.db").display());
    let mut database = SqliteConnection::connect(&url).await.expect("the database");
    let rows = sqlx::query("SELECT seq FROM events WHERE client = ? ORDER BY version")
        .bind(client.to_string())
        .fetch_all(&mut database)
        .await
        .expect("the log");
    rows.iter().map(|row| row.get("seq")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r4_a_laptop_closed_over_the_weekend_with_unsent_work_neither_loses_nor_doubles_it() {
    let scene = Scene::new();
    let serving = scene.start(SocketAddr::from(([127, 0, 0, 1], 0)));
    let address = serving.address();
    let id = ClientId::from_u128(2);
    let mut client = Colleague::connect(&serving, &scene.tokens[1], id).await;
    let board = client.create_board("Weekend").await;
    let mut colleague = Colleague {
        client,
        board,
        seq: 1,
    };
    let laptop_user = "user-1".parse().expect("a user");
    let prepare = vec![
        make_column(),
        Command::MemberAdd {
            user: laptop_user,
            name: None,
            role: Role::Editor,
        },
    ];
    colleague.client.submit(board, 1, prepare).await;
    colleague.client.durable(board, 1).await;

    let url: Server = serving.url("").parse().expect("a URL");
    let target = url.resolve(Codec::Json).await.expect("an address");
    let fleet = Fleet::new(target, None);
    let chronicle = Arc::new(Chronicle::new(board));
    let laptop = ClientHandle::spawn(
        &fleet,
        &chronicle,
        ClientConfig {
            client: ClientId::from_u128(1),
            token: scene.tokens[0].as_str().into(),
            keep: Keep::View,
            seed: 1,
            churn: None,
            slow: None,
            fault: None,
            source: None,
        },
    );
    until("the laptop is there", || laptop.is_live()).await;

    let mut made = 0;
    let mut work = async |count: u64| {
        for _ in 0..count {
            made += 1;
            let command = vec![make(1, made)];
            while laptop.submit(command.clone(), fleet.now_ns()).is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    work(20).await;
    until("the first work is saved", || laptop.is_done()).await;

    // Closed while answers are under way, and more is done on the train.
    work(25).await;
    laptop.cut(WEEKEND).await;
    work(40).await;
    colleague.work(40).await;
    assert_eq!(serving.terminate(), Some(0));
    let serving = scene.start(address);
    colleague.back(&serving, &scene.tokens[1]).await;
    colleague.work(40).await;
    serving.kill();
    let serving = scene.start(address);
    colleague.back(&serving, &scene.tokens[1]).await;
    colleague.work(40).await;

    // Opened: it sends, loses the answers once more, the server crashes, and it sends again.
    let before = laptop.answered();
    laptop.settle().await;
    until("it sends what was not sent", || laptop.answered() > before).await;
    laptop.cut(WEEKEND).await;
    serving.kill();
    let serving = scene.start(address);
    work(10).await;
    laptop.settle().await;
    until("all work is saved", || laptop.is_done()).await;
    colleague.back(&serving, &scene.tokens[1]).await;
    colleague.work(1).await;

    let joined = colleague.client.subscribe(board, None).await;
    let version = joined.subscribed.version;
    until("the laptop is up to date", || laptop.version() == version).await;
    let finished = laptop.finish().await.expect("the client's task");
    assert_eq!(finished.ended, None);
    let view = joined.view.expect("a snapshot");
    assert_eq!(finished.replica.view(), Some(&view));
    {
        let tally = fleet.tally();
        assert_eq!(tally.notes, Vec::<String>::new());
        assert_eq!(tally.rejections.len(), 0);
        assert_eq!((tally.commands.sent, tally.commands.durable), (made, made));
    }
    assert_eq!(view.cards.len() as u64, made + colleague.seq - 1);
    assert_eq!(serving.terminate(), Some(0));
    let all: Vec<i64> = (1..=i64::try_from(made).expect("a count")).collect();
    assert_eq!(numbers(scene.dir.path(), ClientId::from_u128(1)).await, all);
}

#[tokio::test]
async fn r4_a_client_silent_for_ninety_days_is_told_so_by_its_last_number() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let server = TestServer::start().await;
    let mut ann = server.client("ann").await;
    let (board, id) = (ann.create_board("Old").await, ann.client_id());
    let make = || vec![make_column()];
    ann.submit(board, 1, make()).await;
    ann.durable(board, 1).await;
    let mut dir = server.stop().await;
    for (days, last_seq, result) in [
        (89, 1, OutcomeResult::Accepted),
        // Nobody knows it any more. That the person is asked is up to the client; what has an id
        // of its own is not made twice even so.
        (91, 0, OutcomeResult::Rejected),
    ] {
        let seen = clock::now().0 - days * DAY_MS;
        let url = format!("sqlite://{}", dir.path().join("boardcast.db").display());
        let mut database = SqliteConnection::connect(&url).await.expect("the database");
        let changed = sqlx::query("UPDATE clients SET seen = ? WHERE client = ?")
            .bind(i64::try_from(seen).expect("a time"))
            .bind(id.to_string())
            .execute(&mut database)
            .await
            .expect("a row");
        assert_eq!(changed.rows_affected(), 1);
        database.close().await.expect("a closed database");
        let server = TestServer::over(dir).await;
        let client = TestClient::connect(server.address(), Some(&server.token("ann"))).await;
        let mut ann = client.as_client(id);
        ann.hello(None).await;
        let subscribed = ann.subscribe(board, None).await.subscribed;
        assert_eq!(subscribed.last_seq.0, last_seq, "after {days} days");
        ann.submit(board, 1, make()).await;
        assert_eq!(ann.outcome().await.result, result, "after {days} days");
        dir = server.stop().await;
    }
}
