//! The open connections: how many a user may have, and which of a client is the newest.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::codec::encode;
use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::message::{Goodbye, ServerMessage};
use boardcast_protocol::position::Timestamp;

use super::limits::{Limits, Yields};
use super::profile::Profile;
use super::refusals::{Cause, Refusals};
use super::slow::Slow;
use super::sweep::Watch;
use super::tally::{Tally, Totals};
use crate::planted::{Bug, planted};
use crate::room::{ConnId, Outbox};
use crate::{chance, clock, frame};

/// What everybody may know about an open connection.
#[derive(Debug)]
pub struct Connection {
    /// Its number.
    pub id: ConnId,
    /// What waits to be written to it.
    pub outbox: Arc<Outbox>,
    /// Who it is, where it comes from, what goes over it.
    pub profile: Profile,
    /// Reads that brought something; wraps.
    reads: AtomicU32,
    /// Whether the client has said hello.
    has_said_hello: AtomicBool,
    /// When it ends: before `hello` the time for that, then the end of the token.
    ends_at_ms: AtomicU64,
    /// Whether the socket is to be dropped without a word.
    is_dropped: AtomicBool,
    /// What the sweeper remembers of it; nobody else asks.
    watch: Mutex<Option<Watch>>,
    /// Drops the socket where no task of its own does.
    hangup: OnceLock<CancellationToken>,
}

/// What a connection did up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Reads that brought something; wraps.
    pub reads: u32,
    /// Bytes written.
    pub written_bytes: u64,
    /// Bytes that wait to be written.
    pub pending_bytes: usize,
    /// Whether the client has said hello.
    pub has_said_hello: bool,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl Connection {
    /// What the connection did up to now.
    pub fn observed(&self) -> Observed {
        Observed {
            reads: self.reads.load(Ordering::Relaxed),
            written_bytes: self.outbox.written_bytes(),
            pending_bytes: self.outbox.pending_bytes(),
            has_said_hello: self.has_said_hello.load(Ordering::Relaxed),
            ends_at: Timestamp(self.ends_at_ms.load(Ordering::Relaxed)),
        }
    }

    /// Ends the connection because the server stops, and tells the client when to come back.
    pub fn say_goodbye(&self, retry_ms: u32) {
        let code = CloseCode::ServiceRestart;
        let goodbye = ServerMessage::Goodbye(Goodbye {
            code: code.code(),
            retry_ms,
        });
        let _ = self.outbox.push_answer(frame::text(&encode(&goodbye)));
        self.outbox.close(code);
    }

    /// Drops the socket, whatever waits to be written.
    pub fn drop_socket(&self, code: CloseCode) {
        self.is_dropped.store(true, Ordering::Release);
        if let Some(hangup) = self.hangup.get() {
            hangup.cancel();
        }
        // Closing wakes the task, which finds that the socket is to be dropped.
        self.outbox.close(code);
    }

    /// From now on this drops the socket: nobody else would see that it is to be dropped.
    pub(super) fn hang_up_by(&self, hangup: CancellationToken) {
        let _ = self.hangup.set(hangup);
    }

    /// Whether the socket is to be dropped.
    pub fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Acquire)
    }

    /// What the sweeper remembers of it; `None` before its first look.
    pub(super) fn watch(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task has read something.
    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }
}

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    limits: Limits,
    next: AtomicU64,
    all: DashMap<ConnId, Arc<Connection>>,
    /// The connections of a user, each with its client: at most `per_user`.
    by_user: DashMap<UserId, Vec<(ClientId, ConnId)>>,
    slow: Slow,
    refusals: Arc<Refusals>,
    /// What all did since the start.
    pub tally: Tally,
    started: Instant,
}

impl Connections {
    /// No connection.
    pub fn new(limits: Limits, refusals: Arc<Refusals>) -> Self {
        Self {
            limits,
            next: AtomicU64::new(1),
            all: DashMap::new(),
            by_user: DashMap::new(),
            slow: Slow::default(),
            refusals,
            tally: Tally::default(),
            started: Instant::now(),
        }
    }

    /// Enters a new connection, which must say hello until `hello_until`.
    pub fn open(
        &self,
        outbox: Outbox,
        from: SocketAddr,
        hello_until: Timestamp,
    ) -> Arc<Connection> {
        self.tally.opened.add(1);
        let id = ConnId(self.next.fetch_add(1, Ordering::Relaxed));
        let connection = Arc::new(Connection {
            id,
            outbox: Arc::new(outbox),
            profile: Profile::new(from, clock::now()),
            reads: AtomicU32::new(0),
            has_said_hello: AtomicBool::new(false),
            ends_at_ms: AtomicU64::new(hello_until.0),
            is_dropped: AtomicBool::new(false),
            watch: Mutex::default(),
            hangup: OnceLock::new(),
        });
        self.all.insert(id, Arc::clone(&connection));
        connection
    }

