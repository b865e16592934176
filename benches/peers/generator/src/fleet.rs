//! All connections of the generator, driven by one epoll.

mod exchange;

use std::time::Duration;

use anyhow::{Context, bail};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::process::{Resource, Rlimit};
use serde::Serialize;

use crate::adapter::{Seat, adapter};
use crate::args::RunArgs;
use crate::clock::{SECOND, from_seconds, now, own_cpu_s, seconds, timespec};
use crate::connection::{Connection, Phase};
use crate::load::{Load, Place, Turn};
use crate::marker::Op;
use crate::procfs::{self, Processes};
use crate::tally::{Tally, pending};

use exchange::Exchange;

const READ_BYTES: usize = 256 * 1_024;
const EVENTS: usize = 64;
/// Connections that are on their way in at the same time.
const JOINING_MAX: usize = 128;
/// Without progress for so long, connecting has failed.
const JOINING_STALL: u64 = 15 * SECOND;
/// How long a server has to be silent before the next step, and how long that is waited for.
const SILENCE: u64 = SECOND / 4;
const SILENCE_WAIT: u64 = 8 * SECOND;

/// How connecting went.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Connecting {
    pub(crate) seconds: f64,
    pub(crate) per_s: f64,
    pub(crate) server_cpu_us_each: f64,
}

pub(crate) struct Fleet {
    exchange: Exchange,
    epoll: std::os::fd::OwnedFd,
    /// None once it is gone.
    connections: Vec<Option<Connection>>,
    pub(crate) places: Vec<Place>,
    buffer: Vec<u8>,
    events: Vec<Event>,
    pub(crate) server: Processes,
    pub(crate) server_core: usize,
    pub(crate) generator_core: usize,
    pub(crate) objective_ms: f64,
    pub(crate) drain_s: f64,
    server_pid: Option<i32>,
    port: u16,
    sources: u8,
    payload: usize,
    ready: usize,
    gone: usize,
    reconnects: u32,
    last_received: u64,
}

/// Lets this process have as many files as its hard limit says.
pub(crate) fn raise_file_limit() {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it may not be raised, making sockets fails later and says so.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
}

impl Fleet {
    /// A fleet without connections.
    ///
    /// # Errors
    /// The adapter lacks something, or the system has no epoll for it.
    pub(crate) fn new(args: &RunArgs) -> anyhow::Result<Self> {
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).context("failed to make an epoll")?;
        Ok(Self {
            exchange: Exchange::new(adapter(args)?, args.port, args.loads.len()),
            epoll,
            connections: Vec::new(),
            places: Place::all(&args.loads),
            buffer: vec![0; READ_BYTES],
            events: Vec::with_capacity(EVENTS),
            server: Processes::below(args.server_pid),
            server_core: args.server_core,
            generator_core: args.generator_core,
            objective_ms: args.objective_ms,
            drain_s: args.drain,
            server_pid: args.server_pid,
            port: args.port,
            sources: args.sources,
            payload: args.payload,
            ready: 0,
            gone: 0,
            reconnects: 0,
            last_received: 0,
        })
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Connections that were lost since all connected last.
    pub(crate) fn gone(&self) -> usize {
        self.gone
    }

    /// How often all had to connect anew.
    pub(crate) fn reconnects(&self) -> u32 {
        self.reconnects
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.exchange.tally
    }

    /// Whether the server says what is durable.
    pub(crate) fn tells_durable(&self) -> bool {
        self.exchange.adapter.durability().is_some()
    }

    /// Lets every board be opened by connections that leave again, where boards live on without
    /// subscribers. How many boards.
    ///
    /// # Errors
    /// The server does not let them in.
    pub(crate) fn open_boards(&mut self) -> anyhow::Result<u32> {
        let Some(at_once) = self.exchange.adapter.boards_of_an_opener() else {
            return Ok(0);
        };
        let boards = self.places.last().map_or(0, |place| place.boards().end);
        let firsts = (0..boards).step_by(at_once as usize);
        let seats = firsts.map(|first| Seat {
            number: None,
            boards: first..boards.min(first + at_once),
            stage: 0,
            sent: 0,
        });
        self.connect(seats.collect())?;
        self.disconnect();
        self.rest(2.0);
        Ok(boards)
    }

