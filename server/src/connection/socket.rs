//! A TCP socket that its connection's task reads and writes, and that rooms may write to at once.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::{SockRef, Socket};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::room::DirectWrite;

/// A TCP socket. It is closed when its connection has let go of it.
#[derive(Debug)]
pub struct SharedSocket(Arc<TcpStream>);

impl SharedSocket {
    /// A socket that nobody else holds yet.
    pub fn new(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }

    /// The same socket for rooms.
    pub fn direct(&self) -> Arc<dyn DirectWrite> {
        Arc::clone(&self.0) as _
    }
}

impl DirectWrite for TcpStream {
    /// Past tokio's note of whether the socket is ready, which is memory of its own for each socket:
    /// what is not taken is left to the connection's task, which finds out by itself.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        SockRef::from(self).send(bytes)
    }
}

/// Reads once. A read that does not fill the buffer has emptied the socket: tokio is told that it
/// would block, so that the next one waits without a system call.
fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    let read = stream.try_io(Interest::READABLE, || {
        let socket = SockRef::from(stream);
        let mut socket: &Socket = &socket;
        count = socket.read(buffer)?;
        if 0 < count && count < buffer.len() {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    match read {
        Err(error) if count == 0 => Err(error),
        Ok(()) | Err(_) => Ok(count),
    }
}

impl AsyncRead for SharedSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match read(&self.0, buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for SharedSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            // `writev` costs a fifth more than `send`.
            let written = match slices {
                [slice] => self.0.try_write(slice),
                slices => self.0.try_write_vectored(slices),
            };
            match written {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.0).shutdown(Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::room::{Codec, Outbox, OutboxLimits, Pushed};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_at_once_waits_in_order() {
        let (near, mut far) = pair().await;
        near.writable().await.unwrap();
        let socket = SharedSocket::new(near);
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
        outbox.attach(socket.direct());

        let mut frames = (0..=u8::MAX)
            .cycle()
            .map(|byte| Bytes::from(vec![byte; 40_000]));
        let mut sent = Vec::new();
        while outbox.pending_bytes() < 100_000 {
            let frame = frames.next().unwrap();
            sent.extend_from_slice(&frame);
            assert_eq!(outbox.push_at_once(frame), Pushed::Queued);
        }
        let written = usize::try_from(outbox.written_bytes()).unwrap();
        assert!(written > 40_000, "the socket took a frame at once");
        assert_eq!(written + outbox.pending_bytes(), sent.len());

        let mut received = vec![0; written];
        far.read_exact(&mut received).await.unwrap();
        let mut queued = VecDeque::new();
        outbox.take(&mut queued, usize::MAX);
        queued
            .iter()
            .for_each(|frame| received.extend_from_slice(frame));
        assert!(received == sent, "the order is kept");
    }

    #[tokio::test]
    async fn an_outbox_that_has_let_go_of_the_socket_queues() {
        let (near, mut far) = pair().await;
        near.writable().await.unwrap();
        let socket = SharedSocket::new(near);
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
        outbox.attach(socket.direct());
        outbox.detach();
        assert_eq!(
            outbox.push_at_once(Bytes::from_static(b"a")),
            Pushed::Queued
        );
        assert_eq!(outbox.pending_bytes(), 1);
        drop(socket);
        assert_eq!(
            far.read(&mut [0; 1]).await.unwrap(),
            0,
            "the socket is closed"
        );
    }

    #[tokio::test]
    async fn a_read_that_does_not_fill_the_buffer_waits_for_more() {
        let (mut near, far) = pair().await;
        let mut socket = SharedSocket::new(far);
        let mut buffer = [0; 8];
        for text in [&b"abc"[..], b"abcdefgh", b"x"] {
            tokio::io::AsyncWriteExt::write_all(&mut near, text)
                .await
                .unwrap();
            let count = socket.read(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..count], text);
        }
        drop(near);
        assert_eq!(socket.read(&mut buffer).await.unwrap(), 0);
    }
}
