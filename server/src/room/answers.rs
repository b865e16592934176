//! Answers that are worded in one place.

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ErrorCode, ErrorMessage, Outcome, OutcomeResult, ServerMessage};
use boardcast_protocol::position::Seq;

use super::{Outbox, encoded};

/// The answer for a board that does not exist and for one that is not the user's: nobody can tell
/// them apart.
pub fn no_such_board(req: Option<u32>, board: BoardId, seq: Option<Seq>) -> ErrorMessage {
    ErrorMessage {
        req,
        board: Some(board),
        seq,
        code: ErrorCode::NoSuchBoard,
        hint: "there is no such board, or you are not a member of it".to_owned(),
    }
}

/// The answer to a client id that belongs to another user.
pub(super) fn foreign_client(req: Option<u32>, board: BoardId, seq: Option<Seq>) -> ErrorMessage {
    ErrorMessage {
        req,
        board: Some(board),
        seq,
        code: ErrorCode::BadMessage,
        hint: "the client id belongs to another user; make a new one".to_owned(),
    }
}

/// An outcome of which only the result is known.
pub(super) fn outcome(board: BoardId, seq: Seq, result: OutcomeResult) -> Outcome {
    Outcome {
        board,
        seq,
        result,
        version: None,
        reason: None,
        hint: None,
        conflict: None,
        retry_ms: None,
    }
}

/// Queues an answer; of a connection that is closing nobody waits for it.
pub(super) fn send(outbox: &Outbox, message: &ServerMessage) {
    let _ = outbox.push_answer(encoded::frame_for(outbox.codec(), message));
}