    /// A connection has said who it is. An older one of the same client is closed (rule R4), or the
    /// oldest of a user who has too many, where that is the one that yields.
    ///
    /// # Errors
    /// The code to close it with: the user has too many connections, or a newer connection of the
    /// client has been faster.
    pub fn admit(
        &self,
        connection: &Connection,
        user: UserId,
        client: ClientId,
        (now, token_ends): (Timestamp, Timestamp),
    ) -> Result<(), CloseCode> {
        let older = self.enter(connection.id, user, client)?;
        let delay_ms = self.slow.delay_ms(user, client, now);
        connection
            .outbox
            .return_when_slow(chance::spread_ms(delay_ms));
        connection.ends_at_ms.store(token_ends.0, Ordering::Relaxed);
        connection.has_said_hello.store(true, Ordering::Relaxed);
        if let Some((older, code)) = older
            && let Some(older) = self.get(older)
            && !planted(Bug::FenceOpen)
        {
            older.outbox.close(code);
        }
        Ok(())
    }

    /// The older connection that has to go for this one, and with which code.
    fn enter(
        &self,
        id: ConnId,
        user: UserId,
        client: ClientId,
    ) -> Result<Option<(ConnId, CloseCode)>, CloseCode> {
        let mut own = self.by_user.entry(user).or_default();
        if let Some((_, other)) = own.iter_mut().find(|(other, _)| *other == client) {
            if *other > id {
                return Err(CloseCode::Replaced);
            }
            let older = std::mem::replace(other, id);
            return Ok(Some((older, CloseCode::Replaced)));
        }
        let mut older = None;
        if own.len() >= self.limits.per_user {
            let oldest = own.iter().map(|(_, other)| *other).min();
            let oldest = oldest.filter(|oldest| *oldest < id);
            let (Yields::Oldest, Some(oldest)) = (self.limits.yields, oldest) else {
                self.refusals.note(Cause::ConnectionsPerUser);
                return Err(CloseCode::TooManyConnections);
            };
            self.refusals.note(Cause::Yielded);
            own.retain(|(_, other)| *other != oldest);
            older = Some((oldest, CloseCode::Yielded));
        }
        own.reserve_exact(1);
        own.push((client, id));
        Ok(older)
    }

    /// A connection has ended; `user` if it had been admitted.
    pub fn remove(&self, id: ConnId, user: Option<UserId>, now: Timestamp) {
        let ended = self.all.remove(&id).map(|(_, ended)| ended);
        ended.iter().for_each(|ended| self.tally.ended(ended));
        let closing = ended.and_then(|ended| ended.outbox.closing());
        if let Some(user) = user
            && let Slot::Occupied(mut own) = self.by_user.entry(user)
        {
            let client = own.get().iter().find(|(_, other)| *other == id);
            if let Some((client, _)) = client
                && closing == Some(CloseCode::SlowConsumer)
            {
                self.slow.note(user, *client, now);
            }
            own.get_mut().retain(|(_, other)| *other != id);
            if own.get().is_empty() {
                own.remove();
            }
        }
    }

    /// An open connection.
    pub fn get(&self, id: ConnId) -> Option<Arc<Connection>> {
        self.all.get(&id).map(|found| Arc::clone(&found))
    }

    /// The connections of a user that have said hello: at most as many as a user may have.
    pub fn of_user(&self, user: UserId) -> Vec<Arc<Connection>> {
        let own = self.by_user.get(&user);
        let own = own.map(|own| own.clone()).unwrap_or_default();
        own.iter().filter_map(|(_, id)| self.get(*id)).collect()
    }

    /// Calls `visit`, which must not come back here, for each connection.
    pub fn for_each(&self, mut visit: impl FnMut(&Connection)) {
        for connection in &self.all {
            visit(&connection);
        }
    }

    /// The connections that are wanted.
    pub fn collect(&self, wanted: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        let all = self.all.iter().filter(|connection| wanted(connection));
        all.map(|connection| Arc::clone(&connection)).collect()
    }

    /// What went over all connections since the start, and what waits now.
    pub fn totals(&self) -> Totals {
        let mut open = Totals::default();
        self.for_each(|connection| open.add(connection));
        self.tally.totals(open)
    }

