//! A connection between a client and the server: bytes in order, each after its time.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Cursor, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use flate2::read::DeflateDecoder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use boardcast_protocol::codec;
use boardcast_protocol::message::ServerMessage;

use super::dice::Dice;
use super::oracle::Oracle;
use super::schedule::{Event, Schedule};
use crate::room::DirectWrite;

/// What a server has written.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Message(Arc<ServerMessage>),
    Ping,
    Close(u16),
}

struct State {
    dice: Dice,
    /// What has come in at the server.
    inbound: VecDeque<u8>,
    /// The server reads the end of the stream behind what has come in.
    hung_up: bool,
    /// Nothing that is written gets anywhere.
    broken: bool,
    partial: Vec<u8>,
    outbound: VecDeque<(Said, usize)>,
    /// Bytes that the socket holds.
    held: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// When the last message in each direction comes in.
    inbound_ms: u64,
    outbound_ms: u64,
    /// Bytes that the client has sent.
    sent: u64,
    /// Until then nothing comes in at the server.
    stalled_ms: u64,
    /// What would have come in meanwhile.
    late: Vec<u8>,
}

/// A connection between a client and the server.
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) person: usize,
    capacity: usize,
    delay_ms: u64,
    schedule: Arc<Schedule>,
    oracle: Arc<Mutex<Oracle>>,
    state: Mutex<State>,
}

impl Link {
    pub(super) fn new(
        (id, person): (u64, usize),
        (capacity, delay_ms): (usize, u64),
        dice: Dice,
        schedule: Arc<Schedule>,
        oracle: Arc<Mutex<Oracle>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            person,
            capacity,
            delay_ms,
            schedule,
            oracle,
            state: Mutex::new(State {
                dice,
                inbound: VecDeque::new(),
                hung_up: false,
                broken: false,
                partial: Vec::new(),
                outbound: VecDeque::new(),
                held: 0,
                reader: None,
                writer: None,
                inbound_ms: 0,
                outbound_ms: 0,
                sent: 0,
                stalled_ms: 0,
                late: Vec::new(),
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The client sends a message; how many bytes it has sent with it.
    pub(super) fn send(&self, text: &[u8]) -> u64 {
        let mut state = self.lock();
        let mask = u32::try_from(state.dice.bits() >> 32)
            .unwrap()
            .to_be_bytes();
        let header = FrameHeader {
            is_final: true,
            opcode: OpCode::Data(Data::Text),
            mask: Some(mask),
            ..FrameHeader::default()
        };
        let mut bytes = Vec::with_capacity(text.len() + 14);
        header.format(text.len() as u64, &mut bytes).unwrap();
        let masked = text.iter().zip(mask.iter().cycle());
        bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
        let delay = self.delay(&mut state);
        state.inbound_ms = state.inbound_ms.max(self.schedule.now_ms() + delay);
        let link = self.id;
        state.sent += bytes.len() as u64;
        let event = Event::Inbound { link, bytes };
        self.schedule.at(state.inbound_ms, event);
        state.sent
    }

    fn delay(&self, state: &mut State) -> u64 {
        match state.dice.range(0..=9) {
            0..=5 => 0,
            6..=8 => state.dice.range(0..=self.delay_ms.div_ceil(10)),
            _ => state.dice.range(0..=self.delay_ms),
        }
    }

    /// What is under way to the server comes at some moment of the next `most_ms`: the client is gone
    /// and may be back over another link before that.
    pub(super) fn stall(&self, most_ms: u64) {
        let mut state = self.lock();
        let stall_ms = state.dice.range(0..=most_ms);
        state.stalled_ms = self.schedule.now_ms() + stall_ms;
    }

    /// What is under way to the server comes now.
    pub(super) fn flow(&self) {
        let mut state = self.lock();
        state.stalled_ms = state.stalled_ms.min(self.schedule.now_ms());
        drop(state);
        self.inbound(Vec::new());
    }

    /// Bytes come in at the server.
    pub(super) fn inbound(&self, bytes: Vec<u8>) {
        let mut state = self.lock();
        if self.schedule.now_ms() < state.stalled_ms {
            state.late.extend(bytes);
            let (link, bytes) = (self.id, Vec::new());
            let event = Event::Inbound { link, bytes };
            return self.schedule.at(state.stalled_ms, event);
        }
        let late = std::mem::take(&mut state.late);
        if !state.broken && !state.hung_up {
            state.inbound.extend(late.into_iter().chain(bytes));
            if let Some(waker) = state.reader.take() {
                waker.wake();
            }
        }
    }

    /// The server hears that the connection has ended.
    pub(super) fn hang_up(&self) {
        let mut state = self.lock();
        state.hung_up = true;
        state.broken = true;
        state.wake();
    }

    /// Nothing that the server writes from now on gets anywhere, nor what is under way. The client
    /// still hears that it has ended, after `hears_ms`.
    pub(super) fn lose(&self, hears_ms: u64) {
        let mut state = self.lock();
        let sent = state.outbound.len();
        let kept = state.dice.below(sent + 1);
        state.outbound.truncate(kept);
        state.hung_up = true;
        state.broken = true;
        state.wake();
        let at_ms = state.outbound_ms.max(self.schedule.now_ms() + hears_ms);
        drop(state);
        self.schedule.at(at_ms, Event::Ended { link: self.id });
    }

    /// The next message that has come in at the client.
    pub(super) fn arrive(&self) -> Option<Said> {
        let mut state = self.lock();
        let (said, bytes) = state.outbound.pop_front()?;
        state.held -= bytes;
        if let Some(waker) = state.writer.take() {
            waker.wake();
        }
        Some(said)
    }

    /// Takes as many of these bytes as it has room for.
    fn take(&self, state: &mut State, bytes: &[u8]) -> usize {
        let room = self.capacity.saturating_sub(state.held);
        // A frame larger than the socket goes through when nothing else does.
        let room = if state.outbound.is_empty() {
            usize::MAX
        } else {
            room
        };
        let count = room.min(bytes.len());
        state.partial.extend_from_slice(&bytes[..count]);
        state.held += count;
        self.take_frames(state);
        count
    }

    /// Takes the frames that are complete.
    fn take_frames(&self, state: &mut State) {
        loop {
            let mut cursor = Cursor::new(&state.partial[..]);
            let Some((header, length)) = FrameHeader::parse(&mut cursor).unwrap() else {
                return;
            };
            let start = usize::try_from(cursor.position()).unwrap();
            let end = start + usize::try_from(length).unwrap();
            if state.partial.len() < end {
                return;
            }
            let said = read(header.opcode, &state.partial[start..end]);
            state.partial.drain(..end);
            if let Said::Message(message) = &said {
                let bytes = (self.schedule.now_ms(), end);
                self.oracle.lock().unwrap().told(self, message, bytes);
            }
            if matches!(&said, Said::Message(message) if matches!(**message, ServerMessage::Subscribed(_)))
            {
                self.schedule.after(0, Event::Subscribed { link: self.id });
            }
            let delay = self.delay(state);
            state.outbound.push_back((said, end));
            state.outbound_ms = state.outbound_ms.max(self.schedule.now_ms() + delay);
            let event = Event::Arrive { link: self.id };
            self.schedule.at(state.outbound_ms, event);
        }
    }
}

impl State {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()] {
            waker.inspect(Waker::wake_by_ref);
        }
    }
}

fn read(opcode: OpCode, payload: &[u8]) -> Said {
    let text = match opcode {
        OpCode::Data(Data::Text) => std::str::from_utf8(payload).unwrap().to_owned(),
        OpCode::Data(Data::Binary) => {
            let mut text = String::new();
            let mut inflating = DeflateDecoder::new(payload);
            inflating.read_to_string(&mut text).unwrap();
            text
        }
        OpCode::Control(Control::Close) => {
            return Said::Close(u16::from_be_bytes([payload[0], payload[1]]));
        }
        OpCode::Control(_) => return Said::Ping,
        OpCode::Data(_) => panic!("a frame that is no whole message"),
    };
    Said::Message(Arc::new(codec::decode_server(&text).unwrap().unwrap()))
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.id)
    }
}

