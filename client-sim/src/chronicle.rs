//! What one process knows of one board: each frame decoded once, each version's content on record.
//!
//! A thousand subscribers of a board receive the same bytes, so a frame is decoded when its bytes
//! are first seen and then found again by comparing bytes, never by trusting what they claim to be.
//! Of each version the chronicle keeps a digest of its content, whoever received it first. A frame
//! with other bytes (a resume, a differently cut batch) is decoded by itself, and each of its
//! versions must have the digest on record. So a client that only follows positions has still been
//! shown to have received, without a gap, exactly the content that the reference view applied.
//!
//! The reference is one view of the board, fed from the first copy of each version: commands are
//! made from it, and it must equal the server's snapshot at the end as any replica must.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use boardcast_protocol::board::View;
use boardcast_protocol::codec;
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::message::{Batch, ServerMessage, Snapshot, VersionEntry};
use boardcast_protocol::position::{Epoch, Position, Seq, Version};
use bytes::Bytes;

use crate::arrival::Arrival;
use crate::replica::apply;
use crate::violation::Violation;

/// Frames whose decoded form is kept; the oldest makes room.
const FRAMES_KEPT: usize = 64;
/// Bytes of kept frames; the oldest make room, the newest always stays.
const FRAMES_KEPT_BYTES: usize = 8 * 1_024 * 1_024;
/// Texts below this that are no batch are decoded anew each time: most are for one client only.
const FRAME_SHARED_BYTES: usize = 96;
/// Versions whose digest is kept; older ones are not compared any more.
const VERSIONS_KEPT: usize = 65_536;
/// Largest inflated frame: four times the largest batch, so that snapshots of large boards pass.
const INFLATED_MAX_BYTES: u64 = 256 * 1_024 * 1_024;

/// A frame that is not a message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Text that is not UTF-8.
    #[error("the frame is not UTF-8")]
    Utf8,
    /// Not a message of this protocol.
    #[error("the frame is not a message: {0}")]
    Json(#[from] serde_json::Error),
    /// Not a DEFLATE stream, or one of more than 256 MiB.
    #[error("the frame does not inflate: {0}")]
    Inflate(std::io::Error),
}

struct Frame {
    key: u64,
    epoch: Option<Epoch>,
    deflated: bool,
    bytes: Bytes,
    arrival: Arc<Arrival>,
}

#[derive(Clone, Copy)]
struct Record {
    epoch: Epoch,
    digest: u64,
    intended_ns: u64,
}

struct Reference {
    at: Position,
    view: Box<View>,
}

#[derive(Default)]
struct Pages {
    frames: VecDeque<Frame>,
    frames_bytes: usize,
    versions: BTreeMap<Version, Record>,
    applied: HashMap<ClientId, Seq>,
    intended: HashMap<(ClientId, Seq), u64>,
    reference: Option<Reference>,
}

/// What one process knows of one board.
pub struct Chronicle {
    board: BoardId,
    pages: Mutex<Pages>,
}

impl std::fmt::Debug for Chronicle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chronicle")
            .field("board", &self.board)
            .finish_non_exhaustive()
    }
}

impl Chronicle {
    /// Knows nothing yet.
    pub fn new(board: BoardId) -> Self {
        Self {
            board,
            pages: Mutex::default(),
        }
    }

    /// The board.
    pub fn board(&self) -> BoardId {
        self.board
    }

    /// Notes when a command was meant to be sent, before it is sent.
    pub fn intend(&self, client: ClientId, seq: Seq, intended_ns: u64) {
        self.pages().intended.insert((client, seq), intended_ns);
    }

    /// Looks at the reference view; `None` before the first snapshot.
    pub fn with_view<T>(&self, look: impl FnOnce(Option<(Position, &View)>) -> T) -> T {
        let pages = self.pages();
        look(
            pages
                .reference
                .as_ref()
                .map(|reference| (reference.at, &*reference.view)),
        )
    }

