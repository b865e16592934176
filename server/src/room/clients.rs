//! What a board remembers of each client: exactly once (rule R4).
//!
//! The numbers of a client rise by one. A gap upward is accepted, because a client that was told
//! `forgotten`, or that gave up commands which it had never sent, goes on with a higher number.
//! After `busy` at n over a connection, higher numbers of that connection are refused until n has
//! come; a newer connection of the client begins afresh, because it sends again in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::limits::OUTCOMES_KEPT;
use boardcast_protocol::position::{Seq, Timestamp};

use super::ConnId;
use crate::storage::{BodyHash, ClientRecord, KeptOutcome};

/// The clients of a board.
#[derive(Debug)]
pub(super) struct Clients {
    known: BTreeMap<ClientId, Client>,
    dirty: BTreeSet<ClientId>,
    max: usize,
}

#[derive(Debug)]
struct Client {
    user: UserId,
    last_seq: Seq,
    seen: Timestamp,
    outcomes: VecDeque<KeptOutcome>,
    /// The newest connection over which it submitted since the room was opened.
    conn: ConnId,
    /// The lowest number that was refused over this connection and has not come again.
    refused: Option<Seq>,
}

/// The name of a submit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) client: ClientId,
    pub(super) user: UserId,
    pub(super) conn: ConnId,
    pub(super) seq: Seq,
    pub(super) body: BodyHash,
}

/// How a submit relates to what the client submitted before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is new: to be looked at.
    Fresh,
    /// It was answered: this is the answer.
    Repeated(KeptOutcome),
    /// Its number was used for something else.
    Reused,
    /// It was answered too long ago.
    Forgotten,
    /// A lower number was refused and must come first.
    AfterRefused,
    /// The client id belongs to another user.
    Foreign,
}

impl Clients {
    /// The clients as they were stored. Above `max` the one that was silent longest is forgotten:
    /// `last_seq` 0 tells it so when it subscribes.
    pub(super) fn new(records: Vec<ClientRecord>, max: usize) -> Self {
        let known = records
            .into_iter()
            .map(|record| {
                let client = Client {
                    user: record.user,
                    last_seq: record.last_seq,
                    seen: record.seen,
                    outcomes: record.outcomes.into(),
                    conn: ConnId(0),
                    refused: None,
                };
                (record.client, client)
            })
            .collect();
        Self {
            known,
            dirty: BTreeSet::new(),
            max,
        }
    }

    /// Whether another user owns the client id.
    pub(super) fn is_foreign(&self, client: ClientId, user: UserId) -> bool {
        self.known
            .get(&client)
            .is_some_and(|known| known.user != user)
    }

    /// The highest number that was answered; 0 for an unknown client.
    pub(super) fn last_seq(&self, client: ClientId) -> Seq {
        self.known
            .get(&client)
            .map_or(Seq(0), |known| known.last_seq)
    }

    /// A newer connection of the client has come: it begins afresh and fences the older ones.
    pub(super) fn connected(&mut self, client: ClientId, conn: ConnId) {
        if let Some(known) = self.known.get_mut(&client)
            && conn > known.conn
        {
            known.conn = conn;
            known.refused = None;
        }
    }

    /// The newest connection of the user's client that is known here.
    pub(super) fn newest(&self, client: ClientId, user: UserId) -> Option<ConnId> {
        let known = self.known.get(&client)?;
        (known.user == user).then_some(known.conn)
    }

    /// Judges a submit that no newer connection of the client has fenced.
    pub(super) fn judge(&mut self, name: Name) -> Standing {
        if self.is_foreign(name.client, name.user) {
            return Standing::Foreign;
        }
        self.connected(name.client, name.conn);
        let Some(known) = self.known.get(&name.client) else {
            return Standing::Fresh;
        };
        if name.seq > known.last_seq {
            return match known.refused {
                Some(refused) if name.seq > refused => Standing::AfterRefused,
                Some(_) | None => Standing::Fresh,
            };
        }
        // Numbers may have gaps, so the outcome is searched, from the newest.
        match known
            .outcomes
            .iter()
            .rev()
            .find(|kept| kept.seq == name.seq)
        {
            Some(kept) if kept.body == name.body => Standing::Repeated(kept.clone()),
            Some(_) => Standing::Reused,
            None => Standing::Forgotten,
        }
    }

    /// A fresh submit was refused: it comes again.
    pub(super) fn refuse(&mut self, name: Name, now: Timestamp) {
        let client = self.entry(name, now);
        let refused = client.refused.map_or(name.seq, |seq| seq.min(name.seq));
        client.refused = Some(refused);
    }

    /// A fresh submit was answered.
    pub(super) fn settle(&mut self, name: Name, outcome: KeptOutcome, now: Timestamp) {
        let client = self.entry(name, now);
        client.last_seq = name.seq;
        client.seen = now;
        if client.refused.is_some_and(|refused| name.seq >= refused) {
            client.refused = None;
        }
        if client.outcomes.len() >= OUTCOMES_KEPT {
            client.outcomes.pop_front();
        }
        client.outcomes.push_back(outcome);
        self.dirty.insert(name.client);
    }

    fn entry(&mut self, name: Name, now: Timestamp) -> &mut Client {
        if !self.known.contains_key(&name.client) && self.known.len() >= self.max {
            self.forget_one();
        }
        self.known.entry(name.client).or_insert_with(|| Client {
            user: name.user,
            last_seq: Seq(0),
            seen: now,
            outcomes: VecDeque::new(),
            conn: name.conn,
            refused: None,
        })
    }

    fn forget_one(&mut self) {
        let silent = self
            .known
            .iter()
            .filter(|(id, _)| !self.dirty.contains(*id))
            .min_by_key(|(_, client)| client.seen)
            .map(|(id, _)| *id);
        if let Some(id) = silent {
            self.known.remove(&id);
        }
    }

    /// Whether some have outcomes that were not taken.
    pub(super) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Those with outcomes that were not taken.
    pub(super) fn take_dirty(&mut self) -> Vec<ClientRecord> {
        std::mem::take(&mut self.dirty)
            .into_iter()
            .filter_map(|id| {
                let client = self.known.get(&id)?;
                Some(ClientRecord {
                    client: id,
                    user: client.user,
                    last_seq: client.last_seq,
                    seen: client.seen,
                    outcomes: client.outcomes.iter().cloned().collect(),
                })
            })
            .collect()
    }

    /// These were taken but could not be handed over.
    pub(super) fn give_back(&mut self, records: &[ClientRecord]) {
        self.dirty
            .extend(records.iter().map(|record| record.client));
    }
}
