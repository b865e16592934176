//! What was refused because of a limit, counted by the limit.

use std::sync::atomic::{AtomicU64, Ordering};

/// The limit because of which something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The server stops: 503.
    Draining,
    /// Connections that are not WebSockets: 503.
    HttpConnections,
    /// Connections in all: 503.
    Connections,
    /// Connections of one source: 429.
    ConnectionsPerAddress,
    /// Connections of one source that have not said who they are: 429.
    UnauthenticatedPerAddress,
    /// Upgrades a second: 503.
    ConnectsPerSecond,
    /// Upgrades a second from one source: 429.
    ConnectsPerSecondPerAddress,
    /// Connections of one user, where the newest yields: 4504.
    ConnectionsPerUser,
    /// Connections of one user, where the oldest yields: 4506.
    Yielded,
    /// Subscriptions of a connection: error `limit`.
    BoardsPerConnection,
    /// Messages a second of a connection: `busy`.
    MessagesPerSecond,
    /// Ten times as many messages: 4507.
    Flood,
    /// Commands a second of a user: `busy`.
    CommandsPerSecondPerUser,
    /// Requests a second of a user, or of a source without credentials: 429.
    RequestsPerSecondPerUser,
    /// Bytes of a message: 1009.
    MessageBytes,
    /// Bytes of a frame: 1009.
    FrameBytes,
    /// Time for `hello`: 4501.
    HelloTime,
    /// Bytes of loaded boards: error `busy`.
    LoadedBytes,
}

impl Cause {
    /// All causes, in the order of their counters.
    pub const ALL: [Self; 18] = [
        Self::Draining,
        Self::HttpConnections,
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::UnauthenticatedPerAddress,
        Self::ConnectsPerSecond,
        Self::ConnectsPerSecondPerAddress,
        Self::ConnectionsPerUser,
        Self::Yielded,
        Self::BoardsPerConnection,
        Self::MessagesPerSecond,
        Self::Flood,
        Self::CommandsPerSecondPerUser,
        Self::RequestsPerSecondPerUser,
        Self::MessageBytes,
        Self::FrameBytes,
        Self::HelloTime,
        Self::LoadedBytes,
    ];

    /// Whether it is the fault of one source, so that others may still come in.
    pub fn is_of_one_source(self) -> bool {
        matches!(
            self,
            Self::ConnectionsPerAddress
                | Self::UnauthenticatedPerAddress
                | Self::ConnectsPerSecondPerAddress
        )
    }

    /// Its name, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::HttpConnections => "http_connections",
            Self::Connections => "connections",
            Self::ConnectionsPerAddress => "connections_per_address",
            Self::UnauthenticatedPerAddress => "unauthenticated_per_address",
            Self::ConnectsPerSecond => "connects_per_s",
            Self::ConnectsPerSecondPerAddress => "connects_per_s_per_address",
            Self::ConnectionsPerUser => "connections_per_user",
            Self::Yielded => "yielded",
            Self::BoardsPerConnection => "boards_per_connection",
            Self::MessagesPerSecond => "messages_per_s",
            Self::Flood => "flood",
            Self::CommandsPerSecondPerUser => "commands_per_s_per_user",
            Self::RequestsPerSecondPerUser => "requests_per_s_per_user",
            Self::MessageBytes => "message_bytes",
            Self::FrameBytes => "frame_bytes",
            Self::HelloTime => "hello_time",
            Self::LoadedBytes => "loaded_bytes",
        }
    }
}

/// How often each limit was met since the start. What rooms refuse is in their own counters.
#[derive(Debug, Default)]
pub struct Refusals([AtomicU64; Cause::ALL.len()]);

impl Refusals {
    /// Counts one.
    pub fn note(&self, cause: Cause) {
        self.0[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was this limit.
    pub fn count(&self, cause: Cause) -> u64 {
        self.0[cause as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_a_counter_and_a_name_of_its_own() {
        let refusals = Refusals::default();
        for (times, cause) in Cause::ALL.into_iter().enumerate() {
            (0..times).for_each(|_| refusals.note(cause));
        }
        let counts = Cause::ALL.map(|cause| refusals.count(cause));
        assert_eq!(counts.as_slice(), (0..18).collect::<Vec<_>>());
        let mut names = Cause::ALL.map(Cause::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Cause::ALL.len());
    }
}
