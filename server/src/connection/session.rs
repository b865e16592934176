//! What one client may say next, and what follows from it: a state machine without I/O.

mod answers;
mod order;

use boardcast_protocol::PROTOCOL_VERSION;
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::ids::{BoardId, CardId, ClientId};
use boardcast_protocol::limits::{HELLO_BOARDS_MAX, MESSAGE_MAX_BYTES};
use boardcast_protocol::message::{
    ActivityQuery, BoardCreate, BoardsList, ClientMessage, ErrorCode, ErrorMessage, Hello, Ping,
    ServerMessage, Submit, Whereabouts,
};
use boardcast_protocol::position::{Position, Seq, Timestamp};

pub use self::answers::{BUSY_RETRY_MS, retry_ms};
use self::answers::{about, busy, refusal, welcome};
use self::order::Order;
use super::profile::cut_agent;
use super::refusals::{Cause, Refusals};
use crate::auth::{Identity, Tokens, is_api_token};
use crate::rate::{Bucket, Pace};
use crate::room::ConnId;

/// Messages that are not understood which a client may send at once.
const FAULTS_MAX: u32 = 20;
/// After this time one of them is forgiven.
const FAULT_FORGIVEN_MS: u64 = 10_000;

/// What a session is held to.
#[derive(Clone, Debug)]
pub struct SessionRules {
    /// Most subscriptions of a connection.
    pub boards_max: usize,
    /// Time between protocol pings, told in `welcome`.
    pub ping_ms: u32,
    /// Messages a second, over time.
    pub messages_per_s: u32,
    /// Messages at once.
    pub messages_burst: u32,
    /// A message of a client that has said hello, told in `welcome`. Above it 1009.
    pub message_max_bytes: usize,
    /// A frame of any client. Above it 1009.
    pub frame_max_bytes: usize,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            boards_max: 100,
            ping_ms: 25_000,
            messages_per_s: 500,
            messages_burst: 2_000,
            message_max_bytes: MESSAGE_MAX_BYTES,
            frame_max_bytes: MESSAGE_MAX_BYTES,
        }
    }
}

/// What a session needs to know besides the message.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Verifies the token of `hello`.
    pub tokens: &'a Tokens,
    /// What the session is held to.
    pub rules: &'a SessionRules,
    /// Where limits that are met are counted.
    pub refusals: &'a Refusals,
    /// The time.
    pub now: Timestamp,
}

/// What comes from the client.
#[derive(Debug)]
pub enum Input {
    /// A message.
    Message(ClientMessage),
    /// A `hello` with a token for programs, which had to be looked up: who it speaks for, or why
    /// it is not valid.
    LookedUp(Hello, Result<Box<Identity>, String>),
    /// A text that is not one, with the answer to it.
    Fault(Box<ErrorMessage>),
}

/// What is to be done, in this order; after a `Close` nothing follows.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// The client has said who it is: it takes its place among the connections, a connection of the
    /// same client ends, and its user is remembered. Last what the client calls itself.
    Admit(Box<Identity>, ClientId, Option<Box<str>>),
    /// Say this.
    Reply(Box<ServerMessage>),
    /// Subscribe to a board.
    Join {
        /// Comes back in the answer.
        req: Option<u32>,
        /// The board.
        board: BoardId,
        /// How far the client has come.
        at: Option<Position>,
    },
    /// End a subscription.
    Leave {
        /// Comes back in the answer.
        req: u32,
        /// The board.
        board: BoardId,
    },
    /// Hand commands to the board's room, with the highest lower number that was refused here.
    Submit(Box<Submit>, Option<Seq>),
    /// Tell the room where the person is.
    Presence {
        /// The board.
        board: BoardId,
        /// Where; `None` for gone.
        at: Option<Whereabouts>,
    },
    /// Ask the room for the detail of a card.
    OpenCard {
        /// Comes back in the answer.
        req: u32,
        /// The board.
        board: BoardId,
        /// The card.
        card: CardId,
    },
    /// Read a page of what happened.
    ReadActivity(ActivityQuery),
    /// Make a board.
    CreateBoard(BoardCreate),
    /// List the boards of the user.
    ListBoards(BoardsList),
    /// End the connection.
    Close(CloseCode),
}

