//! The words and the rules of Boardcast.
//!
//! Everything here is pure: no I/O, no clock, no randomness. Time and ids come in as arguments, so
//! any run can be repeated. In reading order: what things are called, what a board is, what may be
//! asked of it, what has happened to it, and how all that looks on the wire.

pub mod ids;
pub mod limits;
pub mod order;
pub mod position;

pub mod board;
pub mod command;
pub mod event;
mod patch;
pub mod search;

pub mod close;
pub mod codec;
pub mod message;

/// The version of the protocol, told in `hello` and `welcome`. Fields and types may be added within
/// a version; what they mean may not change.
pub const PROTOCOL_VERSION: u32 = 1;

/// The WebSocket subprotocol with plain JSON text frames.
pub const SUBPROTOCOL_JSON: &str = "boardcast.v1.json";

/// The WebSocket subprotocol in which the server may send a message as a binary frame: the JSON
/// text as one raw DEFLATE stream (RFC 1951).
pub const SUBPROTOCOL_DEFLATE: &str = "boardcast.v1.json.deflate";
