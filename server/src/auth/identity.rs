//! Who a token or a session speaks for.

use boardcast_protocol::board::Actor;
use boardcast_protocol::position::Timestamp;

use crate::storage::SessionId;

/// Who a token or a session speaks for, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub actor: Actor,
    /// The name that people see; the user's id where the token has none.
    pub name: Box<str>,
    /// When the token or the session ends: an open connection ends with it.
    pub expires: Timestamp,
    /// The session of the browser, where it is signed in by a cookie.
    pub session: Option<SessionId>,
}
