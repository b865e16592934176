//! Server-sent events: the same versions as over a socket, resumed by id, within the same limits.

use boardcast_protocol::position::Position;
use boardcast_tests::harness::{PATIENCE, TestServer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{User, card};

/// An event.
#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: Value,
}

/// A stream of events over a real socket.
struct Events {
    socket: TcpStream,
    status: u16,
    text: String,
    is_over: bool,
}

impl Events {
    async fn open(server: &TestServer, user: &User, board: &str, last: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(server.address())
            .await
            .expect("a socket");
        let last = last
            .map(|id| format!("Last-Event-ID: {id}\r\n"))
            .unwrap_or_default();
        let head = format!(
            "GET {board}/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{last}\r\n",
            server.address(),
            user.token
        );
        socket.write_all(head.as_bytes()).await.expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(
                timeout(PATIENCE, socket.read_u8())
                    .await
                    .expect("in time")
                    .expect("a head"),
            );
        }
        let head = String::from_utf8(head).expect("a head").to_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a number");
        if status == 200 {
            assert!(head.contains("content-type: text/event-stream"), "{head}");
            assert!(!head.contains("content-encoding"), "{head}");
        }
        Self {
            socket,
            status,
            text: String::new(),
            is_over: false,
        }
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let byte = timeout(PATIENCE, self.socket.read_u8())
                .await
                .expect("in time");
            line.push(byte.expect("a byte"));
        }
        String::from_utf8(line)
            .expect("a line")
            .trim_end()
            .to_owned()
    }

    async fn more(&mut self) {
        let size = usize::from_str_radix(&self.line().await, 16).expect("a size");
        let mut chunk = vec![0; size];
        let read = timeout(PATIENCE, self.socket.read_exact(&mut chunk)).await;
        read.expect("in time").expect("a chunk");
        self.line().await;
        self.is_over = size == 0;
        self.text += std::str::from_utf8(&chunk).expect("text");
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().find_map(|line| line.strip_prefix(name));
                    lines.map(|value| value.trim_start().to_owned())
                };
                let found = field("event:").map(|name| Event {
                    name,
                    id: field("id:"),
                    data: serde_json::from_str(&field("data:").expect("data")).expect("JSON"),
                });
                self.text = rest.to_owned();
                match found {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            if self.is_over {
                return None;
            }
            self.more().await;
        }
    }

    /// The next event of a name, whatever comes before it.
    async fn wait_for(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("no {name}"));
            if event.name == name {
                return event;
            }
        }
    }
}

fn position(id: &str) -> Position {
    let (epoch, version) = id.split_once(':').expect("a position");
    Position {
        epoch: epoch.parse().expect("an epoch"),
        version: serde_json::from_str(version).expect("a version"),
    }
}

#[tokio::test]
async fn a_board_is_streamed_and_resumed_without_a_gap() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut events = Events::open(&server, &ann, &board, None).await;
    let subscribed = events.wait_for("subscribed").await;
    assert_eq!(
        (&subscribed.data["version"], subscribed.id),
        (&json!(1), None)
    );
    let snapshot = events.wait_for("snapshot").await;
    assert_eq!(snapshot.data["view"]["title"], "Plans");
    let id = snapshot.id.expect("an id");
    assert_eq!(position(&id).version.0, 1);
    assert_eq!(subscribed.data["epoch"], json!(position(&id).epoch));

    assert_eq!(
        ann.commands(&board, json!([card("c1"), card("c2")]))
            .await
            .status,
        200
    );
    let batch = events.wait_for("batch").await;
    assert_eq!(
        (&batch.data[1], &batch.data[2][0][0]),
        (&json!(1), &json!("ann"))
    );
    let id = batch.id.expect("an id");
    assert_eq!(position(&id).version.0, 2);
    drop(events);

    for n in 3..6 {
        assert_eq!(
            ann.commands(&board, json!([card(&format!("c{n}"))]))
                .await
                .status,
            200
        );
    }
    let mut events = Events::open(&server, &ann, &board, Some(&id)).await;
    assert_eq!(events.wait_for("subscribed").await.data["mode"], "events");
    let mut at = 2;
    while at < 5 {
        let batch = events.wait_for("batch").await;
        assert_eq!(batch.data[1], at, "without a gap");
        at += batch.data[2].as_array().expect("versions").len();
        assert_eq!(position(&batch.id.expect("an id")).version.0, at as u64);
    }
    let unknown = Events::open(&server, &ann, &board, Some("0000000000000001:9")).await;
    assert_eq!(unknown.status, 200);
    let mut unknown = unknown;
    assert_eq!(
        unknown.wait_for("subscribed").await.data["mode"],
        "snapshot"
    );
    assert_eq!(
        Events::open(&server, &ann, &board, Some("x")).await.status,
        400
    );
    server.stop().await;
}

