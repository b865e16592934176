//! Clients that were closed because they read too slowly: each time they are told to stay away for
//! longer (rule R8).

use dashmap::DashMap;

use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::position::Timestamp;

/// The first delay; each further one is twice as long.
const FIRST_MS: u32 = 1_000;
/// After so many times the delay, 64 s, grows no more.
const DOUBLINGS_MAX: u32 = 6;
/// A client that was not too slow for so long begins afresh.
const FORGIVEN_MS: u64 = 10 * 60 * 1_000;
/// Clients that are remembered. Above it the delay of further ones does not grow.
const CLIENTS_MAX: usize = 10_000;

/// Clients that were closed because they read too slowly.
#[derive(Debug, Default)]
pub(super) struct Slow(DashMap<(UserId, ClientId), Strikes>);

#[derive(Clone, Copy, Debug)]
struct Strikes {
    times: u32,
    last: Timestamp,
}

impl Strikes {
    fn is_forgiven(&self, now: Timestamp) -> bool {
        now.0 > self.last.0.saturating_add(FORGIVEN_MS)
    }
}

impl Slow {
    /// The longest that the client is to stay away should it be too slow from now on, in
    /// milliseconds.
    pub(super) fn delay_ms(&self, user: UserId, client: ClientId, now: Timestamp) -> u32 {
        let strikes = self.0.get(&(user, client));
        let times = strikes
            .filter(|strikes| !strikes.is_forgiven(now))
            .map_or(0, |strikes| strikes.times);
        FIRST_MS << times.min(DOUBLINGS_MAX)
    }

    /// The client was closed for it.
    pub(super) fn note(&self, user: UserId, client: ClientId, now: Timestamp) {
        if self.0.len() >= CLIENTS_MAX {
            self.0.retain(|_, strikes| !strikes.is_forgiven(now));
            if self.0.len() >= CLIENTS_MAX {
                return;
            }
        }
        let mut strikes = self.0.entry((user, client)).or_insert(Strikes {
            times: 0,
            last: now,
        });
        if strikes.is_forgiven(now) {
            strikes.times = 0;
        }
        strikes.times = (strikes.times + 1).min(DOUBLINGS_MAX);
        strikes.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r8_the_delay_of_a_slow_client_grows_up_to_a_bound_and_is_forgiven() {
        let slow = Slow::default();
        let (ann, client) = ("ann".parse().unwrap(), "c".parse().unwrap());
        let mut delays = Vec::new();
        for minute in 0..9 {
            let now = Timestamp(minute * 60_000);
            delays.push(slow.delay_ms(ann, client, now) / 1_000);
            slow.note(ann, client, now);
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        let other = "d".parse().unwrap();
        assert_eq!(slow.delay_ms(ann, other, Timestamp(0)), FIRST_MS);
        let later = Timestamp(8 * 60_000 + FORGIVEN_MS + 1);
        assert_eq!(slow.delay_ms(ann, client, later), FIRST_MS);
        slow.note(ann, client, later);
        assert_eq!(slow.delay_ms(ann, client, later), 2 * FIRST_MS);
    }

    #[test]
    fn slow_clients_are_remembered_up_to_a_bound() {
        let slow = Slow::default();
        let ann = "ann".parse().unwrap();
        let client = |n: usize| ClientId::from_u128(n as u128);
        for n in 0..=CLIENTS_MAX {
            slow.note(ann, client(n), Timestamp(n as u64));
        }
        assert_eq!(slow.0.len(), CLIENTS_MAX);
        slow.note(ann, client(CLIENTS_MAX), Timestamp(FORGIVEN_MS * 2));
        assert_eq!(slow.0.len(), 1);
    }
}
