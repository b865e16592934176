//! What is to happen when, and the time: it goes on over the lives of the server, each of which has
//! a runtime of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use boardcast_protocol::ids::BoardId;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Something that happens at a time.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// An act of the plan, by its place there.
    Act(usize),
    /// The server is started.
    Start,
    /// Its storage is open.
    Started,
    /// It has stopped in order; whether everything was written.
    Stopped { clean: bool },
    /// The process ends.
    Die { down_ms: u64 },
    /// A person connects.
    Connect { person: usize },
    /// Bytes come in at the server.
    Inbound { link: u64, bytes: Vec<u8> },
    /// The server hears that a connection has ended.
    Hangup { link: u64 },
    /// A message comes in at the client.
    Arrive { link: u64 },
    /// The client hears that a connection has ended.
    Ended { link: u64 },
    /// A replica waits no longer.
    Retry { link: u64, board: BoardId },
    /// A person asks for a board again.
    Subscribe {
        link: u64,
        board: BoardId,
        reason: u32,
    },
    /// The server has said `subscribed` over a link.
    Subscribed { link: u64 },
    /// A board comes out of the bin.
    TakeOut { board: BoardId },
    /// A person reads again.
    Read { person: usize },
    /// All faults end.
    Heal,
    /// Is everything quiet?
    Look,
}

struct State {
    base_ms: u64,
    began: Option<Instant>,
    events: BTreeMap<(u64, u64), Event>,
    count: u64,
    /// The server dies now and comes back after so long.
    dies: Option<u64>,
}

/// What is to happen when.
pub(super) struct Schedule {
    state: Mutex<State>,
    changed: Notify,
}

impl Schedule {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                base_ms: 0,
                began: None,
                events: BTreeMap::new(),
                count: 0,
                dies: None,
            }),
            changed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A runtime begins: from now on its time counts.
    pub(super) fn begin_life(&self) {
        let mut state = self.lock();
        state.began = Some(Instant::now());
        state.dies = None;
    }

    pub(super) fn end_life(&self) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        state.base_ms = now_ms;
        state.began = None;
    }

    pub(super) fn now_ms(&self) -> u64 {
        let state = self.lock();
        let since = state.began.map_or(Duration::ZERO, |began| began.elapsed());
        state.base_ms + u64::try_from(since.as_millis()).unwrap()
    }

    pub(super) fn at(&self, at_ms: u64, event: Event) {
        let mut state = self.lock();
        state.count += 1;
        let key = (at_ms, state.count);
        state.events.insert(key, event);
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn after(&self, ms: u64, event: Event) {
        self.at(self.now_ms() + ms, event);
    }

    /// The server dies before anything else happens.
    pub(super) fn die(&self, down_ms: u64) {
        self.lock().dies.get_or_insert(down_ms);
        self.changed.notify_one();
    }

    pub(super) fn dies(&self) -> Option<u64> {
        self.lock().dies
    }

    /// The next event when its time has come; `None` when something else may come before.
    pub(super) async fn next(&self) -> Option<Event> {
        let due_ms = self.lock().events.keys().next().map(|(at, _)| *at);
        let now_ms = self.now_ms();
        if due_ms.is_none_or(|due| due > now_ms) {
            let wait = due_ms.map_or(60_000, |due| due - now_ms);
            tokio::select! {
                biased;
                () = self.changed.notified() => return None,
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            }
        }
        if self.dies().is_some() {
            return None;
        }
        let now_ms = self.now_ms();
        let mut state = self.lock();
        let first = state.events.first_entry()?;
        (first.key().0 <= now_ms).then(|| first.remove())
    }

    /// Takes what was planned for the life that has ended.
    pub(super) fn forget_life(&self) {
        self.lock().events.retain(|_, event| {
            !matches!(
                event,
                Event::Started | Event::Stopped { .. } | Event::Die { .. } | Event::Start
            )
        });
    }
}
