//! What subscribers are sent: batches from the ring, and the snapshot that joiners share (R3, R6).

mod past;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use boardcast_protocol::board::View;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{Durable, Outcome, OutcomeResult, ServerMessage};
use boardcast_protocol::position::{Epoch, Timestamp, Version};

use super::encoded::Encoded;
use super::entry::Entry;
use super::recent::Recent;
use super::subscriber::{Pace, Subscriber};
use super::{Codec, Frame, Pushed, RoomLimits, RoomStats, answers};
use crate::planted::{Bug, planted};

use past::Past;
pub(super) use past::PastRead;

/// A subscriber fell behind the ring again without having been level in between: its connection is
/// to be closed (rule R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

/// The newest versions, and what was encoded of them last.
#[derive(Debug)]
pub(super) struct Feed {
    board: BoardId,
    epoch: Epoch,
    version: Version,
    durable: Version,
    recent: Recent,
    past: Past,
    snapshot: Option<Shared>,
    tail: Option<Batch>,
    limits: RoomLimits,
    stats: Arc<RoomStats>,
    /// Deliveries that were not asked for yet.
    delivered: u64,
}

/// The snapshot that joiners share.
#[derive(Debug)]
struct Shared {
    version: Version,
    encoded: Encoded,
    /// Whether somebody got it since [`Feed::rest`].
    used: bool,
}

/// Versions in one message: after `from`, up to `to`.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) from: Version,
    pub(super) to: Version,
    pub(super) encoded: Encoded,
    durable: Version,
    /// Whether there were more versions than it may hold.
    was_cut: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "snapshot")]
struct SnapshotOf<'a> {
    board: BoardId,
    epoch: Epoch,
    version: Version,
    view: &'a View,
}

impl Feed {
    pub(super) fn new(
        board: BoardId,
        epoch: Epoch,
        (version, recent): (Version, Recent),
        limits: RoomLimits,
        stats: Arc<RoomStats>,
    ) -> Self {
        Self {
            board,
            epoch,
            version,
            durable: version,
            recent,
            past: Past::new(&limits),
            snapshot: None,
            tail: None,
            limits,
            stats,
            delivered: 0,
        }
    }

