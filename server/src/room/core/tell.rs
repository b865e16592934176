//! Short messages to many: what is durable (rule R5) and who is here (rule R9).

use boardcast_protocol::position::Version;

use super::Room;
use crate::room::encoded::Encoded;
use crate::room::feed::Feed;
use crate::room::presence::{Audience, Presence};
use crate::room::subscriber::Subscriber;
use crate::room::{ConnId, Pushed};

/// A message on its way to its subscribers, a slice of them at a time (rule R7).
#[derive(Debug)]
pub(in crate::room) struct Telling {
    what: What,
    to: Audience,
    /// Of all subscribers, who was told last.
    last: Option<ConnId>,
}

#[derive(Debug)]
enum What {
    Durable(Version, Encoded),
    Presence,
}

impl Room {
    /// Whether some may not have been told what is durable.
    pub(in crate::room) fn durable_is_due(&self) -> bool {
        self.told < self.feed.durable() && !self.subscribers.is_empty()
    }

    /// Begins to tell everybody what is durable who has not been told by a batch.
    pub(in crate::room) fn begin_durable(&mut self) -> Telling {
        self.told = self.feed.durable();
        Telling {
            what: What::Durable(self.told, self.feed.durable_message()),
            to: Audience::All,
            last: None,
        }
    }

    /// Whether presence is to be told.
    pub(in crate::room) fn presence_is_due(&self) -> bool {
        self.presence.is_due()
    }

    /// Begins to tell presence.
    pub(in crate::room) fn begin_presence(&mut self) -> Telling {
        Telling {
            what: What::Presence,
            to: self.presence.prepare(self.feed.board()),
            last: None,
        }
    }

    /// Tells the next subscribers, at most so many; whether all are told. No input may be handled
    /// before they are.
    pub(in crate::room) fn tell_slice(&mut self, telling: &mut Telling, max: usize) -> bool {
        let Self {
            feed,
            presence,
            subscribers,
            ..
        } = self;
        let Telling { what, to, last } = telling;
        match to {
            Audience::All => {
                let mut count = 0;
                for subscriber in subscribers.after(*last).take(max) {
                    count += 1;
                    *last = Some(subscriber.conn);
                    tell(what, feed, presence, subscriber);
                }
                count < max
            }
            Audience::Some(conns) => {
                let rest = conns.split_off(max.min(conns.len()));
                for conn in std::mem::replace(conns, rest) {
                    if let Some(subscriber) = subscribers.get_mut(conn) {
                        tell(what, feed, presence, subscriber);
                    }
                }
                conns.is_empty()
            }
        }
    }

    /// Tells everybody at once what is durable.
    #[cfg(test)]
    pub(in crate::room) fn tell_durable(&mut self) {
        let mut telling = self.begin_durable();
        while !self.tell_slice(&mut telling, 64) {}
    }

    /// Tells everybody at once who is here.
    #[cfg(test)]
    pub(in crate::room) fn tell_presence(&mut self) {
        let mut telling = self.begin_presence();
        while !self.tell_slice(&mut telling, 64) {}
    }
}

fn tell(what: &mut What, feed: &Feed, presence: &mut Presence, to: &mut Subscriber) {
    match what {
        What::Presence => presence.send(to),
        What::Durable(durable, _) if to.told >= *durable => {}
        What::Durable(durable, message) => {
            match to.outbox.push_at_once(message.frame(to.outbox.codec())) {
                Pushed::Queued => to.told = *durable,
                Pushed::Full => to.fall_behind(feed.board()),
                Pushed::Closed => {}
            }
        }
    }
}
