//! What a client is held to that a session alone does not know.

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Seq;

use super::Talk;
use crate::clock;
use crate::connection::protocol_error::ProtocolError;
use crate::connection::refusals::Cause;
use crate::connection::session;

impl Talk {
    /// Counts what was too big.
    pub(in crate::connection) fn note_too_big(&self, error: ProtocolError) {
        let refusals = &self.services.refusals;
        if matches!(error, ProtocolError::MessageTooBig { .. }) {
            refusals.note(Cause::MessageBytes);
        }
        if matches!(error, ProtocolError::FrameTooBig { .. }) {
            refusals.note(Cause::FrameBytes);
        }
    }

    /// Holds the user to the rate of commands, over all connections.
    pub(super) fn take_commands(&self, count: usize) -> Result<(), u64> {
        let Some(speaker) = self.speaker() else {
            return Ok(());
        };
        let user = speaker.actor.user;
        self.services.take_commands(user, count, clock::now())
    }

    pub(super) fn refuse_commands(&mut self, board: BoardId, seq: Seq, wait_ms: u64) {
        let per_s = self.services.rules.limits.commands_per_s_per_user;
        let hint = format!("a user may send {per_s} commands a second over all connections");
        let retry_ms = session::retry_ms(wait_ms);
        let answer = self.session.refuse(board, seq, retry_ms, hint);
        self.reply(&answer);
    }
}