    pub(super) fn board(&self) -> BoardId {
        self.board
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn durable(&self) -> Version {
        self.durable
    }

    pub(super) fn set_durable(&mut self, durable: Version) {
        self.durable = self.durable.max(durable);
    }

    pub(super) fn append(&mut self, entry: Entry) {
        self.version = entry.version;
        self.recent.push(entry);
    }

    /// Whether everything after `version` can be sent as events.
    pub(super) fn covers(&self, version: Version) -> bool {
        version <= self.version && self.recent.covers(version)
    }

    /// Count and bytes of the versions after this one.
    pub(super) fn size_since(&self, version: Version) -> (usize, usize) {
        self.recent.size_since(version)
    }

    /// The message `durable`.
    pub(super) fn durable_message(&self) -> Encoded {
        Encoded::new(&ServerMessage::Durable(Durable {
            board: self.board,
            epoch: self.epoch,
            version: if planted(Bug::DurableIsLatest) {
                self.version
            } else {
                self.durable
            },
        }))
    }

    /// Sends versions after its cursor until the subscriber is level or its outbox is full.
    ///
    /// # Errors
    /// It was overrun twice.
    pub(super) fn catch_up(&mut self, view: &View, to: &mut Subscriber) -> Result<(), TooSlow> {
        if to.snapshot_due {
            // One large answer at a time: what a client asks for and does not read stays bounded.
            if !to.outbox.is_drained() {
                to.fall_behind(self.board);
                return Ok(());
            }
            to.snapshot_due = false;
            if self.send_snapshot(view, to) == Pushed::Closed {
                return Ok(());
            }
        }
        while to.cursor < self.version {
            if !to.outbox.is_drained() {
                to.fall_behind(self.board);
                return Ok(());
            }
            if !self.recent.covers(to.cursor) {
                if self.reads_past(to) {
                    return Ok(());
                }
                if self.resync(view, to)? == Pushed::Closed {
                    return Ok(());
                }
                continue;
            }
            let Some((frame, last)) = self.tail(to.cursor, to.outbox.codec()) else {
                return Ok(());
            };
            // The outbox is drained, so whatever the size of the frame, the bytes stay bounded.
            if to.outbox.push_answer(frame) == Pushed::Closed {
                return Ok(());
            }
            self.delivered();
            to.advance(last, self.durable);
        }
        if !to.outbox.is_drained() {
            // Such as by a large snapshot: what happens meanwhile stays in the ring.
            to.fall_behind(self.board);
            return Ok(());
        }
        if to.pace != Pace::Level && to.told < self.durable {
            let frame = self.durable_message().frame(to.outbox.codec());
            let _ = to.outbox.push_answer(frame);
            to.told = self.durable;
        }
        to.pace = Pace::Level;
        Ok(())
    }

    /// Delivers a batch; whether the subscriber can be sent more.
    pub(super) fn deliver(&mut self, to: &mut Subscriber, (frame, last): (Frame, Version)) -> bool {
        match to.outbox.push_at_once(frame) {
            Pushed::Queued => {
                self.delivered();
                to.advance(last, self.durable);
                true
            }
            Pushed::Full if planted(Bug::DropOnFullOutbox) => {
                to.advance(last, self.durable);
                true
            }
            Pushed::Full => {
                to.fall_behind(self.board);
                false
            }
            Pushed::Closed => false,
        }
    }

    fn delivered(&mut self) {
        self.stats.deliveries.add(1);
        self.delivered += 1;
    }

    /// Deliveries since it was asked last.
    pub(super) fn take_delivered(&mut self) -> u64 {
        std::mem::take(&mut self.delivered)
    }

    /// Replaces the subscriber's board in place: what it misses is not in the ring any more.
    fn resync(&mut self, view: &View, to: &mut Subscriber) -> Result<Pushed, TooSlow> {
        match to.pace {
            Pace::Behind { resynced: true } => return Err(TooSlow),
            Pace::Behind { resynced: false } => {
                self.stats.resyncs.add(1);
                to.pace = Pace::Behind { resynced: true };
            }
            Pace::Past { .. } => {
                self.stats.past_given_up.add(1);
                to.pace = Pace::Level;
            }
            Pace::Level => {}
        }
        Ok(self.send_snapshot(view, to))
    }

    /// Queues the shared snapshot, and an outcome for each submit whose echo it has swallowed.
    pub(super) fn send_snapshot(&mut self, view: &View, to: &mut Subscriber) -> Pushed {
        let codec = to.outbox.codec();
        let (frame, version) = self.snapshot(view, codec);
        let pushed = to.outbox.push_answer(frame);
        if pushed == Pushed::Closed {
            return pushed;
        }
        to.cursor = if planted(Bug::SnapshotWithoutTail) {
            self.version
        } else {
            version
        };
        for (own, seq) in to.take_unechoed() {
            if own > version {
                to.await_echo(own, seq);
                continue;
            }
            let outcome = Outcome {
                version: Some(own),
                ..answers::outcome(self.board, seq, OutcomeResult::Accepted)
            };
            answers::send(&to.outbox, &ServerMessage::Outcome(outcome));
        }
        pushed
    }

    /// The shared snapshot and its version; made anew when the versions since are too many.
    fn snapshot(&mut self, view: &View, codec: Codec) -> (Frame, Version) {
        let is_fresh = |version| {
            let (count, bytes) = self.recent.size_since(version);
            self.recent.covers(version)
                && count <= self.limits.snapshot_tail_versions
                && bytes <= self.limits.snapshot_tail_bytes
        };
        let kept = self.snapshot.take().filter(|kept| is_fresh(kept.version));
        let shared = self.snapshot.insert(kept.unwrap_or_else(|| {
            self.stats.snapshots_encoded.add(1);
            Shared {
                version: self.version,
                encoded: Encoded::new(&SnapshotOf {
                    board: self.board,
                    epoch: self.epoch,
                    version: self.version,
                    view,
                }),
                used: true,
            }
        }));
        shared.used = true;
        (shared.encoded.frame(codec), shared.version)
    }

    /// Lets go of what was encoded for joiners, once nobody has joined since the last time, and of
    /// versions up to `sent` that are in the log and were decided before `time`.
    pub(super) fn rest(&mut self, sent: Version, time: Timestamp) {
        self.recent.forget(sent.min(self.durable), time);
        self.tail = None;
        self.snapshot
            .take_if(|shared| !std::mem::take(&mut shared.used));
    }

    /// Bytes that are kept to be sent.
    pub(super) fn kept_bytes(&self) -> usize {
        let shared = self.snapshot.as_ref();
        let (_, recent) = self.recent.size_since(Version(0));
        recent + shared.map_or(0, |shared| shared.encoded.bytes())
    }

    /// A part of the versions after `from` as one frame, and the last of them; `None` where there
    /// are none. Encoded once for all that ask for the same, as joiners of one snapshot do.
    fn tail(&mut self, from: Version, codec: Codec) -> Option<(Frame, Version)> {
        let kept = self
            .tail
            .take()
            .filter(|tail| tail.from == from && tail.durable == self.durable)
            .filter(|tail| tail.to == self.version || tail.was_cut);
        let tail = match kept {
            Some(kept) => self.tail.insert(kept),
            None => {
                let made = self.compose(from, self.limits.catch_up_bytes)?;
                self.tail.insert(made)
            }
        };
        Some((tail.encoded.frame(codec), tail.to))
    }

    /// The first versions after `from` as one message of about `max_bytes` at most, one version at
    /// least; `None` where there are none.
    pub(super) fn compose(&self, from: Version, max_bytes: usize) -> Option<Batch> {
        if !self.recent.covers(from) {
            return None;
        }
        self.encode(from, self.recent.range(from), max_bytes)
    }

    fn encode<'a>(
        &self,
        from: Version,
        entries: impl Iterator<Item = &'a Entry>,
        max_bytes: usize,
    ) -> Option<Batch> {
        let mut pieces = vec![Bytes::new()];
        let (mut bytes, mut to, mut was_cut) = (0, from, false);
        for entry in entries {
            if to > from {
                if bytes + entry.json().len() > max_bytes {
                    was_cut = true;
                    break;
                }
                pieces.push(Bytes::from_static(b","));
            }
            bytes += entry.json().len() + 1;
            to = entry.version;
            pieces.push(entry.json().clone());
        }
        if to == from {
            return None;
        }
        let (board, durable) = (self.board, self.durable);
        pieces[0] = format!(r#"["{board}",{from},["#).into();
        if planted(Bug::LoseEndOfBatch) && pieces.len() > 2 {
            pieces.truncate(pieces.len() - 2);
        }
        pieces.push(if durable == from {
            Bytes::from_static(b"]]")
        } else {
            format!("],{durable}]").into()
        });
        self.stats.batches.add(1);
        self.stats.batch_versions.add(to.0 - from.0);
        self.stats.sizes.batch_versions.observe(to.0 - from.0);
        Some(Batch {
            from,
            to,
            encoded: Encoded::concat(&pieces),
            durable,
            was_cut,
        })
    }
}
