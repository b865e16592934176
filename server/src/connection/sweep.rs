//! One task looks after all connections: heartbeats, time-outs, expired tokens, sockets that do not
//! take what is written. No connection has a timer of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::position::Timestamp;

use super::registry::Observed;
use super::services::Services;
use crate::room::ConnId;
use crate::{clock, frame};

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
struct Watch {
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
        if now_ms - self.alive_ms >= rules.ping_every_ms + rules.pong_within_ms {
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
    let mut watches: HashMap<ConnId, Watch> = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wall = clock::now();
        services.tickets.forget_expired(wall);
        // A pong brings it back: the time that passed is the round trip.
        let stamp_us = services.connections.stamp_us();
        let ping = frame::ping(&stamp_us.to_be_bytes());
        watches.retain(|id, _| services.connections.is_open(*id));
        services.connections.for_each(|connection| {
            let observed = connection.observed();
            let watch = watches.entry(connection.id).or_insert_with(|| {
                let phase_ms = rand::random_range(0..=rules.ping_every_ms);
                Watch::new(observed, now_ms, phase_ms)
            });
            match watch.judge(observed, now_ms, wall, &rules) {
                Verdict::Nothing => {}
                Verdict::Ping => {
                    // A full outbox needs no ping: whether it is taken shows whether it lives.
                    connection.profile.pinged(stamp_us);
                    let _ = connection.outbox.push_presence(ping.clone());
                }
                Verdict::Close(code) => connection.outbox.close(code),
                Verdict::Drop(code) => connection.drop_socket(code),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp(1_000_000);

    fn rules() -> HeartbeatRules {
        HeartbeatRules::default()
    }

    fn live() -> Observed {
        Observed {
            has_said_hello: true,
            ends_at: Timestamp(2_000_000),
            ..Observed::default()
        }
    }

    #[test]
    fn silence_is_pinged_and_then_closed() {
        let mut watch = Watch::new(live(), 0, 7_000);
        let mut judge = |at_ms| watch.judge(live(), at_ms, WALL, &rules());
        assert_eq!(judge(6_999), Verdict::Nothing);
        assert_eq!(judge(7_000), Verdict::Ping);
        assert_eq!(judge(31_999), Verdict::Nothing);
        assert_eq!(judge(32_000), Verdict::Ping);
        assert_eq!(judge(34_999), Verdict::Nothing);
        assert_eq!(judge(35_000), Verdict::Close(CloseCode::HeartbeatTimeout));
    }

    #[test]
    fn any_traffic_counts_as_life() {
        let mut watch = Watch::new(live(), 0, 0);
        let mut observed = live();
        for second in 1..200 {
            if second % 30 == 0 {
                observed.reads = observed.reads.wrapping_add(1);
            }
            let verdict = watch.judge(observed, second * 1_000, WALL, &rules());
            assert!(
                matches!(verdict, Verdict::Nothing | Verdict::Ping),
                "{second}"
            );
        }
    }

    #[test]
    fn what_the_kernel_takes_is_no_sign_of_life_and_what_a_full_one_takes_is() {
        for (pending_bytes, expected) in [
            (0, Verdict::Close(CloseCode::HeartbeatTimeout)),
            (1, Verdict::Nothing),
        ] {
            let mut watch = Watch::new(live(), 0, 1_000);
            let mut observed = live();
            let mut verdict = Verdict::Nothing;
            for second in 1..=35 {
                observed.written_bytes += 2;
                observed.pending_bytes = pending_bytes;
                verdict = watch.judge(observed, second * 1_000, WALL, &rules());
            }
            assert_eq!(verdict, expected);
        }
    }

    #[test]
    fn hello_and_token_have_their_time() {
        let mut observed = live();
        observed.ends_at = WALL;
        let mut watch = Watch::new(observed, 0, 9_000);
        assert_eq!(
            watch.judge(observed, 1, WALL, &rules()),
            Verdict::Close(CloseCode::TokenExpired)
        );
        observed.has_said_hello = false;
        assert_eq!(
            watch.judge(observed, 2, WALL, &rules()),
            Verdict::Close(CloseCode::HelloTimeout)
        );
    }

    #[test]
    fn r8_what_is_not_taken_for_10_s_drops_the_socket() {
        let mut watch = Watch::new(live(), 0, 25_000);
        let mut observed = live();
        observed.pending_bytes = 1;
        assert_eq!(
            watch.judge(observed, 5_000, WALL, &rules()),
            Verdict::Nothing
        );
        observed.written_bytes = 1;
        assert_eq!(
            watch.judge(observed, 14_000, WALL, &rules()),
            Verdict::Nothing
        );
        assert_eq!(
            watch.judge(observed, 23_999, WALL, &rules()),
            Verdict::Nothing
        );
        assert_eq!(
            watch.judge(observed, 24_000, WALL, &rules()),
            Verdict::Drop(CloseCode::SlowConsumer)
        );
        observed.pending_bytes = 0;
        assert_eq!(
            watch.judge(observed, 24_001, WALL, &rules()),
            Verdict::Nothing
        );
    }
}
