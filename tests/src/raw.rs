//! Requests byte by byte, for what no client library would send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::PATIENCE;

/// The head of a response.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// All lines, in lower case.
    pub text: String,
}

impl Head {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            (key == name).then_some(value)
        })
    }
}

/// Headers of a correct request for a WebSocket, besides `Host`.
pub const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Sends a request for a WebSocket in which `changes` stand for headers of the same name (an empty
/// value leaves the header out) and returns what comes back, with the socket.
pub async fn upgrade(
    address: SocketAddr,
    path: &str,
    changes: &[(&str, &str)],
) -> (Head, TcpStream) {
    let mut text = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n");
    let kept = UPGRADE
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    for (name, value) in kept.chain(changes).filter(|(_, value)| !value.is_empty()) {
        text += &format!("{name}: {value}\r\n");
    }
    exchange(address, &format!("{text}\r\n")).await
}

/// Sends a request as it stands and returns the head of the response, with the socket.
pub async fn exchange(address: SocketAddr, request: &str) -> (Head, TcpStream) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (mut reading, mut writing) = stream.split();
    // A server may answer and close before it has read everything.
    let write = async {
        let _ = writing.write_all(request.as_bytes()).await;
        std::future::pending::<()>().await;
    };
    let text = tokio::select! {
        () = write => unreachable!("writing never ends"),
        text = head(&mut reading) => text,
    };
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no response: {text:?}"));
    let head = Head {
        status,
        text: text.to_ascii_lowercase(),
    };
    (head, stream)
}

async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match timeout(PATIENCE, stream.read_u8())
            .await
            .expect("a response in time")
        {
            Ok(byte) => bytes.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until the server closes; what it sent.
pub async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .expect("the end in time");
    bytes
}

/// The code of the close frame at the end of what a server sent.
pub fn close_code(bytes: &[u8]) -> Option<u16> {
    let mut rest = bytes;
    loop {
        let (head, payload) = rest.split_at_checked(2)?;
        let (length, payload) = match head[1] {
            126 => {
                let (length, payload) = payload.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), payload)
            }
            127 => {
                let (length, payload) = payload.split_first_chunk()?;
                (usize::try_from(u64::from_be_bytes(*length)).ok()?, payload)
            }
            length => (usize::from(length), payload),
        };
        if head[0] == 0x88 {
            let code = payload.first_chunk()?;
            return Some(u16::from_be_bytes(*code));
        }
        rest = payload.get(length..)?;
    }
}
