//! One connection: its socket, what is half read and half written, and what it waits for.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use anyhow::Context;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};

use crate::adapter::Seat;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    Upgrading,
    Joining,
    Ready,
}

/// An operation of this connection that is not durable yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) seq: u32,
    pub(crate) due: u64,
    /// The board's version that it became, once it has come back.
    pub(crate) version: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    pub(crate) seat: Seat,
    pub(crate) phase: Phase,
    /// The beginning of a frame whose end has not come.
    pub(crate) unread: Vec<u8>,
    /// The beginning of a message whose last frame has not come.
    pub(crate) partial: Vec<u8>,
    /// The end of the last frame, in which a marker may have begun.
    pub(crate) carry: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
    pub(crate) pending: Vec<Pending>,
    /// The highest version that was told to be durable while something was pending.
    pub(crate) durable: u64,
}

impl Connection {
    /// Begins to connect to a port of 127.0.0.1.
    ///
    /// # Errors
    /// The system has no socket left, or nobody listens.
    pub(crate) fn begin(seat: Seat, source: u8, port: u16) -> anyhow::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
            .context("failed to make a socket; is `ulimit -n` large enough?")?;
        sockopt::set_tcp_nodelay(&socket, true).context("failed to set TCP_NODELAY")?;
        // Closing resets, so that thousands of ports do not wait for minutes.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))
            .context("failed to set SO_LINGER")?;
        let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1 + source), 0));
        rustix::net::bind(&socket, &from).context("failed to bind a source address")?;
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match rustix::net::connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(why) => return Err(why).context("failed to connect"),
        }
        Ok(Self {
            socket,
            seat,
            phase: Phase::Connecting,
            unread: Vec::new(),
            partial: Vec::new(),
            carry: Vec::new(),
            unsent: Vec::new(),
            pending: Vec::new(),
            durable: 0,
        })
    }

    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Writes what the socket takes and keeps the rest for [`Self::flush`].
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = if self.unsent.is_empty() {
            self.write(bytes)?
        } else {
            0
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes what is left, as far as the socket takes it.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        while !self.unsent.is_empty() {
            let written = self.write(&self.unsent)?;
            if written == 0 {
                break;
            }
            self.unsent.drain(..written);
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> anyhow::Result<usize> {
        match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(written) => Ok(written),
            Err(Errno::AGAIN) => Ok(0),
            Err(why) => Err(why).context("failed to write"),
        }
    }
}
