//! What a Rust developer writes in an afternoon, after axum's example: one broadcast channel for
//! each room, two tasks for each socket.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::broadcast::{self, error::RecvError};

/// Messages that a slow subscriber may be behind before it loses some.
const ROOM_MESSAGES: usize = 1_024;

#[derive(Deserialize, Serialize)]
struct Said<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    room: &'a str,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

type Room = broadcast::Sender<Utf8Bytes>;
type Rooms = Arc<Mutex<HashMap<String, Room>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let port: u16 = port.context("usage: tokio-chat PORT")?;
    let router = Router::new()
        .route("/", get(upgrade))
        .with_state(Rooms::default());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .context("failed to bind the address")?;
    let listener = listener.tap_io(|socket| {
        // Without it a message is late, not lost.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, router)
        .await
        .context("failed to serve")
}

async fn upgrade(upgrade: WebSocketUpgrade, State(rooms): State<Rooms>) -> Response {
    upgrade.on_upgrade(move |socket| talk(socket, rooms))
}

async fn talk(socket: WebSocket, rooms: Rooms) {
    let (mut outgoing, mut incoming) = socket.split();
    let Some(room) = join(&mut incoming, &rooms).await else {
        return;
    };
    let subscription = room.subscribe();
    let joined = outgoing.send(Message::text("{\"type\":\"joined\"}"));
    if joined.await.is_err() {
        return;
    }
    let mut write = tokio::spawn(write(outgoing, subscription));
    let mut read = tokio::spawn(read(incoming, room));
    tokio::select! {
        _ = &mut write => read.abort(),
        _ = &mut read => write.abort(),
    }
}

async fn join(incoming: &mut SplitStream<WebSocket>, rooms: &Rooms) -> Option<Room> {
    while let Some(Ok(Message::Text(text))) = incoming.next().await {
        let Ok(said) = serde_json::from_str::<Said<'_>>(&text) else {
            continue;
        };
        if said.kind == "join" {
            let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
            let room = rooms.entry(said.room.to_owned());
            return Some(
                room.or_insert_with(|| broadcast::channel(ROOM_MESSAGES).0)
                    .clone(),
            );
        }
    }
    None
}

async fn write(
    mut outgoing: SplitSink<WebSocket, Message>,
    mut subscription: broadcast::Receiver<Utf8Bytes>,
) {
    loop {
        match subscription.recv().await {
            Ok(text) => {
                if outgoing.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            // What it has missed is lost; the generator counts that.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

async fn read(mut incoming: SplitStream<WebSocket>, room: Room) {
    while let Some(Ok(message)) = incoming.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let encoded =
            serde_json::from_str::<Said<'_>>(&text).and_then(|said| serde_json::to_string(&said));
        if let Ok(encoded) = encoded {
            // An error means that nobody listens.
            let _ = room.send(encoded.into());
        }
    }
}
