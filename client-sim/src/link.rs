//! One WebSocket to the server: address, upgrade, subprotocol, small buffers.

mod counted;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::{SUBPROTOCOL_DEFLATE, SUBPROTOCOL_JSON};
use tokio::net::TcpSocket;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use self::counted::Counted;

/// Read buffer of a connection: at the default of 128 KiB ten thousand clients take 1.3 GB.
const READ_BUFFER_BYTES: usize = 4 * 1_024;
/// A message that leaves a buffer behind which is worth giving back.
const SWOLLEN_BYTES: usize = 2 * READ_BUFFER_BYTES;
/// Longest `Retry-After` that is waited for.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Largest message: the snapshot of a board of 20,000 cards.
const MESSAGE_MAX_BYTES: usize = 256 * 1_024 * 1_024;
/// Clients that connect from one loopback address; a source address has about 28,000 ports.
pub const CLIENTS_PER_SOURCE: usize = 20_000;

/// How frames are coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Codec {
    /// JSON text.
    #[default]
    Json,
    /// JSON text, larger frames as raw DEFLATE.
    Deflate,
}

impl Codec {
    /// The subprotocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => SUBPROTOCOL_JSON,
            Self::Deflate => SUBPROTOCOL_DEFLATE,
        }
    }
}

/// The server, as it was named: `http://host:port` or `ws://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    authority: String,
    host: String,
    port: u16,
}

/// Why a text does not name a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Another scheme.
    #[error("a server is named like http://127.0.0.1:8080 (TLS is not spoken here)")]
    Scheme,
    /// No host, or a port that is none.
    #[error("a server is named like http://127.0.0.1:8080, with a host and a port")]
    Authority,
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("ws://"))
            .ok_or(ServerError::Scheme)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| ServerError::Authority)?)
            }
            Some(_) | None => (authority, 80),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(ServerError::Authority);
        }
        Ok(Self {
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
        })
    }
}

impl Server {
    /// Finds the address.
    ///
    /// # Errors
    /// The name has no address.
    pub async fn resolve(&self, codec: Codec) -> std::io::Result<Target> {
        let mut found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        let address = found.next().ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address")
        })?;
        Ok(Target {
            url: format!("ws://{}/ws", self.authority),
            address,
            codec,
            sources: 1,
        })
    }
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Target {
    url: String,
    address: SocketAddr,
    codec: Codec,
    sources: u8,
}

/// A WebSocket to the server.
pub type Socket = WebSocketStream<Counted>;

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The server said no for good: its status.
    Refused(StatusCode),
    /// It may work later, after this time where the server said so.
    Later(String, Option<Duration>),
}

impl Target {
    /// Whether frames may be DEFLATE.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The same, where clients connect from 127.0.0.1 up to 127.0.0.`sources` in turn.
    ///
    /// # Errors
    /// The server is not on an IPv4 loopback address, so that it cannot be reached from there.
    pub fn from_sources(self, sources: u8) -> anyhow::Result<Self> {
        if sources > 1 && !self.is_loopback() {
            bail!(
                "{} is no IPv4 loopback address, and only such a server is reached from several \
                 addresses of this machine: leave out `--source-addresses`",
                self.address.ip()
            );
        }
        Ok(Self { sources, ..self })
    }

    /// The address that client `index` of a fleet connects from: one of several in turn, where
    /// several were asked for. Else the default for the first 20,000 and for servers elsewhere, then
    /// 127.0.0.2 and so on.
    pub fn source(&self, index: usize) -> Option<Ipv4Addr> {
        let number = if self.sources > 1 {
            index % usize::from(self.sources)
        } else {
            index / CLIENTS_PER_SOURCE
        };
        let is_default = number == 0 && self.sources == 1;
        (self.is_loopback() && !is_default)
            .then(|| Ipv4Addr::new(127, 0, 0, u8::try_from(number + 1).unwrap_or(u8::MAX)))
    }

