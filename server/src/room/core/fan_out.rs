//! What goes out to all: batches (rules R6, R7, R8), and durable versions to who waits for them (R5).

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::position::Version;

use super::Room;
use crate::room::feed::Batch;
use crate::room::subscriber::Pace;
use crate::room::{ConnId, Pushed};

/// What is pending on its way to the subscribers, a slice of them at a time.
#[derive(Debug)]
pub(in crate::room) struct Flush {
    /// One after the other; none where the versions are too large for events.
    batches: Vec<Batch>,
    to: Version,
    /// Who was served last.
    last: Option<ConnId>,
}

impl Room {
    /// Count and bytes of the versions that were not sent yet.
    pub(in crate::room) fn pending(&self) -> (usize, usize) {
        if self.flushed == self.feed.version() {
            return (0, 0);
        }
        let (count, bytes) = self.feed.size_since(self.flushed);
        (count.max(1), bytes)
    }

    /// Begins to send what is pending; `None` when nothing is.
    pub(in crate::room) fn begin_flush(&mut self) -> Option<Flush> {
        let (from, to) = (self.flushed, self.feed.version());
        if from == to {
            return None;
        }
        let mut batches = Vec::with_capacity(1);
        let mut next = from;
        while let Some(batch) = self.feed.compose(next, self.limits.batch_bytes) {
            next = batch.to;
            batches.push(batch);
        }
        self.flushed = to;
        self.told = self.feed.durable();
        Some(Flush {
            batches,
            to,
            last: None,
        })
    }

    /// Serves the next subscribers, as many as a slice may; whether all are served. No input may be
    /// handled before they are.
    pub(in crate::room) fn flush_slice(&mut self, flush: &mut Flush) -> bool {
        let max = self.limits.pushes_per_slice;
        let mut too_slow = Vec::new();
        let (mut served, mut bytes) = (0, 0);
        let Self {
            board,
            feed,
            subscribers,
            ..
        } = self;
        for subscriber in subscribers.after(flush.last).take(max) {
            served += 1;
            flush.last = Some(subscriber.conn);
            if subscriber.pace != Pace::Level {
                continue;
            }
            for batch in &mut flush.batches {
                let frame = batch.encoded.frame(subscriber.outbox.codec());
                bytes += frame.len();
                if subscriber.cursor == batch.from && !feed.deliver(subscriber, (frame, batch.to)) {
                    break;
                }
            }
            // Whoever joined meanwhile has another cursor, and is caught up by itself.
            if subscriber.pace == Pace::Level
                && subscriber.cursor < flush.to
                && feed.catch_up(board.view(), subscriber).is_err()
            {
                too_slow.push(subscriber.conn);
            }
            if bytes >= self.limits.bytes_per_slice {
                served = max;
                break;
            }
        }
        for conn in too_slow {
            self.close_slow(conn);
        }
        served < max
    }

    /// Deliveries since it was asked last, and who is subscribed.
    pub(in crate::room) fn take_delivered(&mut self) -> (u64, usize) {
        (self.feed.take_delivered(), self.subscribers.len())
    }

    /// Everything up to `version` is on disk, and whoever waits for it is told.
    #[cfg(test)]
    pub(in crate::room) fn durable(&mut self, version: Version) {
        self.learn_durable(version);
        self.tell_waiting();
    }

    /// Sends what is pending to everybody at once.
    #[cfg(test)]
    pub(in crate::room) fn flush(&mut self) {
        if let Some(mut flush) = self.begin_flush() {
            while !self.flush_slice(&mut flush) {}
        }
    }

    pub(super) fn close_slow(&mut self, conn: ConnId) {
        if let Some(subscriber) = self.subscribers.get_mut(conn) {
            self.stats.slow_consumers.add(1);
            subscriber.outbox.close(CloseCode::SlowConsumer);
            self.leave(conn);
        }
    }

    /// Everything up to `version` is on disk: the next batch says so, and whoever waits for it is to
    /// be [told](Self::tell_waiting).
    pub(in crate::room) fn learn_durable(&mut self, version: Version) {
        if version <= self.feed.durable() {
            return;
        }
        self.feed.set_durable(version);
        let later = self.imports.split_off(&version.next());
        for (answer, report) in std::mem::replace(&mut self.imports, later).into_values() {
            let _ = answer.send(Ok(report));
        }
        self.requests.durable(version);
        self.deeds.durable(version);
    }

    /// Whether somebody waits to hear that a version is durable.
    pub(in crate::room) fn awaits_durable(&self) -> bool {
        !self.waiting.is_empty() || !self.imports.is_empty() || !self.requests.is_empty()
    }

    /// Tells who waits for what is durable, unless a batch has told it.
    pub(in crate::room) fn tell_waiting(&mut self) {
        let version = self.feed.durable();
        let count = self
            .waiting
            .iter()
            .take_while(|waiting| waiting.version <= version)
            .count();
        let subscribers = &mut self.subscribers;
        let mut due: Vec<_> = (self.waiting.drain(..count))
            .filter(|waiting| {
                let subscriber = subscribers.get_mut(waiting.conn);
                subscriber.is_none_or(|subscriber| subscriber.told < waiting.version)
            })
            .collect();
        if due.is_empty() {
            return;
        }
        due.sort_by_key(|waiting| waiting.conn);
        due.dedup_by_key(|waiting| waiting.conn);
        let mut message = self.feed.durable_message();
        for waiting in due {
            let frame = message.frame(waiting.outbox.codec());
            let subscriber = self.subscribers.get_mut(waiting.conn);
            match (waiting.outbox.push_at_once(frame), subscriber) {
                (Pushed::Queued, Some(subscriber)) => subscriber.told = version,
                (Pushed::Full, Some(subscriber)) => subscriber.fall_behind(self.feed.board()),
                // Nothing would tell it later.
                (Pushed::Full, None) => waiting.outbox.close(CloseCode::SlowConsumer),
                (Pushed::Queued | Pushed::Closed, _) => {}
            }
        }
    }
}
