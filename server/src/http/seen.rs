//! How a request has come here: what `boardcast doctor` asks, to tell what a proxy does to requests.
//! Answered to anybody, about nothing but the request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::stream::unfold;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use boardcast_protocol::position::Timestamp;

use super::App;
use super::peer::{self, Peer};
use crate::clock;

/// How long the stream lasts behind its only event: a proxy that gathers what passes holds the event
/// back for so long.
const EVENTS_MS: u64 = 5_000;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz/seen", get(seen))
        .route("/healthz/events", get(events))
}

/// What whoever asks knows of its own request.
#[derive(Debug, Deserialize)]
struct Sent {
    /// Its end of the socket.
    #[serde(default)]
    socket: String,
    /// Its `Host`.
    #[serde(default)]
    host: String,
    /// An address that it says to have by `X-Forwarded-For`.
    #[serde(default)]
    claimed: String,
}

/// A request as it has come here.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The clock of the server.
    pub(crate) time: Timestamp,
    /// Milliseconds between two pings of a WebSocket.
    pub(crate) ping_every_ms: u64,
    /// Whether its socket is that of whoever asks.
    pub(crate) direct: bool,
    /// Whether `Host` is what was sent.
    pub(crate) host: bool,
    /// Whether it counts as asked from the address that it claims.
    pub(crate) claimed: bool,
    /// Whether `Authorization` has come.
    pub(crate) authorization: bool,
    /// Whether it counts as asked over TLS.
    pub(crate) over_tls: bool,
    /// `X-Forwarded-For`.
    pub(crate) forwarded_for: Forwarded,
    /// `X-Forwarded-Proto`.
    pub(crate) forwarded_proto: Forwarded,
}

/// What has become of a header by which a proxy says who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Forwarded {
    /// It has not come.
    Absent,
    /// It counts for nothing: the proxy is not trusted, or it is wrong.
    Ignored,
    /// It counts.
    Believed,
}

impl Forwarded {
    fn new(has_come: bool, counts: bool) -> Self {
        match (has_come, counts) {
            (false, _) => Self::Absent,
            (true, false) => Self::Ignored,
            (true, true) => Self::Believed,
        }
    }
}

async fn seen(
    State(app): State<App>,
    peer: Peer,
    Query(sent): Query<Sent>,
    headers: HeaderMap,
) -> Json<Seen> {
    let host = headers.get(header::HOST).map(|host| host.as_bytes());
    // An address that a header names has no port, or is not that of the socket.
    let is_believed = peer::hops(&headers).any(|hop| hop == peer.address);
    // Who asks from a trusted network may name others behind it.
    let socket: Option<SocketAddr> = sent.socket.parse().ok();
    let is_named = |hop: SocketAddr| socket.is_some_and(|socket| socket.ip() == hop.ip());
    let is_appended = peer::hops(&headers).any(is_named);
    let has = |name| headers.contains_key(name);
    Json(Seen {
        time: clock::now(),
        ping_every_ms: app.services.rules.heartbeat.ping_every_ms,
        direct: !is_believed && sent.socket == peer.address.to_string(),
        host: host.is_some_and(|host| host.eq_ignore_ascii_case(sent.host.as_bytes())),
        claimed: is_believed && !is_appended && sent.claimed == peer.ip().to_string(),
        authorization: has(header::AUTHORIZATION.as_str()),
        over_tls: peer.is_over_tls,
        forwarded_for: Forwarded::new(has(peer::FOR), is_believed),
        forwarded_proto: Forwarded::new(has(peer::PROTO), peer.is_over_tls),
    })
}

/// An event at once, and nothing for a while.
async fn events() -> Response {
    let stream = unfold(0, async |step| match step {
        0 => Some((Ok::<_, Infallible>(Bytes::from_static(b"data: {}\n\n")), 1)),
        1 => {
            sleep(Duration::from_millis(EVENTS_MS)).await;
            Some((Ok(Bytes::from_static(b":\n\n")), 2))
        }
        _ => None,
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(stream)).into_response()
}
