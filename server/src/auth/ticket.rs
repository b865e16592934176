//! Tickets: how a page that cannot send headers opens a WebSocket, and a link signs somebody in.

use dashmap::DashMap;

use boardcast_protocol::position::Timestamp;

use super::Identity;

/// How long a ticket may be used.
pub const TICKET_TTL_MS: u64 = 30_000;
/// Tickets that wait to be used; above it, none are made until some have been used or have expired.
const TICKETS_MAX: usize = 10_000;

/// Why there is no ticket, or it opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// It was never made, was used, or has expired: the answer is the same.
    #[error("the ticket is not valid: it may be used once, within 30 s; ask for a new one")]
    NotValid,
    /// Too many wait.
    #[error("too many tickets wait to be used; try again in 30 s")]
    TooMany,
}

/// The tickets that wait to be used, in memory only.
#[derive(Debug, Default)]
pub struct Tickets {
    waiting: DashMap<u128, (Identity, Timestamp)>,
}

impl Tickets {
    /// A ticket for `identity`: 128 random bits as text, good for one use within 30 s.
    ///
    /// # Errors
    /// Too many wait.
    pub fn issue(&self, identity: Identity, now: Timestamp) -> Result<String, TicketError> {
        if self.waiting.len() >= TICKETS_MAX {
            self.forget_expired(now);
            if self.waiting.len() >= TICKETS_MAX {
                return Err(TicketError::TooMany);
            }
        }
        let bits: u128 = rand::random();
        let until = Timestamp(now.0 + TICKET_TTL_MS);
        self.waiting.insert(bits, (identity, until));
        Ok(format!("{bits:032x}"))
    }

    /// Uses a ticket up.
    ///
    /// # Errors
    /// It is not valid.
    pub fn redeem(&self, ticket: &str, now: Timestamp) -> Result<Identity, TicketError> {
        if ticket.len() != 32 {
            return Err(TicketError::NotValid);
        }
        let bits = u128::from_str_radix(ticket, 16).map_err(|_| TicketError::NotValid)?;
        match self.waiting.remove(&bits) {
            Some((_, (identity, until))) if now < until => Ok(identity),
            Some(_) | None => Err(TicketError::NotValid),
        }
    }

    /// Drops tickets that nobody used.
    pub fn forget_expired(&self, now: Timestamp) {
        self.waiting.retain(|_, (_, until)| now < *until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Grant, Proof};
    use crate::storage::LinkId;
    use boardcast_protocol::board::Actor;

    fn ann() -> Identity {
        Identity {
            actor: Actor::new("ann".parse().unwrap(), false),
            name: "Ann".into(),
            expires: Timestamp(1_000_000),
            proof: Proof::Link(LinkId(1)),
            grant: Grant::Full,
        }
    }

    #[test]
    fn a_ticket_opens_once() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(ann(), Timestamp(0)).unwrap();
        assert_eq!(tickets.redeem(&ticket, Timestamp(29_999)), Ok(ann()));
        assert_eq!(
            tickets.redeem(&ticket, Timestamp(29_999)),
            Err(TicketError::NotValid)
        );
    }

    #[test]
    fn a_ticket_expires_and_is_forgotten() {
        let tickets = Tickets::default();
        let late = tickets.issue(ann(), Timestamp(0)).unwrap();
        tickets.issue(ann(), Timestamp(0)).unwrap();
        assert_eq!(
            tickets.redeem(&late, Timestamp(30_000)),
            Err(TicketError::NotValid)
        );
        tickets.forget_expired(Timestamp(30_000));
        assert!(tickets.waiting.is_empty());
    }

    #[test]
    fn other_texts_open_nothing() {
        let tickets = Tickets::default();
        for text in ["", "x", &"g".repeat(32), &"0".repeat(32), &"é".repeat(16)] {
            assert_eq!(
                tickets.redeem(text, Timestamp(0)),
                Err(TicketError::NotValid),
                "{text}"
            );
        }
    }

    #[test]
    fn waiting_tickets_are_bounded() {
        let tickets = Tickets::default();
        for _ in 0..TICKETS_MAX {
            tickets.issue(ann(), Timestamp(0)).unwrap();
        }
        assert_eq!(
            tickets.issue(ann(), Timestamp(1)),
            Err(TicketError::TooMany)
        );
        assert!(tickets.issue(ann(), Timestamp(TICKET_TTL_MS)).is_ok());
    }
}
