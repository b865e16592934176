//! Accepts sockets and serves HTTP on them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::linger::Lingering;
use super::peer::{Peer, TrustedProxies};
use super::tls::Tls;
use crate::chance;
use crate::connection::refusals::{Cause, Refusals};

/// Ends the connection of a request at once, whatever waits to be written to it.
#[derive(Clone, Debug)]
pub struct Hangup(pub CancellationToken);

/// What sockets and requests are held to.
#[derive(Clone, Debug)]
pub struct HttpRules {
    /// Connections that are not WebSockets. Above it a connection is answered 503 and closed.
    pub connections_max: usize,
    /// Time for the head of a request, and between two requests of a connection.
    pub head_within_ms: u64,
    /// A body that pauses for so long is given up.
    pub body_pause_ms: u64,
    /// Headers of a request. Above it the answer is 431.
    pub headers_max: usize,
    /// The head of a request. Above it the answer is 431.
    pub head_max_bytes: usize,
    /// What the kernel may hold of what was written to a socket.
    pub send_buffer_bytes: usize,
    /// A socket whose peer acknowledges nothing for so long is closed by the kernel.
    pub user_timeout_ms: u64,
    /// Who is believed when it says for whom it asks.
    pub trusted_proxies: TrustedProxies,
}

impl Default for HttpRules {
    fn default() -> Self {
        Self {
            connections_max: 1_000,
            head_within_ms: 10_000,
            body_pause_ms: 10_000,
            headers_max: 64,
            head_max_bytes: 16 * 1_024,
            send_buffer_bytes: 256 * 1_024,
            user_timeout_ms: 20_000,
            trusted_proxies: TrustedProxies::default(),
        }
    }
}

/// How long to wait after the system has run out of descriptors or memory.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// When somebody who found no place comes back: a random time between half and all.
const RETRY_MS: u32 = 4_000;

/// Accepts connections until `stop`, then lets requests that have begun come to their end.
///
/// With `tls` they begin with its handshake, for which they need a place already. `tasks` knows every
/// connection that is not a WebSocket, `refusals` counts those that find no place.
pub async fn listen(
    (listener, tls): (TcpListener, Option<Tls>),
    router: Router,
    rules: HttpRules,
    (tasks, refusals): (TaskTracker, Arc<Refusals>),
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(rules.connections_max));
    let http = builder(&rules);
    let service = TowerToHyperService::new(router);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_if_exhausted(&error).await;
                continue;
            }
        };
        if let Err(error) = configure(&stream, &rules) {
            tracing::debug!(%peer, %error, "a socket broke before it was used");
            continue;
        }
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let connection = Connection {
                    peer: Peer {
                        address: peer,
                        is_over_tls: tls.is_some(),
                    },
                    place,
                    proxies: rules.trusted_proxies.clone(),
                    stop: stop.clone(),
                };
                let (http, service) = (http.clone(), service.clone());
                match tls.clone() {
                    None => tasks.spawn(connection.serve(stream, http, service)),
                    Some(tls) => tasks.spawn(connection.serve_tls((stream, tls), http, service)),
                };
            }
            Err(_) => {
                refusals.note(Cause::HttpConnections);
                // An answer would need a handshake, and that a place.
                if tls.is_none() {
                    tasks.spawn(refuse(stream));
                }
            }
        }
    }
}

struct Connection {
    peer: Peer,
    place: OwnedSemaphorePermit,
    proxies: TrustedProxies,
    stop: CancellationToken,
}

impl Connection {
    async fn serve_tls(
        self,
        (stream, tls): (TcpStream, Tls),
        http: http1::Builder,
        service: TowerToHyperService<Router>,
    ) {
        let accepted = tokio::select! {
            accepted = tls.accept(stream) => accepted,
            () = self.stop.cancelled() => return,
        };
        match accepted {
            Ok(stream) => self.serve(stream, http, service).await,
            Err(error) => {
                let peer = self.peer.address;
                tracing::debug!(%peer, %error, "a connection ended in the handshake of TLS");
            }
        }
    }

    async fn serve<S>(self, stream: S, http: http1::Builder, service: TowerToHyperService<Router>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self {
            peer,
            place: _place,
            proxies,
            stop,
        } = self;
        let hangup = CancellationToken::new();
        let given = hangup.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let asker = proxies.look(peer, request.headers());
            request.extensions_mut().insert(asker);
            request.extensions_mut().insert(Hangup(given.clone()));
            service.call(request)
        });
        let served = http
            .serve_connection(TokioIo::new(Lingering::new(stream)), service)
            .with_upgrades();
        let mut served = std::pin::pin!(served);
        let serving = async {
            tokio::select! {
                ended = served.as_mut() => ended,
                () = stop.cancelled() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            }
        };
        let ended = tokio::select! {
            ended = serving => ended,
            () = hangup.cancelled() => Ok(()),
        };
        if let Err(error) = ended {
            let peer = peer.address;
            tracing::debug!(%peer, %error, "a connection ended with an error");
        }
    }
}

fn builder(rules: &HttpRules) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(rules.head_within_ms))
        .max_headers(rules.headers_max)
        .max_buf_size(rules.head_max_bytes);
    http
}

fn configure(stream: &TcpStream, rules: &HttpRules) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    // The kernel doubles the number for its own bookkeeping.
    socket.set_send_buffer_size(rules.send_buffer_bytes / 2)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_millis(rules.user_timeout_ms)))?;
    Ok(())
}

/// Answers a connection that there is no place for, without reading its request.
async fn refuse(mut stream: TcpStream) {
    let retry_after_s = chance::spread_ms(RETRY_MS).div_ceil(1_000);
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {retry_after_s}\r\n\
         connection: close\r\ncontent-length: 0\r\n\r\n"
    );
    let answered = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    let _ = timeout(Duration::from_millis(500), answered).await;
}

/// A connection that went away before it was accepted is nothing; without descriptors accepting
/// fails again at once, so that others get time to close theirs.
async fn pause_if_exhausted(error: &io::Error) {
    let went_away = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    );
    if !went_away {
        tracing::warn!(%error, "failed to accept a connection; going on in 100 ms");
        sleep(EXHAUSTED_PAUSE).await;
    }
}
