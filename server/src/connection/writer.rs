//! Writes what waits in an outbox: all of it in one vectored write.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::AsyncWrite;

use super::registry::Connection;
use crate::room::Frame;

/// Frames in one vectored write. Linux takes up to 1,024; beyond a few dozen, bytes dominate.
const SLICES_MAX: usize = 64;

thread_local! {
    /// An empty queue that a connection borrows while it writes, so that an idle one has none.
    static SPARE: Cell<VecDeque<Frame>> = const { Cell::new(VecDeque::new()) };
}

/// The writing side of a connection.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// What the socket did not take; empty without memory behind it most of the time.
    left: VecDeque<Frame>,
}

impl Writer {
    /// Writes until nothing waits. `Pending` when the socket takes no more for now.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn poll(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        connection: &Connection,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let borrows = self.left.is_empty();
        if borrows {
            self.left = SPARE.take();
        }
        let written = self.poll_all(stream, connection, context);
        if borrows {
            // A client that reads slowly keeps what it waits for, not the borrowed queue.
            let left = self.left.drain(..).collect();
            SPARE.set(std::mem::replace(&mut self.left, left));
        } else if self.left.is_empty() {
            self.left = VecDeque::new();
        }
        written
    }

    fn poll_all(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        connection: &Connection,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let room = SLICES_MAX.saturating_sub(self.left.len());
            connection.outbox.take(&mut self.left, room);
            if self.left.is_empty() {
                // A TCP socket has nothing to flush; TLS may hold a record that the socket did not take.
                return Pin::new(&mut *stream).poll_flush(context);
            }
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(&self.left) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
            let stream = Pin::new(&mut *stream);
            let written = ready!(stream.poll_write_vectored(context, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
            connection.outbox.written(written);
        }
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(first) = self.left.front_mut() {
            if first.len() > written {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.left.pop_front();
        }
    }
}
