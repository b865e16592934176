//! A proxy that does everything right, but for what a test has it do wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use boardcast_tests::tls::Certificate;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// What a proxy does to requests and answers.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// The certificate with which it ends TLS.
    pub(crate) certificate: Option<Certificate>,
    /// Headers that it takes away.
    pub(crate) takes: &'static [&'static str],
    /// Headers that it writes anew; `BACKEND` stands for the address of the server.
    pub(crate) writes: &'static [(&'static str, &'static str)],
    /// Whether it says who has asked it.
    pub(crate) says_for: bool,
    /// Whether it says how it was asked.
    pub(crate) says_proto: bool,
    /// It keeps an answer until that is whole.
    pub(crate) gathers: bool,
    /// It cuts a WebSocket on which nothing is said for so long.
    pub(crate) cuts: Option<Duration>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            certificate: None,
            takes: &[],
            writes: &[],
            says_for: true,
            says_proto: true,
            gathers: false,
            cuts: None,
        }
    }
}

/// Stops when it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn start(backend: SocketAddr, habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, backend, habits));
        Self {
            address,
            _serving: serving,
        }
    }
}

async fn serve(listener: TcpListener, backend: SocketAddr, habits: Habits) {
    let acceptor = habits.certificate.as_ref().map(Certificate::acceptor);
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = listener.accept().await.expect("a connection");
        let (habits, acceptor) = (habits.clone(), acceptor.clone());
        connections.spawn(async move {
            let place = (backend, peer);
            // Who goes away is no fault of the proxy.
            let _ = match acceptor {
                Some(acceptor) => over_tls(stream, acceptor, place, &habits).await,
                None => pass(stream, place, &habits).await,
            };
        });
    }
}

async fn over_tls(
    stream: TcpStream,
    acceptor: Arc<TlsAcceptor>,
    place: (SocketAddr, SocketAddr),
    habits: &Habits,
) -> std::io::Result<()> {
    let stream = acceptor.accept(stream).await?;
    pass(stream, place, habits).await
}

/// Passes one request on, and then whatever is said.
async fn pass<S: AsyncRead + AsyncWrite>(
    stream: S,
    (backend, peer): (SocketAddr, SocketAddr),
    habits: &Habits,
) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = split(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from_client.read_u8().await?);
    }
    let head = habits.rewrite(&String::from_utf8_lossy(&head), backend, peer);
    let (mut from_server, mut to_server) = TcpStream::connect(backend).await?.into_split();
    to_server.write_all(head.as_bytes()).await?;
    if habits.gathers && !head.contains("/ws ") {
        let mut answer = Vec::new();
        let mut piece = [0; 4_096];
        // An answer of events is whole when the server has ended it.
        let is_stream = head.contains("/events");
        loop {
            let count = from_server.read(&mut piece).await?;
            answer.extend_from_slice(&piece[..count]);
            if count == 0 || !is_stream || answer.ends_with(b"0\r\n\r\n") {
                break;
            }
        }
        to_client.write_all(&answer).await?;
    }
    let mut up = [0; 4_096];
    let mut down = [0; 4_096];
    let silence = match habits.cuts {
        Some(silence) if head.contains("/ws ") => silence,
        Some(_) | None => Duration::from_secs(3_600),
    };
    loop {
        let said = async {
            tokio::select! {
                count = from_client.read(&mut up) => match count? {
                    0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                    count => to_server.write_all(&up[..count]).await,
                },
                count = from_server.read(&mut down) => match count? {
                    0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                    count => to_client.write_all(&down[..count]).await,
                },
            }
        };
        match timeout(silence, said).await {
            Ok(said) => said?,
            Err(_) => return Ok(()),
        }
        to_client.flush().await?;
    }
}

impl Habits {
    fn rewrite(&self, head: &str, backend: SocketAddr, peer: SocketAddr) -> String {
        let mut lines = head.trim_end().split("\r\n");
        let mut sent = lines.next().expect("a request").to_owned();
        let mut hops = peer.ip().to_string();
        for line in lines {
            let name = line.split(':').next().unwrap_or_default();
            let is = |other: &&str| other.eq_ignore_ascii_case(name);
            if is(&"x-forwarded-for") && self.says_for {
                let before = line.split(": ").nth(1).unwrap_or_default();
                hops = format!("{before}, {hops}");
            } else if !self.takes.iter().any(is) && !self.writes.iter().any(|(other, _)| is(other))
            {
                sent += &format!("\r\n{line}");
            }
        }
        for (name, value) in self.writes {
            sent += &format!(
                "\r\n{name}: {}",
                value.replace("BACKEND", &backend.to_string())
            );
        }
        if self.says_for {
            sent += &format!("\r\nX-Forwarded-For: {hops}");
        }
        if self.says_proto {
            let scheme = if self.certificate.is_some() {
                "https"
            } else {
                "http"
            };
            sent += &format!("\r\nX-Forwarded-Proto: {scheme}");
        }
        format!("{sent}\r\n\r\n")
    }
}
