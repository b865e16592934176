//! The versions of a board as server-sent events, for programs that want no WebSocket.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use futures::stream::unfold;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use boardcast_protocol::codec::decode_server;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::ServerMessage;
use boardcast_protocol::position::{Epoch, Version};

use super::extract::Ids;
use super::room::look;
use super::thing::position_of;
use crate::clock;
use crate::connection::listening::{Listening, Told};
use crate::http::App;
use crate::http::listen::Hangup;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::quota::Known;

/// Streams a board: `subscribed`, then `snapshot` and `batch` as over a socket, each with its position
/// as id. It ends when the membership, the token or the session ends.
pub(super) async fn stream(
    State(app): State<App>,
    peer: Peer,
    Extension(Hangup(hangup)): Extension<Hangup>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let services = &app.services;
    if services.is_draining() {
        return Err(services.door.refuse_while_draining().into());
    }
    let at = match headers.get("last-event-id") {
        None => None,
        Some(id) => {
            let position = id.to_str().ok().and_then(position_of);
            Some(position.ok_or_else(|| {
                let hint = "`Last-Event-ID` is the id of an event: EPOCH:VERSION";
                Problem::new(StatusCode::BAD_REQUEST, hint)
            })?)
        }
    };
    look(&app, identity.on(board), board, |_| ()).await?;
    let place = services.door.enter(peer.source(), clock::now())?;
    let agent = headers.get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    let opened = Listening::open(services, (peer.address, agent, hangup), identity, place).await;
    let listening = opened.map_err(|code| {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, code.reason());
        problem.retry_after_s(super::room::RETRY_S)
    })?;
    listening.join(board, at).await;
    let told = unfold((listening, Events::default()), next);
    let body = Body::from_stream(told.map(Ok::<_, Infallible>).fuse());
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that gathers what passes would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// The next event; `None` behind the last one.
async fn next(state: (Listening, Events)) -> Option<(Bytes, (Listening, Events))> {
    let (mut listening, mut events) = state;
    if events.is_over {
        return None;
    }
    let told = listening.next().await?;
    Some((events.write(&told), (listening, events)))
}

/// Where the listener is, as ids of events tell it.
#[derive(Debug, Default)]
struct Events {
    epoch: Option<Epoch>,
    is_over: bool,
}

#[derive(Deserialize)]
struct Head {
    epoch: Epoch,
    version: Version,
}

impl Events {
    /// The text of an event.
    fn write(&mut self, told: &Told) -> Bytes {
        let json = match told {
            Told::Alive => return Bytes::from_static(b":\n\n"),
            Told::End(code, words) => {
                self.is_over = true;
                let end = serde_json::json!({"code": code, "reason": words});
                return format!("event: end\ndata: {end}\n\n").into();
            }
            Told::Message(json) => json,
        };
        let (name, mut head) = if json.first() == Some(&b'[') {
            ("batch", self.id_of_batch(json).unwrap_or_default())
        } else {
            self.head_of_message(json)
        };
        if self.is_over {
            head.push_str("retry: 5000\n");
        }
        let mut event = format!("event: {name}\n{head}data: ").into_bytes();
        event.extend_from_slice(json);
        event.extend_from_slice(b"\n\n");
        event.into()
    }

    fn id_of_batch(&self, json: &[u8]) -> Option<String> {
        let parts: Vec<&RawValue> = serde_json::from_slice(json).ok()?;
        let from: u64 = serde_json::from_str(parts.get(1)?.get()).ok()?;
        let versions: Vec<IgnoredAny> = serde_json::from_str(parts.get(2)?.get()).ok()?;
        let to = from + versions.len() as u64;
        Some(format!("id: {}:{to}\n", self.epoch?))
    }

    /// The name of a message, and the lines before its text.
    fn head_of_message(&mut self, json: &[u8]) -> (&'static str, String) {
        let is = |name: &str| json.starts_with(format!("{{\"type\":\"{name}\"").as_bytes());
        let place = |json| serde_json::from_slice::<Head>(json).ok();
        if is("snapshot") {
            let head = place(json);
            self.epoch = head.as_ref().map(|head| head.epoch).or(self.epoch);
            let id = head.map(|head| format!("id: {}:{}\n", head.epoch, head.version));
            return ("snapshot", id.unwrap_or_default());
        }
        if is("subscribed") {
            self.epoch = place(json).map(|head| head.epoch);
            return ("subscribed", String::new());
        }
        let message = std::str::from_utf8(json).ok();
        let message = message.and_then(|text| decode_server(text).ok().flatten());
        match message {
            Some(ServerMessage::Role(change)) => {
                self.is_over = change.role.is_none();
                ("role", String::new())
            }
            Some(ServerMessage::Goodbye(goodbye)) => {
                ("goodbye", format!("retry: {}\n", goodbye.retry_ms))
            }
            Some(ServerMessage::Error(_)) => {
                self.is_over = true;
                ("error", String::new())
            }
            Some(_) | None if is("durable") => ("durable", String::new()),
            Some(_) | None if is("presence") => ("presence", String::new()),
            Some(_) | None => ("message", String::new()),
        }
    }
}
