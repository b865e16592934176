//! One epoll, all sockets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

/// What a connection gets once its board is known: a text frame without payload.
const WELCOME: &[u8] = &[0x81, 0];
const BOARD_BYTES: usize = 4;
const READ_BYTES: usize = 64 * 1_024;
const EVENTS: usize = 256;
const BACKLOG: i32 = 4_096;

struct Connection {
    socket: OwnedFd,
    board: Option<u32>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

impl Connection {
    fn send(&mut self, bytes: &[u8]) {
        let written = if self.unsent.is_empty() {
            self.write(bytes)
        } else {
            0
        };
        self.unsent.extend_from_slice(&bytes[written..]);
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            let written = self.write(&self.unsent);
            if written == 0 {
                break;
            }
            self.unsent.drain(..written);
        }
    }

    /// What goes wrong here is seen when the socket is read.
    fn write(&self, bytes: &[u8]) -> usize {
        rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL).unwrap_or(0)
    }
}

/// Messages of a board that leave together.
struct Gathered {
    due: Instant,
    bytes: Vec<u8>,
}

pub(crate) struct Relay {
    listener: OwnedFd,
    epoll: OwnedFd,
    gather: Option<Duration>,
    /// By the number of the socket.
    connections: Vec<Option<Connection>>,
    boards: HashMap<u32, Vec<usize>>,
    gathered: HashMap<u32, Gathered>,
    buffer: Vec<u8>,
}

impl Relay {
    pub(crate) fn listen(address: SocketAddr, gather: Option<Duration>) -> anyhow::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let listener =
            rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
                .context("failed to make a socket")?;
        sockopt::set_socket_reuseaddr(&listener, true).context("failed to set SO_REUSEADDR")?;
        rustix::net::bind(&listener, &address).context("failed to bind the address")?;
        rustix::net::listen(&listener, BACKLOG).context("failed to listen")?;
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).context("failed to make an epoll")?;
        let number = EventData::new_u64(listener.as_raw_fd() as u64);
        epoll::add(&epoll, &listener, number, EventFlags::IN)
            .context("failed to watch a socket")?;
        Ok(Self {
            listener,
            epoll,
            gather,
            connections: Vec::new(),
            boards: HashMap::new(),
            gathered: HashMap::new(),
            buffer: vec![0; READ_BYTES],
        })
    }

    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            let wait = self
                .until_due()
                .and_then(|wait| Timespec::try_from(wait).ok());
            match epoll::wait(&self.epoll, spare_capacity(&mut events), wait.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(why) => return Err(why).context("failed to wait for sockets"),
            }
            for event in &events {
                let number = { event.data }.u64() as usize;
                if number == self.listener.as_raw_fd() as usize {
                    self.accept()?;
                } else {
                    self.event(number, event.flags);
                }
            }
            self.send_gathered();
        }
    }

    fn until_due(&self) -> Option<Duration> {
        let due = self.gathered.values().map(|gathered| gathered.due).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        while let Ok(socket) = rustix::net::accept_with(&self.listener, flags) {
            sockopt::set_tcp_nodelay(&socket, true).context("failed to set TCP_NODELAY")?;
            let number = socket.as_raw_fd() as usize;
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
            epoll::add(
                &self.epoll,
                &socket,
                EventData::new_u64(number as u64),
                flags,
            )
            .context("failed to watch a socket")?;
            if self.connections.len() <= number {
                self.connections.resize_with(number + 1, || None);
            }
            self.connections[number] = Some(Connection {
                socket,
                board: None,
                unsent: Vec::new(),
            });
        }
        Ok(())
    }

    fn event(&mut self, number: usize, flags: EventFlags) {
        if flags.contains(EventFlags::OUT)
            && let Some(connection) = self.connections[number].as_mut()
        {
            connection.flush();
        }
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.read(number);
        }
    }

    fn read(&mut self, number: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(connection) = self.connections[number].as_ref() {
            let read = rustix::net::recv(&connection.socket, &mut buffer[..], RecvFlags::empty());
            match read {
                Ok((0, _)) => self.forget(number),
                Ok((bytes, _)) => {
                    self.received(number, &buffer[..bytes]);
                    if bytes < buffer.len() {
                        break;
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(_) => self.forget(number),
            }
        }
        self.buffer = buffer;
    }

    fn forget(&mut self, number: usize) {
        let gone = self.connections[number].take();
        if let Some(board) = gone.and_then(|gone| gone.board)
            && let Some(members) = self.boards.get_mut(&board)
        {
            members.retain(|member| *member != number);
        }
    }

    fn received(&mut self, number: usize, bytes: &[u8]) {
        let Some(connection) = self.connections[number].as_mut() else {
            return;
        };
        let Some(board) = connection.board else {
            if let Some((board, rest)) = bytes.split_first_chunk::<BOARD_BYTES>() {
                let board = u32::from_le_bytes(*board);
                connection.board = Some(board);
                connection.send(WELCOME);
                self.boards.entry(board).or_default().push(number);
                self.relay(board, rest);
            }
            return;
        };
        self.relay(board, bytes);
    }

    fn relay(&mut self, board: u32, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Some(gather) = self.gather else {
            return send_to(&self.boards, &mut self.connections, board, bytes);
        };
        let gathered = self.gathered.entry(board).or_insert_with(|| Gathered {
            due: Instant::now() + gather,
            bytes: Vec::new(),
        });
        gathered.bytes.extend_from_slice(bytes);
    }

    fn send_gathered(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let now = Instant::now();
        let (boards, connections) = (&self.boards, &mut self.connections);
        self.gathered.retain(|board, gathered| {
            let is_due = gathered.due <= now;
            if is_due {
                send_to(boards, connections, *board, &gathered.bytes);
            }
            !is_due
        });
    }
}

fn send_to(
    boards: &HashMap<u32, Vec<usize>>,
    connections: &mut [Option<Connection>],
    board: u32,
    bytes: &[u8],
) {
    for member in boards.get(&board).into_iter().flatten() {
        if let Some(connection) = connections[*member].as_mut() {
            connection.send(bytes);
        }
    }
}
