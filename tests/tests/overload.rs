//! Commands that come faster than the disk takes them, and clients that read slower than the board
//! moves: memory stays under its bounds, what the bound announces happens, all agree in the end.

use std::time::Duration;

use boardcast::config::Config;
use boardcast::room::Outbox;
use boardcast_protocol::board::{View, view_hash};
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ClientId, CommentId};
use boardcast_protocol::message::ServerMessage;
use boardcast_protocol::position::Version;
use boardcast_sim::run::run;
use boardcast_tests::client::{TestClient, apply};
use boardcast_tests::fixture::{column, make_column, run_args};
use boardcast_tests::harness::{PATIENCE, TestServer};
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};
use tokio::time::timeout;

const SOFT_BYTES: usize = 32 * 1_024;
const HARD_BYTES: usize = 64 * 1_024;

/// Outboxes, kernel buffers and the ring so small that a moment without reading fills them.
fn narrow(config: &mut Config) {
    config.connections.outbox.soft_bytes = SOFT_BYTES;
    config.connections.outbox.hard_bytes = HARD_BYTES;
    config.connections.heartbeat.write_stall_ms = 60_000;
    config.http.send_buffer_bytes = 8 * 1_024;
    config.rooms.recent_versions = 4;
}

fn make_card(number: u64, title_bytes: usize) -> Command {
    Command::CardCreate {
        card: CardId::from_u128(u128::from(number)),
        column: column(),
        title: "t".repeat(title_bytes),
        place: Place::default(),
        set: Box::default(),
        labels: Vec::new(),
        assignees: Vec::new(),
    }
}

/// Archives or restores one card: versions that leave the board as small as it is.
fn archive(archived: bool) -> Command {
    Command::CardArchive {
        card: CardId::from_u128(1),
        archived,
    }
}

/// A board and the client that moves it.
struct Mover {
    client: TestClient,
    board: BoardId,
    seq: u64,
}

impl Mover {
    async fn new(server: &TestServer) -> Self {
        let mut client = server.client("ann").await;
        let board = client.create_board("Busy").await;
        client.subscribe(board, None).await;
        let mut mover = Self {
            client,
            board,
            seq: 0,
        };
        mover.submit(vec![make_column()]).await;
        mover
    }

    /// Submits, and waits until it is on the disk.
    async fn submit(&mut self, cmds: Vec<Command>) {
        self.seq += 1;
        self.client.submit(self.board, self.seq, cmds).await;
        self.client.durable(self.board, self.seq).await;
    }

    /// Makes versions with texts of about 100 KB in all.
    async fn overrun(&mut self) {
        for _ in 0..24 {
            let comment = Command::CommentCreate {
                card: CardId::from_u128(1),
                comment: CommentId::from_u128(rand::random()),
                text: "c".repeat(4_000),
            };
            self.submit(vec![comment]).await;
        }
    }

    async fn view(&mut self) -> (View, Version) {
        let joined = self.client.subscribe(self.board, None).await;
        (joined.view.expect("a snapshot"), joined.subscribed.version)
    }
}

/// A client that reads only when it is told to, and keeps its view.
struct Slow {
    client: TestClient,
    view: View,
    version: Version,
}

/// What a slow client was told in the end.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<u16>,
    retry_ms: Option<u32>,
}

