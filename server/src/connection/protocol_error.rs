//! The ways in which a client can break the WebSocket protocol.

use crate::frame::MAX_CONTROL_BYTES;

/// What was wrong with the bytes of a client. The message also says what would be right and is
/// short enough to be the reason of the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A frame without a mask.
    #[error("frame is not masked; clients must mask (RFC 6455 section 5.1)")]
    Unmasked,
    /// A frame with RSV1, RSV2 or RSV3.
    #[error("reserved bit is set; no extension is in use, so all must be 0 (RFC 6455 section 5.2)")]
    ReservedBits,
    /// An opcode from 3 to 7 or from 11 to 15.
    #[error("opcode {0} is reserved; known are 0, 1, 2, 8, 9 and 10 (RFC 6455 section 5.2)")]
    ReservedOpcode(u8),
    /// A length written in more bytes than it needs.
    #[error("length is not in its shortest form, which is required (RFC 6455 section 5.2)")]
    LengthNotMinimal,
    /// A ping, pong or close without FIN.
    #[error("control frame is fragmented; it must be one frame (RFC 6455 section 5.5)")]
    FragmentedControl,
    /// A ping, pong or close with a long payload.
    #[error("control frame announces {0} bytes; at most {max} are allowed (RFC 6455 section 5.5)", max = MAX_CONTROL_BYTES)]
    ControlTooLong(u64),
    /// A continuation frame with nothing to continue.
    #[error("continuation without a message; a text frame must come first (RFC 6455 section 5.4)")]
    OrphanContinuation,
    /// A text or binary frame before the last fragment of the message before it.
    #[error("new message inside a fragmented one; finish that first (RFC 6455 section 5.4)")]
    InterruptedMessage,
    /// A close frame with half a code.
    #[error("close frame has 1 byte; it needs none, or a code of 2 (RFC 6455 section 5.5.1)")]
    HalfCloseCode,
    /// A close code that must not be sent.
    #[error(
        "close code {0} may not be sent; use 1000, 1001 or 3000 to 4999 (RFC 6455 section 7.4)"
    )]
    CloseCodeNotAllowed(u16),
    /// A close frame whose reason is not UTF-8.
    #[error("close reason is not UTF-8, as it must be (RFC 6455 section 5.5.1)")]
    CloseReasonNotUtf8,
    /// A text message that is not UTF-8.
    #[error("text message is not UTF-8, as it must be (RFC 6455 section 8.1)")]
    TextNotUtf8,
    /// A binary frame where only text is spoken.
    #[error("binary message is not spoken here; send JSON as a text message")]
    Binary,
    /// A frame longer than the limit for one, where that is below the limit for a message.
    #[error("frame is longer than the limit of {limit_bytes} bytes; send messages in fragments")]
    FrameTooBig {
        /// The limit.
        limit_bytes: usize,
    },
    /// A message longer than the limit, by its announced length or by the sum of its fragments.
    #[error("message is longer than the limit of {limit_bytes} bytes; send smaller messages")]
    MessageTooBig {
        /// The limit at that moment.
        limit_bytes: usize,
    },
}

impl ProtocolError {
    /// The code with which the connection must be closed.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Unmasked
            | Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::LengthNotMinimal
            | Self::FragmentedControl
            | Self::ControlTooLong(_)
            | Self::OrphanContinuation
            | Self::InterruptedMessage
            | Self::HalfCloseCode
            | Self::CloseCodeNotAllowed(_) => 1002,
            Self::Binary => 1003,
            Self::CloseReasonNotUtf8 | Self::TextNotUtf8 => 1007,
            Self::FrameTooBig { .. } | Self::MessageTooBig { .. } => 1009,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::MAX_CLOSE_REASON_BYTES;

    #[test]
    fn messages_fit_a_close_frame() {
        for error in [
            ProtocolError::Unmasked,
            ProtocolError::ReservedBits,
            ProtocolError::ReservedOpcode(15),
            ProtocolError::LengthNotMinimal,
            ProtocolError::FragmentedControl,
            ProtocolError::ControlTooLong(u64::MAX),
            ProtocolError::OrphanContinuation,
            ProtocolError::InterruptedMessage,
            ProtocolError::HalfCloseCode,
            ProtocolError::CloseCodeNotAllowed(u16::MAX),
            ProtocolError::CloseReasonNotUtf8,
            ProtocolError::TextNotUtf8,
            ProtocolError::Binary,
            ProtocolError::MessageTooBig {
                limit_bytes: usize::MAX,
            },
        ] {
            let message = error.to_string();
            assert!(message.len() <= MAX_CLOSE_REASON_BYTES, "{message}");
        }
    }
}
