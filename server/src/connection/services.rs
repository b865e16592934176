//! What all connections share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::task::TaskTracker;

use boardcast_protocol::ids::UserId;

use super::door::Door;
use super::limits::Limits;
use super::rates::Rates;
use super::refusals::Refusals;
use super::registry::Connections;
use super::session::SessionRules;
use super::sweep::HeartbeatRules;
use crate::auth::{Tickets, Tokens};
use crate::rate::Pace;
use crate::room::{FanoutLag, OutboxLimits, Rooms};
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
    /// How long frames wait to be written.
    pub lag: FanoutLag,
    /// What connections are held to.
    pub rules: ConnectionRules,
    /// The tasks of the connections.
    pub tasks: TaskTracker,
    draining: AtomicBool,
}

impl Services {
    /// The services of a server without connections.
    pub fn new(
        rooms: Rooms,
        storage: Storage,
        tokens: Tokens,
        lag: FanoutLag,
        rules: ConnectionRules,
    ) -> Self {
        let refusals = Arc::new(Refusals::default());
        let limits = &rules.limits;
        let per_s = limits.commands_per_s_per_user;
        Self {
            rooms,
            storage,
            tokens,
            tickets: Tickets::default(),
            door: Arc::new(Door::new(limits.clone(), Arc::clone(&refusals))),
            connections: Arc::new(Connections::new(limits.clone(), Arc::clone(&refusals))),
            refusals,
            commands: Rates::new(Pace::commands(per_s), limits.total),
            lag,
            rules,
            tasks: TaskTracker::new(),
            draining: AtomicBool::new(false),
        }
    }

    /// Whether the server is about to stop: new connections are refused.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// From now on new connections are refused.
    pub fn begin_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }
}