    /// How long the server runs, in microseconds, without what is above 32 bits; never 0.
    pub(super) fn stamp_us(&self) -> u32 {
        (self.started.elapsed().as_micros() as u32).max(1)
    }

    /// Count of connections.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::{Codec, OutboxLimits};

    fn connections(limits: Limits) -> Arc<Connections> {
        Arc::new(Connections::new(limits, Arc::default()))
    }

    fn open(connections: &Connections) -> Arc<Connection> {
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
        connections.open(outbox, SocketAddr::from(([127, 0, 0, 1], 9)), Timestamp(10))
    }

    fn admit(
        connections: &Connections,
        connection: &Connection,
        user: &str,
        client: &str,
    ) -> Result<(), CloseCode> {
        let (user, client) = (user.parse().unwrap(), client.parse().unwrap());
        connections.admit(connection, user, client, (Timestamp(1), Timestamp(99)))
    }

    #[test]
    fn r4_the_newer_connection_of_a_client_ends_the_older() {
        let all = connections(Limits {
            per_user: 1,
            ..Limits::default()
        });
        let (older, newer) = (open(&all), open(&all));
        assert_eq!(admit(&all, &older, "ann", "c"), Ok(()));
        assert_eq!(admit(&all, &newer, "ann", "c"), Ok(()));
        assert_eq!(older.outbox.closing(), Some(CloseCode::Replaced));
        assert_eq!(newer.outbox.closing(), None);
        assert!(newer.observed().has_said_hello);
        assert_eq!(newer.observed().ends_at, Timestamp(99));
        assert_eq!(
            admit(&all, &older, "ann", "c"),
            Err(CloseCode::Replaced),
            "the older one cannot come back"
        );

        all.remove(older.id, Some("ann".parse().unwrap()), Timestamp(2));
        assert_eq!(all.count(), 1);
        let third = open(&all);
        assert_eq!(admit(&all, &third, "ann", "c"), Ok(()));
        assert_eq!(newer.outbox.closing(), Some(CloseCode::Replaced));
    }

    #[test]
    fn a_client_id_of_another_user_ends_nothing() {
        let all = connections(Limits::default());
        let (ann, eve) = (open(&all), open(&all));
        assert_eq!(admit(&all, &ann, "ann", "c"), Ok(()));
        assert_eq!(admit(&all, &eve, "eve", "c"), Ok(()));
        assert_eq!(ann.outbox.closing(), None);
    }

    #[test]
    fn connections_of_a_user_are_bounded_and_places_come_back() {
        let all = connections(Limits {
            per_user: 2,
            ..Limits::default()
        });
        let open: Vec<_> = (0..3).map(|_| open(&all)).collect();
        assert_eq!(admit(&all, &open[0], "ann", "a"), Ok(()));
        assert_eq!(admit(&all, &open[1], "ann", "b"), Ok(()));
        assert_eq!(
            admit(&all, &open[2], "ann", "c"),
            Err(CloseCode::TooManyConnections)
        );
        assert_eq!(admit(&all, &open[2], "bob", "c"), Ok(()));
        all.remove(open[0].id, Some("ann".parse().unwrap()), Timestamp(2));
        assert_eq!(admit(&all, &open[2], "ann", "c"), Ok(()));
    }

    #[test]
    fn the_oldest_connection_of_a_user_yields_where_that_is_chosen() {
        let all = connections(Limits {
            per_user: 2,
            yields: Yields::Oldest,
            ..Limits::default()
        });
        let open: Vec<_> = (0..4).map(|_| open(&all)).collect();
        let closing = |at: usize| open[at].outbox.closing();
        assert_eq!(admit(&all, &open[1], "ann", "b"), Ok(()));
        assert_eq!(admit(&all, &open[2], "ann", "c"), Ok(()));
        assert_eq!(admit(&all, &open[3], "ann", "d"), Ok(()));
        assert_eq!(closing(1), Some(CloseCode::Yielded));
        assert_eq!((closing(2), closing(3)), (None, None));
        assert_eq!(
            admit(&all, &open[0], "ann", "a"),
            Err(CloseCode::TooManyConnections),
            "nobody yields to an older one"
        );
        assert_eq!(all.refusals.count(Cause::Yielded), 1);
        for connection in &open {
            all.remove(connection.id, Some("ann".parse().unwrap()), Timestamp(2));
        }
        assert_eq!(all.count(), 0);
        assert!(all.by_user.is_empty());
    }
}
