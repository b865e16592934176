//! The task of a room: takes inputs, performs what the state machine asks for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use boardcast_protocol::position::Version;

use super::core::Room;
use super::place::{Phase, Place};
use super::registry::Shared;
use super::timing::{Deadlines, Wants, Window};
use super::{RoomHandle, RoomInput, wall_clock};
use crate::storage::{BoardJournal, Rows};

/// How long a room that ends waits for a place for its rows. They are only the projection of the
/// log: without them, opening the board takes longer.
const LAST_ROWS_WAIT: Duration = Duration::from_secs(5);

/// The task of one room.
pub(super) struct RoomTask {
    room: Room,
    journal: BoardJournal,
    durable: watch::Receiver<Version>,
    inbox: mpsc::Receiver<RoomInput>,
    inputs: Vec<RoomInput>,
    place: Arc<Place>,
    shared: Arc<Shared>,
    window: Window,
    deadlines: Deadlines,
    asked_to_sleep: bool,
    asked_to_stop: bool,
}

/// Whether the room goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    GoOn,
    Ended,
}

impl RoomTask {
    pub(super) fn new(
        room: Room,
        journal: BoardJournal,
        inbox: mpsc::Receiver<RoomInput>,
        place: Arc<Place>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            room,
            durable: journal.durable(),
            journal,
            inbox,
            inputs: Vec::new(),
            place,
            window: Window::new(&shared.limits, Instant::now()),
            deadlines: Deadlines::new(shared.limits),
            shared,
            asked_to_sleep: false,
            asked_to_stop: false,
        }
    }

    /// Runs until the board sleeps or the server stops.
    pub(super) async fn run(mut self) {
        tracing::debug!(board = %self.place.board, "room opened");
        let shared = Arc::clone(&self.shared);
        let mut journal_is_open = true;
        loop {
            let now = Instant::now();
            let wants = self.wants();
            self.deadlines.set(wants, &self.window, now);
            let next = self.deadlines.next();
            tokio::select! {
                biased;
                () = shared.stopping.cancelled() => self.asked_to_stop = true,
                count = self.inbox.recv_many(&mut self.inputs, shared.limits.turn_inputs) => {
                    self.asked_to_stop |= count == 0;
                }
                changed = self.durable.changed(), if journal_is_open => {
                    journal_is_open = changed.is_ok();
                }
                () = sleep_until(next.unwrap_or(now)), if next.is_some() => {}
            }
            self.take_inputs();
            self.take_durable();
            if self.asked_to_stop {
                return self.stop().await;
            }
            if self.do_what_is_due().await == After::Ended {
                return;
            }
        }
    }

    fn wants(&self) -> Wants {
        let (count, bytes) = self.room.pending();
        let limits = &self.shared.limits;
        let rows = self.room.is_dirty();
        let idle = self.room.is_idle();
        Wants {
            flush: count > 0,
            flush_now: bytes >= limits.batch_bytes || count >= limits.recent_versions / 2,
            presence: self.room.presence_is_due(),
            durable: self.room.durable_is_due(),
            rows,
            sleep: idle && !rows && count == 0,
        }
    }

    fn take_inputs(&mut self) {
        let mut inputs = std::mem::take(&mut self.inputs);
        for input in inputs.drain(..) {
            self.asked_to_sleep |= matches!(input, RoomInput::Sleep);
            self.asked_to_stop |= matches!(input, RoomInput::Stop);
            self.take_input(input);
        }
        self.inputs = inputs;
    }

    fn take_input(&mut self, input: RoomInput) {
        let (slot, place) = if Room::needs_place(&input) {
            match self.journal.reserve() {
                Ok(slot) => (Some(slot), Ok(())),
                Err(refusal) => (None, Err(refusal)),
            }
        } else {
            (None, Ok(()))
        };
        let append = self.room.handle(input, place, wall_clock());
        if let (Some(append), Some(slot)) = (append, slot) {
            slot.append(append);
        }
    }

    fn take_durable(&mut self) {
        let version = *self.durable.borrow_and_update();
        self.room.durable(version);
    }

    async fn do_what_is_due(&mut self) -> After {
        // What the inputs of this turn have brought is due at once on an idle board.
        let now = Instant::now();
        self.deadlines.set(self.wants(), &self.window, now);
        let due = self.deadlines.take_due(now);
        if due.flush {
            self.flush().await;
        }
        if due.presence {
            self.room.tell_presence();
        }
        if due.durable {
            self.room.tell_durable();
        }
        if due.rows {
            self.hand_over_rows();
        }
        if due.sleep || std::mem::take(&mut self.asked_to_sleep) {
            return self.sleep().await;
        }
        let idle = self.room.is_idle();
        if idle != self.place.idle_since_ms().is_some() {
            let since = idle.then(|| self.shared.elapsed_ms());
            self.place.set_idle(since);
        }
        After::GoOn
    }

    /// Sends what is pending. On a large board others get the thread between two slices (rule R7).
    async fn flush(&mut self) {
        let began = Instant::now();
        let Some(mut flush) = self.room.begin_flush() else {
            return;
        };
        let slice = self.shared.limits.pushes_per_slice;
        while !self.room.flush_slice(&mut flush, slice) {
            tokio::task::yield_now().await;
        }
        let lag = Duration::from_micros(self.shared.lag.current());
        self.window.flushed(began, Instant::now(), lag);
    }

    /// Hands over the rows of what has changed; whether the journal had a place for them.
    fn hand_over_rows(&mut self) -> bool {
        self.shared.weigh(&self.place, self.room.weight_bytes());
        self.room.rest();
        self.inputs.shrink_to(8);
        let Some(rows) = self.room.take_rows() else {
            return true;
        };
        let handed = self.journal.rows(rows);
        self.keep_refused(handed)
    }

    fn keep_refused(&mut self, handed: Result<(), Rows>) -> bool {
        match handed {
            Ok(()) => true,
            Err(rows) => {
                self.room.give_back(rows);
                false
            }
        }
    }

    /// Goes to sleep, unless somebody comes while it lies down: then the room goes on with a new
    /// inbox, and nothing that was sent to the old one is lost.
    async fn sleep(&mut self) -> After {
        let is_pending = self.room.pending().0 > 0;
        if !self.room.is_idle() || is_pending || !self.hand_over_rows() {
            return After::GoOn;
        }
        let place = Arc::clone(&self.place);
        let mut phase = place.turn.lock().await;
        self.close_inbox().await;
        if !self.inputs.is_empty() {
            let (sender, inbox) = mpsc::channel(self.shared.limits.inbox);
            self.inbox = inbox;
            place.set_handle(Some(RoomHandle::new(place.board, sender)));
            drop(phase);
            self.take_inputs();
            return After::GoOn;
        }
        self.end(&mut phase).await;
        After::Ended
    }

    /// Takes what was sent before the inbox closed, sends and hands over everything, and ends.
    async fn stop(mut self) {
        let place = Arc::clone(&self.place);
        let mut phase = place.turn.lock().await;
        self.close_inbox().await;
        self.take_inputs();
        self.flush().await;
        let _ = timeout(LAST_ROWS_WAIT, self.hand_over_last_rows()).await;
        self.end(&mut phase).await;
    }

    async fn close_inbox(&mut self) {
        self.inbox.close();
        while let Some(input) = self.inbox.recv().await {
            self.inputs.push(input);
        }
    }

    async fn hand_over_last_rows(&mut self) {
        while !self.hand_over_rows() {
            // A commit makes place for them.
            if self.durable.changed().await.is_err() {
                return;
            }
            self.take_durable();
        }
    }

    async fn end(&mut self, phase: &mut Phase) {
        let board = self.place.board;
        match self.journal.close().await {
            Ok(()) => tracing::debug!(%board, "room ended"),
            Err(error) => {
                tracing::error!(%board, error = &error as &dyn std::error::Error, "failed to close a board");
            }
        }
        self.take_durable();
        self.shared.end(&self.place, phase);
    }
}