impl Effect {
    /// What names the message that it came from: request, board and number of the submit.
    pub fn names(&self) -> (Option<u32>, Option<BoardId>, Option<Seq>) {
        match self {
            Self::Admit(..) | Self::Reply(_) | Self::Close(_) => (None, None, None),
            Self::Join { req, board, .. } => (*req, Some(*board), None),
            Self::Leave { req, board } | Self::OpenCard { req, board, .. } => {
                (Some(*req), Some(*board), None)
            }
            Self::Submit(submit, _) => (None, Some(submit.board), Some(submit.seq)),
            Self::Presence { board, .. } => (None, Some(*board), None),
            Self::ReadActivity(query) => (Some(query.req), Some(query.board), None),
            Self::CreateBoard(create) => (Some(create.req), None, None),
            Self::ListBoards(list) => (Some(list.req), None, None),
        }
    }
}

/// One client's side of the conversation.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    faults: Bucket,
}

#[derive(Debug)]
enum Phase {
    /// Nothing but `hello` is listened to.
    AwaitingHello {
        /// Who the upgrade was for, if it bore credentials.
        authenticated: Option<Box<Identity>>,
    },
    Live(Box<Live>),
    Closed,
}

/// A client that has said hello.
#[derive(Debug)]
struct Live {
    boards: Vec<BoardId>,
    /// What was refused here.
    order: Order,
    messages: Bucket,
    /// Messages over the rate.
    excess: Bucket,
}

impl Session {
    /// A connection that has just been opened, for `authenticated` if the upgrade bore credentials.
    pub fn new(authenticated: Option<Box<Identity>>) -> Self {
        Self {
            phase: Phase::AwaitingHello { authenticated },
            faults: Bucket::default(),
        }
    }

