//! The task of one connection: the loop between its socket, its session and its outbox.

use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::limits::HELLO_MAX_BYTES;

use super::door::{Place, SourcePlace};
use super::protocol_error::ProtocolError;
use super::reader::{FrameReader, Incoming, ReaderLimits};
use super::services::Services;
use super::socket::SharedSocket;
use super::talk::Talk;
use super::writer::Writer;
use crate::auth::Identity;
use crate::room::{Codec, DirectWrite};
use crate::{clock, frame};

/// What one read may bring. A longer message is put together by the reader.
const SCRATCH_BYTES: usize = 32 * 1_024;
/// How long a client may take to close its side after the close frame.
const LINGER: Duration = Duration::from_millis(500);

thread_local! {
    /// The buffer that all connections of a thread read through, so that an idle one holds none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
}

/// What a connection reads from and writes to: a TCP socket, or what a test puts in its place.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for S {}

/// A socket that has just become a WebSocket.
#[derive(Debug)]
pub struct Accepted<S = SharedSocket> {
    /// The socket.
    pub stream: S,
    /// The same for rooms that write to it at once.
    pub direct: Option<Arc<dyn DirectWrite>>,
    /// What was read of it behind the request.
    pub early: Bytes,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// How messages are written.
    pub codec: Codec,
    /// Who the upgrade was for.
    pub authenticated: Option<Box<Identity>>,
    /// Its place among all connections.
    pub place: Place,
    /// Its place among those of its source that have not said who they are.
    pub source_place: Option<SourcePlace>,
}

impl Accepted<()> {
    /// The same with its socket, which is there once the response has been written.
    pub fn over<S>(
        self,
        stream: S,
        direct: Option<Arc<dyn DirectWrite>>,
        early: Bytes,
    ) -> Accepted<S> {
        Accepted {
            stream,
            direct,
            early,
            peer: self.peer,
            codec: self.codec,
            authenticated: self.authenticated,
            place: self.place,
            source_place: self.source_place,
        }
    }
}

/// The task of one connection. An idle one holds no buffer, and little else: it stays in memory for
/// as long as a client is connected.
#[derive(Debug)]
pub struct Task<S = SharedSocket> {
    phase: Phase<S>,
    _place: Place,
}

#[expect(
    clippy::large_enum_variant,
    reason = "boxing it would cost every idle connection an allocation"
)]
enum Phase<S> {
    Open(Open<S>),
    /// The end, with its awaits: short, and boxed so that it does not weigh on every connection.
    Ending(Pin<Box<dyn Future<Output = ()> + Send>>),
    Ended,
}

impl<S> std::fmt::Debug for Phase<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open(_) => "Open",
            Self::Ending(_) => "Ending",
            Self::Ended => "Ended",
        })
    }
}

struct Open<S> {
    stream: S,
    reader: FrameReader,
    writer: Writer,
    talk: Talk,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The close frame has been written.
    Told,
    /// The socket broke, or is to be dropped.
    Broken,
}

impl<S: Socket> Task<S> {
    /// The task of a socket, entered among the connections.
    pub fn new(services: &Arc<Services>, accepted: Accepted<S>) -> Self {
        let rules = &services.rules.session;
        let max_message_bytes = if accepted.authenticated.is_some() {
            rules.message_max_bytes
        } else {
            HELLO_MAX_BYTES
        };
        let mut open = Open {
            stream: accepted.stream,
            reader: FrameReader::new(ReaderLimits {
                max_message_bytes,
                max_frame_bytes: rules.frame_max_bytes,
                accept_binary: false,
            }),
            writer: Writer::default(),
            talk: Talk::new(
                Arc::clone(services),
                (accepted.codec, accepted.peer),
                accepted.authenticated,
                accepted.source_place,
            ),
        };
        if let Some(direct) = accepted.direct {
            open.talk.connection().outbox.attach(direct);
        }
        services.turn_back(open.talk.connection());
        if !accepted.early.is_empty() {
            open.feed(&mut accepted.early.to_vec());
        }
        Self {
            phase: Phase::Open(open),
            _place: accepted.place,
        }
    }
}

