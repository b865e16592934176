//! Who asks: signed tokens, the secret that signs them, and one-shot tickets.

mod identity;
mod secret;
mod ticket;
mod token;

pub use identity::Identity;
pub use secret::{Secret, SecretError};
pub use ticket::{TICKET_TTL_MS, TicketError, Tickets};
pub use token::{TokenError, Tokens};
