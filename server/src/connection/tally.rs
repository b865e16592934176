//! What all connections together did since the start, for metrics. What goes over each is counted
//! by itself, so that connections share no cache line while they work; here are the sums of those
//! that have ended.

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::message::{ErrorCode, OutcomeResult, ServerMessage};

use super::registry::Connection;
use crate::measure::{Counter, Counters};

/// Why connections ended, by name: the close codes, and sockets that were gone without one.
pub const CLOSE_CAUSES: [&str; CloseCode::ALL.len() + 1] = [
    "normal",
    "protocol_error",
    "unsupported",
    "invalid_text",
    "policy_violation",
    "too_big",
    "internal_error",
    "service_restart",
    "heartbeat_timeout",
    "slow_consumer",
    "token_expired",
    "replaced",
    "hello_timeout",
    "unauthorized",
    "unsupported_version",
    "too_many_connections",
    "closed_by_admin",
    "yielded",
    "flood",
    "lost",
];

/// The answers to requests for a WebSocket that are counted by themselves.
pub const REFUSAL_STATUSES: [u16; 6] = [400, 401, 403, 426, 429, 503];

/// What all connections together did since the start.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections that were opened.
    pub opened: Counter,
    /// Connections that ended, by their place in [`CLOSE_CAUSES`].
    pub closed: Counters<{ CLOSE_CAUSES.len() }>,
    /// Requests for a WebSocket that were refused, by their place in [`REFUSAL_STATUSES`]; others last.
    pub upgrades_refused: Counters<{ REFUSAL_STATUSES.len() + 1 }>,
    /// Messages that connections answered with `error`, by its [`ErrorCode`]; rooms answer more.
    pub refused: Counters<{ ErrorCode::ALL.len() }>,
    /// Of connections that have ended.
    ended: Sums,
    told: Sums,
}

#[derive(Debug, Default)]
struct Sums {
    read_bytes: Counter,
    written_bytes: Counter,
    messages: Counter,
    frames: Counter,
    limits_hit: Counter,
    dropped_presence: Counter,
}

/// What went over all connections since the start, and what waits at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Text messages heard.
    pub messages: u64,
    /// Frames queued to be written.
    pub frames: u64,
    /// Messages refused because of a limit of the connection.
    pub limits_hit: u64,
    /// Ticks of presence that were dropped because a connection was slow.
    pub dropped_presence: u64,
    /// Connections that are open and have said hello.
    pub admitted: u64,
    /// Bytes that wait to be written.
    pub pending_bytes: u64,
    /// The most of them that wait for one connection.
    pub pending_bytes_max: u64,
}

impl Tally {
    /// A connection has ended, and is no longer among the open ones.
    pub(super) fn ended(&self, connection: &Connection) {
        let cause = connection
            .outbox
            .closing()
            .map_or_else(|| CLOSE_CAUSES.len() - 1, |code| code as usize);
        self.closed.of(cause).add(1);
        let mut own = Totals::default();
        own.add(connection);
        self.ended.read_bytes.add(own.read_bytes);
        self.ended.written_bytes.add(own.written_bytes);
        self.ended.messages.add(own.messages);
        self.ended.frames.add(own.frames);
        self.ended.limits_hit.add(own.limits_hit);
        self.ended.dropped_presence.add(own.dropped_presence);
    }

    /// The sums of all, ended and `open`. A connection that ends at this moment may be missing; what
    /// is told never falls.
    pub(super) fn totals(&self, open: Totals) -> Totals {
        let sum =
            |of: fn(&Sums) -> &Counter, open| of(&self.told).raise(of(&self.ended).get() + open);
        Totals {
            read_bytes: sum(|s| &s.read_bytes, open.read_bytes),
            written_bytes: sum(|s| &s.written_bytes, open.written_bytes),
            messages: sum(|s| &s.messages, open.messages),
            frames: sum(|s| &s.frames, open.frames),
            limits_hit: sum(|s| &s.limits_hit, open.limits_hit),
            dropped_presence: sum(|s| &s.dropped_presence, open.dropped_presence),
            ..open
        }
    }
}

impl Totals {
    pub(super) fn add(&mut self, connection: &Connection) {
        let observed = connection.observed();
        let (profile, outbox) = (&connection.profile, &connection.outbox);
        let pending = observed.pending_bytes as u64;
        self.read_bytes += profile.read_bytes();
        self.written_bytes += observed.written_bytes;
        self.messages += profile.messages();
        self.frames += outbox.pushed_frames();
        self.limits_hit += u64::from(profile.limits_hit());
        self.dropped_presence += outbox.dropped_presence();
        self.admitted += u64::from(observed.has_said_hello);
        self.pending_bytes += pending;
        self.pending_bytes_max = self.pending_bytes_max.max(pending);
    }
}

/// Whether what a session says is that a limit is reached.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what else a session says refuses nothing"
)]
pub(super) fn names_limit(message: &ServerMessage) -> bool {
    match message {
        ServerMessage::Error(error) => matches!(error.code, ErrorCode::Busy | ErrorCode::Limit),
        ServerMessage::Outcome(outcome) => outcome.result == OutcomeResult::Busy,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_close_code_has_its_name() {
        for (place, code) in CloseCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place);
            let name = format!("{code:?}").to_ascii_lowercase();
            assert_eq!(CLOSE_CAUSES[place].replace('_', ""), name);
        }
        for (place, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place);
        }
    }
}
