//! Who shows no sign of life is gone within an interval and a half, and leaves nothing behind.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use boardcast::config::Config;
use boardcast_protocol::message::ServerMessage;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::raw::{close_code, rest, upgrade};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const PING_EVERY_MS: u64 = 200;

fn hurried(config: &mut Config) {
    let beat = &mut config.connections.heartbeat;
    beat.ping_every_ms = PING_EVERY_MS;
    beat.pong_within_ms = PING_EVERY_MS / 2 - 20;
    beat.sweep_every_ms = 10;
    beat.write_stall_ms = 100;
    config.connections.outbox.soft_bytes = 32 * 1_024;
    config.connections.outbox.hard_bytes = 64 * 1_024;
    config.http.send_buffer_bytes = 8 * 1_024;
    config.rooms.sleep_after_ms = 50;
}

/// A network that passes everything on, and from one moment on nothing: both sides stay connected
/// to it and hear no more of each other.
struct Network {
    address: SocketAddr,
    frozen: CancellationToken,
    passing: TaskTracker,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Network {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let network = Self {
            address: listener.local_addr().expect("an address"),
            frozen: CancellationToken::new(),
            passing: TaskTracker::new(),
            held: Arc::default(),
        };
        let (frozen, passing) = (network.frozen.clone(), network.passing.clone());
        let held = Arc::clone(&network.held);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(server).await.expect("the server");
                let (frozen, held) = (frozen.clone(), Arc::clone(&held));
                passing.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = frozen.cancelled() => {
                            held.lock().expect("no panic").extend([near, far]);
                        }
                    }
                });
            }
        });
        network
    }

    async fn freeze(&self) {
        self.frozen.cancel();
        self.passing.close();
        self.passing.wait().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_are_dead_cut_off_or_do_not_read_are_gone_and_so_is_their_memory() {
    const OF_EACH: usize = 10;
    let server = TestServer::with(hurried).await;
    let services = server.server().services();
    let mut ann = server.client("ann").await;
    let board = ann.create_board("Busy").await;
    ann.subscribe(board, None).await;
    ann.say(&json!({"type": "submit", "board": board, "seq": 1, "cmds":
        [{"type": "column.create", "column": "todo", "title": "To do"}]}))
        .await;

    let network = Network::to(server.address()).await;
    let mut others = Vec::new();
    for _ in 0..OF_EACH {
        // Nobody reads any more from these: pings are not answered.
        let mut dead = server.client("ann").await;
        dead.subscribe(board, None).await;
        let mut cut_off = {
            let stream = TcpStream::connect(network.address).await;
            let token = server.token("ann");
            let stream = stream.expect("a connection");
            let opened = TestClient::over(stream, &token).await;
            opened.expect("a WebSocket")
        };
        cut_off.hello(None).await;
        cut_off.subscribe(board, None).await;
        let mut stopped = TestClient::connect_narrow(server.address()).await;
        stopped.hello(Some(&server.token("ann"))).await;
        stopped.subscribe(board, None).await;
        others.extend([dead, cut_off, stopped]);
    }
    network.freeze().await;

    // The board goes on, so that the buffers of those who do not read fill.
    let mut seq = 1;
    let going = async {
        while services.connections.count() > 1 {
            seq += 1;
            let title = format!("{seq} {}", "t".repeat(1_500));
            ann.say(
                &json!({"type": "submit", "board": board, "seq": seq, "cmds":
                [{"type": "column.set", "column": "todo", "title": title}]}),
            )
            .await;
            ann.durable(board, seq).await;
        }
    };
    timeout(PATIENCE, going).await.expect("they are gone");
    assert_eq!(services.connections.count(), 1);

    // A room sleeps when nobody is on it: nothing is left of the others when the last one goes.
    drop(ann);
    let emptied = async {
        while services.connections.count() > 0
            || services.door.taken() != (0, 0)
            || services.rooms.loaded().boards > 0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, emptied).await.expect("nothing is left");
    assert_eq!(services.rooms.loaded().bytes, 0);
    drop((others, network));
    server.stop().await;
}

#[tokio::test]
async fn who_answers_no_ping_is_gone_before_a_third_one() {
    /// A header, and the stamp by which a pong is timed.
    const PING_BYTES: usize = 2 + 4;
    let server = TestServer::with(hurried).await;
    let bearer = format!("Bearer {}", server.token("ann"));
    let mut silent = Vec::new();
    for _ in 0..20 {
        let (head, stream) = upgrade(server.address(), "/ws", &[("Authorization", &bearer)]).await;
        assert_eq!(head.status, 101);
        silent.push(stream);
    }
    for mut stream in silent {
        let heard = rest(&mut stream).await;
        let mut pings = 0;
        while heard[PING_BYTES * pings..].starts_with(&[0x89, 4]) {
            pings += 1;
        }
        // Pings are an interval apart: a third one would come two intervals after the first.
        assert!((1..=2).contains(&pings), "{heard:?}");
        assert_eq!(close_code(&heard[PING_BYTES * pings..]), Some(4000));
    }
    assert_eq!(server.server().services().connections.count(), 0);
    server.stop().await;
}

#[tokio::test]
async fn who_says_something_lives_although_it_answers_no_ping() {
    const SAID: u64 = 50;
    let server = TestServer::with(hurried).await;
    let mut ann = server.client("ann").await;
    // Over several intervals. Pings are answered by reading, and nothing is read.
    for t in 0..SAID {
        ann.say(&json!({"type": "ping", "t": t})).await;
        tokio::time::sleep(Duration::from_millis(PING_EVERY_MS / 8)).await;
    }
    for expected in 0..SAID {
        match ann.next().await {
            ServerMessage::Pong(pong) => assert_eq!(pong.t.0, expected),
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}
