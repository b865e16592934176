//! Keys of requests over HTTP: each is a client of its own, whose numbers begin at 1 (rule R4).
//!
//! A key is remembered for 24 hours and stays in memory as long, so that the keys of a user can be
//! counted. At the bound a new key is refused: to forget one early would apply its request twice.

use std::collections::BTreeMap;

use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::position::Timestamp;

use super::{Clients, Name, Standing};
use crate::storage::KEY_KEPT_MS;

/// Keys of one user on a board.
const OF_USER_MAX: usize = 10_000;
/// Keys of all users on a board: about 10 MB.
const OF_BOARD_MAX: usize = 20_000;
/// Where there is no place for a key, those that are too old are looked for once in so many
/// milliseconds.
const FORGET_EVERY_MS: u64 = 60_000;

/// How many keys are known.
#[derive(Debug, Default)]
pub(super) struct Keys {
    all: usize,
    by_user: BTreeMap<UserId, usize>,
    forgot_at: Timestamp,
}

impl Keys {
    /// A client is known from now on.
    pub(super) fn came(&mut self, client: ClientId, user: UserId) {
        if client.is_of_key() {
            self.all += 1;
            *self.by_user.entry(user).or_default() += 1;
        }
    }

    fn went(&mut self, user: UserId) {
        self.all = self.all.saturating_sub(1);
        if let Some(count) = self.by_user.get_mut(&user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_user.remove(&user);
            }
        }
    }

    /// How many of the known clients are keys.
    pub(super) fn count(&self) -> usize {
        self.all
    }

    fn is_full(&self, user: UserId) -> bool {
        let own = self.by_user.get(&user).copied().unwrap_or_default();
        own >= OF_USER_MAX || self.all >= OF_BOARD_MAX
    }
}

impl Clients {
    /// Judges a request by its key; `None` where there is no place for another one.
    pub(in crate::room) fn judge_key(&mut self, name: Name, now: Timestamp) -> Option<Standing> {
        let known = self.known.get(&name.client);
        if known.is_some_and(|known| is_too_old(known.seen, now)) {
            self.forget_key(name.client);
        }
        let is_new = !self.known.contains_key(&name.client);
        if is_new && self.keys.is_full(name.user) {
            self.forget_old_keys(now);
            if self.keys.is_full(name.user) {
                return None;
            }
        }
        Some(self.judge(name, None))
    }

    fn forget_key(&mut self, client: ClientId) {
        if let Some(known) = self.known.remove(&client) {
            self.keys.went(known.user);
            self.dirty.remove(&client);
            self.unwritten.remove(&client);
        }
    }

    fn forget_old_keys(&mut self, now: Timestamp) {
        if now.0.abs_diff(self.keys.forgot_at.0) < FORGET_EVERY_MS {
            return;
        }
        self.keys.forgot_at = now;
        let old: Vec<_> = (self.known.iter())
            .filter(|(client, known)| client.is_of_key() && is_too_old(known.seen, now))
            .map(|(client, _)| *client)
            .collect();
        for client in old {
            self.forget_key(client);
        }
    }
}

fn is_too_old(seen: Timestamp, now: Timestamp) -> bool {
    seen.0.saturating_add(KEY_KEPT_MS) < now.0
}
