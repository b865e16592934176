//! A socket of HTTP that is closed in order: an answer that comes before its request has been
//! read must not be lost to what the client still sends.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client may take to close its side after the last answer.
const LINGER: Duration = Duration::from_secs(2);
/// What is read and dropped of it meanwhile; a client that sends more is reset.
const LINGER_MAX_BYTES: usize = 4 * 1_024 * 1_024;

/// A socket whose shutdown reads what still comes, up to a time and a number of bytes: closing
/// with unread bytes resets the connection, and the reset takes an answer along that was not read.
#[derive(Debug)]
pub(super) struct Lingering<S> {
    stream: S,
    closing: Option<Closing>,
}

/// A client that has been told everything, until it closes its side.
#[derive(Debug)]
struct Closing {
    until: Pin<Box<Sleep>>,
    left_bytes: usize,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            closing: None,
        }
    }

    /// The socket itself, for another protocol.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, closing } = &mut *self;
        let closing = match closing {
            Some(closing) => closing,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
                closing.insert(Closing {
                    until: Box::pin(sleep(LINGER)),
                    left_bytes: LINGER_MAX_BYTES,
                })
            }
        };
        while closing.left_bytes > 0 {
            let mut scratch = [0; 4 * 1_024];
            let mut rest = ReadBuf::new(&mut scratch);
            match Pin::new(&mut *stream).poll_read(context, &mut rest) {
                Poll::Ready(Ok(())) if !rest.filled().is_empty() => {
                    closing.left_bytes = closing.left_bytes.saturating_sub(rest.filled().len());
                }
                // The client has closed its side, or is gone.
                Poll::Ready(Ok(()) | Err(_)) => break,
                Poll::Pending => return closing.until.as_mut().poll(context).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}
