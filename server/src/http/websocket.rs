//! `GET /ws`: who may open a WebSocket, and the step from the request to the connection's task.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use boardcast_protocol::{SUBPROTOCOL_DEFLATE, SUBPROTOCOL_JSON};

use super::App;
use super::auth::{bearer, origin_of, pairs, refuse_token_in_query, signed_in};
use super::linger::Lingering;
use super::origin::OriginVerdict;
use super::peer::Peer;
use super::problem::Problem;
use super::upgrade::{self, UpgradeError};
use crate::auth::Identity;
use crate::clock;
use crate::connection::door::Refused;
use crate::connection::socket::SharedSocket;
use crate::connection::task::{Accepted, Task};
use crate::room::Codec;

pub(super) async fn open(
    State(app): State<App>,
    peer: Peer,
    mut request: Request,
) -> Result<Response, Problem> {
    let (services, source) = (&app.services, peer.source());
    if services.is_draining() {
        return Err(services.door.refuse_while_draining().into());
    }
    let headers = request.headers();
    let upgrade = upgrade::check(request.method(), request.version(), headers)?;
    check_origin(headers, peer, &app)?;
    // Before the ticket is redeemed, which works once.
    let place = services.door.enter(source, clock::now())?;
    let authenticated = identify(request.uri(), headers, peer, &app)
        .await?
        .map(Box::new);
    let source_place = match authenticated {
        Some(_) => None,
        None => Some(services.door.enter_nameless(source)?),
    };
    let (codec, protocol) = choose(&upgrade.protocols);
    let on_upgrade = hyper::upgrade::on(&mut request);
    let opening = Arc::clone(services);
    services.tasks.spawn(async move {
        let Some(taken) = take_over(on_upgrade).await else {
            return;
        };
        let accepted = Accepted {
            stream: (),
            direct: None,
            early: Bytes::new(),
            peer: peer.address,
            codec,
            authenticated,
            place,
            source_place,
        };
        let services = &opening;
        match taken {
            Taken::Plain(stream, early) => {
                let stream = SharedSocket::new(stream);
                let direct = Some(stream.direct());
                let accepted = accepted.over(stream, direct, early);
                services.tasks.spawn(Task::new(services, accepted));
            }
            // What rooms write would have to be sealed in its turn: the connection's task does it.
            Taken::OverTls(stream, early) => {
                let accepted = accepted.over(*stream, None, early);
                services.tasks.spawn(Task::new(services, accepted));
            }
        }
    });
    switching_protocols(&upgrade.accept, protocol)
}

impl From<UpgradeError> for Problem {
    fn from(error: UpgradeError) -> Self {
        Self::new(error.status(), error.to_string()).with_headers(error.headers())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = if refused.cause.is_of_one_source() {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let hint = format!("{refused}; come back after {} s", refused.retry_after_s);
        Self::new(status, hint).retry_after_s(refused.retry_after_s)
    }
}

fn check_origin(headers: &HeaderMap, peer: Peer, app: &App) -> Result<(), Problem> {
    let hint = match origin_of(headers, peer, app)? {
        OriginVerdict::Allowed => return Ok(()),
        OriginVerdict::Absent if !headers.contains_key(header::COOKIE) => return Ok(()),
        OriginVerdict::Absent => "a request with a cookie needs an `Origin`",
        OriginVerdict::Refused => {
            "pages of this origin may not connect; `--allowed-origins` lists those that may"
        }
    };
    Err(Problem::new(StatusCode::FORBIDDEN, hint))
}

/// Who the request is for: by its token, its ticket or its cookie, or by `hello` later. A cookie whose
/// session has ended is as none: the browser sends it by itself.
async fn identify(
    uri: &Uri,
    headers: &HeaderMap,
    peer: Peer,
    app: &App,
) -> Result<Option<Identity>, Problem> {
    refuse_token_in_query(uri)?;
    if let Some(identity) = bearer(headers, app).await? {
        return Ok(Some(identity));
    }
    match pairs(uri).find(|(name, _)| *name == "ticket") {
        Some((_, ticket)) => Ok(Some(app.services.tickets.redeem(ticket, clock::now())?)),
        None => signed_in(headers, peer, app).await,
    }
}

/// The first subprotocol that both sides speak; plain JSON for clients that offer none.
fn choose(offered: &[String]) -> (Codec, Option<&'static str>) {
    offered
        .iter()
        .find_map(|offered| match offered.as_str() {
            SUBPROTOCOL_JSON => Some((Codec::Json, Some(SUBPROTOCOL_JSON))),
            SUBPROTOCOL_DEFLATE => Some((Codec::Deflate, Some(SUBPROTOCOL_DEFLATE))),
            _ => None,
        })
        .unwrap_or((Codec::Json, None))
}

/// A socket, and what was read of it already.
enum Taken {
    Plain(TcpStream, Bytes),
    OverTls(Box<TlsStream<TcpStream>>, Bytes),
}

async fn take_over(on_upgrade: OnUpgrade) -> Option<Taken> {
    let upgraded = match on_upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a client went away during the upgrade");
            return None;
        }
    };
    let upgraded = match upgraded.downcast::<TokioIo<Lingering<TcpStream>>>() {
        Ok(parts) => {
            let stream = parts.io.into_inner().into_inner();
            return Some(Taken::Plain(stream, parts.read_buf));
        }
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast::<TokioIo<Lingering<TlsStream<TcpStream>>>>() {
        Ok(parts) => {
            let stream = Box::new(parts.io.into_inner().into_inner());
            Some(Taken::OverTls(stream, parts.read_buf))
        }
        Err(_) => {
            tracing::error!("an upgrade did not end in a socket of this server");
            None
        }
    }
}

fn switching_protocols(accept: &str, protocol: Option<&str>) -> Result<Response, Problem> {
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::UPGRADE, HeaderValue::from_static("websocket"))
        .header(header::CONNECTION, HeaderValue::from_static("Upgrade"))
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = protocol {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
        .body(Body::empty())
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_subprotocol_that_is_spoken_is_chosen() {
        let chosen = |offered: &[&str]| {
            let offered: Vec<_> = offered.iter().map(|o| (*o).to_owned()).collect();
            choose(&offered)
        };
        assert_eq!(chosen(&[]), (Codec::Json, None));
        assert_eq!(chosen(&["chat"]), (Codec::Json, None));
        assert_eq!(
            chosen(&["chat", SUBPROTOCOL_DEFLATE, SUBPROTOCOL_JSON]),
            (Codec::Deflate, Some(SUBPROTOCOL_DEFLATE))
        );
        assert_eq!(
            chosen(&[SUBPROTOCOL_JSON, SUBPROTOCOL_DEFLATE]),
            (Codec::Json, Some(SUBPROTOCOL_JSON))
        );
    }
}