    /// What follows from what the client said.
    pub fn handle(&mut self, conn: ConnId, input: Input, context: Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Fault(error) => self.fault(*error, context.now, &mut effects),
            Input::LookedUp(hello, found) => {
                if let Phase::AwaitingHello { .. } = self.phase {
                    self.greet(conn, hello, found.map(Some), context, &mut effects);
                }
            }
            Input::Message(message) => match &mut self.phase {
                Phase::Closed => {}
                Phase::AwaitingHello { .. } => {
                    if let ClientMessage::Hello(hello) = message {
                        let by_token = verify(&hello, context);
                        self.greet(conn, hello, by_token, context, &mut effects);
                    } else {
                        let hint = "the first message must be `hello`";
                        let error = about(&message, ErrorCode::HelloExpected, hint);
                        self.fault(error, context.now, &mut effects);
                    }
                }
                Phase::Live(live) => match live.admit(&message, context) {
                    Ok(()) => self.listen(message, context, &mut effects),
                    Err(refusal) => effects.extend(refusal),
                },
            },
        }
        if effects.iter().any(|e| matches!(e, Effect::Close(_))) {
            self.phase = Phase::Closed;
        }
        effects
    }

    /// A submit was not handed to its room: the answer for the client. The room hears of it with
    /// higher numbers, and refuses them until this one has come.
    pub fn refuse(
        &mut self,
        board: BoardId,
        seq: Seq,
        retry_ms: u32,
        hint: String,
    ) -> ServerMessage {
        if let Phase::Live(live) = &mut self.phase {
            live.order.refused(board, seq);
        }
        busy(board, seq, retry_ms, hint)
    }

    /// Answers a text that is not a message; too many of them end the connection.
    fn fault(&mut self, error: ErrorMessage, now: Timestamp, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        effects.push(Effect::Reply(Box::new(ServerMessage::Error(error))));
        let pace = Pace::every_ms(FAULT_FORGIVEN_MS, FAULTS_MAX);
        if self.faults.take(now, 1, pace).is_err() {
            effects.push(Effect::Close(CloseCode::PolicyViolation));
        }
    }

    fn greet(
        &mut self,
        conn: ConnId,
        hello: Hello,
        by_token: Result<Option<Box<Identity>>, String>,
        context: Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let identity = match self.identify(&hello, by_token, context) {
            Ok(identity) => identity,
            Err(refusal) => return effects.extend(refusal),
        };
        let boards: Vec<_> = hello.boards.iter().map(|wanted| wanted.board).collect();
        effects.push(Effect::Reply(Box::new(welcome(conn, &identity, context))));
        let agent = hello.agent.as_deref().and_then(cut_agent);
        let admit = Effect::Admit(identity, hello.client, agent);
        effects.insert(0, admit);
        effects.extend(hello.boards.into_iter().map(|wanted| Effect::Join {
            req: None,
            board: wanted.board,
            at: wanted.at,
        }));
        self.phase = Phase::Live(Box::new(Live {
            boards,
            order: Order::default(),
            messages: Bucket::default(),
            excess: Bucket::default(),
        }));
    }

    /// Whether the token of a `hello` has to be looked up before it is [handled](Input::LookedUp).
    pub fn awaits_look_up(&self, hello: &Hello, context: Context<'_>) -> bool {
        let is_unknown =
            |token: &str| is_api_token(token) || context.tokens.may_miss_key(token, context.now);
        matches!(self.phase, Phase::AwaitingHello { .. })
            && hello.token.as_deref().is_some_and(is_unknown)
    }

    /// Checks version and token of `hello`, and that a client speaks for one user only.
    fn identify(
        &mut self,
        hello: &Hello,
        by_token: Result<Option<Box<Identity>>, String>,
        context: Context<'_>,
    ) -> Result<Box<Identity>, Vec<Effect>> {
        if hello.v != PROTOCOL_VERSION {
            let hint = format!("this server speaks version {PROTOCOL_VERSION} of the protocol");
            return Err(refusal(
                ErrorCode::BadMessage,
                hint,
                CloseCode::UnsupportedVersion,
            ));
        }
        if hello.client.is_of_key() {
            let hint = "ids that begin with `key-` are the server's; make another client id";
            return Err(refusal(
                ErrorCode::BadMessage,
                hint.to_owned(),
                CloseCode::PolicyViolation,
            ));
        }
        let boards_max = HELLO_BOARDS_MAX.min(context.rules.boards_max);
        if hello.boards.len() > boards_max {
            context.refusals.note(Cause::BoardsPerConnection);
            let hint = format!("`hello` subscribes to at most {boards_max} boards");
            return Err(refusal(ErrorCode::Limit, hint, CloseCode::PolicyViolation));
        }
        let unauthorized = |hint| refusal(ErrorCode::Unauthorized, hint, CloseCode::Unauthorized);
        let by_token = by_token.map_err(unauthorized)?;
        let Phase::AwaitingHello { authenticated } = &mut self.phase else {
            return Err(vec![Effect::Close(CloseCode::PolicyViolation)]);
        };
        match (authenticated.take(), by_token) {
            // A cookie comes by itself; who sends a token means that one.
            (Some(first), Some(second))
                if first.actor != second.actor && first.session().is_none() =>
            {
                let hint = "the token in `hello` is for another user than that of the upgrade";
                Err(refusal(
                    ErrorCode::Unauthorized,
                    hint.to_owned(),
                    CloseCode::PolicyViolation,
                ))
            }
            (_, Some(identity)) => Ok(identity),
            (Some(identity), None) => Ok(identity),
            (None, None) => Err(unauthorized(
                "no token; send it in `hello` or on the upgrade".to_owned(),
            )),
        }
    }

    fn listen(&mut self, message: ClientMessage, context: Context<'_>, effects: &mut Vec<Effect>) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        effects.push(match message {
            ClientMessage::Hello(_) => {
                let hint = "`hello` was said before; open another connection for another user";
                effects.extend(refusal(
                    ErrorCode::HelloExpected,
                    hint.to_owned(),
                    CloseCode::PolicyViolation,
                ));
                return;
            }
            ClientMessage::Subscribe(wanted) => {
                match live.subscribe(wanted.board, wanted.req, context.rules.boards_max) {
                    Ok(()) => Effect::Join {
                        req: Some(wanted.req),
                        board: wanted.board,
                        at: wanted.at,
                    },
                    Err(error) => {
                        context.refusals.note(Cause::BoardsPerConnection);
                        return self.fault(error, context.now, effects);
                    }
                }
            }
            ClientMessage::Unsubscribe(unwanted) => {
                live.boards.retain(|board| *board != unwanted.board);
                Effect::Leave {
                    req: unwanted.req,
                    board: unwanted.board,
                }
            }
            ClientMessage::Submit(submit) => {
                let after = live.order.comes(submit.board, submit.seq);
                Effect::Submit(Box::new(submit), after)
            }
            ClientMessage::Presence(presence) => Effect::Presence {
                board: presence.board,
                at: presence.at,
            },
            ClientMessage::CardOpen(open) => Effect::OpenCard {
                req: open.req,
                board: open.board,
                card: open.card,
            },
            ClientMessage::Activity(query) => Effect::ReadActivity(query),
            ClientMessage::BoardCreate(create) => Effect::CreateBoard(create),
            ClientMessage::BoardsList(list) => Effect::ListBoards(list),
            ClientMessage::Ping(Ping { t }) => {
                Effect::Reply(Box::new(ServerMessage::Pong(Ping { t })))
            }
        });
    }
}

