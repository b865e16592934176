//! Why something about invitations and public links cannot be done.

use boardcast_protocol::board::{Action, Rejection};

use super::USES_MAX;
use crate::room::OpenError;
use crate::storage::{BOARD_LINKS_MAX, Refusal, StorageError};

/// Why something about invitations and public links cannot be done. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum SharingError {
    /// There is no such board, or it is not the user's: the answer is the same.
    #[error("there is no such board, or you are not a member of it")]
    NoSuchBoard,
    /// The role does not allow it.
    #[error("only an admin of the board may do this: {}", .0.words())]
    Forbidden(Action),
    /// The board has no such invitation or link.
    #[error("the board has no such one")]
    NoSuchLink,
    /// The board has as many as may be.
    #[error("the board has {BOARD_LINKS_MAX} invitations and public links; revoke one before")]
    TooMany,
    /// The count of uses is out of its bounds.
    #[error("`uses` is 1 to {USES_MAX}")]
    Uses,
    /// The end is not in its bounds.
    #[error("`expires` is a moment in milliseconds since 1970, in the future and within 366 days")]
    Expires,
    /// An invitation was never made, was revoked, is used up or has expired: the answer is the same.
    #[error("the invitation is not valid any more; ask for a new one")]
    NotValid,
    /// The board does not take the member.
    #[error("{0}")]
    Rejected(Rejection),
    /// The journal takes no version at the moment.
    #[error("the board cannot be written at the moment; try again")]
    Refused(Refusal),
    /// The room cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The room ended before it had answered.
    #[error("the server is stopping; try again")]
    Stopping,
    /// It cannot be read or written.
    #[error("failed to {0}")]
    Storage(#[from] StorageError),
}
