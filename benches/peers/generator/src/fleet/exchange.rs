//! What all connections share while bytes are turned into messages and messages into counts.

use std::fmt::Write;

use anyhow::{bail, ensure};
use memchr::memmem;

use crate::adapter::{Adapter, Control};
use crate::connection::{Connection, Phase};
use crate::marker::{MARKER_BYTES, Scanner};
use crate::tally::Tally;
use crate::ws::{CLOSE, CONTINUATION, Head, Out, PING, PONG};

pub(super) struct Exchange {
    pub(super) adapter: Box<dyn Adapter>,
    pub(super) out: Out,
    pub(super) tally: Tally,
    /// What the first of them was, and nothing of the others.
    pub(super) complaint: Option<String>,
    scanner: Scanner,
    port: u16,
}

impl Exchange {
    pub(super) fn new(adapter: Box<dyn Adapter>, port: u16, loads: usize) -> Self {
        Self {
            adapter,
            out: Out::default(),
            tally: Tally::new(0, loads),
            complaint: None,
            scanner: Scanner::new(),
            port,
        }
    }

    /// Prints what went wrong, once until all connect anew.
    pub(super) fn complain(&mut self, what: &str) {
        if self.complaint.is_none() {
            eprintln!("generator: {what}");
            self.complaint = Some(what.to_owned());
        }
    }

