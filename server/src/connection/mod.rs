//! The connection layer: what one WebSocket says, and what is said to it.

pub mod mask;
pub mod protocol_error;
pub mod reader;
