//! Who is on the board: in memory, coalesced, without a version (rule R9).

use std::collections::BTreeMap;

use bytes::Bytes;

use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::limits::{PRESENCE_NAMES_MAX, PRESENCE_TICK_MAX_BYTES};
use boardcast_protocol::message::{Activity, Person, Whereabouts};

use super::ConnId;
use super::encoded::Encoded;
use super::subscriber::Subscriber;

/// Who is on the board, and what was told of it last.
#[derive(Debug, Default)]
pub(super) struct Presence {
    here: BTreeMap<ConnId, Here>,
    /// Counts what was told, so that the latest word of a user with several connections is known.
    words: u64,
    /// The body of the last message: what follows the board's id.
    told: Option<Bytes>,
    /// The message that was sent last, for those who come later.
    message: Option<Encoded>,
    changed: bool,
    /// Connections that have not been told, or missed the last message.
    uninformed: Vec<ConnId>,
}

/// Who is to be told.
#[derive(Debug)]
pub(super) enum Audience {
    All,
    Some(Vec<ConnId>),
}

#[derive(Debug)]
struct Here {
    user: UserId,
    at: Option<Whereabouts>,
    word: u64,
}

impl Presence {
    /// A subscriber has come.
    pub(super) fn join(&mut self, conn: ConnId, user: UserId) {
        let here = Here {
            user,
            at: None,
            word: 0,
        };
        self.here.insert(conn, here);
        self.inform(conn);
        self.changed = true;
    }

    /// A subscriber has gone.
    pub(super) fn leave(&mut self, conn: ConnId) {
        self.changed |= self.here.remove(&conn).is_some();
    }

    /// A person moves; a connection that is not here is ignored.
    pub(super) fn tell(&mut self, conn: ConnId, at: Option<Whereabouts>) {
        self.words += 1;
        let word = self.words;
        if let Some(here) = self.here.get_mut(&conn) {
            here.word = word;
            self.changed |= here.at != at;
            here.at = at;
        }
    }

    /// A connection is to be told at the next tick even if nothing changes.
    pub(super) fn inform(&mut self, conn: ConnId) {
        if self.here.contains_key(&conn) && !self.uninformed.contains(&conn) {
            self.uninformed.push(conn);
        }
    }

    /// Whether there is something to tell.
    pub(super) fn is_due(&self) -> bool {
        self.changed || !self.uninformed.is_empty()
    }

    /// Prepares what is to be told: to everybody when it has changed, else to those who came meanwhile.
    pub(super) fn prepare(&mut self, board: BoardId) -> Audience {
        let body = self.body();
        let to_all = self.changed && self.told.as_ref() != Some(&body);
        if to_all || self.message.is_none() {
            let head = format!(r#"{{"type":"presence","board":"{board}","#);
            self.message = Some(Encoded::concat(&[head.as_bytes(), &body]));
            self.told = Some(body);
        }
        self.changed = false;
        let uninformed = std::mem::take(&mut self.uninformed);
        if to_all {
            Audience::All
        } else {
            Audience::Some(uninformed)
        }
    }

    /// Sends what was prepared last.
    pub(super) fn send(&mut self, to: &Subscriber) {
        if let Some(message) = &mut self.message {
            let frame = message.frame(to.outbox.codec());
            let _ = to.outbox.push_presence(frame);
        }
    }

    /// `"count":...,"people":[...]}`: those who edit first; above a count only those; cut at the
    /// bytes of a tick, where the count still tells all.
    fn body(&self) -> Bytes {
        let mut people: BTreeMap<UserId, (u64, Option<Whereabouts>)> = BTreeMap::new();
        for here in self.here.values() {
            let latest = people.entry(here.user).or_default();
            if here.at.is_some() && here.word >= latest.0 {
                *latest = (here.word, here.at);
            }
        }
        let count = people.len();
        let mut body = format!(r#""count":{count},"people":["#).into_bytes();
        let envelope_bytes = 64;
        let mut first = true;
        for editing in [true, false] {
            if !editing && count > PRESENCE_NAMES_MAX {
                break;
            }
            for (user, (_, at)) in people.iter().filter(|(_, (_, at))| edits(*at) == editing) {
                let person = serde_json::to_vec(&Person {
                    user: *user,
                    at: *at,
                })
                .unwrap_or_default();
                if body.len() + person.len() + envelope_bytes > PRESENCE_TICK_MAX_BYTES {
                    break;
                }
                if !first {
                    body.push(b',');
                }
                first = false;
                body.extend_from_slice(&person);
            }
        }
        body.extend_from_slice(b"]}");
        body.into()
    }
}

fn edits(at: Option<Whereabouts>) -> bool {
    at.is_some_and(|at| match at.doing {
        Activity::Viewing => false,
        Activity::Typing | Activity::Dragging => true,
    })
}
