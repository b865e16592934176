//! The task of a room: takes inputs, performs what the state machine asks for.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use boardcast_protocol::board::Action;
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::ids::ClientId;
use boardcast_protocol::position::Version;

use super::core::{Room, Telling, is_given_up};
use super::feed::PastRead;
use super::place::{Phase, Place};
use super::registry::Shared;
use super::timing::{Deadlines, RowsWait, Wants, Window};
use super::{Answer, Deletion, DeletionRefused, Origin, RoomInput};
use crate::clock;
use crate::measure::thread_time;
use crate::planted::{Bug, planted};
use crate::storage::{Append, BoardJournal, Refusal, Slot, StorageError, StoredVersion};

/// How long a room that ends waits for a place for its rows. They are only the projection of the
/// log: without them, opening the board takes longer.
const LAST_ROWS_WAIT: Duration = Duration::from_secs(5);
/// How long it waits before it looks again.
const LAST_ROWS_PAUSE: Duration = Duration::from_millis(20);

/// The version before a part of the log, and what the read of it brought.
type PastPart = (Version, Result<Vec<StoredVersion>, StorageError>);

/// The task of one room.
pub(super) struct RoomTask {
    room: Room,
    journal: BoardJournal,
    durable: watch::Receiver<Version>,
    inbox: mpsc::Receiver<RoomInput>,
    inputs: Vec<RoomInput>,
    /// Versions that were not handed to the journal yet, each with its place there.
    appends: Vec<(Slot, Append)>,
    /// Parts of the log on their way, each with the version before it.
    reads: FuturesUnordered<BoxFuture<'static, PastPart>>,
    place: Arc<Place>,
    shared: Arc<Shared>,
    window: Window,
    deadlines: Deadlines,
    /// When the room took the first version that is not sent yet, or woke to take it.
    pending_since: Option<Instant>,
    rows_wait: RowsWait,
    asked_to_sleep: bool,
    asked_to_stop: bool,
    /// The board is in the bin: who is told when everybody on it knows.
    deleted: Option<Answer<Result<(), DeletionRefused>>>,
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
            appends: Vec::new(),
            reads: FuturesUnordered::new(),
            window: Window::new(&shared.limits, Instant::now()),
            deadlines: Deadlines::new(shared.limits),
            rows_wait: RowsWait::new(place.board, shared.limits.rows_late_ms),
            place,
            shared,
            pending_since: None,
            asked_to_sleep: false,
            asked_to_stop: false,
            deleted: None,
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
            // What is durable gathers as versions do: a batch that is about to go tells it.
            let gathers = self.window.holds_durable(now);
            let opens = (gathers && self.room.awaits_durable()).then_some(self.window.opens());
            let next = self.deadlines.next().into_iter().chain(opens).min();
            tokio::select! {
                biased;
                () = shared.stopping.cancelled() => self.asked_to_stop = true,
                count = self.inbox.recv_many(&mut self.inputs, shared.limits.turn_inputs) => {
                    self.asked_to_stop |= count == 0;
                }
                changed = self.durable.changed(), if journal_is_open && !gathers => {
                    journal_is_open = changed.is_ok();
                }
                Some(part) = self.reads.next() => {
                    let input = self.past(part);
                    self.inputs.push(input);
                }
                () = sleep_until(next.unwrap_or(now)), if next.is_some() => {}
            }
            let woke = Instant::now();
            self.report_lag(now, woke);
            self.take_inputs().await;
            if self.pending_since.is_none() && self.room.pending().0 > 0 {
                self.pending_since = Some(woke);
            }
            if !self.window.holds_durable(woke) {
                self.take_durable();
            }
            if self.asked_to_stop {
                return self.stop().await;
            }
            self.start_reads();
            if self.do_what_is_due().await == After::Ended {
                return;
            }
            if self.asked_to_stop {
                return self.stop().await;
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

    /// How long the first submit of this turn waited for the room, which did nothing since `idle`.
    fn report_lag(&self, idle: Instant, woke: Instant) {
        let received = self.inputs.iter().find_map(|input| {
            if let RoomInput::Submit(submission) = input {
                Some(submission.received)
            } else {
                None
            }
        });
        if let Some(received) = received.filter(|received| *received >= idle) {
            self.shared.storage.lag().record(woke - received, woke);
        }
    }

    async fn take_inputs(&mut self) {
        let mut inputs = std::mem::take(&mut self.inputs);
        for input in inputs.drain(..) {
            if self.deleted.is_some() || is_given_up(&input) {
                self.room.turn_away(input);
                continue;
            }
            if let RoomInput::Delete(deletion) = input {
                self.delete(deletion).await;
                continue;
            }
            self.asked_to_sleep |= matches!(input, RoomInput::Sleep);
            self.asked_to_stop |= matches!(input, RoomInput::Stop);
            let is_known = match self.room.lacks(&input) {
                Some(client) => self.recall(client, input.origin()).await,
                None => true,
            };
            let is_known = is_known
                && match self.room.lacks_deed(&input) {
                    Some(version) => self.look_back(version, input.origin()).await,
                    None => true,
                };
            if is_known {
                self.take_input(input);
            }
        }
        self.inputs = inputs;
    }

    /// Reads what the disk knows of a client that is not in memory; whether its input may be
    /// handled. If reading fails, the connection ends: the client comes back and sends again. A
    /// request without a connection is dropped, which its author hears.
    async fn recall(&mut self, client: ClientId, origin: Option<&Origin>) -> bool {
        if origin.is_some_and(|origin| origin.outbox.closing().is_some()) {
            return false;
        }
        let board = self.place.board;
        match self.shared.storage.client(board, client).await {
            Ok(record) => {
                if let Some(record) = record {
                    self.room.recall(record);
                }
                true
            }
            Err(error) => self.unread("a client", origin, &error),
        }
    }

    /// Reads a version that is to be undone; whether the input may be handled, as [`Self::recall`].
    async fn look_back(&mut self, version: Version, origin: Option<&Origin>) -> bool {
        let board = self.place.board;
        let before = Some(version.next());
        match self.shared.storage.activity(board, None, before, 1).await {
            Ok(mut entries) => {
                self.room.remember(entries.pop());
                true
            }
            Err(error) => self.unread("a version to undo", origin, &error),
        }
    }

    /// What an input needs could not be read: its connection ends.
    fn unread(&self, what: &str, origin: Option<&Origin>, error: &StorageError) -> bool {
        let error = error as &dyn std::error::Error;
        tracing::error!(board = %self.place.board, what, error, "failed to read what an input needs");
        if let Some(origin) = origin {
            origin.outbox.close(CloseCode::InternalError);
        }
        false
    }

    /// Puts the board into the bin, if whoever asks may; the room takes nothing after it and ends.
    async fn delete(&mut self, deletion: Deletion) {
        let Deletion { actor, answer } = deletion;
        let board = self.place.board;
        let storage = &self.shared.storage;
        let refused = match self.room.role_of(&actor) {
            None => DeletionRefused::NoSuchBoard,
            Some(role) if !role.may(Action::Delete) => DeletionRefused::Forbidden,
            Some(_) => match storage.put_into_bin(board, actor.user, clock::now()).await {
                Ok(true) if planted(Bug::RoomOutlivesBoard) => {
                    let _ = answer.send(Ok(()));
                    return;
                }
                Ok(true) => {
                    self.deleted = Some(answer);
                    self.asked_to_stop = true;
                    return;
                }
                Ok(false) => DeletionRefused::NoSuchBoard,
                Err(error) => DeletionRefused::Storage(error),
            },
        };
        // Whoever has gone needs no answer.
        let _ = answer.send(Err(refused));
    }

    fn take_input(&mut self, input: RoomInput) {
        let (slot, place) = if Room::needs_place(&input) {
            let is_late = self.room.touched() >= self.shared.limits.rows_touched_max;
            match self.journal.reserve() {
                Ok(_) if is_late => (None, Err(Refusal::Busy)),
                Ok(slot) => (Some(slot), Ok(())),
                Err(refusal) => (None, Err(refusal)),
            }
        } else {
            (None, Ok(()))
        };
        let append = self.room.handle(input, place, clock::now());
        if let (Some(append), Some(slot)) = (append, slot) {
            self.appends.push((slot, append));
        }
        for change in self.room.take_role_changes() {
            let entry = change.into_entry(self.place.board);
            self.shared.storage.audit(entry);
        }
    }

    /// Hands the journal what the inputs have brought.
    fn append(&mut self) {
        for (slot, append) in self.appends.drain(..) {
            slot.append(append);
        }
    }

    fn take_durable(&mut self) {
        self.learn_durable();
        self.room.tell_waiting();
    }

    fn learn_durable(&mut self) {
        let version = *self.durable.borrow_and_update();
        self.room.learn_durable(version);
    }

    /// Starts the reads of the log that the room asks for.
    fn start_reads(&mut self) {
        let board = self.place.board;
        let max_bytes = self.shared.limits.catch_up_bytes;
        for PastRead { after, to } in self.room.take_reads() {
            let storage = self.shared.storage.clone();
            let read = async move { (after, storage.past(board, after, to, max_bytes).await) };
            self.reads.push(Box::pin(read));
        }
    }

    /// What a read has brought: nothing where it failed, and who waits gets a snapshot.
    fn past(&self, (after, read): PastPart) -> RoomInput {
        let versions = read.unwrap_or_else(|error| {
            let board = self.place.board;
            let error = &error as &dyn std::error::Error;
            tracing::warn!(%board, error, "failed to read the log for a resume; a snapshot goes out instead");
            Vec::new()
        });
        RoomInput::Past { after, versions }
    }

    async fn do_what_is_due(&mut self) -> After {
        // What the inputs of this turn have brought is due at once on an idle board.
        let now = Instant::now();
        self.deadlines.set(self.wants(), &self.window, now);
        let due = self.deadlines.take_due(now);
        if due.flush {
            self.flush().await;
        }
        self.append();
        if due.presence {
            let telling = self.room.begin_presence();
            self.tell(telling).await;
        }
        if due.durable {
            let telling = self.room.begin_durable();
            self.tell(telling).await;
        }
        if due.rows && !self.rows_wait(now) {
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
        self.learn_durable();
        let Some(mut flush) = self.room.begin_flush() else {
            return;
        };
        // What others do between two slices is not the batch's.
        let mut work = Duration::ZERO;
        for number in 1.. {
            let (slice, before) = (Instant::now(), thread_time());
            let is_over = self.room.flush_slice(&mut flush);
            // Nor what other programs do meanwhile. Where time stands still, as in a simulation,
            // nothing takes any.
            work += slice.elapsed().min(thread_time().saturating_sub(before));
            if is_over {
                break;
            }
            if number == self.shared.limits.slices_before_journal {
                self.append();
            }
            tokio::task::yield_now().await;
        }
        self.room.tell_waiting();
        let ended = Instant::now();
        let lag = self.shared.storage.lag().current(ended);
        self.window.flushed(began, work, lag);
        let took = ended - self.pending_since.take().unwrap_or(began);
        let (deliveries, subscribers) = self.room.take_delivered();
        self.shared.stats.sizes.fan_out_us.observe_time(took);
        let now_ms = self.shared.elapsed_ms();
        (self.place.load).sent(now_ms, deliveries, subscribers, took);
    }

    /// Tells a short message, a slice of the subscribers at a time.
    async fn tell(&mut self, mut telling: Telling) {
        let slice = self.shared.limits.pushes_per_slice;
        while !self.room.tell_slice(&mut telling, slice) {
            tokio::task::yield_now().await;
        }
    }

    /// Hands over the rows of what has changed; whether the journal had a place for them.
    fn hand_over_rows(&mut self) -> bool {
        self.shared.weigh(&self.place, self.room.weight_bytes());
        self.room.rest(clock::now());
        self.inputs.shrink_to(8);
        if self.journal.rows_are_written() {
            self.room.rows_are_written();
        }
        let Some(rows) = self.room.take_rows() else {
            return true;
        };
        match self.journal.rows(rows) {
            Ok(()) => true,
            Err(rows) => {
                self.room.give_back(rows);
                false
            }
        }
    }

    /// Whether rows that are due wait further.
    fn rows_wait(&mut self, now: Instant) -> bool {
        let lag = self.shared.storage.lag().current(now);
        let is_long = self.room.touched() >= self.shared.limits.rows_late_touched;
        !is_long && self.rows_wait.goes_on(lag, now)
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
            place.set_inbox(Some(sender));
            drop(phase);
            self.take_inputs().await;
            self.append();
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
        self.take_inputs().await;
        self.append();
        self.reads.clear();
        self.flush().await;
        if let Some(answer) = self.deleted.take() {
            self.room.dismiss();
            let _ = answer.send(Ok(()));
        }
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
            // A commit makes place for them, which may be another board's.
            if let Ok(Err(_)) = timeout(LAST_ROWS_PAUSE, self.durable.changed()).await {
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
