//! A board that went into the bin: whoever is on it is told, and to whoever comes it does not exist.

use boardcast_protocol::board::{Actor, Role};
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::message::{RoleChange, ServerMessage, Unsubscribed};

use super::Room;
use crate::room::{DeletionRefused, Outbox, RequestRefused, RoomInput, answers};

impl Room {
    /// What somebody is on the board at this moment; `None` for a stranger.
    pub(in crate::room) fn role_of(&self, actor: &Actor) -> Option<Role> {
        self.board.role_of(actor)
    }

    /// Ends all subscriptions: nobody is anything here any more (rule R10). Should the board come back,
    /// its next room does not know what this one has refused, so whose numbers these are begins afresh
    /// over a new connection (rule R4).
    pub(in crate::room) fn dismiss(&mut self) {
        let board = self.feed.board();
        let change = ServerMessage::Role(RoleChange { board, role: None });
        let mut ended = Vec::new();
        for subscriber in self.subscribers.iter_mut() {
            answers::send(&subscriber.outbox, &change);
            if self.clients.owes(subscriber.client) {
                come_back(&subscriber.outbox);
            }
            ended.push(subscriber.conn);
        }
        for conn in ended {
            self.leave(conn);
        }
    }

    /// Answers an input as if there were no such board. Whoever waits for an answer that is dropped
    /// asks again, and finds no room.
    pub(in crate::room) fn turn_away(&mut self, input: RoomInput) {
        let board = self.feed.board();
        let no_such_board = |req, seq| {
            let error = answers::no_such_board(req, board, seq);
            ServerMessage::Error(error)
        };
        match input {
            RoomInput::Join(joining) => {
                let answer = no_such_board(joining.req, None);
                answers::send(&joining.origin.outbox, &answer);
            }
            RoomInput::Submit(submission) => {
                let answer = no_such_board(None, Some(submission.submit.seq));
                answers::send(&submission.origin.outbox, &answer);
                come_back(&submission.origin.outbox);
            }
            RoomInput::OpenCard { origin, req, .. } => {
                answers::send(&origin.outbox, &no_such_board(Some(req), None));
            }
            RoomInput::Leave { req, outbox, .. } => {
                let answer = ServerMessage::Unsubscribed(Unsubscribed { req, board });
                answers::send(&outbox, &answer);
            }
            RoomInput::RoleOf { answer, .. } => {
                let _ = answer.send(None);
            }
            RoomInput::View { answer, .. } => {
                let _ = answer.send(None);
            }
            RoomInput::Look { see, .. } => (see.0)(None),
            RoomInput::Request(request) => {
                let _ = request.answer.send(Err(RequestRefused::NoSuchBoard));
            }
            RoomInput::Delete(deletion) => {
                let _ = deletion.answer.send(Err(DeletionRefused::NoSuchBoard));
            }
            RoomInput::Gone { .. }
            | RoomInput::Presence { .. }
            | RoomInput::Drained { .. }
            | RoomInput::Past { .. }
            | RoomInput::Copy { .. }
            | RoomInput::Import(_)
            | RoomInput::Sleep
            | RoomInput::Stop => {}
        }
    }
}

/// Whether it came over a connection that is to come back: what was under way there may not overtake
/// what was refused (rule R4), and is sent again.
pub(in crate::room) fn is_given_up(input: &RoomInput) -> bool {
    matches!(input, RoomInput::Submit(submission)
        if submission.origin.outbox.closing() == Some(CloseCode::InternalError))
}

fn come_back(outbox: &Outbox) {
    let code = CloseCode::InternalError;
    outbox.close_with(code, code.code(), "the board was deleted; reconnect");
}
