//! What a session says by itself.

use boardcast_protocol::PROTOCOL_VERSION;
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::limits::SUBMIT_COMMANDS_MAX;
use boardcast_protocol::message::{
    ClientMessage, ErrorCode, ErrorMessage, Outcome, OutcomeResult, ServerMessage, Welcome,
    WireLimits,
};
use boardcast_protocol::position::Seq;

use super::{Context, Effect};
use crate::auth::Identity;
use crate::room::ConnId;

/// How long a client waits before it sends a refused submit again.
pub const BUSY_RETRY_MS: u32 = 250;

pub(super) fn welcome(conn: ConnId, identity: &Identity, context: Context<'_>) -> ServerMessage {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    ServerMessage::Welcome(Welcome {
        v: PROTOCOL_VERSION,
        user: identity.actor.user,
        conn: conn.0,
        limits: WireLimits {
            message_bytes: count(context.rules.message_max_bytes),
            submit_commands: count(SUBMIT_COMMANDS_MAX),
            boards: count(context.rules.boards_max),
        },
        ping_ms: context.rules.ping_ms,
        server_time: context.now,
    })
}

/// When a client sends a submit again that fits after `wait_ms`: together with what comes behind it.
pub fn retry_ms(wait_ms: u64) -> u32 {
    u32::try_from(wait_ms)
        .unwrap_or(u32::MAX)
        .max(BUSY_RETRY_MS)
}

pub(super) fn busy(board: BoardId, seq: Seq, retry_ms: u32, hint: String) -> ServerMessage {
    ServerMessage::Outcome(Outcome {
        board,
        seq,
        result: OutcomeResult::Busy,
        version: None,
        reason: None,
        hint: Some(hint),
        conflict: None,
        retry_ms: Some(retry_ms),
    })
}

/// An error that ends the connection.
pub(super) fn refusal(code: ErrorCode, hint: String, close: CloseCode) -> Vec<Effect> {
    let error = ErrorMessage {
        req: None,
        board: None,
        seq: None,
        code,
        hint,
    };
    vec![
        Effect::Reply(Box::new(ServerMessage::Error(error))),
        Effect::Close(close),
    ]
}

/// An error that bears what names the message that it is about.
pub(super) fn about(message: &ClientMessage, code: ErrorCode, hint: &str) -> ErrorMessage {
    let (req, board, seq) = match message {
        ClientMessage::Hello(_) | ClientMessage::Ping(_) => (None, None, None),
        ClientMessage::Subscribe(m) => (Some(m.req), Some(m.board), None),
        ClientMessage::Unsubscribe(m) => (Some(m.req), Some(m.board), None),
        ClientMessage::Submit(m) => (None, Some(m.board), Some(m.seq)),
        ClientMessage::Presence(m) => (None, Some(m.board), None),
        ClientMessage::CardOpen(m) => (Some(m.req), Some(m.board), None),
        ClientMessage::Activity(m) => (Some(m.req), Some(m.board), None),
        ClientMessage::BoardCreate(m) => (Some(m.req), None, None),
        ClientMessage::BoardsList(m) => (Some(m.req), None, None),
    };
    ErrorMessage {
        req,
        board,
        seq,
        code,
        hint: hint.to_owned(),
    }
}
