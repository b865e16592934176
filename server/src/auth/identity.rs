//! Who a token speaks for.

use boardcast_protocol::board::Actor;
use boardcast_protocol::position::Timestamp;

/// Who a token speaks for, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub actor: Actor,
    /// The name that people see; the user's id where the token has none.
    pub name: Box<str>,
    /// When the token ends: an open connection ends with it.
    pub expires: Timestamp,
}
