//! Versions that are older than the ring, read from the log for those who resume (rule R3).

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::limits::VERSION_MAX_BYTES;
use boardcast_protocol::position::Version;

use super::{Batch, Feed};
use crate::room::entry::Entry;
use crate::room::subscriber::{Pace, Subscriber};
use crate::room::{ConnId, Pushed, RoomLimits};
use crate::storage::StoredVersion;

/// A part of the log that is to be read: the versions after `after`, up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::room) struct PastRead {
    pub(in crate::room) after: Version,
    pub(in crate::room) to: Version,
}

impl Feed {
    /// Whether the versions after this one are few enough to be sent as events: its count, and its
    /// bytes going by those of the ring. What the log really holds shows when it is read.
    pub(in crate::room) fn reaches(&self, version: Version, bytes_max: usize) -> bool {
        let Some(missed) = self.version.0.checked_sub(version.0) else {
            return false;
        };
        self.recent.reaches(version)
            && missed <= self.limits.past_versions
            && self.recent.estimate_bytes(missed) <= bytes_max as u64
    }

    /// Whether the subscriber waits for a part of the log from now on.
    pub(super) fn reads_past(&mut self, to: &Subscriber) -> bool {
        match to.pace {
            Pace::Past { bytes_left } => bytes_left > 0 && self.past.ask(to.cursor, to.conn),
            Pace::Level | Pace::Behind { .. } => false,
        }
    }

    /// The reads of the log that are to be made now: what is durable and not in the ring. The end of
    /// each is told to [`Feed::past_arrived`].
    pub(in crate::room) fn take_reads(&mut self) -> Vec<PastRead> {
        self.past.take(self.recent.after().min(self.durable))
    }

    /// Whether somebody waits for a part of the log.
    pub(in crate::room) fn awaits_past(&self) -> bool {
        !self.past.is_empty()
    }

    /// A part of the log as one message, `None` where it cannot be had, and who waits for it.
    pub(in crate::room) fn past_arrived(
        &mut self,
        after: Version,
        versions: Vec<StoredVersion>,
    ) -> (Option<Batch>, BTreeSet<ConnId>) {
        let readers = self.past.arrived(after);
        self.stats.past_reads.add(1);
        if readers.is_empty() {
            return (None, readers);
        }
        let mut scratch = Vec::new();
        let entries: Vec<_> = versions
            .into_iter()
            .map(|stored| Entry::from_log(&stored, &mut scratch))
            .take_while(|entry| entry.json().len() <= VERSION_MAX_BYTES)
            .collect();
        (self.encode(after, entries.iter(), usize::MAX), readers)
    }

    /// Queues a part of the log for a subscriber that waits for it, if its outbox is drained. Without
    /// one it is to get a snapshot.
    pub(in crate::room) fn deliver_past(
        &mut self,
        to: &mut Subscriber,
        after: Version,
        batch: Option<&mut Batch>,
    ) {
        let Pace::Past { bytes_left } = &mut to.pace else {
            return;
        };
        if to.cursor != after {
            return;
        }
        let Some(batch) = batch else {
            *bytes_left = 0;
            return;
        };
        if !to.outbox.is_drained() {
            return;
        }
        let frame = batch.encoded.frame(to.outbox.codec());
        *bytes_left = bytes_left.saturating_sub(batch.encoded.payload_bytes());
        if to.outbox.push_answer(frame) == Pushed::Queued {
            self.delivered();
            to.advance(batch.to, self.durable);
        }
    }
}

/// The reads of the log that subscribers wait for, one for all that wait at the same version.
#[derive(Debug)]
pub(super) struct Past {
    waiting: BTreeMap<Version, Waiting>,
    under_way: usize,
    reads_max: usize,
    waiting_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    is_under_way: bool,
    readers: BTreeSet<ConnId>,
}

impl Past {
    pub(super) fn new(limits: &RoomLimits) -> Self {
        Self {
            waiting: BTreeMap::new(),
            under_way: 0,
            reads_max: limits.past_reads,
            waiting_max: limits.past_waiting_max,
        }
    }

    /// Asks for the versions after this one; `false` where too many other reads are wanted.
    pub(super) fn ask(&mut self, after: Version, reader: ConnId) -> bool {
        if self.waiting.len() >= self.waiting_max && !self.waiting.contains_key(&after) {
            return false;
        }
        let waiting = self.waiting.entry(after).or_default();
        waiting.readers.insert(reader);
        true
    }

    /// The reads up to `to` that are to be made now; who waits at a later version goes on waiting.
    /// Each is answered with [`Past::arrived`].
    pub(super) fn take(&mut self, to: Version) -> Vec<PastRead> {
        let free = self.reads_max.saturating_sub(self.under_way);
        if free == 0 {
            return Vec::new();
        }
        let wanted = self.waiting.range_mut(..to);
        let reads: Vec<_> = wanted
            .filter(|(_, waiting)| !waiting.is_under_way)
            .take(free)
            .map(|(after, waiting)| {
                waiting.is_under_way = true;
                PastRead { after: *after, to }
            })
            .collect();
        self.under_way += reads.len();
        reads
    }

    /// The read after this version has ended, however it ended: who waits for it.
    pub(super) fn arrived(&mut self, after: Version) -> BTreeSet<ConnId> {
        let waiting = self.waiting.remove(&after).unwrap_or_default();
        self.under_way -= usize::from(waiting.is_under_way);
        waiting.readers
    }

    /// Whether nothing is to be read.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
