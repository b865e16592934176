//! A client that says exactly what a test wants, and waits for what it expects.

use std::net::SocketAddr;

use boardcast_protocol::board::{Moment, Stamp, View};
use boardcast_protocol::codec::decode_server;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::message::{
    Batch, ClientMessage, ErrorMessage, Mode, Outcome, ServerMessage, Submit, Subscribe,
    Subscribed, VersionEntry, Welcome,
};
use boardcast_protocol::position::{Position, Seq, Version};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::PATIENCE;

/// A client over a real socket.
#[derive(Debug)]
pub struct TestClient<S = TcpStream> {
    socket: WebSocketStream<S>,
    client: ClientId,
}

/// A subscription as it began: all that came up to the version that `subscribed` told.
#[derive(Debug)]
pub struct Joined {
    /// The answer.
    pub subscribed: Subscribed,
    /// The board at that version, if the subscription began with a snapshot.
    pub view: Option<View>,
    /// The versions that came, behind the snapshot or instead of one.
    pub entries: Vec<VersionEntry>,
}

/// Why a connection ended: the code of the close frame, `None` if there was none.
pub type Closed = Option<u16>;

impl TestClient {
    /// Opens a WebSocket with a token in the header, or without.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn connect(address: SocketAddr, token: Option<&str>) -> Self {
        let request = request_as(address, token);
        Self::open(address, request).await.expect("a WebSocket")
    }

    /// Opens a WebSocket for whose client the kernel holds next to nothing: what it does not read
    /// stays at the server.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let stream = socket.connect(address).await.expect("a connection");
        let opened = client_async(request(address, "/ws"), stream).await;
        let (socket, _) = opened.expect("a WebSocket");
        Self {
            socket,
            client: ClientId::from_u128(rand::random()),
        }
    }

    /// Opens a WebSocket with a token over a stream of the test's own.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn over(stream: TcpStream, token: &str) -> Result<Self, tungstenite::Error> {
        let request = request_as(stream.peer_addr()?, Some(token));
        Self::open_over(stream, request).await
    }

    /// Opens a WebSocket by a request of the test's own.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn open(
        address: SocketAddr,
        request: Request<()>,
    ) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(address).await?;
        Self::open_over(stream, request).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TestClient<S> {
    /// Opens a WebSocket by a request of the test's own over a stream of its own.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn open_over(stream: S, request: Request<()>) -> Result<Self, tungstenite::Error> {
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self {
            socket,
            client: ClientId::from_u128(rand::random()),
        })
    }

    /// The same client again: for reconnects.
    pub fn as_client(mut self, client: ClientId) -> Self {
        self.client = client;
        self
    }

    /// The id that it says in `hello`.
    pub fn client_id(&self) -> ClientId {
        self.client
    }

    /// Says hello and is welcomed.
    pub async fn hello(&mut self, token: Option<&str>) -> Welcome {
        let mut hello = json!({"type": "hello", "v": 1, "client": self.client.as_str()});
        if let Some(token) = token {
            hello["token"] = token.into();
        }
        self.say(&hello).await;
        match self.next().await {
            ServerMessage::Welcome(welcome) => welcome,
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// Says anything.
    pub async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    /// Says any text.
    pub async fn say_text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Sends any message; a connection that is gone is found out by reading.
    pub async fn send(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// The next message.
    ///
    /// # Panics
    /// The connection ends, or nothing comes in time.
    pub async fn next(&mut self) -> ServerMessage {
        match self.next_or_close().await {
            Ok(message) => message,
            Err(closed) => panic!("the connection was closed: {closed:?}"),
        }
    }

    /// The next message, or how the connection ended.
    ///
    /// # Errors
    /// The connection ended.
    ///
    /// # Panics
    /// Nothing comes in time.
    pub async fn next_or_close(&mut self) -> Result<ServerMessage, Closed> {
        let text = self.next_text().await?;
        let message = decode_server(&text).expect("a message of the protocol");
        Ok(message.expect("a known message"))
    }

    /// The text of the next message, or how the connection ended.
    ///
    /// # Errors
    /// The connection ended.
    ///
    /// # Panics
    /// Nothing comes in time.
    pub async fn next_text(&mut self) -> Result<Utf8Bytes, Closed> {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await
                .expect("a message in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Reads until the connection ends.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next_or_close().await {
                return closed;
            }
        }
    }

    /// Skips messages until `wanted` finds what it looks for.
    pub async fn wait_for<T>(&mut self, wanted: impl Fn(ServerMessage) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.next().await) {
                return found;
            }
        }
    }

    /// The next error, whatever else comes before it.
    pub async fn error(&mut self) -> ErrorMessage {
        self.wait_for(|message| match message {
            ServerMessage::Error(error) => Some(error),
            _ => None,
        })
        .await
    }

    /// Makes a board.
    pub async fn create_board(&mut self, title: &str) -> BoardId {
        self.say(&json!({"type": "board.create", "req": 1, "title": title}))
            .await;
        self.wait_for(|message| match message {
            ServerMessage::BoardCreated(created) => Some(created.board),
            _ => None,
        })
        .await
    }

    /// Subscribes, and takes all that comes up to the present version.
    pub async fn subscribe(&mut self, board: BoardId, at: Option<Position>) -> Joined {
        let message = ClientMessage::Subscribe(Subscribe { req: 2, board, at });
        self.say(&json!(message)).await;
        let subscribed = self
            .wait_for(|message| match message {
                ServerMessage::Subscribed(subscribed) => Some(subscribed),
                ServerMessage::Error(error) => panic!("not subscribed: {error:?}"),
                _ => None,
            })
            .await;
        let mut at = at.map_or(Version(0), |at| at.version);
        let mut view = None;
        if subscribed.mode == Mode::Snapshot {
            let snapshot = self.wait_for(|message| match message {
                ServerMessage::Snapshot(snapshot) => Some(snapshot),
                _ => None,
            });
            let snapshot = snapshot.await;
            at = snapshot.version;
            view = Some(*snapshot.view);
        }
        let mut entries = Vec::new();
        while at < subscribed.version {
            let batch = self.batch().await;
            assert_eq!(batch.from, at, "versions come without a gap");
            at = batch.to();
            entries.extend(batch.v);
        }
        if let Some(view) = &mut view {
            entries.iter().for_each(|entry| apply(view, entry));
        }
        Joined {
            subscribed,
            view,
            entries,
        }
    }

    /// Submits commands.
    pub async fn submit(&mut self, board: BoardId, seq: u64, cmds: Vec<Command>) {
        let message = ClientMessage::Submit(Submit {
            board,
            seq: Seq(seq),
            cmds,
            seen: Default::default(),
        });
        self.say(&json!(message)).await;
    }

    /// The next batch, whatever else comes before it.
    pub async fn batch(&mut self) -> Batch {
        self.wait_for(|message| match message {
            ServerMessage::Batch(batch) => Some(batch),
            _ => None,
        })
        .await
    }

    /// The next outcome, whatever else comes before it.
    pub async fn outcome(&mut self) -> Outcome {
        self.wait_for(|message| match message {
            ServerMessage::Outcome(outcome) => Some(outcome),
            _ => None,
        })
        .await
    }

    /// Waits until `version` of the board is told to be on disk.
    pub async fn durable(&mut self, board: BoardId, version: u64) {
        self.wait_for(|message| {
            let durable = match message {
                ServerMessage::Durable(m) if m.board == board => m.version,
                ServerMessage::Batch(m) if m.board == board => m.durable,
                _ => return None,
            };
            (durable.0 >= version).then_some(())
        })
        .await;
    }
}

/// Brings a view to the next version.
///
/// # Panics
/// An event does not fit.
pub fn apply(view: &mut View, entry: &VersionEntry) {
    let moment = Moment {
        version: entry.n,
        stamp: Stamp {
            by: entry.by,
            at: entry.at,
        },
    };
    for event in &entry.ev {
        view.apply(moment, event).expect("an event that fits");
    }
}

/// A correct request for a WebSocket with a token in the header, or without.
pub fn request_as(address: SocketAddr, token: Option<&str>) -> Request<()> {
    let mut request = request(address, "/ws");
    if let Some(token) = token {
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
    }
    request
}

/// A correct request for a WebSocket.
pub fn request(address: SocketAddr, path: &str) -> Request<()> {
    format!("ws://{address}{path}")
        .into_client_request()
        .expect("a request")
}