/// Who the signed token of `hello` speaks for, if there is one.
fn verify(hello: &Hello, context: Context<'_>) -> Result<Option<Box<Identity>>, String> {
    let token = hello.token.as_deref();
    let verified = token.map(|token| context.tokens.verify(token, context.now));
    let verified = verified.transpose().map_err(|error| error.to_string())?;
    Ok(verified.map(Box::new))
}

impl Live {
    /// Holds the client to its rate. What is over it is refused, and ten times the rate ends the
    /// connection.
    fn admit(&mut self, message: &ClientMessage, context: Context<'_>) -> Result<(), Vec<Effect>> {
        let SessionRules {
            messages_per_s,
            messages_burst,
            ..
        } = *context.rules;
        let pace = Pace::per_s(messages_per_s, messages_burst);
        let Err(wait_ms) = self.messages.take(context.now, 1, pace) else {
            return Ok(());
        };
        let excess = Pace::per_s(
            messages_per_s.saturating_mul(9),
            messages_burst.saturating_mul(9),
        );
        if self.excess.take(context.now, 1, excess).is_err() {
            context.refusals.note(Cause::Flood);
            return Err(vec![Effect::Close(CloseCode::Flood)]);
        }
        context.refusals.note(Cause::MessagesPerSecond);
        let hint = format!("a connection may send {messages_per_s} messages a second");
        let reply = if let ClientMessage::Submit(submit) = message {
            self.order.refused(submit.board, submit.seq);
            busy(submit.board, submit.seq, retry_ms(wait_ms), hint)
        } else {
            ServerMessage::Error(about(message, ErrorCode::Busy, &hint))
        };
        Err(vec![Effect::Reply(Box::new(reply))])
    }

    fn subscribe(
        &mut self,
        board: BoardId,
        req: u32,
        boards_max: usize,
    ) -> Result<(), ErrorMessage> {
        if self.boards.contains(&board) {
            return Ok(());
        }
        if self.boards.len() >= boards_max {
            return Err(ErrorMessage {
                req: Some(req),
                board: Some(board),
                seq: None,
                code: ErrorCode::Limit,
                hint: format!("a connection takes at most {boards_max} subscriptions"),
            });
        }
        self.boards.reserve_exact(1);
        self.boards.push(board);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