#[tokio::test]
async fn r10_the_stream_ends_with_the_membership() {
    let server = TestServer::start().await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let board = ann.board().await;
    assert_eq!(Events::open(&server, &bob, &board, None).await.status, 404);
    ann.add(&board, "bob", "viewer").await;
    let mut events = Events::open(&server, &bob, &board, None).await;
    events.wait_for("snapshot").await;
    assert_eq!(
        ann.delete(&format!("{board}/members/bob")).await.status,
        200
    );
    assert_eq!(
        ann.commands(&board, json!([card("secret")])).await.status,
        200
    );
    let role = events.wait_for("role").await;
    assert_eq!(role.data["role"], Value::Null);
    assert!(events.next().await.is_none(), "nothing comes behind it");
    assert_eq!(Events::open(&server, &bob, &board, None).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn r8_streams_count_as_connections_and_leave_none_behind() {
    let server = TestServer::with(|config| config.connections.limits.per_user = 2).await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut first = Events::open(&server, &ann, &board, None).await;
    first.wait_for("snapshot").await;
    let second = Events::open(&server, &ann, &board, None).await;
    assert_eq!(second.status, 200);
    assert_eq!(Events::open(&server, &ann, &board, None).await.status, 429);
    drop((first, second));
    let services = server.server().services();
    let gone = async {
        while services.door.taken().0 > 0 {
            // A server finds out that a reader has gone when it writes to it.
            assert_eq!(
                ann.patch(&board, &json!({"background": "a"})).await.status,
                200
            );
            assert_eq!(
                ann.patch(&board, &json!({"background": "b"})).await.status,
                200
            );
        }
    };
    timeout(PATIENCE, gone).await.expect("all have left");
    let user = "ann".parse().expect("an id");
    assert!(services.connections.of_user(user).is_empty());
    server.stop().await;
}

#[tokio::test]
async fn r10_the_stream_of_a_board_that_is_deleted_ends() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut events = Events::open(&server, &ann, &board, None).await;
    events.wait_for("snapshot").await;
    assert_eq!(ann.delete(&board).await.status, 204);
    assert_eq!(events.wait_for("role").await.data["role"], Value::Null);
    assert!(events.next().await.is_none());
    assert_eq!(Events::open(&server, &ann, &board, None).await.status, 404);
    server.stop().await;
}

/// A reader who came by a public link, and what ends that link.
async fn guest_of(server: &TestServer, ann: &User, board: &str) -> (User, String) {
    let links = format!("{board}/links");
    let made = ann.post(&links, &json!({})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |name: &str| made.json()[name].as_str().expect("a text").to_owned();
    let guest = User {
        token: text("link"),
        ..User::of(server, "guest")
    };
    (guest, format!("{links}/{}", text("id")))
}

#[tokio::test]
async fn r10_the_stream_of_a_guest_ends_with_the_board_and_with_the_link() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let (guest, link) = guest_of(&server, &ann, &board).await;
    let (other, _) = guest_of(&server, &ann, &board).await;
    let mut events = Events::open(&server, &guest, &board, None).await;
    let mut others = Events::open(&server, &other, &board, None).await;
    for events in [&mut events, &mut others] {
        assert_eq!(events.wait_for("subscribed").await.data["role"], "viewer");
        events.wait_for("snapshot").await;
    }
    assert_eq!(ann.delete(&link).await.status, 204);
    assert_eq!(ann.commands(&board, json!([card("c1")])).await.status, 200);
    let end = loop {
        let event = events.next().await.expect("an end");
        assert_ne!(event.name, "batch", "nothing of the board comes any more");
        if event.name == "end" {
            break event;
        }
    };
    assert_eq!(end.data["code"], 4502);
    assert!(events.next().await.is_none(), "nothing comes behind it");
    assert_eq!(
        Events::open(&server, &guest, &board, None).await.status,
        401
    );

    others.wait_for("batch").await;
    assert_eq!(ann.delete(&board).await.status, 204);
    assert_eq!(others.wait_for("role").await.data["role"], Value::Null);
    assert!(others.next().await.is_none());
    assert_eq!(
        Events::open(&server, &other, &board, None).await.status,
        404
    );
    server.stop().await;
}

#[tokio::test]
async fn r11_a_server_that_stops_tells_when_to_come_back() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let mut events = Events::open(&server, &ann, &board, None).await;
    events.wait_for("snapshot").await;
    let stopping = tokio::spawn(server.stop());
    let goodbye = events.wait_for("goodbye").await;
    assert_eq!(goodbye.data["code"], 1012);
    assert_eq!(events.wait_for("end").await.data["code"], 1012);
    assert!(events.next().await.is_none());
    stopping.await.expect("a clean stop");
}

#[tokio::test]
async fn r8_a_reader_that_never_reads_is_dropped_and_others_go_on() {
    let server = TestServer::with(|config| {
        config.connections.heartbeat.write_stall_ms = 500;
        config.connections.heartbeat.sweep_every_ms = 50;
        config.http.send_buffer_bytes = 16 * 1_024;
    })
    .await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    assert_eq!(ann.commands(&board, json!([card("c1")])).await.status, 200);
    let events = Events::open(&server, &ann, &board, None).await;
    let services = server.server().services();
    let text = "x".repeat(60_000);
    let dropped = async {
        for n in 0.. {
            if services.door.taken().0 == 0 {
                return;
            }
            let change = json!({"description": format!("{n}{text}")});
            let place = format!("{board}/cards/c1");
            assert_eq!(ann.patch(&place, &change).await.status, 200);
        }
    };
    timeout(PATIENCE, dropped).await.expect("it is dropped");
    drop(events);
    server.stop().await;
}
