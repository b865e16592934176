//! What client and server say to each other. `docs/protocol.md` tells it in order.

mod batch;
mod client;
mod server;

pub use batch::*;
pub use client::*;
pub use server::*;
