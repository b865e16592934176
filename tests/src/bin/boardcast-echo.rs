//! Sends every message back, read and framed by the code of the server: for test suites of the
//! WebSocket protocol that drive an echo. It does not ship.

use std::io;

use anyhow::{Context, bail};
use boardcast::connection::reader::{FrameReader, Incoming, ReaderLimits};
use boardcast::connection::socket::SharedSocket;
use boardcast::frame;
use bytes::Bytes;
use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The longest request that is read.
const REQUEST_MAX_BYTES: usize = 8 * 1_024;

/// Sends every message back over WebSocket
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; port 0 takes a free one, which is printed
    #[arg(long, default_value = "127.0.0.1:9001")]
    listen: String,
    /// The longest message
    #[arg(long, default_value_t = 16 * 1_024 * 1_024)]
    max_message_bytes: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let listener = TcpListener::bind(&options.listen)
        .await
        .with_context(|| format!("failed to listen on {}", options.listen))?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let limits = ReaderLimits {
            max_message_bytes: options.max_message_bytes,
            max_frame_bytes: options.max_message_bytes,
            accept_binary: true,
        };
        tokio::spawn(async move {
            if let Err(error) = serve(stream, limits).await {
                eprintln!("{error:#}");
            }
        });
    }
}

async fn serve(mut stream: TcpStream, limits: ReaderLimits) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    upgrade(&mut stream).await?;
    let mut stream = SharedSocket::new(stream);
    let mut reader = FrameReader::new(limits);
    let mut scratch = vec![0; 32 * 1_024];
    loop {
        let count = match stream.read(&mut scratch).await {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let (answers, is_over) = answers(&mut reader, &mut scratch[..count]);
        for answer in answers {
            stream.write_all(&answer).await?;
        }
        if is_over {
            stream.shutdown().await?;
            // The client closes its side when it has read the close frame.
            while matches!(stream.read(&mut scratch).await, Ok(1..)) {}
            return Ok(());
        }
    }
}

/// What is to be sent for what was read, and whether that is the end.
fn answers(reader: &mut FrameReader, bytes: &mut [u8]) -> (Vec<Bytes>, bool) {
    let mut answers = Vec::new();
    let mut frames = reader.feed(bytes);
    loop {
        match frames.next() {
            Ok(Some(Incoming::Text(text))) => answers.push(frame::text(text.as_bytes())),
            Ok(Some(Incoming::Binary(payload))) => answers.push(frame::binary(payload)),
            Ok(Some(Incoming::Ping(payload))) => answers.push(frame::pong(payload)),
            Ok(Some(Incoming::Pong(_))) => {}
            Ok(Some(Incoming::Close { code, .. })) => {
                answers.push(frame::close(code.unwrap_or(1000), ""));
                return (answers, true);
            }
            Ok(None) => return (answers, false),
            Err(error) => {
                answers.push(frame::close(error.close_code(), &error.to_string()));
                return (answers, true);
            }
        }
    }
}

/// Reads the request and answers it.
async fn upgrade(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if request.len() > REQUEST_MAX_BYTES || stream.read_buf(&mut request).await? == 0 {
            bail!("no request of at most {REQUEST_MAX_BYTES} bytes came");
        }
    }
    let request = String::from_utf8_lossy(&request);
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then(|| value.trim())
    });
    let accept = derive_accept_key(key.context("the request has no key")?.as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(response.as_bytes()).await?;
    Ok(())
}