    /// Decodes a frame, or finds it decoded. `None` for a type that is not known.
    ///
    /// `epoch` is that of the batches which come to the receiver now: equal bytes are other versions
    /// in another epoch. A batch that comes without one is ignored by its receiver, and not recorded.
    ///
    /// # Errors
    /// The frame is not a message.
    pub fn read(
        &self,
        frame: &[u8],
        deflated: bool,
        epoch: Option<Epoch>,
    ) -> Result<Option<Arc<Arrival>>, FrameError> {
        let is_batch = frame.starts_with(b"[");
        if frame.len() < FRAME_SHARED_BYTES && !is_batch && !deflated {
            return Ok(decode(frame, deflated)?.map(|message| Arc::new(Arrival::new(message))));
        }
        let key = key_of(frame);
        let mut pages = self.pages();
        let same = |known: &&Frame| {
            (known.key, known.epoch, known.deflated) == (key, epoch, deflated)
                && known.bytes == frame
        };
        if let Some(known) = pages.frames.iter().rev().find(same) {
            return Ok(Some(Arc::clone(&known.arrival)));
        }
        let Some(message) = decode(frame, deflated)? else {
            return Ok(None);
        };
        let mut arrival = Arrival::new(message);
        pages.absorb((self.board, epoch), &mut arrival);
        let arrival = Arc::new(arrival);
        pages.keep(Frame {
            key,
            epoch,
            deflated,
            bytes: Bytes::copy_from_slice(frame),
            arrival: Arc::clone(&arrival),
        });
        Ok(Some(arrival))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells most different frames apart without reading all of a long one: its length, head and tail.
fn key_of(frame: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_usize(frame.len());
    hasher.write(&frame[..frame.len().min(160)]);
    hasher.write(&frame[frame.len().saturating_sub(32)..]);
    hasher.finish()
}

fn decode(frame: &[u8], deflated: bool) -> Result<Option<ServerMessage>, FrameError> {
    if !deflated {
        let text = std::str::from_utf8(frame).map_err(|_| FrameError::Utf8)?;
        return Ok(codec::decode_server(text)?);
    }
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(frame)
        .take(INFLATED_MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(FrameError::Inflate)?;
    Ok(codec::decode_server(&text)?)
}

fn digest(entry: &VersionEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    codec::encode(entry).hash(&mut hasher);
    hasher.finish()
}

impl Pages {
    fn keep(&mut self, frame: Frame) {
        self.frames_bytes += frame.bytes.len();
        self.frames.push_back(frame);
        while self.frames.len() > FRAMES_KEPT
            || (self.frames_bytes > FRAMES_KEPT_BYTES && self.frames.len() > 1)
        {
            if let Some(old) = self.frames.pop_front() {
                self.frames_bytes -= old.bytes.len();
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others do not state the content of a board"
    )]
    fn absorb(&mut self, (board, epoch): (BoardId, Option<Epoch>), arrival: &mut Arrival) {
        match &arrival.message {
            ServerMessage::Batch(batch) if batch.board == board => {
                let Some(epoch) = epoch else { return };
                let mut flaw = arrival.flaw;
                let mut intended = Vec::with_capacity(batch.v.len());
                for entry in &batch.v {
                    intended.push(self.record(epoch, entry, &mut flaw));
                }
                self.follow(epoch, batch, &mut flaw);
                arrival.flaw = flaw;
                arrival.intended_ns = intended;
            }
            ServerMessage::Snapshot(snapshot) if snapshot.board == board => {
                arrival.flaw = self.compare(snapshot);
            }
            _ => {}
        }
    }

    /// Puts a version on record, or compares it with the record; when it was meant to be sent.
    fn record(&mut self, epoch: Epoch, entry: &VersionEntry, flaw: &mut Option<Violation>) -> u64 {
        let digest = digest(entry);
        if let Some(known) = self.versions.get(&entry.n) {
            if known.digest == digest {
                return known.intended_ns;
            }
            if known.epoch == epoch {
                flaw.get_or_insert(Violation::Diverged);
                return known.intended_ns;
            }
            self.forget_tail(entry.n);
        }
        let newest = self.versions.keys().next_back();
        let is_next = newest.is_none_or(|newest| newest.next() == entry.n);
        let mut intended_ns = 0;
        if let (Some(client), Some(seq)) = (entry.client, entry.seq) {
            intended_ns = self.intended.remove(&(client, seq)).unwrap_or_default();
            if is_next
                && self
                    .applied
                    .insert(client, seq)
                    .is_some_and(|last| last >= seq)
            {
                flaw.get_or_insert(Violation::Duplicate);
            }
        }
        let record = Record {
            epoch,
            digest,
            intended_ns,
        };
        self.versions.insert(entry.n, record);
        if self.versions.len() > VERSIONS_KEPT {
            self.versions.pop_first();
        }
        intended_ns
    }

    /// Another epoch has other content from `version` on: what was on record there is lost.
    fn forget_tail(&mut self, version: Version) {
        self.versions.split_off(&version);
        self.applied.clear();
        if self
            .reference
            .as_ref()
            .is_some_and(|reference| reference.at.version >= version)
        {
            self.reference = None;
        }
    }

    /// Applies what is new in a batch to the reference.
    fn follow(&mut self, epoch: Epoch, batch: &Batch, flaw: &mut Option<Violation>) {
        let Some(reference) = &mut self.reference else {
            return;
        };
        for entry in &batch.v {
            if entry.n == reference.at.version.next() {
                apply(&mut reference.view, entry, |_| {
                    flaw.get_or_insert(Violation::Diverged);
                });
                reference.at.version = entry.n;
                reference.at.epoch = epoch;
            }
        }
    }

    /// Takes a newer snapshot as reference; one of the same version must be equal.
    fn compare(&mut self, snapshot: &Snapshot) -> Option<Violation> {
        let at = Position {
            epoch: snapshot.epoch,
            version: snapshot.version,
        };
        if let Some(reference) = &self.reference
            && reference.at.epoch == at.epoch
        {
            if reference.at == at {
                return (*reference.view != *snapshot.view).then_some(Violation::Diverged);
            }
            if reference.at.version > at.version {
                return None;
            }
        }
        self.reference = Some(Reference {
            at,
            view: snapshot.view.clone(),
        });
        None
    }
}
