//! One version of a board, encoded once: for the log, for the ring and for batches.

use std::ops::Range;

use bytes::Bytes;

use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::position::{Seq, Timestamp, Version};

use crate::storage::StoredVersion;

/// What stands beside the events of a version.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryHead {
    pub(super) version: Version,
    pub(super) origin: Option<(ClientId, Seq)>,
    pub(super) by: UserId,
    pub(super) at: Timestamp,
}

/// One version: the JSON array that stands in a batch, `[by, at, ev, client?, seq?]`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) version: Version,
    /// When it was decided.
    pub(super) at: Timestamp,
    json: Bytes,
    events: Range<usize>,
}

impl Entry {
    /// Composes the entry; `write_events` appends the JSON array of events. `scratch` is emptied
    /// and used again.
    pub(super) fn compose(
        head: EntryHead,
        scratch: &mut Vec<u8>,
        write_events: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let EntryHead {
            version,
            origin,
            by,
            at,
        } = head;
        scratch.clear();
        // Ids need no escapes, so they can be written as they are.
        scratch.extend_from_slice(format!(r#"["{by}",{at},"#).as_bytes());
        let events_start = scratch.len();
        write_events(scratch);
        let events = events_start..scratch.len();
        if let Some((client, seq)) = origin {
            scratch.extend_from_slice(format!(r#","{client}",{seq}"#).as_bytes());
        }
        scratch.push(b']');
        Self {
            version,
            at,
            json: Bytes::copy_from_slice(scratch),
            events,
        }
    }

    /// A version as it was found in the log.
    pub(super) fn from_log(stored: &StoredVersion, scratch: &mut Vec<u8>) -> Self {
        let head = EntryHead {
            version: stored.version,
            origin: stored.origin.map(|(client, seq, _)| (client, seq)),
            by: stored.by,
            at: stored.at,
        };
        Self::compose(head, scratch, |out| out.extend_from_slice(&stored.events))
    }

    /// The JSON array.
    pub(super) fn json(&self) -> &Bytes {
        &self.json
    }

    /// The JSON array of its events, sharing the bytes of the entry.
    pub(super) fn events(&self) -> Bytes {
        self.json.slice(self.events.clone())
    }
}