    /// Opens the connections of all loads.
    ///
    /// # Errors
    /// One of them is not let in.
    pub(crate) fn connect_all(&mut self) -> anyhow::Result<Connecting> {
        let boards = self.places.iter().flat_map(Place::board_of_each_seat);
        let seats = boards.enumerate().map(|(number, board)| Seat {
            number: Some(number),
            boards: board..board + 1,
            stage: 0,
            sent: 0,
        });
        self.connect(seats.collect())
    }

    fn connect(&mut self, seats: Vec<Seat>) -> anyhow::Result<Connecting> {
        let total = seats.len();
        let (begun, cpu) = (now(), self.server.cpu());
        let mut progress = (0, begun);
        let mut seats = seats.into_iter();
        while self.ready < total {
            let room = JOINING_MAX - (self.connections.len() - self.ready);
            for seat in seats.by_ref().take(room) {
                self.begin(seat)?;
            }
            self.poll(SECOND / 100);
            if let Some(why) = self.exchange.complaint.as_ref().filter(|_| self.gone > 0) {
                bail!("a connection was lost on its way in: {why}");
            }
            if self.ready > progress.0 {
                progress = (self.ready, now());
            }
            if now() - progress.1 > JOINING_STALL {
                bail!(
                    "{} of {total} connections are ready, and no more come",
                    self.ready
                );
            }
        }
        let took = seconds(now() - begun);
        let used = self.server.cpu().all_s - cpu.all_s;
        self.server = Processes::below(self.server_pid);
        Ok(Connecting {
            seconds: took,
            per_s: total as f64 / took,
            server_cpu_us_each: used * 1e6 / total as f64,
        })
    }

    fn begin(&mut self, seat: Seat) -> anyhow::Result<()> {
        let number = self.connections.len();
        let source = 1 + (number % usize::from(self.sources)) as u8;
        let connection = Connection::begin(seat, source, self.port)?;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(
            &self.epoll,
            connection.socket(),
            EventData::new_u64(number as u64),
            flags,
        )
        .context("failed to watch a socket")?;
        self.connections.push(Some(connection));
        Ok(())
    }

    fn disconnect(&mut self) {
        self.connections.clear();
        (self.ready, self.gone) = (0, 0);
        self.exchange.complaint = None;
    }

    /// After a step in which a connection was lost or an operation turned away: begins anew, as
    /// later operations of such a connection would be turned away too.
    ///
    /// # Errors
    /// The server does not let everybody in again.
    pub(crate) fn mend(&mut self) -> anyhow::Result<()> {
        if self.gone == 0 && self.exchange.tally.refused == 0 {
            return Ok(());
        }
        self.disconnect();
        self.reconnects += 1;
        std::thread::sleep(Duration::from_secs(1));
        self.exchange.tally = Tally::new(self.exchange.tally.next_seq(), self.places.len());
        self.connect_all().map(drop)
    }

    /// Handles what comes for so many seconds.
    pub(crate) fn rest(&mut self, seconds: f64) {
        let end = now() + from_seconds(seconds);
        while now() < end {
            self.poll(SECOND / 50);
        }
    }

    /// Handles what comes until the server is silent.
    pub(crate) fn await_silence(&mut self) {
        let begun = now();
        self.last_received = begun;
        while now() - begun < SILENCE_WAIT && now() - self.last_received < SILENCE {
            self.poll(SECOND / 200);
        }
    }

    /// Begins to count anew. What was pending is given up.
    pub(crate) fn begin_step(&mut self, loads: &[Load]) {
        self.exchange.tally = Tally::new(self.exchange.tally.next_seq(), loads.len());
        for connection in self.connections.iter_mut().flatten() {
            connection.pending.clear();
        }
    }

