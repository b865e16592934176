//! A message as it arrived: decoded once in a process, shared by all clients that received it.

use boardcast_protocol::message::{Batch, ServerMessage};

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
        let flaw = match &message {
            ServerMessage::Batch(batch) => flaw_of(batch),
            ServerMessage::Welcome(_)
            | ServerMessage::Subscribed(_)
            | ServerMessage::Unsubscribed(_)
            | ServerMessage::Snapshot(_)
            | ServerMessage::Outcome(_)
            | ServerMessage::Durable(_)
            | ServerMessage::Presence(_)
            | ServerMessage::Role(_)
            | ServerMessage::Card(_)
            | ServerMessage::Activity(_)
            | ServerMessage::BoardCreated(_)
            | ServerMessage::Boards(_)
            | ServerMessage::Error(_)
            | ServerMessage::Goodbye(_)
            | ServerMessage::Pong(_) => None,
        };
        Self {
            message,
            flaw,
            intended_ns: Vec::new(),
        }
    }
}

/// A batch holds each version after `from` up to `to` once, in order.
fn flaw_of(batch: &Batch) -> Option<Violation> {
    let mut next = batch.from.next();
    for entry in &batch.v {
        if entry.n != next {
            return Some(match entry.n.cmp(&next) {
                std::cmp::Ordering::Greater => Violation::Gap,
                std::cmp::Ordering::Equal | std::cmp::Ordering::Less => Violation::Duplicate,
            });
        }
        next = next.next();
    }
    (next != batch.to.next()).then_some(Violation::Gap)
}
