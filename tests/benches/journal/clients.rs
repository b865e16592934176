//! One client for each board: submits through the room, waits until it is told that its submits are
//! durable.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use boardcast::room::{
    Codec, ConnId, Joining, Origin, Outbox, OutboxLimits, RoomHandle, RoomInput, Rooms, Submission,
};
use boardcast_protocol::board::{Actor, Seen};
use boardcast_protocol::codec;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ServerMessage, Submit};
use boardcast_protocol::position::{Seq, Version};
use hdrhistogram::Histogram;
use tokio::task::JoinHandle;

use crate::workload::{Workload, user};

/// What all clients have counted.
struct Counts {
    began: Instant,
    /// Microseconds from the intended time of a submit to the news that it is durable.
    latency_us: Mutex<Histogram<u64>>,
    sent: AtomicU64,
    durable: AtomicU64,
    refused: AtomicU64,
    ready: AtomicUsize,
}

/// All clients.
pub(crate) struct Fleet {
    pub(crate) clients: Vec<Arc<Client>>,
    counts: Arc<Counts>,
    readers: Vec<JoinHandle<anyhow::Result<()>>>,
}

/// The client of one board.
pub(crate) struct Client {
    room: RoomHandle,
    origin: Origin,
    state: Mutex<State>,
    counts: Arc<Counts>,
}

struct State {
    /// The version before the first submit.
    base: Option<Version>,
    seq: u64,
    durable: u64,
    /// When each submit that is not durable was meant to be sent, in nanoseconds.
    waiting: VecDeque<u64>,
    /// How to go on when something has become durable.
    refill: Option<(Workload, usize)>,
}

impl Fleet {
    /// Subscribes a client to each board.
    pub(crate) async fn open(
        rooms: &Rooms,
        boards: &[BoardId],
        name: &str,
    ) -> anyhow::Result<Self> {
        let counts = Arc::new(Counts {
            began: Instant::now(),
            latency_us: Mutex::new(Histogram::new_with_bounds(1, 60_000_000, 3)?),
            sent: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            ready: AtomicUsize::new(0),
        });
        let mut fleet = Self {
            clients: Vec::new(),
            counts,
            readers: Vec::new(),
        };
        for (n, board) in boards.iter().enumerate() {
            let room = rooms.open(*board).await?.context("no such board")?;
            let origin = Origin {
                conn: ConnId(n as u64 + 1),
                client: format!("{name}{n}").parse()?,
                actor: Actor::new(user(), false),
                address: std::net::Ipv4Addr::LOCALHOST.into(),
                outbox: Arc::new(Outbox::new(Codec::Json, OutboxLimits::default())),
            };
            let joining = Joining {
                origin: origin.clone(),
                req: None,
                at: None,
            };
            let client = Arc::new(Client {
                room,
                origin,
                state: Mutex::new(State {
                    base: None,
                    seq: 0,
                    durable: 0,
                    waiting: VecDeque::new(),
                    refill: None,
                }),
                counts: Arc::clone(&fleet.counts),
            });
            client.send(RoomInput::Join(Box::new(joining)))?;
            fleet.readers.push(tokio::spawn(Arc::clone(&client).read()));
            fleet.clients.push(client);
        }
        while fleet.counts.ready.load(Ordering::Acquire) < boards.len() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(fleet)
    }

    /// Nanoseconds since the fleet began.
    pub(crate) fn now(&self) -> u64 {
        self.counts.now()
    }

    /// Submits at `rate` for `time`, on boards in turn, whatever becomes of it; from a thread of its
    /// own, as the load comes from outside. Ends early when something is refused.
    pub(crate) fn open_loop(&self, rate: u64, time: Duration, cards: u32) -> anyhow::Result<()> {
        let mut work: Vec<_> = (0..self.clients.len())
            .map(|n| Workload::new(n as u64, cards))
            .collect();
        let start = self.now();
        let count = rate * u64::try_from(time.as_millis())? / 1_000;
        for n in 0..count {
            let intended = start + n * 1_000_000_000 / rate;
            if let Some(wait) = intended.checked_sub(self.now()).filter(|wait| *wait > 0) {
                std::thread::sleep(Duration::from_nanos(wait));
                if self.refused() > 0 {
                    return Ok(());
                }
            }
            // A step that is coprime to the number of boards visits all of them.
            let board = usize::try_from(n)? * 211 % self.clients.len();
            self.clients[board].submit(vec![work[board].next()], intended)?;
        }
        Ok(())
    }

