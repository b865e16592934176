//! A client while it is connected.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use boardcast_protocol::PROTOCOL_VERSION;
use boardcast_protocol::close::reconnects;
use boardcast_protocol::codec;
use boardcast_protocol::ids::CardId;
use boardcast_protocol::message::{
    CardOpen, ClientMessage, ErrorCode, ErrorMessage, Hello, HelloBoard, Mode, ServerMessage,
    Subscribe,
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use rand::RngExt;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::{Client, End, Input, PENDING_MAX};
use crate::arrival::Arrival;
use crate::fleet::wall_clock;
use crate::ledger::Line;
use crate::link::{ConnectError, Socket};
use crate::replica::{Effect, Receipt};
use crate::violation::Violation;

/// Longest wait for a connection, and for a write that the server does not take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause before asking again where the server was too busy for a subscription.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// What lasts as long as a connection.
struct Session {
    cut_at: Option<Instant>,
    silence: Duration,
    heard: bool,
    check_at: Instant,
    alarm: Pin<Box<Sleep>>,
    goodbye: Option<Duration>,
}

impl Client {
    pub(super) async fn connection(&mut self) -> End {
        let mut socket = match self.connect().await {
            Ok(socket) => socket,
            Err(end) => return end,
        };
        let mut session = Session {
            cut_at: self.next_cut(),
            silence: PATIENCE * 2,
            heard: false,
            check_at: Instant::now() + PATIENCE * 2,
            alarm: Box::pin(sleep_until(Instant::now() + PATIENCE * 2)),
            goodbye: None,
        };
        self.effects.clear();
        self.effects.push(Effect::Send(self.hello()));
        loop {
            if let Err(end) = self.perform(&mut socket).await {
                return end;
            }
            self.publish();
            let open = self.replica.pending().len() < PENDING_MAX;
            let alarms = [self.retry_at, session.cut_at, Some(session.check_at)];
            if let Some(next) = alarms.into_iter().flatten().min()
                && next != session.alarm.deadline()
            {
                session.alarm.as_mut().reset(next);
            }
            let end = tokio::select! {
                frame = socket.next() => self.frame(frame, &mut session),
                input = self.inputs.recv(), if open => self.input(input),
                () = session.alarm.as_mut() => self.alarm(&mut session),
            };
            match end {
                None => {}
                Some(End::Finished) => {
                    // The server's side of the close is not waited for: nothing depends on it.
                    let _ = timeout(BUSY_PAUSE, socket.close()).await;
                    return End::Finished;
                }
                Some(end) => return end,
            }
        }
    }

    async fn connect(&mut self) -> Result<Box<Socket>, End> {
        let fleet = Arc::clone(&self.fleet);
        let Ok(_permit) = fleet.connecting.acquire().await else {
            return Err(End::Final("the fleet has ended".into()));
        };
        let opening = fleet.target.connect(&self.token, self.source);
        match timeout(PATIENCE, opening).await {
            Ok(Ok(socket)) => {
                fleet.tally().connects += 1;
                Ok(socket)
            }
            Ok(Err(ConnectError::Refused(status))) => {
                Err(End::Final(format!("the upgrade was refused: {status}")))
            }
            Ok(Err(ConnectError::Later(why, retry))) => {
                // Whole seconds: a part of another one keeps clients from coming together.
                let part = Duration::from_secs_f64(self.rng.random());
                Err(End::Lost(why, retry.map(|retry| retry + part)))
            }
            Err(_) => Err(End::Lost("connect: timed out".into(), None)),
        }
    }

    fn next_cut(&mut self) -> Option<Instant> {
        let churn = self.churn?;
        let stay = churn.stay.mul_f64(self.rng.random_range(0.25..1.0));
        Some(Instant::now() + stay)
    }

    fn hello(&self) -> Bytes {
        let board = HelloBoard {
            board: self.chronicle.board(),
            at: self.replica.position(),
        };
        encode(&ClientMessage::Hello(Hello {
            v: PROTOCOL_VERSION,
            client: self.replica.client(),
            token: None,
            agent: Some(concat!("boardcast-sim/", env!("CARGO_PKG_VERSION")).into()),
            boards: vec![board],
        }))
    }

    /// Carries out all effects; sends what is to be sent in one write.
    async fn perform(&mut self, socket: &mut Socket) -> Result<(), End> {
        let mut effects = std::mem::take(&mut self.effects);
        let mut texts = Vec::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(text) => texts.push(text),
                Effect::Subscribe => texts.push(encode(&ClientMessage::Subscribe(Subscribe {
                    req: 1,
                    board: self.chronicle.board(),
                    at: self.replica.position(),
                }))),
                Effect::Retry(_)
                | Effect::Answered(_)
                | Effect::Saved(_)
                | Effect::Violation(..) => self.note(effect),
            }
        }
        self.effects = effects;
        if texts.is_empty() {
            return Ok(());
        }
        self.fleet.tally().bytes.0 += texts.iter().map(Bytes::len).sum::<usize>() as u64;
        for text in texts {
            let text = Utf8Bytes::try_from(text)
                .map_err(|error| End::Final(format!("a message is not UTF-8: {error}")))?;
            write(socket.feed(Message::Text(text))).await?;
        }
        write(socket.flush()).await
    }

    /// Counts what needs no sending.
    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::Send(_) | Effect::Subscribe => {}
            Effect::Retry(ms) => {
                let at = Instant::now() + Duration::from_millis(u64::from(ms));
                self.retry_at = Some(self.retry_at.map_or(at, |old| old.max(at)));
            }
            Effect::Answered(answered) => {
                let mut tally = self.fleet.tally();
                tally.answer(answered.result, answered.why.as_deref());
            }
            Effect::Saved(saved) => {
                let latency_ns = self.fleet.now_ns().saturating_sub(saved.intended_ns);
                let mut tally = self.fleet.tally();
                tally.commands.durable += 1;
                tally.durable_us.saturating_record(latency_ns / 1_000);
                if let (Some(ledger), Some(at)) = (&self.fleet.ledger, self.replica.position()) {
                    ledger.write(&Line {
                        board: self.chronicle.board(),
                        client: self.replica.client(),
                        seq: saved.seq,
                        version: saved.version,
                        epoch: at.epoch,
                        at: wall_clock(),
                    });
                }
            }
            Effect::Violation(violation, note) => {
                let (board, client) = (self.chronicle.board(), self.replica.client());
                let note = || format!("{violation:?} at client {client} of board {board}: {note}");
                self.fleet.tally().violate(violation, note);
            }
        }
    }

    fn frame(
        &mut self,
        frame: Option<Result<Message, WsError>>,
        session: &mut Session,
    ) -> Option<End> {
        session.heard = true;
        match frame {
            Some(Ok(Message::Text(text))) => self.receive(text.as_bytes(), false, session),
            Some(Ok(Message::Binary(bytes))) => self.receive(&bytes, true, session),
            Some(Ok(Message::Close(close))) => {
                let code = close.as_ref().map_or(1005, |close| u16::from(close.code));
                let why = format!("closed: {code}");
                if reconnects(code) {
                    Some(End::Lost(why, session.goodbye))
                } else {
                    Some(End::Final(why))
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
            Some(Err(WsError::Io(error))) => Some(End::Lost(
                format!("lost: {:?}", error.kind()),
                session.goodbye,
            )),
            Some(Err(WsError::Protocol(error))) => {
                Some(End::Lost(format!("lost: {error}"), session.goodbye))
            }
            Some(Err(error)) => Some(End::Final(format!("unreadable: {error}"))),
            None => Some(End::Lost("lost: end of stream".into(), session.goodbye)),
        }
    }

    fn receive(&mut self, frame: &[u8], deflated: bool, session: &mut Session) -> Option<End> {
        let now_ns = self.fleet.now_ns();
        let arrival = match self.chronicle.read(frame, deflated) {
            Ok(Some(arrival)) => arrival,
            Ok(None) => return None,
            Err(error) => {
                let mut tally = self.fleet.tally();
                tally.violate(Violation::Diverged, || format!("unreadable: {error}"));
                return None;
            }
        };
        self.fleet.tally().bytes.1 += frame.len() as u64;
        let end = self.heed(&arrival.message, session);
        if let Some(fault) = &mut self.fault {
            for arrival in fault.pass(arrival) {
                self.deliver(&arrival, now_ns);
            }
        } else {
            self.deliver(&arrival, now_ns);
        }
        end
    }

    fn deliver(&mut self, arrival: &Arc<Arrival>, now_ns: u64) {
        let receipt = self.replica.handle(arrival, &mut self.effects);
        if receipt == Receipt::default() {
            return;
        }
        let mut tally = self.fleet.tally();
        for intended_ns in arrival
            .intended_ns
            .get(receipt.live.clone())
            .unwrap_or_default()
        {
            if *intended_ns > 0 {
                tally.deliver(now_ns.saturating_sub(*intended_ns));
            }
        }
        let deliveries = &mut tally.deliveries;
        deliveries.received += receipt.live.len() as u64 + receipt.held;
        deliveries.missed += receipt.missed;
        deliveries.resumed += receipt.resumed;
        deliveries.skipped += receipt.skipped;
    }

    /// What concerns the connection rather than the board.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others concern the board"
    )]
    fn heed(&mut self, message: &ServerMessage, session: &mut Session) -> Option<End> {
        match message {
            ServerMessage::Welcome(welcome) => {
                session.silence = Duration::from_millis(u64::from(welcome.ping_ms)) * 2 + PATIENCE;
                session.check_at = Instant::now() + session.silence;
            }
            ServerMessage::Goodbye(goodbye) => {
                session.goodbye = Some(Duration::from_millis(u64::from(goodbye.retry_ms)));
            }
            ServerMessage::Subscribed(subscribed) => {
                self.attempts = 0;
                if self.replica.position().is_some() {
                    let mut tally = self.fleet.tally();
                    match subscribed.mode {
                        Mode::Events => tally.joined.0 += 1,
                        Mode::Snapshot => tally.joined.1 += 1,
                    }
                }
            }
            ServerMessage::Role(change) if change.role.is_none() => {
                return Some(End::Final("the membership has ended".into()));
            }
            ServerMessage::Error(error) => return self.refused(error),
            _ => {}
        }
        None
    }

    fn refused(&mut self, error: &ErrorMessage) -> Option<End> {
        let why = format!("error {:?}: {}", error.code, error.hint);
        match error.code {
            // A card that was deleted while it was being opened.
            ErrorCode::NoSuchCard => None,
            ErrorCode::Busy | ErrorCode::Unavailable => Some(End::Lost(why, Some(BUSY_PAUSE))),
            ErrorCode::NotJson
            | ErrorCode::UnknownType
            | ErrorCode::BadMessage
            | ErrorCode::HelloExpected
            | ErrorCode::Unauthorized
            | ErrorCode::NoSuchBoard
            | ErrorCode::NotSubscribed
            | ErrorCode::Limit => Some(End::Final(why)),
        }
    }

    fn input(&mut self, input: Option<Input>) -> Option<End> {
        match input {
            Some(Input::Submit(cmds, intended_ns)) => self.submit(cmds, intended_ns),
            Some(Input::Open(card)) => self.open(card),
            Some(Input::Cut(away)) => return Some(End::Cut(away)),
            Some(Input::Settle) => self.churn = None,
            Some(Input::Finish) | None => return Some(End::Finished),
        }
        None
    }

    fn open(&mut self, card: CardId) {
        if !self.replica.is_live() {
            return;
        }
        self.opens = self.opens.wrapping_add(1);
        self.effects
            .push(Effect::Send(encode(&ClientMessage::CardOpen(CardOpen {
                req: self.opens,
                board: self.chronicle.board(),
                card,
            }))));
    }

    fn alarm(&mut self, session: &mut Session) -> Option<End> {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            let receipt = self.replica.retry(&mut self.effects);
            self.fleet.tally().deliveries.missed += receipt.missed;
        }
        if session.cut_at.is_some_and(|at| at <= now) {
            session.cut_at = None;
            if let Some(churn) = self.churn {
                let away = churn.away.mul_f64(self.rng.random::<f64>());
                return Some(End::Cut(away));
            }
        }
        if session.check_at <= now {
            if !std::mem::take(&mut session.heard) {
                return Some(End::Lost("lost: silence".into(), None));
            }
            session.check_at = now + session.silence;
        }
        None
    }
}

async fn write(writing: impl Future<Output = Result<(), WsError>>) -> Result<(), End> {
    match timeout(PATIENCE, writing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(End::Lost(format!("write: {error}"), None)),
        Err(_) => Err(End::Lost("write: timed out".into(), None)),
    }
}

fn encode(message: &ClientMessage) -> Bytes {
    codec::encode(message).into()
}
