//! Requests to a server as a browser sends them, with all that is said on the way.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, CertificateError};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::trust;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of an answer.
const ANSWER_MAX_BYTES: usize = 64 * 1_024;

/// Where a server is.
#[derive(Debug)]
pub(super) struct Wire {
    host: String,
    port: u16,
    /// The host as it is written in `Host`.
    pub(super) authority: String,
    /// The path below which the server is, without a slash at its end.
    path: String,
    tls: Option<Tls>,
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(..)")
    }
}

/// What a server has answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// What is wrong, where it says so; else the status.
    pub(super) detail: String,
    pub(super) body: Bytes,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// A WebSocket over a connection of [`Wire`].
pub(super) type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

impl Wire {
    /// The server of a URL; `ca` names a file of certificates that are trusted.
    ///
    /// # Errors
    /// The URL has another form, or the file none in PEM.
    pub(super) fn new(url: &str, ca: Option<&Path>) -> Result<Self, String> {
        let wrong = || format!("{url:?} is not a server such as https://boards.example");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (is_tls, usual) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            Some(_) | None => return Err(wrong()),
        };
        let host = uri.host().ok_or_else(wrong)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = uri.port_u16().unwrap_or(usual);
        let shown = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.clone(),
        };
        let authority = match port == usual {
            true => shown,
            false => format!("{shown}:{port}"),
        };
        let tls = match is_tls {
            true => Some(Tls {
                connector: connector(ca)?,
                name: ServerName::try_from(host.clone()).map_err(|_| wrong())?,
            }),
            false => None,
        };
        Ok(Self {
            host,
            port,
            authority,
            path: uri.path().trim_end_matches('/').to_owned(),
            tls,
        })
    }

    /// Whether it is reached over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The origin of its pages.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_tls() { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// Gets what is at a path, which may depend on this end of the socket.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn get(
        &self,
        path: impl FnOnce(SocketAddr) -> String,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        read(self.send(path, headers).await?).await
    }

    /// Whether the first event of the stream at a path comes within a time.
    ///
    /// # Errors
    /// There is no stream.
    pub(super) async fn first_event(&self, path: &str, within: Duration) -> Result<bool, String> {
        let streaming = async {
            let response = self.send(|_| path.to_owned(), &[]).await?;
            if !response.status().is_success() {
                return Err(read(response).await?.detail);
            }
            let mut body = response.into_body();
            match body.frame().await {
                Some(Ok(_)) => Ok(()),
                Some(Err(error)) => Err(format!("it was cut: {error}")),
                None => Err("it was empty".to_owned()),
            }
        };
        match timeout(within, streaming).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(why)) => Err(why),
            Err(_) => Ok(false),
        }
    }

    /// Opens the WebSocket, or says how that was answered.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn upgrade(
        &self,
        headers: &[(&str, &str)],
    ) -> Result<Result<Socket, Answer>, String> {
        let key = generate_key();
        let mut all = vec![
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", key.as_str()),
        ];
        all.extend_from_slice(headers);
        let mut response = self.send(|_| "/ws".to_owned(), &all).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return read(response).await.map(Err);
        }
        let upgraded = hyper::upgrade::on(&mut response).await;
        let upgraded = upgraded.map_err(|error| format!("failed to open a WebSocket: {error}"))?;
        let stream = TokioIo::new(upgraded);
        Ok(Ok(WebSocketStream::from_raw_socket(
            stream,
            Role::Client,
            None,
        )
        .await))
    }

    async fn send(
        &self,
        path: impl FnOnce(SocketAddr) -> String,
        headers: &[(&str, &str)],
    ) -> Result<Response<Incoming>, String> {
        let sending = async {
            let (stream, here) = self.connect().await?;
            let mut request = Request::get(format!("{}{}", self.path, path(here)))
                .header("host", &self.authority)
                .header("user-agent", "boardcast-doctor");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Empty::<Bytes>::new());
            let request = request.map_err(|error| error.to_string())?;
            let failed = |error: hyper::Error| format!("failed to ask {}: {error}", self.origin());
            let shaken = http1::handshake(TokioIo::new(stream)).await;
            let (mut sender, connection) = shaken.map_err(failed)?;
            tokio::spawn(connection.with_upgrades());
            sender.send_request(request).await.map_err(failed)
        };
        let sent = timeout(PATIENCE, sending).await;
        sent.unwrap_or_else(|_| Err(format!("{} did not answer within 10 s", self.origin())))
    }

    async fn connect(&self) -> Result<(Stream, SocketAddr), String> {
        let (host, port) = (self.host.as_str(), self.port);
        let stream = TcpStream::connect((host, port)).await;
        let stream =
            stream.map_err(|error| format!("failed to connect to {host}:{port}: {error}"))?;
        let here = stream.local_addr().map_err(|error| error.to_string())?;
        let Some(tls) = &self.tls else {
            return Ok((Stream::Plain(stream), here));
        };
        let shaken = tls.connector.connect(tls.name.clone(), stream).await;
        let stream = shaken.map_err(|error| untrusted(&error))?;
        Ok((Stream::OverTls(Box::new(stream)), here))
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, String> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect();
    let body = match timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    let detail = problem.map_or_else(|| status.to_string(), |problem| problem.detail);
    Ok(Answer {
        status,
        detail,
        body,
    })
}

/// Why the handshake of TLS has failed, and what to do about it.
fn untrusted(error: &io::Error) -> String {
    let found = error.get_ref().and_then(|error| error.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(why)) = found else {
        return format!("the handshake of TLS failed: {error}");
    };
    let why = if is_any(why, &[CertificateError::Expired]) {
        "it has expired: renew it".to_owned()
    } else if is_any(why, &[CertificateError::UnknownIssuer]) {
        "no authority that is known has signed it: the file is to hold the whole chain, or `--ca` \
         names the authority"
            .to_owned()
    } else {
        why.to_string()
    };
    format!("the certificate is not accepted: {why}")
}

/// Errors with a context are not equal to those without.
fn is_any(error: &CertificateError, named: &[CertificateError]) -> bool {
    let begins = |name: &CertificateError| format!("{error:?}").starts_with(&format!("{name:?}"));
    named.iter().any(begins)
}

fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let config = trust::client(ca).map_err(|why| match ca {
        Some(path) => format!("`--ca` is {}: {why}", path.display()),
        None => why,
    })?;
    Ok(TlsConnector::from(Arc::new(config)))
}

enum Stream {
    Plain(TcpStream),
    OverTls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::OverTls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::OverTls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::OverTls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::OverTls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
