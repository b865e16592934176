use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::task::ready;

use boardcast_protocol::board::{Actor, Member, Role};
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;
use crate::auth::{Grant, Proof, Secret, Tokens};
use crate::connection::ConnectionRules;
use crate::connection::registry::Connection;
use crate::room::{ConnId, Outbox, RoomInput, RoomLimits, Rooms};
use crate::storage::{Storage, StorageOptions};

/// A client over a socket in memory, subscribed to a board of its own.
struct Client {
    _data: TempDir,
    services: Arc<Services>,
    board: BoardId,
    socket: DuplexStream,
    writes: Writes,
}

/// What was written to the client, each write for itself.
type Writes = Arc<Mutex<Vec<String>>>;

/// The server's end of the socket: it takes many slices in one write, as TCP does.
struct Recorded {
    stream: DuplexStream,
    writes: Writes,
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| &**slice).collect::<Vec<_>>();
        let bytes = bytes.concat();
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes))?;
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        self.writes.lock().unwrap().push(text);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Client {
    async fn subscribed(limits: RoomLimits) -> Self {
        let mut client = Self::connected(limits, false).await;
        let board = client.board;
        let hello =
            format!(r#"{{"type":"hello","v":1,"client":"c","boards":[{{"board":"{board}"}}]}}"#);
        client.say(&hello).await;
        client.hears("\"type\":\"presence\"").await;
        client
    }

    async fn connected(limits: RoomLimits, is_draining: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageOptions::new(data.path()))
            .await
            .unwrap();
        let rooms = Rooms::new(storage.clone(), limits);
        let user: UserId = "ann".parse().unwrap();
        let owner = Member {
            id: user,
            name: "Ann".to_owned(),
            role: Role::Admin,
        };
        let board = rooms.create("Plan", &owner).await.unwrap();
        let tokens = Tokens::new(&Secret::of_tests());
        let rules = ConnectionRules::default();
        let services = Arc::new(Services::new(rooms, storage, tokens, rules));
        let (socket, stream) = tokio::io::duplex(64 * 1_024);
        let identity = Identity {
            actor: Actor::new(user, false),
            name: "Ann".into(),
            expires: Timestamp(u64::MAX >> 12),
            proof: Proof::Signed(services.tokens.key()),
            grant: Grant::Full,
        };
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST).into();
        let writes = Writes::default();
        let stream = Recorded {
            stream,
            writes: Arc::clone(&writes),
        };
        let accepted = Accepted {
            stream,
            direct: None,
            early: Bytes::new(),
            peer: SocketAddr::from(([127, 0, 0, 1], 9)),
            codec: Codec::Json,
            authenticated: Some(Box::new(identity)),
            place: services.door.enter(source, Timestamp(0)).unwrap(),
            source_place: None,
        };
        if is_draining {
            services.begin_draining(7_000);
        }
        services.tasks.spawn(Task::new(&services, accepted));
        Self {
            _data: data,
            services,
            board,
            socket,
            writes,
        }
    }

    async fn say(&mut self, text: &str) {
        let opcode = OpCode::Data(Data::Text);
        let mut frame = Frame::message(text.to_owned(), opcode, true);
        frame.header_mut().mask = Some([1, 2, 3, 4]);
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        self.socket.write_all(&bytes).await.unwrap();
    }

    /// Reads until this was said; all that was read.
    async fn hears(&mut self, wanted: &str) -> String {
        let mut heard = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&heard).contains(wanted) {
                let read = self.socket.read_buf(&mut heard).await.unwrap();
                assert_ne!(
                    read,
                    0,
                    "no {wanted} in {}",
                    String::from_utf8_lossy(&heard)
                );
            }
        };
        let read = timeout(Duration::from_secs(20), reading).await;
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(read.is_ok(), "no {wanted} in {heard}");
        heard
    }
}

/// 1,200 bytes a connection are aimed at; the socket's registration and the registries' entries
/// come on top of what is counted here.
#[test]
fn an_idle_connection_is_small() {
    let task = size_of::<Task>();
    assert!(task <= 400, "{task} bytes");
    // 112 of them are what administrators see of it, such as its address and its traffic, 56 what
    // the sweeper remembers of it, 16 what hangs up on who only listens.
    let shared = size_of::<Connection>();
    assert!(shared <= 216, "{shared} bytes");
    let outbox = size_of::<Outbox>();
    assert!(outbox <= 216, "{outbox} bytes");
}

/// Found by seeds 7484 and 9710 of the simulation: nobody woke the connection that waited.
#[tokio::test]
async fn r8_a_connection_goes_on_after_its_room_was_too_full_to_hear_that_it_is_drained() {
    let mut client = Client::subscribed(RoomLimits {
        inbox: 1,
        ..RoomLimits::default()
    })
    .await;
    let conn = ConnId(1);
    let connection = client.services.connections.get(conn).unwrap();
    let room = client.services.rooms.get(client.board).unwrap();
    // One thread: the connection's task runs before the room takes its input.
    connection.outbox.notify_drained(client.board);
    let (answer, _role) = oneshot::channel();
    let actor = Actor::new("ann".parse().unwrap(), false);
    room.try_send(RoomInput::RoleOf { actor, answer }).unwrap();
    // Whoever is drained is told anew who is here.
    client.hears("\"type\":\"presence\"").await;
}

#[tokio::test]
async fn welcome_leaves_together_with_the_answer_of_an_open_room() {
    let mut client = Client::connected(RoomLimits::default(), false).await;
    let board = client.board;
    let opened = client.services.rooms.open(board).await;
    assert!(matches!(opened, Ok(Some(_))));
    let hello =
        format!(r#"{{"type":"hello","v":1,"client":"c","boards":[{{"board":"{board}"}}]}}"#);
    client.say(&hello).await;
    client.hears("\"type\":\"presence\"").await;
    let first = client.writes.lock().unwrap()[0].clone();
    for said in ["welcome", "subscribed", "snapshot"] {
        assert!(first.contains(&format!(r#""type":"{said}""#)), "{first}");
    }
}

#[tokio::test]
async fn who_comes_in_while_the_server_begins_to_stop_is_told_when_to_come_back() {
    let mut client = Client::connected(RoomLimits::default(), true).await;
    let heard = client.hears("the server restarts").await;
    let goodbye = r#"{"type":"goodbye","code":1012,"retry_ms":"#;
    assert!(heard.contains(goodbye), "{heard}");
    client.services.tasks.close();
    drop(client.socket);
    client.services.tasks.wait().await;
    assert_eq!(client.services.connections.count(), 0);
    assert_eq!(client.services.door.taken(), (0, 0));
}
