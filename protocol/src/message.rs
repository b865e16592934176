//! What client and server say to each other. `docs/protocol.md` tells it in order.

mod client;
mod server;

pub use client::*;
pub use server::*;
