//! A message as it arrived: decoded once in a process, shared by all clients that received it.

use boardcast_protocol::message::ServerMessage;

use crate::violation::Violation;

/// A decoded message with what is known of it beyond its own fields.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The message.
    pub message: ServerMessage,
    /// What is wrong with it whoever receives it.
    pub flaw: Option<Violation>,
    /// For a batch: when each of its versions was meant to be sent, in nanoseconds of the fleet's
    /// clock; 0 where that is not known.
    pub intended_ns: Vec<u64>,
}

impl Arrival {
    /// A message about which nothing else is known.
    pub fn new(message: ServerMessage) -> Self {
        Self {
            message,
            flaw: None,
            intended_ns: Vec::new(),
        }
    }
}
