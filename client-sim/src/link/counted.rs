//! A stream that knows how much was read from it, so that a buffer above it is known to be empty.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What ends the answer to an upgrade; frames follow.
const HEAD_END: &[u8; 4] = b"\r\n\r\n";

/// A TCP stream to a WebSocket server, and what has come from it in frames.
#[derive(Debug)]
pub struct Counted {
    stream: TcpStream,
    /// Bytes of the end of the head that have come; with all four of them frames begin.
    head: usize,
    read: u64,
    taken: u64,
    largest: usize,
}

impl Counted {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            head: 0,
            read: 0,
            taken: 0,
            largest: 0,
        }
    }

    /// A message of one frame was taken, with a payload of so many bytes. A message of several
    /// frames counts as less than it was, so that no more than everything can be taken.
    pub(super) fn take(&mut self, payload_bytes: usize) {
        let head_bytes = match payload_bytes {
            0..=125 => 2,
            126..=65_535 => 4,
            _ => 10,
        };
        self.taken += (head_bytes + payload_bytes) as u64;
        self.largest = self.largest.max(payload_bytes);
    }

    /// The largest payload since the last call of [`Self::forget`], if all that was read is taken.
    pub(super) fn largest(&self) -> Option<usize> {
        (self.read == self.taken).then_some(self.largest)
    }

    pub(super) fn forget(&mut self) {
        self.largest = 0;
    }

    fn count(&mut self, mut bytes: &[u8]) {
        while self.head < HEAD_END.len() {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            bytes = rest;
            self.head = if *first == HEAD_END[self.head] {
                self.head + 1
            } else {
                usize::from(*first == HEAD_END[0])
            };
        }
        self.read += bytes.len() as u64;
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.count(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn counted() -> (Counted, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (other, _) = listener.accept().await.unwrap();
        (Counted::new(stream.unwrap()), other)
    }

    #[tokio::test]
    async fn only_what_follows_the_head_is_counted() {
        let (mut counted, _other) = counted().await;
        counted.count(b"HTTP/1.1 101 x\r\na: b\r\r");
        assert_eq!((counted.head, counted.read), (1, 0));
        counted.count(b"\n\r");
        counted.count(b"\n\x81\x01");
        assert_eq!(counted.read, 2);
        counted.count(b"a");
        assert_eq!(counted.largest(), None, "a frame waits");
        counted.take(1);
        assert_eq!(counted.largest(), Some(1));
    }

    #[tokio::test]
    async fn frames_count_with_their_heads() {
        let (mut counted, _other) = counted().await;
        counted.head = HEAD_END.len();
        for (payload, head) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            counted.count(&vec![0; payload + head]);
            counted.take(payload);
            assert_eq!(counted.largest(), Some(payload));
        }
        counted.forget();
        assert_eq!(counted.largest(), Some(0));
        // A message in two frames: some of it is missing in the count, for good.
        counted.count(&[0; 2 + 50 + 2 + 50]);
        counted.take(100);
        assert_eq!(counted.largest(), None);
    }
}
