//! Who asks: signed tokens, the secret that signs them, tokens for programs, and one-shot tickets.

mod api;
mod identity;
mod secret;
mod ticket;
mod token;

pub use api::{ApiTokenError, ApiTokens, LINK_PREFIX, TOKEN_PREFIX, is_api_token, token_hash};
pub use identity::{Grant, Identity, Proof};
pub use secret::{Secret, SecretError};
pub use ticket::{TICKET_TTL_MS, TicketError, Tickets};
pub use token::{TokenError, Tokens};
