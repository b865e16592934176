//! What an administrator sees of a connection: who it is, where it comes from, what goes over it.
//! It stays in memory for as long as a client is connected, so it is kept small.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::Timestamp;

use crate::auth::{Grant, Proof};
use crate::room::RoomHandle;

/// What is kept of the name and version that a client gives itself; the rest is cut.
pub const AGENT_MAX_BYTES: usize = 64;

/// Who speaks over a connection.
#[derive(Debug)]
pub struct Speaker {
    /// The user, as its token says.
    pub actor: Actor,
    /// The client.
    pub client: ClientId,
    /// The name that people see.
    pub name: Box<str>,
    /// Name and version of the program, as it says itself; at most [`AGENT_MAX_BYTES`].
    pub agent: Option<Box<str>>,
    /// What it was proved by.
    pub proof: Proof,
    /// What it is good for.
    pub grant: Grant,
}

/// What an administrator sees of a connection.
#[derive(Debug)]
pub struct Profile {
    /// An IPv4 address in its form as an IPv6 address, and the port.
    address: ([u8; 16], u16),
    /// Since when it is open.
    pub since: Timestamp,
    speaker: OnceLock<Box<Speaker>>,
    /// The rooms that know the connection.
    rooms: Mutex<Vec<RoomHandle>>,
    read_bytes: AtomicU64,
    messages: AtomicU64,
    limits_hit: AtomicU32,
    /// When something came last, in seconds since `since`.
    active_s: AtomicU32,
    /// What the ping says that is under way; 0 for none.
    pinged: AtomicU32,
    /// The last round trip, in microseconds; 0 for none.
    round_trip_us: AtomicU32,
}

impl Profile {
    pub(super) fn new(address: SocketAddr, since: Timestamp) -> Self {
        let ip = match address.ip().to_canonical() {
            std::net::IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            std::net::IpAddr::V6(ip) => ip,
        };
        Self {
            address: (ip.octets(), address.port()),
            since,
            speaker: OnceLock::new(),
            rooms: Mutex::default(),
            read_bytes: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            limits_hit: AtomicU32::new(0),
            active_s: AtomicU32::new(0),
            pinged: AtomicU32::new(0),
            round_trip_us: AtomicU32::new(0),
        }
    }

    /// Where it comes from.
    pub fn address(&self) -> SocketAddr {
        let (ip, port) = self.address;
        SocketAddr::new(Ipv6Addr::from(ip).to_canonical(), port)
    }

    /// Who speaks, once the client has said hello.
    pub fn speaker(&self) -> Option<&Speaker> {
        self.speaker.get().map(|speaker| &**speaker)
    }

    /// The boards that it has subscribed to and not left: those that count against its limit.
    pub fn boards(&self) -> Vec<BoardId> {
        self.rooms().iter().map(RoomHandle::board).collect()
    }

    /// Whether it has subscribed to a board and not left it.
    pub fn is_on(&self, board: BoardId) -> bool {
        self.rooms().iter().any(|room| room.board() == board)
    }

    /// Bytes read.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// Text messages heard.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Messages that were refused because of a limit of the connection, its rate for one.
    pub fn limits_hit(&self) -> u32 {
        self.limits_hit.load(Ordering::Relaxed)
    }

    /// When something came last, to within a second; the beginning where nothing came.
    pub fn active(&self) -> Timestamp {
        let active_s = self.active_s.load(Ordering::Relaxed);
        Timestamp(self.since.0 + u64::from(active_s) * 1_000)
    }

    /// How long the last ping took to come back, the wait in the outbox included, in microseconds.
    pub fn round_trip_us(&self) -> Option<u32> {
        Some(self.round_trip_us.load(Ordering::Relaxed)).filter(|us| *us > 0)
    }

    /// The room of a board, if it knows the connection.
    pub(super) fn room(&self, board: BoardId) -> Option<RoomHandle> {
        let rooms = self.rooms();
        rooms.iter().find(|room| room.board() == board).cloned()
    }

    /// A room knows the connection from now on.
    pub(super) fn remember(&self, room: &RoomHandle) {
        let mut rooms = self.rooms();
        let known = rooms.iter_mut().find(|known| known.board() == room.board());
        match known {
            Some(known) => *known = room.clone(),
            None => {
                rooms.reserve_exact(1);
                rooms.push(room.clone());
            }
        }
    }