    /// Publishes the next operation of a load.
    pub(crate) fn publish(&mut self, load: usize, turn: &Turn, due: u64, is_measured: bool) {
        let op = Op {
            due,
            seq: self.exchange.tally.next_seq(),
            board: turn.board,
            nth_of_board: turn.nth_of_board,
            bytes: self.payload,
        };
        self.exchange.tally.published(load, is_measured);
        let Some(connection) = self.connections[turn.seat].as_mut() else {
            return;
        };
        let adapter = &self.exchange.adapter;
        self.exchange.out.0.clear();
        adapter.publish(&connection.seat, &op, &mut self.exchange.out);
        connection.seat.sent += 1;
        if adapter.durability().is_some() {
            connection.pending.push(pending(&op));
        }
        if let Err(why) = connection.send(&self.exchange.out.0) {
            self.lose(turn.seat, &why);
        }
    }

    /// Waits at most so many nanoseconds and handles what has come.
    pub(crate) fn poll(&mut self, wait: u64) {
        self.events.clear();
        let wait = timespec(wait);
        let waited = epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&wait));
        if waited.is_err() {
            return;
        }
        for at in 0..self.events.len() {
            let Event { flags, data, .. } = self.events[at];
            let number = data.u64() as usize;
            if let Err(why) = self.event(number, flags) {
                self.lose(number, &why);
            }
        }
    }

    fn event(&mut self, number: usize, flags: EventFlags) -> anyhow::Result<()> {
        let Some(connection) = self.connections[number].as_mut() else {
            return Ok(());
        };
        if connection.phase == Phase::Connecting {
            if flags.intersects(EventFlags::ERR | EventFlags::HUP) {
                bail!("nobody listens");
            }
            if flags.contains(EventFlags::OUT) {
                self.exchange.connected(connection)?;
            }
        }
        if flags.contains(EventFlags::OUT) {
            connection.flush()?;
        }
        let readable = EventFlags::IN | EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP;
        if flags.intersects(readable) {
            let was_ready = connection.phase == Phase::Ready;
            let read = read(connection, &mut self.buffer, &mut self.exchange);
            self.last_received = now();
            self.ready += usize::from(!was_ready && connection.phase == Phase::Ready);
            read?;
        }
        Ok(())
    }

    fn lose(&mut self, number: usize, why: &anyhow::Error) {
        if let Some(lost) = self.connections[number].take() {
            self.ready -= usize::from(lost.phase == Phase::Ready);
            self.gone += 1;
            self.exchange.complain(&format!("{why:#}"));
        }
    }

    /// CPU of the server, of this process and of their cores, and what was counted up to now.
    pub(crate) fn sample(&self) -> Sample {
        let tally = self.tally();
        Sample {
            at: now(),
            server: self.server.cpu(),
            own_s: own_cpu_s(),
            server_core_s: procfs::core_busy_s(self.server_core),
            generator_core_s: procfs::core_busy_s(self.generator_core),
            deliveries: tally.deliveries,
            frames: tally.frames,
            bytes: tally.bytes,
        }
    }
}

/// A moment of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) at: u64,
    pub(crate) server: procfs::Cpu,
    pub(crate) own_s: f64,
    pub(crate) server_core_s: f64,
    pub(crate) generator_core_s: f64,
    pub(crate) deliveries: u64,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

/// Reads until the socket has no more, which a short read tells.
fn read(
    connection: &mut Connection,
    buffer: &mut [u8],
    exchange: &mut Exchange,
) -> anyhow::Result<()> {
    loop {
        let bytes = match rustix::net::recv(connection.socket(), &mut *buffer, RecvFlags::empty()) {
            Ok((0, _)) => bail!("the server closed the connection"),
            Ok((bytes, _)) => bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(why) => return Err(why).context("failed to read"),
        };
        exchange.received(connection, &buffer[..bytes], now())?;
        if bytes < buffer.len() {
            return Ok(());
        }
    }
}