    /// How many of `clients` connect from the address that most connect from.
    pub fn clients_of_source(&self, clients: usize) -> usize {
        match (self.is_loopback(), self.sources) {
            (false, _) => clients,
            (true, 1) => clients.min(CLIENTS_PER_SOURCE),
            (true, sources) => clients.div_ceil(usize::from(sources)),
        }
    }

    fn is_loopback(&self) -> bool {
        match self.address.ip() {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(_) => false,
        }
    }

    /// Opens a WebSocket with a token. The kernel keeps at most about `window_bytes` of what comes
    /// and is not read, where that is given.
    ///
    /// # Errors
    /// The server is not there, or does not let the client in.
    pub async fn connect(
        &self,
        token: &str,
        source: Option<Ipv4Addr>,
        window_bytes: Option<u32>,
    ) -> Result<Box<Socket>, ConnectError> {
        let later = |error: std::io::Error| ConnectError::Later(format!("connect: {error}"), None);
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        };
        let socket = socket.map_err(later)?;
        if let Some(source) = source {
            // A port that waits for the end of an earlier connection may be used again.
            socket.set_reuseaddr(true).map_err(later)?;
            socket.bind((source, 0).into()).map_err(later)?;
        }
        if let Some(bytes) = window_bytes {
            socket.set_recv_buffer_size(bytes).map_err(later)?;
        }
        let stream = socket.connect(self.address).await.map_err(later)?;
        stream.set_nodelay(true).map_err(later)?;
        let request = self.request(token).map_err(upgrade_error)?;
        let stream = Counted::new(stream);
        let upgrade = Box::pin(client_async_with_config(request, stream, Some(config())));
        let (socket, _response) = upgrade.await.map_err(upgrade_error)?;
        Ok(Box::new(socket))
    }

    fn request(
        &self,
        token: &str,
    ) -> Result<tungstenite::handshake::client::Request, tungstenite::Error> {
        let mut request = self.url.as_str().into_client_request()?;
        let headers = request.headers_mut();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
        headers.insert(header::AUTHORIZATION, bearer);
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(self.codec.subprotocol()),
        );
        Ok(request)
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(READ_BUFFER_BYTES)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(MESSAGE_MAX_BYTES))
        .max_frame_size(Some(MESSAGE_MAX_BYTES))
}

/// How a connection that the server closed has failed, with what to do about it.
pub fn closed(code: u16) -> String {
    let hint = if code == CloseCode::Replaced.code() {
        ", another client has this id: processes beside each other need different `--seed`"
    } else if code == CloseCode::TooManyConnections.code() {
        ", the server takes so few connections of one user, and one more looks at each board at \
         the end: give more tokens (`boardcast token --count N`) or raise its limit"
    } else {
        ""
    };
    format!("closed: {code}{hint}")
}

/// Notes that a message was taken; whether the buffer of the socket is empty and much larger than
/// it need be. It never shrinks by itself: a snapshot would leave its size behind for good.
pub fn has_swollen(socket: &mut Socket, message: &Message) -> bool {
    let counted = socket.get_mut();
    counted.take(message.len());
    counted.largest().is_some_and(|bytes| bytes > SWOLLEN_BYTES)
}

/// The same connection with a small buffer, for a socket that has swollen and is flushed.
pub async fn shrunk(socket: Box<Socket>) -> Box<Socket> {
    let mut counted = (*socket).into_inner();
    counted.forget();
    Box::new(WebSocketStream::from_raw_socket(counted, Role::Client, Some(config())).await)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum; only an answer of the server is final"
)]
fn upgrade_error(error: tungstenite::Error) -> ConnectError {
    match error {
        tungstenite::Error::Http(response) => match response.status() {
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                let after = response.headers().get(header::RETRY_AFTER);
                let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
                let after = after.map(|seconds| Duration::from_secs(seconds).min(RETRY_MAX));
                ConnectError::Later(format!("upgrade: {status}"), after)
            }
            status => ConnectError::Refused(status),
        },
        tungstenite::Error::HttpFormat(error) => ConnectError::Later(
            format!("the token does not fit into a header: {error}"),
            None,
        ),
        error => ConnectError::Later(format!("upgrade: {error}"), None),
    }
}
