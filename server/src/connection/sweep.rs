//! One task looks after all connections: heartbeats, time-outs, expired tokens, keys that were
//! retired, sockets that do not take what is written. No connection has a timer of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::position::Timestamp;

use super::refusals::Cause;
use super::registry::Observed;
use super::services::Services;
use crate::{chance, clock, frame};

/// How connections show that they live.
#[derive(Clone, Debug)]
pub struct HeartbeatRules {
    /// Time between two pings of a connection; the first comes at a random moment within it.
    pub ping_every_ms: u64,
    /// After this time without a sign of life beyond the interval, the connection is closed.
    pub pong_within_ms: u64,
    /// Time for `hello`.
    pub hello_within_ms: u64,
    /// A connection that takes nothing of what waits for it for so long is dropped.
    pub write_stall_ms: u64,
    /// Time between two looks.
    pub sweep_every_ms: u64,
}

impl Default for HeartbeatRules {
    fn default() -> Self {
        Self {
            ping_every_ms: 25_000,
            pong_within_ms: 10_000,
            hello_within_ms: 10_000,
            write_stall_ms: 10_000,
            sweep_every_ms: 500,
        }
    }
}

/// Time for the close frame of a connection that showed no life: then its socket is dropped.
const CLOSE_WITHIN_MS: u64 = 1_000;

/// What to do about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Nothing,
    Ping,
    Close(CloseCode),
    Drop(CloseCode),
}

/// What the sweeper remembers of a connection. Times are milliseconds since the sweeper began.
#[derive(Debug)]
pub(super) struct Watch {
    next_ping_ms: u64,
    alive_ms: u64,
    /// When what waits began to wait; `None` while nothing does.
    stalled_since_ms: Option<u64>,
    written_bytes: u64,
    reads: u32,
    was_pending: bool,
}

impl Watch {
    /// A connection seen for the first time; `phase_ms` is a random part of the interval.
    fn new(observed: Observed, now_ms: u64, phase_ms: u64) -> Self {
        Self {
            next_ping_ms: now_ms + phase_ms,
            alive_ms: now_ms,
            stalled_since_ms: None,
            written_bytes: observed.written_bytes,
            reads: observed.reads,
            was_pending: false,
        }
    }

    fn judge(
        &mut self,
        observed: Observed,
        now_ms: u64,
        wall: Timestamp,
        rules: &HeartbeatRules,
    ) -> Verdict {
        let has_written = observed.written_bytes != self.written_bytes;
        // The kernel takes what is written to a dead peer, too, until its buffer is full. A client
        // for whom much waits is not read from, so there it shows life by taking some of it.
        let takes = has_written && observed.pending_bytes > 0 && self.was_pending;
        if takes || observed.reads != self.reads {
            self.alive_ms = now_ms;
        }
        self.stalled_since_ms = match self.stalled_since_ms {
            Some(since) if observed.pending_bytes > 0 && !has_written => Some(since),
            Some(_) | None => (observed.pending_bytes > 0).then_some(now_ms),
        };
        self.written_bytes = observed.written_bytes;
        self.reads = observed.reads;
        self.was_pending = observed.pending_bytes > 0;

        let stalled_ms = self.stalled_since_ms.map_or(0, |since| now_ms - since);
        if stalled_ms >= rules.write_stall_ms {
            return Verdict::Drop(CloseCode::SlowConsumer);
        }
        if wall >= observed.ends_at {
            return Verdict::Close(if observed.has_said_hello {
                CloseCode::TokenExpired
            } else {
                CloseCode::HelloTimeout
            });
        }
        let silent_ms = now_ms - self.alive_ms;
        let silence_max_ms = rules.ping_every_ms + rules.pong_within_ms;
        if silent_ms >= silence_max_ms + CLOSE_WITHIN_MS {
            return Verdict::Drop(CloseCode::HeartbeatTimeout);
        }
        if silent_ms >= silence_max_ms {
            return Verdict::Close(CloseCode::HeartbeatTimeout);
        }
        if now_ms >= self.next_ping_ms {
            self.next_ping_ms = now_ms + rules.ping_every_ms;
            return Verdict::Ping;
        }
        Verdict::Nothing
    }
}

/// Looks after all connections until `stop`.
pub async fn sweep(services: Arc<Services>, stop: CancellationToken) {
    let rules = services.rules.heartbeat.clone();
    let began = Instant::now();
    let mut ticks = interval(Duration::from_millis(rules.sweep_every_ms.max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut key_changes = services.tokens.changes();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let changes = services.tokens.changes();
        if changes != key_changes {
            key_changes = changes;
            services.close_retired_keys();
        }
        let now_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wall = clock::now();
        services.tickets.forget_expired(wall);
        // A pong brings it back: the time that passed is the round trip.
        let stamp_us = services.connections.stamp_us();
        let ping = frame::ping(&stamp_us.to_be_bytes());
        services.connections.for_each(|connection| {
            let observed = connection.observed();
            let mut watch = connection.watch();
            let watch = watch.get_or_insert_with(|| {
                let phase_ms = chance::up_to(rules.ping_every_ms);
                Watch::new(observed, now_ms, phase_ms)
            });
            match watch.judge(observed, now_ms, wall, &rules) {
                Verdict::Nothing => {}
                Verdict::Ping => {
                    // A full outbox needs no ping: whether it is taken shows whether it lives.
                    connection.profile.pinged(stamp_us);
                    let _ = connection.outbox.push_presence(ping.clone());
                }
                Verdict::Close(code) => {
                    if code == CloseCode::HelloTimeout && connection.outbox.closing().is_none() {
                        services.refusals.note(Cause::HelloTime);
                    }
                    connection.outbox.close(code);
                }
                Verdict::Drop(code) => connection.drop_socket(code),
            }
        });
    }
}

#[cfg(test)]
mod tests;