    /// Asks for the upgrade on a connection that has come about.
    pub(super) fn connected(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let Some(upgrade) = self.adapter.upgrade(&connection.seat) else {
            return self.opened(connection);
        };
        connection.phase = Phase::Upgrading;
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            upgrade.path, self.port,
        );
        if let Some(name) = upgrade.subprotocol {
            write!(request, "Sec-WebSocket-Protocol: {name}\r\n")?;
        }
        if let Some(token) = upgrade.bearer {
            write!(request, "Authorization: Bearer {token}\r\n")?;
        }
        request.push_str("\r\n");
        connection.send(request.as_bytes())
    }

    /// Takes bytes that were read from a connection.
    ///
    /// # Errors
    /// The server closes the connection or does not let it in.
    pub(super) fn received(
        &mut self,
        connection: &mut Connection,
        bytes: &[u8],
        at: u64,
    ) -> anyhow::Result<()> {
        self.tally.bytes += bytes.len() as u64;
        if connection.unread.is_empty() {
            let used = self.frames(connection, bytes, at)?;
            connection.unread.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut unread = std::mem::take(&mut connection.unread);
        unread.extend_from_slice(bytes);
        let used = self.frames(connection, &unread, at)?;
        // An empty one gives its memory back: there are thousands.
        if used < unread.len() {
            unread.drain(..used);
            connection.unread = unread;
        }
        Ok(())
    }

    /// Takes the complete frames at the start of `bytes`; how many bytes that were.
    fn frames(
        &mut self,
        connection: &mut Connection,
        bytes: &[u8],
        now: u64,
    ) -> anyhow::Result<usize> {
        let mut at = 0;
        if connection.phase == Phase::Upgrading {
            let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
                return Ok(0);
            };
            let answer = String::from_utf8_lossy(&bytes[..end]);
            ensure!(
                answer.starts_with("HTTP/1.1 101"),
                "the upgrade is refused: {answer}"
            );
            at = end + 4;
            self.opened(connection)?;
        }
        while let Some(head) = Head::read(&bytes[at..]) {
            let start = at + head.head_bytes;
            let Some(payload) = bytes.get(start..start + head.payload_bytes) else {
                break;
            };
            self.frame(connection, &head, payload, now)?;
            at = start + head.payload_bytes;
        }
        Ok(at)
    }

    fn opened(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        connection.phase = Phase::Joining;
        self.out.0.clear();
        self.adapter.open(&connection.seat, &mut self.out);
        connection.send(&self.out.0)
    }

    fn frame(
        &mut self,
        connection: &mut Connection,
        head: &Head,
        payload: &[u8],
        now: u64,
    ) -> anyhow::Result<()> {
        self.tally.frames += 1;
        match head.opcode {
            PING => {
                self.out.0.clear();
                self.out.pong(payload);
                return connection.send(&self.out.0);
            }
            PONG => return Ok(()),
            CLOSE => {
                let (code, reason) = payload.split_at(payload.len().min(2));
                let code = code
                    .first_chunk()
                    .map_or(1_005, |code| u16::from_be_bytes(*code));
                bail!(
                    "the server closes with {code} {}",
                    String::from_utf8_lossy(reason)
                );
            }
            _ => {}
        }
        if head.is_final && head.opcode != CONTINUATION {
            return self.message(connection, payload, now);
        }
        connection.partial.extend_from_slice(payload);
        if head.is_final {
            let message = std::mem::take(&mut connection.partial);
            return self.message(connection, &message, now);
        }
        Ok(())
    }

    fn message(
        &mut self,
        connection: &mut Connection,
        message: &[u8],
        now: u64,
    ) -> anyhow::Result<()> {
        self.out.0.clear();
        if connection.phase == Phase::Joining {
            if self
                .adapter
                .join(&mut connection.seat, message, &mut self.out)?
            {
                connection.phase = Phase::Ready;
            }
        } else if self.adapter.is_control(message) || self.deliveries(connection, message, now) == 0
        {
            self.control(message);
        }
        self.settle(connection, message, now);
        if self.out.0.is_empty() {
            return Ok(());
        }
        connection.send(&self.out.0)
    }

    fn control(&mut self, message: &[u8]) {
        if let Control::Refused(why) = self.adapter.control(message, &mut self.out) {
            self.tally.refused += 1;
            self.complain(&why);
        }
    }

    /// Counts the operations in a message; how many there are.
    fn deliveries(&mut self, connection: &mut Connection, message: &[u8], now: u64) -> usize {
        let (mut count, mut end) = (0, 0);
        for hit in self.scanner.hits(message) {
            count += 1;
            end = hit.at + MARKER_BYTES;
            self.tally.delivered(&hit, now);
            let own = connection.pending.iter_mut().find(|op| op.seq == hit.seq);
            if let (Some(op), Some(durability)) = (own, self.adapter.durability()) {
                op.version = durability.version_at(message, hit.at);
            }
        }
        if self.adapter.is_stream() {
            count += self.straddling(connection, message, end, now);
        }
        count
    }

    /// Counts a marker that began in the frame before, and keeps the end of this one, in which
    /// nothing was found behind `end`.
    fn straddling(
        &mut self,
        connection: &mut Connection,
        frame: &[u8],
        end: usize,
        now: u64,
    ) -> usize {
        let carry = &mut connection.carry;
        let carried = carry.len();
        carry.extend_from_slice(&frame[..frame.len().min(MARKER_BYTES - 1)]);
        let straddling = self.scanner.hits(carry).find(|hit| hit.at < carried);
        if let Some(hit) = &straddling {
            self.tally.delivered(hit, now);
        }
        let from = end.max(frame.len().saturating_sub(MARKER_BYTES - 1));
        carry.clear();
        carry.extend_from_slice(&frame[from..]);
        usize::from(straddling.is_some())
    }

    /// Takes what a message says about the disk.
    fn settle(&mut self, connection: &mut Connection, message: &[u8], now: u64) {
        let Some(durability) = self.adapter.durability() else {
            return;
        };
        if connection.pending.is_empty() {
            return;
        }
        let told = durability.durable(message).unwrap_or(0);
        let durable = told.max(connection.durable);
        connection.durable = durable;
        connection.pending.retain(|op| {
            let is_durable = op.version.is_some_and(|version| version <= durable);
            if is_durable {
                self.tally.made_durable(op, now);
            }
            !is_durable
        });
    }
}