impl DirectWrite for Link {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        match self.take(&mut state, bytes) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => {
                self.oracle
                    .lock()
                    .unwrap()
                    .cover
                    .count("written from the room's task");
                Ok(count)
            }
        }
    }
}

/// The server's end of a link.
pub(super) struct ServerEnd(pub(super) Arc<Link>);

impl AsyncRead for ServerEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if state.inbound.is_empty() {
            if state.hung_up {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = state.inbound.len().min(buffer.remaining());
        for byte in state.inbound.drain(..count) {
            buffer.put_slice(&[byte]);
        }
        self.0.oracle.lock().unwrap().fences.read(self.0.id, count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ServerEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let link = &self.0;
        let mut state = link.lock();
        if state.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match link.take(&mut state, bytes) {
            0 => {
                state.writer = Some(context.waker().clone());
                Poll::Pending
            }
            count => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if !std::mem::replace(&mut state.broken, true) {
            let at_ms = state.outbound_ms.max(self.0.schedule.now_ms());
            let event = Event::Ended { link: self.0.id };
            self.0.schedule.at(at_ms, event);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if !std::mem::replace(&mut state.broken, true) {
            let at_ms = state.outbound_ms.max(self.0.schedule.now_ms());
            drop(state);
            let event = Event::Ended { link: self.0.id };
            self.0.schedule.at(at_ms, event);
        }
    }
}
