//! Why a connection ended, and whether to come back (rule R11).

/// The close codes that the server sends.
///
/// 4000 to 4499, 1001, 1006 and 1011 to 1013: connect again, with back-off. 4500 to 4999, 1000,
/// 1002, 1003 and 1007 to 1009: do not, the same thing would happen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// Both sides are done.
    Normal,
    /// A frame broke the WebSocket protocol.
    ProtocolError,
    /// A binary frame, where text is spoken.
    Unsupported,
    /// Text that is not UTF-8.
    InvalidText,
    /// Messages that are not understood, again and again.
    PolicyViolation,
    /// A message over the limit.
    TooBig,
    /// A fault of the server.
    InternalError,
    /// The server restarts; `goodbye` said when to come back.
    ServiceRestart,
    /// No sign of life within the heartbeat.
    HeartbeatTimeout,
    /// The client reads too slowly.
    SlowConsumer,
    /// The token has expired; come back with a new one.
    TokenExpired,
    /// A newer connection of the same client has taken over.
    Replaced,
    /// No `hello` in time.
    HelloTimeout,
    /// The token in `hello` is not valid.
    Unauthorized,
    /// The client speaks a version of the protocol that the server does not.
    UnsupportedVersion,
    /// The user has as many connections as may be open.
    TooManyConnections,
    /// An administrator ended the connection.
    ClosedByAdmin,
    /// The user has opened more connections than may be open, and this was the oldest.
    Yielded,
    /// Ten times as many messages as the rate allows.
    Flood,
}

impl CloseCode {
    /// All codes, for documentation and tests.
    pub const ALL: [Self; 19] = [
        Self::Normal,
        Self::ProtocolError,
        Self::Unsupported,
        Self::InvalidText,
        Self::PolicyViolation,
        Self::TooBig,
        Self::InternalError,
        Self::ServiceRestart,
        Self::HeartbeatTimeout,
        Self::SlowConsumer,
        Self::TokenExpired,
        Self::Replaced,
        Self::HelloTimeout,
        Self::Unauthorized,
        Self::UnsupportedVersion,
        Self::TooManyConnections,
        Self::ClosedByAdmin,
        Self::Yielded,
        Self::Flood,
    ];

    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::ProtocolError => 1002,
            Self::Unsupported => 1003,
            Self::InvalidText => 1007,
            Self::PolicyViolation => 1008,
            Self::TooBig => 1009,
            Self::InternalError => 1011,
            Self::ServiceRestart => 1012,
            Self::HeartbeatTimeout => 4000,
            Self::SlowConsumer => 4001,
            Self::TokenExpired => 4002,
            Self::Replaced => 4500,
            Self::HelloTimeout => 4501,
            Self::Unauthorized => 4502,
            Self::UnsupportedVersion => 4503,
            Self::TooManyConnections => 4504,
            Self::ClosedByAdmin => 4505,
            Self::Yielded => 4506,
            Self::Flood => 4507,
        }
    }

    /// The reason on the wire: what happened and what to do; at most 123 bytes.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Normal => "bye",
            Self::ProtocolError => "the frame broke the WebSocket protocol",
            Self::Unsupported => "binary frame; send JSON as text",
            Self::InvalidText => "text is not UTF-8",
            Self::PolicyViolation => "too many messages that are not understood",
            Self::TooBig => "message too big",
            Self::InternalError => "internal error; reconnect",
            Self::ServiceRestart => "the server restarts; reconnect",
            Self::HeartbeatTimeout => "no sign of life; reconnect",
            Self::SlowConsumer => "slow consumer; reconnect",
            Self::TokenExpired => "the token has expired; reconnect with a new one",
            Self::Replaced => "a newer connection of this client has taken over",
            Self::HelloTimeout => "no hello in time",
            Self::Unauthorized => "the token is not valid",
            Self::UnsupportedVersion => "protocol version not supported",
            Self::TooManyConnections => "the user has too many connections; close another first",
            Self::ClosedByAdmin => "closed by an administrator",
            Self::Yielded => "the user has too many connections; a newer one took this one's place",
            Self::Flood => "ten times more messages a second than the limit",
        }
    }
}

/// Whether a client that was closed with `code` connects again.
pub fn reconnects(code: u16) -> bool {
    matches!(code, 1001 | 1006 | 1011..=1013 | 4000..=4499)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_what_would_happen_again_is_final() {
        for code in CloseCode::ALL {
            let again = matches!(
                code,
                CloseCode::InternalError
                    | CloseCode::ServiceRestart
                    | CloseCode::HeartbeatTimeout
                    | CloseCode::SlowConsumer
                    | CloseCode::TokenExpired
            );
            assert_eq!(reconnects(code.code()), again, "{code:?}");
            assert!(code.reason().len() <= 123, "{code:?}");
        }
    }
}