impl Slow {
    async fn join(server: &TestServer, board: BoardId, client: TestClient) -> Self {
        let mut client = client;
        client.hello(Some(&server.token("ann"))).await;
        let joined = client.subscribe(board, None).await;
        Self {
            client,
            view: joined.view.expect("a snapshot"),
            version: joined.subscribed.version,
        }
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Snapshot(snapshot) => {
                (self.view, self.version) = (*snapshot.view, snapshot.version);
            }
            ServerMessage::Batch(batch) => {
                assert_eq!(batch.from, self.version, "no gap");
                for entry in &batch.v {
                    apply(&mut self.view, entry);
                }
                self.version = batch.to();
            }
            _ => {}
        }
    }

    /// Reads a message now and then until `is_enough`.
    async fn sip(&mut self, is_enough: impl Fn() -> bool) {
        while !is_enough() {
            let message = self.client.next().await;
            self.take(message);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until(&mut self, version: Version) {
        while self.version < version {
            let message = self.client.next().await;
            self.take(message);
        }
    }

    async fn until_closed(&mut self) -> Ended {
        let mut retry_ms = None;
        loop {
            match self.client.next_or_close().await {
                Ok(ServerMessage::Goodbye(goodbye)) => {
                    assert_eq!(goodbye.code, CloseCode::SlowConsumer.code());
                    retry_ms = Some(goodbye.retry_ms);
                }
                Ok(_) => {}
                Err(code) => return Ended { code, retry_ms },
            }
        }
    }
}

/// The bytes that wait for each connection.
fn pending(server: &TestServer) -> Vec<usize> {
    let mut all = Vec::new();
    let connections = &server.server().services().connections;
    connections.for_each(|connection| all.push(connection.outbox.pending_bytes()));
    all
}

/// What may wait for a connection: the hard bound, or one answer beyond the soft one.
fn bound(answer_bytes: usize) -> usize {
    HARD_BYTES.max(SOFT_BYTES + answer_bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_a_client_that_does_not_read_is_resynchronised_once_then_closed_for_longer_each_time() {
    let server = TestServer::with(narrow).await;
    let mut mover = Mover::new(&server).await;
    let snapshot_bytes = 150_000;
    mover
        .submit((1..=70).map(|n| make_card(n, 2_000)).collect())
        .await;
    let stats = || server.server().services().rooms.stats();
    let is_within = |bound| pending(&server).iter().all(|bytes| *bytes <= bound);
    let id = ClientId::from_u128(7);
    for (round, delays) in [(1, 500..=1_000), (2, 1_000..=2_000), (3, 2_000..=4_000)] {
        let client = TestClient::connect_narrow(server.address()).await;
        let mut slow = Slow::join(&server, mover.board, client.as_client(id)).await;
        mover.overrun().await;
        assert!(is_within(HARD_BYTES));
        assert!(pending(&server).iter().any(|bytes| *bytes > SOFT_BYTES));
        slow.sip(|| stats().resyncs.get() == round).await;
        // The snapshot waits now, and what comes while it does is overrun as well.
        mover.overrun().await;
        assert!(is_within(bound(snapshot_bytes)));
        let ended = slow.until_closed().await;
        assert_eq!(ended.code, Some(CloseCode::SlowConsumer.code()));
        let retry_ms = ended.retry_ms.expect("when to come back");
        assert!(delays.contains(&retry_ms), "round {round}: {retry_ms} ms");
        assert_eq!(
            (stats().resyncs.get(), stats().slow_consumers.get()),
            (round, round)
        );
    }
    let (view, version) = mover.view().await;
    let client = TestClient::connect_narrow(server.address()).await;
    let mut back = Slow::join(&server, mover.board, client.as_client(id)).await;
    back.until(version).await;
    assert_eq!(view_hash(&back.view), view_hash(&view));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_a_hundred_clients_that_do_not_read_hold_a_hundred_times_the_bound_at_most() {
    const CLIENTS: usize = 100;
    let server = TestServer::with(|config| {
        narrow(config);
        config.rooms.recent_versions = 4_096;
    })
    .await;
    let mut mover = Mover::new(&server).await;
    mover.submit(vec![make_card(1, 10)]).await;
    let mut slow = Vec::new();
    for _ in 0..CLIENTS {
        let client = TestClient::connect_narrow(server.address()).await;
        slow.push(Slow::join(&server, mover.board, client).await);
    }
    let count = |of: fn(&Outbox) -> u64| {
        let mut sum = 0;
        let connections = &server.server().services().connections;
        connections.for_each(|connection| sum += of(&connection.outbox));
        sum
    };
    let frames = count(Outbox::pushed_frames);
    mover.overrun().await;
    mover.overrun().await;
    let waiting = pending(&server);
    let behind = waiting.iter().filter(|bytes| **bytes > SOFT_BYTES).count();
    assert!(behind >= CLIENTS, "{behind} are behind");
    assert!(
        waiting.iter().all(|bytes| *bytes <= HARD_BYTES),
        "{waiting:?}"
    );
    // 48 versions and their durable versions for each would be many more.
    let queued = count(Outbox::pushed_frames) - frames;
    assert!(queued < 48 * CLIENTS as u64, "{queued} frames");
    let presence = json!({"type": "presence", "board": mover.board,
        "at": {"doing": "typing", "card": CardId::from_u128(1)}});
    mover.client.say(&presence).await;
    let dropped = async {
        while count(Outbox::dropped_presence) < CLIENTS as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, dropped)
        .await
        .expect("presence is dropped");
    mover.overrun().await;

    let (view, version) = mover.view().await;
    for client in &mut slow {
        client.until(version).await;
        assert_eq!(view_hash(&client.view), view_hash(&view));
    }
    let stats = server.server().services().rooms.stats();
    assert_eq!(stats.slow_consumers.get(), 0);
    server.stop().await;
}

#[tokio::test]
async fn r8_a_socket_that_takes_nothing_is_dropped_and_holds_nothing_any_more() {
    let server = TestServer::with(|config| {
        narrow(config);
        config.connections.heartbeat.write_stall_ms = 400;
        config.connections.heartbeat.sweep_every_ms = 20;
    })
    .await;
    let mut mover = Mover::new(&server).await;
    mover.submit(vec![make_card(1, 10)]).await;
    let client = TestClient::connect_narrow(server.address()).await;
    let _stalled = Slow::join(&server, mover.board, client).await;
    mover.overrun().await;
    let dropped = async {
        while server.server().services().connections.count() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, dropped)
        .await
        .expect("the socket is dropped");
    mover.submit(vec![archive(true)]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_commands_that_come_faster_than_the_journal_takes_them_are_busy_and_all_arrive() {
    const JOURNAL_VERSIONS: usize = 2;
    let server = TestServer::with(|config| {
        config.journal_versions = JOURNAL_VERSIONS;
        config.rooms.retry_ms = 20;
    })
    .await;
    let users: Vec<_> = (1..=8).map(|n| format!("sim-{n}")).collect();
    let tokens: Vec<_> = users.iter().map(|user| server.token(user)).collect();
    let file = server.data_dir().join("tokens");
    std::fs::write(&file, tokens.join("\n")).expect("a token file");
    let flags = "--clients 40 --boards 4 --rate 400 --duration 4s --cards 80 --settle 60s --seed 3";
    let args = run_args(&server, flags, file.to_str().expect("a path"));
    let services = std::sync::Arc::clone(server.server().services());
    let most = tokio::spawn(async move {
        let mut most = 0;
        while !services.is_draining() {
            most = most.max(services.storage.status().queued_versions);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        most
    });

    let report = Box::pin(run(&args)).await.expect("a run");
    let text = report.json().expect("a report");
    assert!(report.is_clean(), "{text}");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["settled"], json!(true), "{text}");
    assert_eq!(report["commands"]["unanswered"], json!(0), "{text}");
    let busy = server.server().services().rooms.stats().busy.get();
    assert!(busy > 0, "nobody was told to wait");
    let dir = server.stop().await;
    assert!(most.await.expect("the highest count") <= JOURNAL_VERSIONS);

    // Each client's commands stand in the log once and in their order, whatever was refused.
    let url = format!(
        "sqlite://{}?mode=ro",
        dir.path().join("boardcast.db").display()
    );
    let mut database = SqliteConnection::connect(&url).await.expect("the database");
    let rows = sqlx::query("SELECT board, client, seq FROM events WHERE client IS NOT NULL ORDER BY board, client, version")
        .fetch_all(&mut database)
        .await
        .expect("the log");
    let named: Vec<(String, String, i64)> = (rows.iter())
        .map(|row| (row.get("board"), row.get("client"), row.get("seq")))
        .collect();
    assert!(named.len() > 100, "{}", named.len());
    for pair in named.windows(2) {
        let same = (&pair[0].0, &pair[0].1) == (&pair[1].0, &pair[1].1);
        assert!(!same || pair[0].2 < pair[1].2, "{pair:?}");
    }
}
