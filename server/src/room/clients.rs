//! What a board remembers of each client: exactly once (rule R4).
//!
//! The numbers of a client rise by one. A gap upward is accepted, because a client that was told
//! `forgotten`, or that gave up commands which it had never sent, goes on with a higher number.
//! After `busy` at n over a connection, higher numbers of that connection are refused until n has
//! come; a newer connection of the client begins afresh, because it sends again in order.

mod keys;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::limits::OUTCOMES_KEPT;
use boardcast_protocol::position::{Seq, Timestamp};

use self::keys::Keys;
use super::{ConnId, Origin};
use crate::planted::{Bug, planted};
use crate::storage::{BodyHash, ClientRecord, KeptOutcome};

/// The clients of a board.
#[derive(Debug)]
pub(super) struct Clients {
    known: BTreeMap<ClientId, Client>,
    /// Those with outcomes that were not handed over as rows.
    dirty: BTreeSet<ClientId>,
    /// Those with outcomes that were handed over and may not be on the disk.
    unwritten: BTreeSet<ClientId>,
    /// Whether rows were handed over since the room was opened, and all of them were written.
    is_settled: bool,
    /// Whether nobody else is remembered on the disk.
    knows_all: bool,
    max: usize,
    keys: Keys,
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

impl From<ClientRecord> for Client {
    fn from(record: ClientRecord) -> Self {
        Self {
            user: record.user,
            last_seq: record.last_seq,
            seen: record.seen,
            outcomes: record.outcomes.into(),
            conn: ConnId(0),
            refused: None,
        }
    }
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
    /// The clients as they were stored. Above `max` those that were silent longest leave memory,
    /// once the disk has them; who [is not known](Self::lacks) here is then looked up there.
    pub(super) fn new(records: Vec<ClientRecord>, knows_all: bool, max: usize) -> Self {
        let known: BTreeMap<_, _> = records
            .into_iter()
            .map(|record| (record.client, Client::from(record)))
            .collect();
        let mut keys = Keys::default();
        for (client, record) in &known {
            keys.came(*client, record.user);
        }
        Self {
            known,
            keys,
            dirty: BTreeSet::new(),
            unwritten: BTreeSet::new(),
            is_settled: false,
            knows_all,
            max,
        }
    }

    /// Whether only the disk can tell who this is.
    pub(super) fn lacks(&self, client: ClientId) -> bool {
        !self.knows_all && !self.known.contains_key(&client)
    }

    /// What the disk says of a client that was lacking.
    pub(super) fn recall(&mut self, record: ClientRecord) {
        self.make_room();
        let client = record.client;
        if !self.known.contains_key(&client) {
            self.keys.came(client, record.user);
            self.known.insert(client, Client::from(record));
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

    /// Judges a submit that no newer connection of the client has fenced. `after`: a lower number of
    /// the connection was refused before it came here; if it was not answered before, it must come
    /// first.
    pub(super) fn judge(&mut self, name: Name, after: Option<Seq>) -> Standing {
        if self.is_foreign(name.client, name.user) {
            return Standing::Foreign;
        }
        self.connected(name.client, name.conn);
        let Some(known) = self.known.get(&name.client) else {
            return match after {
                Some(_) => Standing::AfterRefused,
                None => Standing::Fresh,
            };
        };
        if planted(Bug::ApplyTwice) {
            return Standing::Fresh;
        }
        if name.seq > known.last_seq {
            let here = known.refused.is_some_and(|refused| name.seq > refused);
            let before = after.is_some_and(|refused| refused > known.last_seq);
            return if (here || before) && !planted(Bug::TakeAfterBusy) {
                Standing::AfterRefused
            } else {
                Standing::Fresh
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

    /// Whether something of the client was refused and has not come again.
    pub(super) fn owes(&self, client: ClientId) -> bool {
        (self.known.get(&client)).is_some_and(|known| known.refused.is_some())
    }

    /// A submit came while its author was no member. Should the membership come back, this number
    /// must come before higher ones.
    pub(super) fn turn_away(&mut self, origin: &Origin, seq: Seq) {
        if self.is_foreign(origin.client, origin.actor.user) {
            return;
        }
        self.connected(origin.client, origin.conn);
        if let Some(known) = self.known.get_mut(&origin.client)
            && known.conn == origin.conn
            && seq > known.last_seq
        {
            known.refused = Some(known.refused.map_or(seq, |refused| refused.min(seq)));
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
        if !self.known.contains_key(&name.client) {
            self.make_room();
            self.keys.came(name.client, name.user);
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

    /// Above the bound an eighth of the clients leaves memory, never one that the disk may not
    /// have: its commands would count as new.
    fn make_room(&mut self) {
        let count = self.known.len() - self.keys.count();
        if count < self.max || !self.is_settled {
            return;
        }
        let may_leave = |id: &ClientId| {
            !id.is_of_key() && !self.dirty.contains(id) && !self.unwritten.contains(id)
        };
        let mut silent: Vec<_> = self
            .known
            .iter()
            .filter(|(id, _)| may_leave(id))
            .map(|(id, client)| (client.refused.is_some(), client.seen, *id))
            .collect();
        silent.sort_unstable();
        let stay = self.max - self.max / 8;
        for (_, _, id) in silent.iter().take(count + 1 - stay) {
            self.known.remove(id);
            self.knows_all = false;
        }
    }

    /// All rows that were handed over are on the disk.
    pub(super) fn written(&mut self) {
        self.is_settled |= !self.unwritten.is_empty();
        self.unwritten.clear();
    }

    /// Whether some have outcomes that were not taken.
    pub(super) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Those with outcomes that were not taken.
    pub(super) fn take_dirty(&mut self) -> Vec<ClientRecord> {
        let taken = std::mem::take(&mut self.dirty);
        self.unwritten.extend(&taken);
        taken
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
        for record in records {
            self.unwritten.remove(&record.client);
            self.dirty.insert(record.client);
        }
    }
}
