//! What all connections share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::task::TaskTracker;

use super::registry::{Connections, Limits};
use super::session::SessionRules;
use super::sweep::HeartbeatRules;
use crate::auth::{Tickets, Tokens};
use crate::room::{FanoutLag, OutboxLimits, Rooms};
use crate::storage::Storage;

/// Where a connection comes from, as far as limits go: an IPv4 address, or the /64 network of an
/// IPv6 address, of which everybody has as many as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let network = u128::from(address) & (u128::MAX << 64);
                Self(IpAddr::V6(network.into()))
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
    /// The open connections.
    pub connections: Arc<Connections>,
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
        Self {
            rooms,
            storage,
            tokens,
            tickets: Tickets::default(),
            connections: Arc::new(Connections::new(rules.limits.clone())),
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
