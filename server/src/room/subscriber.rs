//! The subscribers of a room.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use boardcast_protocol::board::{Actor, Role};
use boardcast_protocol::ids::{BoardId, ClientId, UserId};
use boardcast_protocol::position::{Seq, Version};

use super::{ConnId, Origin, Outbox};

/// How a subscriber gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It has everything up to its cursor and gets each batch.
    Level,
    /// What it misses is older than the ring: it gets it from the log, a part at a time.
    Past {
        /// Bytes that it may still get so; 0 when it is to get a snapshot instead.
        bytes_left: usize,
    },
    /// Its outbox was full: it goes on from its cursor into the ring when the outbox is drained.
    Behind {
        /// Whether it has been given a snapshot since it fell behind (rule R8).
        resynced: bool,
    },
}

/// A connection that gets the events of the board.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) conn: ConnId,
    pub(super) client: ClientId,
    pub(super) actor: Actor,
    pub(super) role: Role,
    pub(super) outbox: Arc<Outbox>,
    /// The last version that was queued for it.
    pub(super) cursor: Version,
    /// The durable version that it was told last.
    pub(super) told: Version,
    pub(super) pace: Pace,
    /// It joined for a snapshot and has none yet: it gets one as soon as its outbox is drained.
    pub(super) snapshot_due: bool,
    /// Its own versions that were not queued for it yet, oldest first.
    unechoed: VecDeque<(Version, Seq)>,
}

impl Subscriber {
    pub(super) fn new(origin: Origin, role: Role, cursor: Version, told: Version) -> Self {
        Self {
            conn: origin.conn,
            client: origin.client,
            actor: origin.actor,
            role,
            outbox: origin.outbox,
            cursor,
            told,
            pace: Pace::Level,
            snapshot_due: false,
            unechoed: VecDeque::new(),
        }
    }

    /// Everything up to `version` was queued as events, and with it the word about `durable`.
    pub(super) fn advance(&mut self, version: Version, durable: Version) {
        self.cursor = version;
        self.told = durable;
        while self
            .unechoed
            .front()
            .is_some_and(|(own, _)| *own <= version)
        {
            self.unechoed.pop_front();
        }
    }

    /// It falls behind, unless it is already or reads the log, and is heard of when its outbox is drained.
    pub(super) fn fall_behind(&mut self, board: BoardId) {
        if self.pace == Pace::Level {
            self.pace = Pace::Behind { resynced: false };
        }
        self.outbox.notify_drained(board);
    }

    /// A version of its own waits to be echoed.
    pub(super) fn await_echo(&mut self, version: Version, seq: Seq) {
        self.unechoed.push_back((version, seq));
    }

    /// Count of its own versions that were not queued for it yet.
    pub(super) fn unechoed(&self) -> usize {
        self.unechoed.len()
    }

    /// Its own versions whose echo is in no batch, because a snapshot has taken their place.
    pub(super) fn take_unechoed(&mut self) -> VecDeque<(Version, Seq)> {
        std::mem::take(&mut self.unechoed)
    }
}

/// The subscribers of a room, in the order of their connections.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    by_conn: BTreeMap<ConnId, Subscriber>,
    by_client: BTreeMap<(UserId, ClientId), ConnId>,
}

impl Subscribers {
    pub(super) fn is_empty(&self) -> bool {
        self.by_conn.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.by_conn.len()
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Subscriber> {
        self.by_conn.get_mut(&conn)
    }

    /// The subscribed connection of a client.
    pub(super) fn newest(&self, user: UserId, client: ClientId) -> Option<ConnId> {
        self.by_client.get(&(user, client)).copied()
    }

    /// Adds a subscriber, in the place of an older one of the same client, which is returned.
    pub(super) fn insert(&mut self, subscriber: Subscriber) -> Option<Subscriber> {
        let conn = subscriber.conn;
        let client = (subscriber.actor.user, subscriber.client);
        let older = self.by_client.insert(client, conn);
        let replaced = older.and_then(|older| self.by_conn.remove(&older));
        self.by_conn.insert(conn, subscriber);
        replaced
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Subscriber> {
        let subscriber = self.by_conn.remove(&conn)?;
        self.by_client
            .remove(&(subscriber.actor.user, subscriber.client));
        Some(subscriber)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscriber> {
        self.by_conn.values_mut()
    }

    /// Those after a connection, or all.
    pub(super) fn after(&mut self, conn: Option<ConnId>) -> impl Iterator<Item = &mut Subscriber> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.by_conn
            .range_mut((conn.map_or(Unbounded, Excluded), Unbounded))
            .map(|(_, subscriber)| subscriber)
    }
}
