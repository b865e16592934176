//! Performs what a session decides: hands commands to rooms, asks storage, answers.

mod backlog;
mod bounds;
mod house;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use boardcast_protocol::board::Actor;
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::codec::{decode_client, encode};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{
    ActivityQuery, ClientMessage, ErrorCode, ErrorMessage, ServerMessage, Unsubscribed,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use self::backlog::{Backlog, Done, Item, Running};
use super::door::SourcePlace;
use super::profile::Speaker;
use super::refusals::Cause;
use super::registry::Connection;
use super::services::Services;
use super::session::{self, Effect, Input, Session};
use super::tally;
use crate::auth::Identity;
use crate::room::{
    Codec, Frame, Joining, OpenError, Origin, Outbox, Pushed, RoomHandle, RoomInput, Submission,
};
use crate::{clock, frame, room};

/// One client's side of the conversation, with what it may reach.
pub(super) struct Talk {
    services: Arc<Services>,
    connection: Arc<Connection>,
    session: Session,
    /// What waits for a room to open or for storage; nothing is read meanwhile.
    backlog: Option<Box<Backlog>>,
    source_place: Option<SourcePlace>,
    /// Whether a room was asked for a subscription, and has had no turn since.
    has_joined: bool,
    /// Whether the last word has been said.
    is_over: bool,
}

impl Talk {
    pub(super) fn new(
        services: Arc<Services>,
        (codec, peer): (Codec, SocketAddr),
        authenticated: Option<Box<Identity>>,
        source_place: Option<SourcePlace>,
    ) -> Self {
        let outbox = Outbox::new(codec, services.rules.outbox);
        let mut until = clock::now();
        until.0 += services.rules.heartbeat.hello_within_ms;
        Self {
            connection: services.connections.open(outbox, peer, until),
            services,
            session: Session::new(authenticated),
            backlog: None,
            source_place,
            has_joined: false,
            is_over: false,
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether the last word has been said: nothing that comes matters any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether what waits to be written is to wait for one turn of the thread: a room that was asked for
    /// a subscription answers in it, and both leave together.
    pub(super) fn take_pause(&mut self) -> bool {
        std::mem::take(&mut self.has_joined) && self.connection.outbox.pending_bytes() > 0
    }

    /// Whether the connection ends as soon as everything is written.
    pub(super) fn is_closing(&self) -> bool {
        self.connection.outbox.closing().is_some()
    }

    /// Whether more may be read: not while something is under way, and not from a client that does
    /// not read its answers.
    pub(super) fn listens(&self) -> bool {
        self.backlog.is_none()
            && !self.is_over
            && self.connection.outbox.is_drained()
            && !self.is_closing()
    }

    /// Takes a text message. `true` if it is the one by which the client was admitted, or its token
    /// is being looked up: what was read behind it may be longer, and nothing more is read meanwhile.
    pub(super) fn hear_text(&mut self, text: &str) -> bool {
        self.connection.profile.count_message();
        let was_admitted = self.speaker().is_some();
        self.hear(Item::Heard(match decode_client(text) {
            Ok(message) => Input::Message(message),
            Err(error) => Input::Fault(error),
        }));
        !was_admitted && (self.speaker().is_some() || self.backlog.is_some())
    }

    /// Takes the answer to a ping.
    pub(super) fn hear_pong(&self, payload: &[u8]) {
        let now_us = self.services.connections.stamp_us();
        self.connection.profile.ponged(payload, now_us);
    }

    /// Tells rooms that had left this connection behind that there is place again. `true` if it
    /// waits for one from now on, which has to be [polled](Self::poll).
    pub(super) fn tell_drained(&mut self) -> bool {
        let waited = self.backlog.is_some();
        for board in self.connection.outbox.take_left_behind() {
            self.hear(Item::Drained(board));
        }
        !waited && self.backlog.is_some()
    }

    /// Goes on with what was under way. `true` if something was settled.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let Some(backlog) = &mut self.backlog else {
            return false;
        };
        let Poll::Ready(done) = backlog.running.as_mut().poll(context) else {
            return false;
        };
        let Some(backlog) = self.backlog.take() else {
            return false;
        };
        let mut effects = backlog.effects;
        match self.settle(done) {
            Some(running) => self.backlog = Some(Box::new(Backlog::new(running, effects))),
            None => self.perform_all(&mut effects),
        }
        for item in backlog.items {
            self.hear(item);
        }
        true
    }

    /// Queues an answer; a client that asks for more than it reads is closed.
    pub(super) fn push(&mut self, frame: Frame) {
        match self.connection.outbox.push(frame) {
            Pushed::Queued => {}
            Pushed::Full => self.close(CloseCode::SlowConsumer),
            Pushed::Closed => self.is_over = true,
        }
    }

    /// The longest message of a client that has said hello.
    pub(super) fn message_max_bytes(&self) -> usize {
        self.services.rules.session.message_max_bytes
    }

    /// Says the last word.
    pub(super) fn close_with(&mut self, meaning: CloseCode, code: u16, reason: &str) {
        self.connection.outbox.close_with(meaning, code, reason);
        self.is_over = true;
    }

    /// Leaves the registry and the rooms.
    pub(super) async fn leave(self) {
        let user = self.speaker().map(|speaker| speaker.actor.user);
        (self.services.connections).remove(self.connection.id, user, clock::now());
        drop(self.source_place);
        for room in self.connection.profile.take_rooms() {
            let conn = self.connection.id;
            // A room that has ended has forgotten the connection; it may have joined the next one.
            let room = self.services.rooms.get(room.board()).unwrap_or(room);
            let _ = room.send(RoomInput::Gone { conn }).await;
        }
    }

    fn close(&mut self, code: CloseCode) {
        self.close_with(code, code.code(), code.reason());
    }

    fn hear(&mut self, item: Item) {
        if self.is_over {
            return;
        }
        if let Some(backlog) = &mut self.backlog {
            backlog.items.push_back(item);
            return;
        }
        match item {
            Item::Heard(Input::Message(ClientMessage::Hello(hello)))
                if self.session.awaits_look_up(&hello, context(&self.services)) =>
            {
                let running = backlog::look_up(Arc::clone(&self.services), hello);
                self.backlog = Some(Box::new(Backlog::new(running, VecDeque::new())));
            }
            Item::Heard(input) => {
                let context = context(&self.services);
                let effects = self.session.handle(self.connection.id, input, context);
                self.perform_all(&mut effects.into());
            }
            Item::Drained(board) => {
                let conn = self.connection.id;
                if let Some(room) = self.joined(board)
                    && let Some(running) = self.deliver(&room, RoomInput::Drained { conn })
                {
                    self.backlog = Some(Box::new(Backlog::new(running, VecDeque::new())));
                }
            }
        }
    }

    fn perform_all(&mut self, effects: &mut VecDeque<Effect>) {
        while let Some(effect) = effects.pop_front() {
            if self.is_over {
                return;
            }
            if let Some(running) = self.perform(effect) {
                let rest = std::mem::take(effects);
                self.backlog = Some(Box::new(Backlog::new(running, rest)));
                return;
            }
        }
    }

    /// Performs an effect, or returns what has to be waited for.
    fn perform(&mut self, effect: Effect) -> Option<Running> {
        match effect {
            Effect::Admit(identity, client, agent) => self.admit(*identity, client, agent),
            Effect::Reply(message) => {
                if tally::names_limit(&message) {
                    self.connection.profile.count_limit();
                }
                self.reply(&message);
                None
            }
            Effect::Close(code) => {
                self.close(code);
                None
            }
            Effect::CreateBoard(create) => self.create_board(create),
            Effect::ListBoards(list) => self.list_boards(&list),
            Effect::Leave { req, board } => self.leave_room(req, board),
            Effect::Presence { board, at } => {
                let conn = self.connection.id;
                if let Some(room) = self.joined(board) {
                    // What a full room misses, the next message of this person replaces.
                    let _ = room.try_send(RoomInput::Presence { conn, at });
                }
                None
            }
            Effect::Join { board, .. }
            | Effect::OpenCard { board, .. }
            | Effect::ReadActivity(ActivityQuery { board, .. }) => self.perform_on(board, effect),
            Effect::Submit(ref submit, _) => {
                if let Err(wait_ms) = self.take_commands(submit.cmds.len()) {
                    let (board, seq) = (submit.board, submit.seq);
                    self.refuse_commands(board, seq, wait_ms);
                    return None;
                }
                self.perform_on(submit.board, effect)
            }
        }
    }

    /// Performs an effect in the room of `board`, which may have to be opened.
    fn perform_on(&mut self, board: BoardId, effect: Effect) -> Option<Running> {
        let open = (self.joined(board)).or_else(|| self.services.rooms.get(board));
        if let Some(room) = open.filter(|room| !room.is_closed()) {
            return self.perform_in(&room, effect);
        }
        let rooms = self.services.rooms.clone();
        Some(Box::pin(async move {
            let room = rooms.open(board).await;
            Done::Opened { effect, room }
        }))
    }

    fn settle(&mut self, done: Done) -> Option<Running> {
        match done {
            Done::Nothing => None,
            Done::LookedUp(input) => {
                self.hear(Item::Heard(input));
                None
            }
            Done::Answered(answer) => {
                self.reply(&answer);
                None
            }
            Done::Opened {
                effect,
                room: Ok(Some(room)),
            } => self.perform_in(&room, effect),
            Done::Opened {
                effect,
                room: Ok(None),
            } => {
                if let (req, Some(board), seq) = effect.names() {
                    let error = room::no_such_board(req, board, seq);
                    self.reply(&ServerMessage::Error(error));
                }
                None
            }
            Done::Opened {
                effect,
                room: Err(error),
            } => {
                self.not_opened(&effect, &error);
                None
            }
        }
    }

    fn not_opened(&mut self, effect: &Effect, error: &OpenError) {
        if let OpenError::Storage(source) = error {
            let (_, board, _) = effect.names();
            tracing::error!(?board, error = %source, "failed to open a board");
        }
        if matches!(error, OpenError::Busy { .. }) {
            self.services.refusals.note(Cause::LoadedBytes);
        }
        if let Effect::Submit(submit, _) = effect {
            let (retry_ms, hint) = (session::BUSY_RETRY_MS, error.to_string());
            let answer = (self.session).refuse(submit.board, submit.seq, retry_ms, hint);
            return self.reply(&answer);
        }
        let code = match error {
            OpenError::Busy { .. } => ErrorCode::Busy,
            OpenError::Stopping | OpenError::Storage(_) => ErrorCode::Unavailable,
        };
        self.reply_error(effect, code, &error.to_string());
    }

    fn perform_in(&mut self, room: &RoomHandle, effect: Effect) -> Option<Running> {
        let origin = self.origin(room.board())?;
        match effect {
            Effect::Join { req, at, .. } => {
                self.connection.profile.remember(room);
                self.has_joined = true;
                let joining = Joining { origin, req, at };
                self.deliver(room, RoomInput::Join(Box::new(joining)))
            }
            Effect::Submit(submit, after) => {
                let (board, seq) = (submit.board, submit.seq);
                let submission = Submission {
                    origin,
                    submit: *submit,
                    received: Instant::now(),
                    after,
                };
                let input = RoomInput::Submit(Box::new(submission));
                if room.try_send(input).is_err() {
                    let hint = "the board has more to do than it takes".to_owned();
                    let retry_ms = session::BUSY_RETRY_MS;
                    let answer = self.session.refuse(board, seq, retry_ms, hint);
                    self.reply(&answer);
                }
                None
            }
            Effect::OpenCard { req, card, .. } => {
                let origin = Box::new(origin);
                self.deliver(room, RoomInput::OpenCard { origin, req, card })
            }
            Effect::ReadActivity(query) => {
                let (room, storage) = (room.clone(), self.services.storage.clone());
                Some(backlog::read_activity(room, storage, origin.actor, &query))
            }
            Effect::Admit(..)
            | Effect::Reply(_)
            | Effect::Leave { .. }
            | Effect::Presence { .. }
            | Effect::CreateBoard(_)
            | Effect::ListBoards(_)
            | Effect::Close(_) => None,
        }
    }

    /// Hands an input that must not get lost to a room; if its inbox is full, or it lies down,
    /// that is waited for, and the room is opened again if it has ended.
    fn deliver(&self, room: &RoomHandle, input: RoomInput) -> Option<Running> {
        match room.try_send(input) {
            Ok(()) => None,
            Err(TrySendError::Full(input) | TrySendError::Closed(input)) => {
                let rooms = self.services.rooms.clone();
                Some(backlog::deliver(rooms, room.board(), input))
            }
        }
    }

    fn leave_room(&mut self, req: u32, board: BoardId) -> Option<Running> {
        let Some(room) = self.connection.profile.forget(board) else {
            self.reply(&ServerMessage::Unsubscribed(Unsubscribed { req, board }));
            return None;
        };
        let (conn, outbox) = (self.connection.id, Arc::clone(&self.connection.outbox));
        self.deliver(&room, RoomInput::Leave { conn, req, outbox })
    }

    /// Who speaks, as the room of a board is to see it.
    fn origin(&self, board: BoardId) -> Option<Origin> {
        let speaker = self.speaker()?;
        Some(Origin {
            conn: self.connection.id,
            client: speaker.client,
            actor: Actor {
                pass: speaker.grant.on(board),
                ..speaker.actor
            },
            address: self.connection.profile.address().ip(),
            outbox: Arc::clone(&self.connection.outbox),
        })
    }

    fn joined(&self, board: BoardId) -> Option<RoomHandle> {
        self.connection.profile.room(board)
    }

    fn speaker(&self) -> Option<&Speaker> {
        self.connection.profile.speaker()
    }

    fn reply(&mut self, message: &ServerMessage) {
        if let ServerMessage::Error(error) = message {
            let refused = &self.services.connections.tally.refused;
            refused.of(error.code as usize).add(1);
        }
        self.push(frame::text(&encode(message)));
    }

    fn reply_error(&mut self, effect: &Effect, code: ErrorCode, hint: &str) {
        let (req, board, seq) = effect.names();
        self.reply(&ServerMessage::Error(ErrorMessage {
            req,
            board,
            seq,
            code,
            hint: hint.to_owned(),
        }));
    }
}

fn context(services: &Services) -> session::Context<'_> {
    session::Context {
        tokens: &services.tokens,
        rules: &services.rules.session,
        refusals: &services.refusals,
        now: clock::now(),
    }
}
