//! What all connections share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::task::TaskTracker;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::door::Door;
use super::limits::Limits;
use super::refusals::{Cause, Refusals};
use super::registry::{Connection, Connections};
use super::session::SessionRules;
use super::sweep::HeartbeatRules;
use crate::auth::{ApiTokens, Tickets, Tokens};
use crate::chance;
use crate::rate::Pace;
use crate::rates::Rates;
use crate::room::{OutboxLimits, Rooms};
use crate::storage::Storage;

/// Where a connection comes from, as far as limits go: an IPv4 address, or the /64 network of an
/// IPv6 address, of which everybody has as many as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u64);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            // No IPv6 network that is in use begins with 32 bits of zero.
            IpAddr::V4(address) => Self(u64::from(u32::from(address))),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(
                    [a, b, c, d]
                        .iter()
                        .fold(0, |network, part| network << 16 | u64::from(*part)),
                )
            }
        }
    }
}

/// Who asks over HTTP: a user, or an address that has no credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A user.
    User(UserId),
    /// An address.
    Source(Source),
}

/// What a request was taken from, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests at once.
    pub limit: u32,
    /// Time in which so many come back, in seconds.
    pub window_s: u64,
    /// Requests that may follow at once.
    pub left: u32,
    /// When all may follow at once, in seconds.
    pub reset_s: u64,
    /// When to try again where the request is over the limit, in seconds.
    pub retry_after_s: Option<u32>,
}

/// What connections are held to.
#[derive(Clone, Debug, Default)]
pub struct ConnectionRules {
    /// How many there may be.
    pub limits: Limits,
    /// What each may say.
    pub session: SessionRules,
    /// How they show that they live.
    pub heartbeat: HeartbeatRules,
    /// What may wait to be written.
    pub outbox: OutboxLimits,
}

/// What all connections share.
#[derive(Debug)]
pub struct Services {
    /// The rooms.
    pub rooms: Rooms,
    /// What is kept.
    pub storage: Storage,
    /// Signs and verifies tokens.
    pub tokens: Tokens,
    /// Tokens for programs.
    pub api_tokens: ApiTokens,
    /// Tickets that wait to be used.
    pub tickets: Tickets,
    /// Places for connections.
    pub door: Arc<Door>,
    /// The open connections.
    pub connections: Arc<Connections>,
    /// How often each limit was met.
    pub refusals: Arc<Refusals>,
    /// Commands of each user over all connections.
    pub(super) commands: Rates<UserId>,
    /// Requests over HTTP.
    requests: Rates<Asker>,
    /// What connections are held to.
    pub rules: ConnectionRules,
    /// The tasks of the connections.
    pub tasks: TaskTracker,
    /// The time within which clients come back, and one; 0 while the server does not stop.
    draining: AtomicU64,
}

impl Services {
    /// The services of a server without connections.
    pub fn new(rooms: Rooms, storage: Storage, tokens: Tokens, rules: ConnectionRules) -> Self {
        let refusals = Arc::new(Refusals::default());
        let limits = &rules.limits;
        let per_s = limits.commands_per_s_per_user;
        Self {
            rooms,
            api_tokens: ApiTokens::new(storage.clone()),
            storage,
            tokens,
            tickets: Tickets::default(),
            door: Arc::new(Door::new(limits.clone(), Arc::clone(&refusals))),
            connections: Arc::new(Connections::new(limits.clone(), Arc::clone(&refusals))),
            refusals,
            commands: Rates::new(Pace::commands(per_s), limits.total),
            requests: Rates::new(Pace::requests(limits.requests_per_s_per_user), limits.total),
            rules,
            tasks: TaskTracker::new(),
            draining: AtomicU64::new(0),
        }
    }

    /// Holds a user to the rate of commands, over all its connections and requests.
    ///
    /// # Errors
    /// It sends more: after so many milliseconds they fit.
    pub fn take_commands(&self, user: UserId, count: usize, now: Timestamp) -> Result<(), u64> {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let taken = self.commands.take(user, count, now);
        taken.inspect_err(|_| self.refusals.note(Cause::CommandsPerSecondPerUser))
    }

    /// Holds a user, or an address without credentials, to the rate of requests.
    pub fn take_request(&self, asker: Asker, now: Timestamp) -> Quota {
        let (taken, (left, reset_ms)) = self.requests.take_one(asker, now);
        let pace = self.requests.pace();
        let seconds = |ms: u64| u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        if taken.is_err() {
            self.refusals.note(Cause::RequestsPerSecondPerUser);
        }
        Quota {
            limit: pace.burst(),
            window_s: pace.window_ms().div_ceil(1_000),
            left,
            reset_s: reset_ms.div_ceil(1_000),
            retry_after_s: taken.err().map(seconds),
        }
    }

    /// Whether the server is about to stop: new connections are refused.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire) > 0
    }

    /// From now on new connections are refused, and those on their way in are told to come back
    /// within so many milliseconds.
    pub fn begin_draining(&self, return_within_ms: u32) {
        let told = u64::from(return_within_ms) + 1;
        self.draining.store(told, Ordering::Release);
    }

    /// Says goodbye to a connection that came in while the server began to stop. Whoever enters the
    /// registry calls this behind that: either the drain finds it there, or it finds the drain.
    pub(super) fn turn_back(&self, connection: &Connection) {
        let told = self.draining.load(Ordering::Acquire);
        if let Some(most_ms) = told.checked_sub(1) {
            connection.say_goodbye(u32::try_from(chance::up_to(most_ms)).unwrap_or(u32::MAX));
        }
    }
}
