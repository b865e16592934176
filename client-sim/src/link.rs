//! One WebSocket to the server: address, upgrade, subprotocol, small buffers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use boardcast_protocol::{SUBPROTOCOL_DEFLATE, SUBPROTOCOL_JSON};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self};

/// Read buffer of a connection: at the default of 128 KiB ten thousand clients take 1.3 GB.
const READ_BUFFER_BYTES: usize = 4 * 1_024;
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
        })
    }
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Target {
    url: String,
    address: SocketAddr,
    codec: Codec,
}

/// A WebSocket to the server.
pub type Socket = WebSocketStream<TcpStream>;

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The server said no for good: its status.
    Refused(StatusCode),
    /// It may work later; after how long, where the server said so.
    Later(String, Option<Duration>),
}

impl Target {
    /// Whether frames may be DEFLATE.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The address that client `index` of a large fleet connects from: the default for the first
    /// 20,000 and for servers elsewhere, then 127.0.0.2 and so on.
    pub fn source(&self, index: usize) -> Option<Ipv4Addr> {
        let loopback = match self.address.ip() {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(_) => false,
        };
        let number = index / CLIENTS_PER_SOURCE;
        (loopback && number > 0)
            .then(|| Ipv4Addr::new(127, 0, 0, u8::try_from(number + 1).unwrap_or(u8::MAX)))
    }

    /// Opens a WebSocket with a token.
    ///
    /// # Errors
    /// The server is not there, or does not let the client in.
    pub async fn connect(
        &self,
        token: &str,
        source: Option<Ipv4Addr>,
    ) -> Result<Box<Socket>, ConnectError> {
        let later = |error: std::io::Error| ConnectError::Later(format!("connect: {error}"), None);
        let stream = match source {
            None => TcpStream::connect(self.address).await.map_err(later)?,
            Some(source) => {
                let socket = TcpSocket::new_v4().map_err(later)?;
                socket.bind((source, 0).into()).map_err(later)?;
                socket.connect(self.address).await.map_err(later)?
            }
        };
        stream.set_nodelay(true).map_err(later)?;
        let request = self.request(token).map_err(upgrade_error)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(READ_BUFFER_BYTES)
            .max_write_buffer_size(usize::MAX)
            .max_message_size(Some(MESSAGE_MAX_BYTES))
            .max_frame_size(Some(MESSAGE_MAX_BYTES));
        let upgrade = Box::pin(client_async_with_config(request, stream, Some(config)));
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

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum; only an answer of the server is final"
)]
fn upgrade_error(error: tungstenite::Error) -> ConnectError {
    match error {
        tungstenite::Error::Http(response) => match response.status() {
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                let retry = response.headers().get(header::RETRY_AFTER);
                let seconds = retry.and_then(|value| value.to_str().ok()?.parse().ok());
                let why = format!("upgrade: {status}");
                ConnectError::Later(why, seconds.map(Duration::from_secs))
            }
            status => ConnectError::Refused(status),
        },
        tungstenite::Error::HttpFormat(error) => {
            let why = format!("the token does not fit into a header: {error}");
            ConnectError::Later(why, None)
        }
        error => ConnectError::Later(format!("upgrade: {error}"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_scheme_host_and_port() {
        let server: Server = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!((server.host.as_str(), server.port), ("127.0.0.1", 8080));
        let server: Server = "ws://[::1]:9".parse().unwrap();
        assert_eq!((server.host.as_str(), server.port), ("::1", 9));
        let server: Server = "http://board".parse().unwrap();
        assert_eq!((server.host.as_str(), server.port), ("board", 80));
        assert_eq!("https://x".parse::<Server>(), Err(ServerError::Scheme));
        assert_eq!("http://:1".parse::<Server>(), Err(ServerError::Authority));
        assert_eq!("http://x:y".parse::<Server>(), Err(ServerError::Authority));
    }

    #[test]
    fn a_large_fleet_connects_from_several_loopback_addresses() {
        let target = |address: &str| Target {
            url: String::new(),
            address: address.parse().unwrap(),
            codec: Codec::Json,
        };
        let local = target("127.0.0.1:1");
        assert_eq!(local.source(19_999), None);
        assert_eq!(local.source(20_000), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(target("192.0.2.1:1").source(20_000), None);
    }
}