impl<S: Socket> Future for Task<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Phase::Open(open) = &mut self.phase {
            let Poll::Ready(end) = open.poll(context) else {
                return Poll::Pending;
            };
            if let Phase::Open(open) = std::mem::replace(&mut self.phase, Phase::Ended) {
                self.phase = Phase::Ending(Box::pin(open.end(end)));
            }
        }
        let Phase::Ending(ending) = &mut self.phase else {
            return Poll::Ready(());
        };
        let ended = ending.as_mut().poll(context);
        if ended.is_ready() {
            self.phase = Phase::Ended;
        }
        ended
    }
}

impl<S: Socket> Open<S> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.talk.connection().outbox.register(context.waker());
        loop {
            if self.talk.connection().is_dropped() {
                return Poll::Ready(End::Broken);
            }
            let has_settled = self.talk.poll(context);
            if self.talk.take_pause() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let connection = self.talk.connection();
            let written = (self.writer).poll(&mut self.stream, connection, context);
            match written {
                Poll::Ready(Err(_)) => return Poll::Ready(End::Broken),
                Poll::Ready(Ok(())) if self.talk.is_closing() => {
                    return Poll::Ready(End::Told);
                }
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            if self.talk.tell_drained() {
                continue;
            }
            if !self.talk.listens() {
                // The backlog, the outbox or the socket will wake this task.
                if has_settled {
                    continue;
                }
                return Poll::Pending;
            }
            match self.poll_read(context) {
                Poll::Ready(Some(end)) => return Poll::Ready(end),
                Poll::Ready(None) => {}
                Poll::Pending if has_settled => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Reads once. `Ready(None)`: go on.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<End>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(_)) => Poll::Ready(Some(End::Broken)),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Some(End::Broken)),
                Poll::Ready(Ok(())) => {
                    let connection = self.talk.connection();
                    connection.count_read();
                    let bytes = buffer.filled().len();
                    connection.profile.count_read(bytes, clock::now());
                    self.feed(buffer.filled_mut());
                    Poll::Ready(None)
                }
            }
        })
    }

    /// Hands what was read to the session, message by message.
    fn feed(&mut self, bytes: &mut [u8]) {
        let Self { reader, talk, .. } = self;
        let mut frames = reader.feed(bytes);
        while !talk.is_over() {
            match frames.next() {
                Ok(Some(Incoming::Text(text))) => {
                    if talk.hear_text(text) {
                        frames.set_max_message_bytes(talk.message_max_bytes());
                    }
                }
                Ok(Some(Incoming::Ping(payload))) => talk.push(frame::pong(payload)),
                Ok(Some(Incoming::Pong(payload))) => talk.hear_pong(payload),
                // An error of the reader here.
                Ok(Some(Incoming::Binary(_))) => {}
                Ok(Some(Incoming::Close { code, .. })) => {
                    talk.close_with(CloseCode::Normal, code.unwrap_or(1000), "");
                }
                Ok(None) => return,
                Err(error) => {
                    talk.note_too_big(error);
                    talk.close_with(meaning(error), error.close_code(), &error.to_string());
                }
            }
        }
    }

    /// Leaves the rooms and the registry, then lets the client close its side.
    async fn end(self, end: End) {
        let Self {
            mut stream, talk, ..
        } = self;
        talk.connection().outbox.detach();
        talk.leave().await;
        if end == End::Told && stream.shutdown().await.is_ok() {
            // Closing with unread bytes would reset the connection and take the close frame along.
            let mut rest = [0; 1_024];
            let drained = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
            let _ = timeout(LINGER, drained).await;
        }
    }
}

fn meaning(error: ProtocolError) -> CloseCode {
    match error.close_code() {
        1003 => CloseCode::Unsupported,
        1007 => CloseCode::InvalidText,
        1009 => CloseCode::TooBig,
        _ => CloseCode::ProtocolError,
    }
}

#[cfg(test)]
mod tests;
