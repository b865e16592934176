//! What waits to be written to one connection: shared frames, bounded in bytes (rule R8).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::{Buf, Bytes};
use futures::task::AtomicWaker;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::codec;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{Goodbye, ServerMessage};

use super::DirectWrite;
use crate::frame;

/// How messages are written for a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// JSON text frames.
    #[default]
    Json,
    /// The same, with large messages as raw DEFLATE in binary frames.
    Deflate,
}

/// A message, encoded and framed once and shared by reference: a whole WebSocket frame.
pub type Frame = Bytes;

/// Bounds of an outbox, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Above it presence is dropped, and a subscriber that was left behind stays so.
    pub soft_bytes: usize,
    /// Above it nothing more is queued for a subscription.
    pub hard_bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self {
            soft_bytes: 256 * 1_024,
            hard_bytes: 1_024 * 1_024,
        }
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It will be written.
    Queued,
    /// The outbox is over its bound: the frame was not queued.
    Full,
    /// The connection is closing: the frame was not queued, and none will be.
    Closed,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    closing: Option<CloseCode>,
    left_behind: Vec<BoardId>,
    /// The socket, where rooms may write to it.
    socket: Option<Arc<dyn DirectWrite>>,
}

/// What waits to be written to one connection. Rooms push, the connection's task drains.
#[derive(Debug)]
pub struct Outbox {
    codec: Codec,
    limits: OutboxLimits,
    queue: Mutex<Queue>,
    /// Bytes that were pushed and not yet written to the socket.
    pending_bytes: AtomicUsize,
    written_bytes: AtomicU64,
    pushed_frames: AtomicU64,
    dropped_presence: AtomicU64,
    has_left_behind: AtomicBool,
    /// When a client that is closed because it reads too slowly is to come back; 0: whenever.
    slow_retry_ms: AtomicU32,
    waker: AtomicWaker,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(codec: Codec, limits: OutboxLimits) -> Self {
        Self {
            codec,
            limits,
            queue: Mutex::default(),
            pending_bytes: AtomicUsize::new(0),
            written_bytes: AtomicU64::new(0),
            pushed_frames: AtomicU64::new(0),
            dropped_presence: AtomicU64::new(0),
            has_left_behind: AtomicBool::new(false),
            slow_retry_ms: AtomicU32::new(0),
            waker: AtomicWaker::new(),
        }
    }

    /// From now on [`Outbox::push_at_once`] writes to this socket.
    pub fn attach(&self, socket: Arc<dyn DirectWrite>) {
        self.lock().socket = Some(socket);
    }

    /// Lets go of the socket: its connection ends.
    pub fn detach(&self) {
        self.lock().socket = None;
    }

    /// From now on a client that is closed as a slow consumer is told to come back after so long.
    pub fn return_when_slow(&self, retry_ms: u32) {
        self.slow_retry_ms.store(retry_ms, Ordering::Relaxed);
    }

    /// How messages are to be written for this connection.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Bytes that wait, those that the connection has taken but not yet written included.
    pub fn pending_bytes(&self) -> usize {
        self.pending_bytes.load(Ordering::Acquire)
    }