    /// The room of a board is to forget the connection.
    pub(super) fn forget(&self, board: BoardId) -> Option<RoomHandle> {
        let mut rooms = self.rooms();
        let at = rooms.iter().position(|room| room.board() == board)?;
        Some(rooms.swap_remove(at))
    }

    /// All rooms are to forget the connection.
    pub(super) fn take_rooms(&self) -> Vec<RoomHandle> {
        std::mem::take(&mut *self.rooms())
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<RoomHandle>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client has said hello. It does so once; a second speaker changes nothing.
    pub(super) fn introduce(&self, speaker: Speaker) {
        let _ = self.speaker.set(Box::new(speaker));
    }

    pub(super) fn count_read(&self, bytes: usize, now: Timestamp) {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let active_s = now.0.saturating_sub(self.since.0) / 1_000;
        let active_s = u32::try_from(active_s).unwrap_or(u32::MAX);
        self.active_s.store(active_s, Ordering::Relaxed);
    }

    pub(super) fn count_message(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_limit(&self) {
        self.limits_hit.fetch_add(1, Ordering::Relaxed);
    }

    /// A ping goes out that says `stamp_us`: the time in microseconds, which wraps and is not 0.
    pub(super) fn pinged(&self, stamp_us: u32) {
        self.pinged.store(stamp_us, Ordering::Relaxed);
    }

    /// A pong has come. Only the answer to the last ping counts, once: a client cannot claim to be
    /// nearer than it is.
    pub(super) fn ponged(&self, payload: &[u8], now_us: u32) {
        let Ok(stamp_us) = payload.try_into().map(u32::from_be_bytes) else {
            return;
        };
        let answered =
            (self.pinged).compare_exchange(stamp_us, 0, Ordering::Relaxed, Ordering::Relaxed);
        if stamp_us != 0 && answered.is_ok() {
            let us = now_us.wrapping_sub(stamp_us).max(1);
            self.round_trip_us.store(us, Ordering::Relaxed);
        }
    }
}

/// What is kept of what a client calls itself.
pub(super) fn cut_agent(agent: &str) -> Option<Box<str>> {
    let end = agent.floor_char_boundary(AGENT_MAX_BYTES);
    (end > 0).then(|| agent[..end].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(address: &str) -> Profile {
        Profile::new(address.parse().unwrap(), Timestamp(5_000))
    }

    #[test]
    fn addresses_are_kept_in_their_shortest_form() {
        for (given, kept) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::ffff:10.0.0.7]:65535", "10.0.0.7:65535"),
            ("[2001:db8::1]:1", "[2001:db8::1]:1"),
        ] {
            assert_eq!(profile(given).address().to_string(), kept);
        }
    }

    #[test]
    fn only_the_answer_to_the_last_ping_is_a_round_trip() {
        let profile = profile("127.0.0.1:80");
        profile.ponged(&7_u32.to_be_bytes(), 9);
        profile.ponged(&[0; 4], 9);
        assert_eq!(profile.round_trip_us(), None, "nobody asked");
        profile.pinged(u32::MAX - 1);
        for wrong in [&b""[..], b"1234", b"12345678"] {
            profile.ponged(wrong, 9);
        }
        assert_eq!(profile.round_trip_us(), None);
        profile.ponged(&(u32::MAX - 1).to_be_bytes(), 98);
        assert_eq!(profile.round_trip_us(), Some(100), "the clock wraps");
        profile.ponged(&(u32::MAX - 1).to_be_bytes(), 99_999);
        assert_eq!(profile.round_trip_us(), Some(100), "it counts once");
    }

    #[test]
    fn activity_is_told_to_the_second() {
        let profile = profile("127.0.0.1:80");
        assert_eq!(profile.active(), Timestamp(5_000));
        profile.count_read(10, Timestamp(8_999));
        profile.count_read(5, Timestamp(4_000));
        assert_eq!(profile.active(), Timestamp(5_000), "the clock was set back");
        profile.count_read(5, Timestamp(8_999));
        assert_eq!(profile.active(), Timestamp(8_000));
        assert_eq!(profile.read_bytes(), 20);
    }

    #[test]
    fn what_a_client_calls_itself_is_cut() {
        assert_eq!(cut_agent(""), None);
        assert_eq!(cut_agent("a/1").as_deref(), Some("a/1"));
        let long = cut_agent(&"é".repeat(500)).unwrap();
        assert_eq!(long.len(), AGENT_MAX_BYTES);
    }
}
