//! The connection layer: what one WebSocket says, and what is said to it.
//!
//! In reading order: bytes become messages ([`reader`]), messages become effects ([`session`]),
//! effects are performed and answers written (`talk`, `writer`) by the loop of one [`task`] per
//! socket. The [`door`] says who may come in, the [`registry`] knows all connections, the [`sweep`]
//! looks after them; what an administrator sees of each is its [`profile`], of all together the
//! [`tally`]; who may not stay is `ended`. Who only [listens](listening), over plain HTTP, is a
//! connection as well.

pub mod door;
mod ended;
pub mod limits;
pub mod listening;
pub mod mask;
pub mod profile;
pub mod protocol_error;
pub mod reader;
pub mod refusals;
pub mod registry;
mod services;
pub mod session;
mod slow;
pub mod socket;
pub mod sweep;
mod talk;
pub mod tally;
pub mod task;
mod writer;

pub use services::{Asker, ConnectionRules, Quota, Services, Source};
