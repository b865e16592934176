//! What a connected client makes of a frame.

use std::sync::Arc;
use std::time::Duration;

use boardcast_protocol::close::reconnects;
use boardcast_protocol::message::{ErrorCode, ErrorMessage, Mode, ServerMessage};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::session::{BUSY_PAUSE, PATIENCE, Session};
use super::{Client, End};
use crate::arrival::Arrival;
use crate::link;
use crate::replica::Receipt;
use crate::violation::Violation;

impl Client {
    pub(super) fn frame(
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
                let why = link::closed(code);
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
        let epoch = self.replica.batch_epoch();
        let arrival = match self.chronicle.read(frame, deflated, epoch) {
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
        let is_slow = self.was_slow;
        let mut tally = self.fleet.tally();
        for intended_ns in arrival
            .intended_ns
            .get(receipt.live.clone())
            .unwrap_or_default()
        {
            let latency_ns = now_ns.saturating_sub(*intended_ns);
            if *intended_ns > 0 && is_slow {
                tally.deliver_slowly(latency_ns);
            } else if *intended_ns > 0 {
                tally.deliver(latency_ns);
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
            ServerMessage::Presence(_) => self.fleet.tally().presence.1 += 1,
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
            | ErrorCode::Forbidden
            | ErrorCode::NoSuchBoard
            | ErrorCode::NotSubscribed
            | ErrorCode::Limit => Some(End::Final(why)),
        }
    }
}