    /// Bytes that the socket has taken.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Relaxed)
    }

    /// Whether so little waits that a subscriber that was left behind may be caught up.
    pub fn is_drained(&self) -> bool {
        self.pending_bytes() < self.limits.soft_bytes
    }

    /// Whether so much waits that nothing more is queued for a subscription.
    pub fn is_full(&self) -> bool {
        self.pending_bytes() >= self.limits.hard_bytes
    }

    /// Queues a frame of a subscription, unless the outbox is over its hard bound.
    pub fn push(&self, frame: Frame) -> Pushed {
        if self.pending_bytes() + frame.len() > self.limits.hard_bytes {
            return if self.is_closing() {
                Pushed::Closed
            } else {
                Pushed::Full
            };
        }
        self.enqueue(frame)
    }

    /// The same for a caller that has few of them to push: where nothing waits, the socket is offered
    /// the frame at once, which saves waking the connection's task. What it does not take is queued.
    pub fn push_at_once(&self, mut frame: Frame) -> Pushed {
        let queue = self.lock();
        if queue.closing.is_some() {
            return Pushed::Closed;
        }
        // Under the lock nothing comes in between, and with nothing pending the task writes nothing.
        if self.pending_bytes() == 0
            && let Some(socket) = &queue.socket
            // An error shows when the task writes.
            && let Ok(written) = socket.try_write(&frame)
        {
            self.written_bytes
                .fetch_add(written as u64, Ordering::Relaxed);
            if written == frame.len() {
                self.pushed_frames.fetch_add(1, Ordering::Relaxed);
                return Pushed::Queued;
            }
            frame.advance(written);
        } else if self.pending_bytes() + frame.len() > self.limits.hard_bytes {
            return Pushed::Full;
        }
        self.enqueue_in(queue, frame)
    }

    /// Queues a frame whatever its size: an answer that the client asked for and waits for, such as
    /// a snapshot. The connection bounds how many of these it lets a client ask for.
    pub fn push_answer(&self, frame: Frame) -> Pushed {
        self.enqueue(frame)
    }

    /// Pushes presence or a ping at once, unless the outbox is over its soft bound: then it is dropped
    /// and counted, because the next tick replaces it.
    pub fn push_presence(&self, frame: Frame) -> Pushed {
        if !self.is_drained() {
            self.dropped_presence.fetch_add(1, Ordering::Relaxed);
            return Pushed::Full;
        }
        self.push_at_once(frame)
    }

    fn enqueue(&self, frame: Frame) -> Pushed {
        let queue = self.lock();
        if queue.closing.is_some() {
            return Pushed::Closed;
        }
        self.enqueue_in(queue, frame)
    }

    fn enqueue_in(&self, mut queue: MutexGuard<'_, Queue>, frame: Frame) -> Pushed {
        self.pending_bytes.fetch_add(frame.len(), Ordering::Relaxed);
        self.pushed_frames.fetch_add(1, Ordering::Relaxed);
        queue.frames.push_back(frame);
        drop(queue);
        self.waker.wake();
        Pushed::Queued
    }

    /// Ends the connection: what waits is written, then a close frame. Later calls change nothing.
    pub fn close(&self, code: CloseCode) {
        self.close_with(code, code.code(), code.reason());
    }

    /// The same with a number and reason of its own on the wire: those of the client when it closes,
    /// or what was wrong with its bytes.
    pub fn close_with(&self, meaning: CloseCode, code: u16, reason: &str) {
        let goodbye = self.goodbye(meaning);
        let mut queue = self.lock();
        if queue.closing.is_none() {
            queue.closing = Some(meaning);
            for frame in goodbye.into_iter().chain([frame::close(code, reason)]) {
                self.pending_bytes.fetch_add(frame.len(), Ordering::Relaxed);
                queue.frames.push_back(frame);
            }
        }
        drop(queue);
        self.waker.wake();
    }

    fn goodbye(&self, meaning: CloseCode) -> Option<Frame> {
        let retry_ms = self.slow_retry_ms.load(Ordering::Relaxed);
        (meaning == CloseCode::SlowConsumer && retry_ms > 0).then(|| {
            let code = meaning.code();
            let goodbye = ServerMessage::Goodbye(Goodbye { code, retry_ms });
            frame::text(&codec::encode(&goodbye))
        })
    }

    /// The code with which the connection ends, once it does.
    pub fn closing(&self) -> Option<CloseCode> {
        self.lock().closing
    }

    fn is_closing(&self) -> bool {
        self.closing().is_some()
    }

    /// Asks the connection to tell the board's room when the outbox is drained.
    pub fn notify_drained(&self, board: BoardId) {
        let mut queue = self.lock();
        if !queue.left_behind.contains(&board) {
            queue.left_behind.push(board);
        }
        drop(queue);
        self.has_left_behind.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// The boards whose rooms are to be told that the outbox is drained: not empty only when it is.
    pub fn take_left_behind(&self) -> Vec<BoardId> {
        if !self.has_left_behind.load(Ordering::Acquire) || !self.is_drained() {
            return Vec::new();
        }
        self.has_left_behind.store(false, Ordering::Release);
        std::mem::take(&mut self.lock().left_behind)
    }

    /// Moves up to `max_frames` frames to the connection, which reports what it has written.
    pub fn take(&self, into: &mut VecDeque<Frame>, max_frames: usize) {
        let mut queue = self.lock();
        let count = queue.frames.len().min(max_frames);
        into.extend(queue.frames.drain(..count));
        if queue.frames.is_empty() {
            // Most of what rooms send goes past the queue: an idle connection keeps none.
            queue.frames = VecDeque::new();
        }
    }

    /// The connection has written so many bytes to the socket.
    pub fn written(&self, bytes: usize) {
        self.written_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        self.pending_bytes.fetch_sub(bytes, Ordering::Release);
    }

    /// The connection's task is woken by the next push.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Frames pushed so far.
    pub fn pushed_frames(&self) -> u64 {
        self.pushed_frames.load(Ordering::Relaxed)
    }

    /// Ticks of presence that were dropped because the connection was slow.
    pub fn dropped_presence(&self) -> u64 {
        self.dropped_presence.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
