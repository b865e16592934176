//! Who asks: signed tokens, the keys that they are signed and verified with, tokens for programs, and
//! one-shot tickets.

mod api;
mod identity;
mod keeper;
mod key_set;
mod keys;
mod secret;
mod ticket;
mod token;

pub use api::{ApiTokenError, ApiTokens, LINK_PREFIX, TOKEN_PREFIX, is_api_token, token_hash};
pub use identity::{Grant, Identity, Proof};
pub use keeper::{Keeper, KeyError, TokenRules};
pub use key_set::{InvalidKeySetUrl, KeySetUrl};
pub use keys::KeyId;
pub use secret::{Secret, SecretError};
pub use ticket::{TICKET_TTL_MS, TicketError, Tickets};
pub use token::{TokenError, Tokens};