    /// Keeps `window` submits of each board on the way for `time`.
    pub(crate) async fn closed_loop(
        &self,
        window: usize,
        time: Duration,
        cards: u32,
    ) -> anyhow::Result<()> {
        for (n, client) in self.clients.iter().enumerate() {
            let mut work = Workload::new(n as u64, cards);
            for _ in 0..window {
                client.submit(vec![work.next()], self.now())?;
            }
            client.state().refill = Some((work, window));
        }
        tokio::time::sleep(time).await;
        for client in &self.clients {
            client.state().refill = None;
        }
        Ok(())
    }

    /// Returns when everything that was submitted is durable, or something was refused.
    pub(crate) async fn settled(&self) {
        while self.durable() < self.sent() && self.refused() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::Acquire)
    }

    pub(crate) fn durable(&self) -> u64 {
        self.counts.durable.load(Ordering::Acquire)
    }

    /// Submits that were answered with anything but a version.
    pub(crate) fn refused(&self) -> u64 {
        self.counts.refused.load(Ordering::Acquire)
    }

    pub(crate) fn latency_us(&self) -> Histogram<u64> {
        self.counts.latency_us.lock().expect("not poisoned").clone()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

impl Counts {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).expect("less than centuries")
    }
}

impl Client {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    fn send(&self, input: RoomInput) -> anyhow::Result<()> {
        self.room
            .try_send(input)
            .map_err(|_| anyhow!("the inbox of a room is full or closed"))
    }

    /// Submits commands that were meant to be sent at `intended`.
    pub(crate) fn submit(&self, cmds: Vec<Command>, intended: u64) -> anyhow::Result<()> {
        self.submit_in(&mut self.state(), cmds, intended)
    }

    fn submit_in(
        &self,
        state: &mut State,
        cmds: Vec<Command>,
        intended: u64,
    ) -> anyhow::Result<()> {
        state.seq += 1;
        state.waiting.push_back(intended);
        self.counts.sent.fetch_add(1, Ordering::AcqRel);
        self.send(RoomInput::Submit(Box::new(Submission {
            received: tokio::time::Instant::now(),
            after: None,
            origin: self.origin.clone(),
            submit: Submit {
                board: self.room.board(),
                seq: Seq(state.seq),
                cmds,
                seen: Seen::new(),
            },
        })))
    }

    /// Reads what the room sends, as the task of a connection does.
    async fn read(self: Arc<Self>) -> anyhow::Result<()> {
        let outbox = &self.origin.outbox;
        let mut frames = VecDeque::new();
        loop {
            poll_fn(|cx| {
                outbox.register(cx.waker());
                outbox.take(&mut frames, usize::MAX);
                if frames.is_empty() {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
            for frame in frames.drain(..) {
                outbox.written(frame.len());
                self.take(payload(&frame))?;
            }
        }
    }

    fn take(&self, message: &[u8]) -> anyhow::Result<()> {
        // Batches are what most bytes are, and say nothing that is measured here.
        if message.starts_with(b"[") {
            return Ok(());
        }
        match codec::decode_server(std::str::from_utf8(message)?)? {
            Some(ServerMessage::Durable(durable)) => self.durable(durable.version)?,
            Some(ServerMessage::Subscribed(subscribed)) => {
                self.state().base = Some(subscribed.version);
                self.counts.ready.fetch_add(1, Ordering::AcqRel);
            }
            Some(ServerMessage::Outcome(_) | ServerMessage::Error(_)) => {
                self.counts.refused.fetch_add(1, Ordering::AcqRel);
            }
            _ => {}
        }
        Ok(())
    }

    fn durable(&self, version: Version) -> anyhow::Result<()> {
        let mut state = self.state();
        let base = state.base.context("durable before subscribed")?;
        let count = version.0.saturating_sub(base.0 + state.durable);
        let now = self.counts.now();
        let mut latency = self.counts.latency_us.lock().expect("not poisoned");
        for _ in 0..count {
            let intended = state.waiting.pop_front().context("durable, never sent")?;
            latency.saturating_record((now.saturating_sub(intended) / 1_000).max(1));
        }
        drop(latency);
        state.durable += count;
        self.counts.durable.fetch_add(count, Ordering::AcqRel);
        if let Some((mut work, window)) = state.refill.take() {
            while state.waiting.len() < window {
                let command = work.next();
                self.submit_in(&mut state, vec![command], now)?;
            }
            state.refill = Some((work, window));
        }
        Ok(())
    }
}

/// The payload of a whole unmasked frame.
fn payload(frame: &[u8]) -> &[u8] {
    match frame.get(1) {
        Some(126) => &frame[4..],
        Some(127) => &frame[10..],
        _ => frame.get(2..).unwrap_or_default(),
    }
}
