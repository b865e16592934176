//! A client while it is connected.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use boardcast_protocol::PROTOCOL_VERSION;
use boardcast_protocol::codec;
use boardcast_protocol::ids::CardId;
use boardcast_protocol::message::{
    CardOpen, ClientMessage, Hello, HelloBoard, OutcomeResult, PresenceUpdate, Subscribe,
    Whereabouts,
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use rand::RngExt;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::{Client, End, Input, PENDING_MAX, Pauses};
use crate::fleet::wall_clock;
use crate::ledger::Line;
use crate::link::{self, ConnectError, Socket};
use crate::replica::Effect;

/// Longest wait for a connection, and for a write that the server does not take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Pause before asking again where the server was too busy for a subscription.
pub(super) const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Bytes that the kernel takes for a slow client that does not read.
const SLOW_WINDOW_BYTES: u32 = 16 * 1_024;

/// What lasts as long as a connection.
pub(super) struct Session {
    cut_at: Option<Instant>,
    /// When a slow client stops reading, or goes on.
    turn_at: Option<Instant>,
    reads: bool,
    pub(super) silence: Duration,
    pub(super) heard: bool,
    pub(super) check_at: Instant,
    alarm: Pin<Box<Sleep>>,
    pub(super) goodbye: Option<Duration>,
}

impl Client {
    pub(super) async fn connection(&mut self) -> End {
        let mut socket = match self.connect().await {
            Ok(socket) => socket,
            Err(end) => return end,
        };
        self.is_open = true;
        self.fleet.open.fetch_add(1, Ordering::Relaxed);
        let mut session = Session {
            cut_at: self.next_cut(),
            turn_at: self.slow.map(|slow| Instant::now() + slow.read),
            reads: true,
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
            let turn_at = session.turn_at;
            let alarms = [
                self.retry_at,
                session.cut_at,
                turn_at,
                Some(session.check_at),
            ];
            if let Some(next) = alarms.into_iter().flatten().min()
                && next != session.alarm.deadline()
            {
                session.alarm.as_mut().reset(next);
            }
            let mut has_swollen = false;
            let end = tokio::select! {
                frame = socket.next(), if session.reads => {
                    if let Some(Ok(message)) = &frame {
                        has_swollen = link::has_swollen(&mut socket, message);
                    }
                    self.frame(frame, &mut session)
                }
                input = self.inputs.recv(), if open => self.input(input, &mut session),
                () = session.alarm.as_mut() => self.alarm(&mut session),
            };
            match end {
                None if has_swollen => {
                    if let Err(end) = write(socket.flush()).await {
                        return end;
                    }
                    socket = link::shrunk(socket).await;
                }
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
        let window = self.slow.map(|_| SLOW_WINDOW_BYTES);
        let opening = fleet.target.connect(&self.token, self.source, window);
        match timeout(PATIENCE, opening).await {
            Ok(Ok(socket)) => {
                fleet.tally().connects += 1;
                Ok(socket)
            }
            Ok(Err(ConnectError::Refused(status))) => {
                Err(End::Final(format!("the upgrade was refused: {status}")))
            }
            Ok(Err(ConnectError::Later(why, after))) => {
                // All who were refused at one time are told the same time.
                let after = after.map(|after| after + self.backoff());
                Err(End::Lost(why, after))
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
                let asked = self.asked.iter().position(|(seq, _)| *seq == answered.seq);
                let intended_ns = asked.and_then(|index| self.asked.remove(index));
                let mut tally = self.fleet.tally();
                if let (Some((_, at_ns)), OutcomeResult::Accepted) = (intended_ns, answered.result)
                {
                    tally.echo(self.fleet.now_ns().saturating_sub(at_ns));
                }
                tally.answer(answered.result, answered.why.as_deref());
            }
            Effect::Saved(saved) => {
                let latency_ns = self.fleet.now_ns().saturating_sub(saved.intended_ns);
                let mut tally = self.fleet.tally();
                tally.save(latency_ns);
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

    fn input(&mut self, input: Option<Input>, session: &mut Session) -> Option<End> {
        match input {
            Some(Input::Submit(cmds, intended_ns)) => self.submit(cmds, intended_ns),
            Some(Input::Open(card)) => self.open(card),
            Some(Input::Cut(away)) => return Some(End::Cut(away)),
            Some(Input::Presence(at)) => self.tell(at),
            Some(Input::Settle) => {
                self.churn = None;
                self.slow = None;
                session.turn_at = None;
                session.reads = true;
            }
            Some(Input::Finish) | None => return Some(End::Finished),
        }
        None
    }

    fn tell(&mut self, at: Option<Whereabouts>) {
        if !self.replica.is_live() {
            return;
        }
        let board = self.chronicle.board();
        let update = ClientMessage::Presence(PresenceUpdate { board, at });
        self.effects.push(Effect::Send(encode(&update)));
        self.fleet.tally().presence.0 += 1;
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
        if session.turn_at.is_some_and(|at| at <= now) {
            session.turn(self.slow, now);
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

impl Session {
    /// A slow client stops reading, or goes on; the time in which it does not is no silence.
    fn turn(&mut self, slow: Option<Pauses>, now: Instant) {
        self.reads = !self.reads || slow.is_none();
        self.turn_at = slow.map(|slow| now + if self.reads { slow.read } else { slow.pause });
        if let (Some(slow), false) = (slow, self.reads) {
            self.check_at = now + slow.pause + self.silence;
            self.heard = true;
        }
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
