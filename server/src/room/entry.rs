//! One version of a board, encoded once: for the log, for the ring and for batches.

use bytes::Bytes;

use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::position::{Seq, Timestamp, Version};

use crate::storage::StoredVersion;

/// What stands before the events of a version.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryHead {
    pub(super) version: Version,
    pub(super) origin: Option<(ClientId, Seq)>,
    pub(super) by: UserId,
    pub(super) at: Timestamp,
}

/// One version: the JSON object that stands in a batch.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) version: Version,
    json: Bytes,
    events_start: usize,
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
        let origin = origin.map_or_else(String::new, |(client, seq)| {
            format!(r#""client":"{client}","seq":{seq},"#)
        });
        scratch.clear();
        // Ids need no escapes, so the head can be written as it is.
        scratch.extend_from_slice(
            format!(r#"{{"n":{version},{origin}"by":"{by}","at":{at},"ev":"#).as_bytes(),
        );
        let events_start = scratch.len();
        write_events(scratch);
        scratch.push(b'}');
        Self {
            version,
            json: Bytes::copy_from_slice(scratch),
            events_start,
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

    /// The JSON object.
    pub(super) fn json(&self) -> &Bytes {
        &self.json
    }

    /// The JSON array of its events, sharing the bytes of the entry.
    pub(super) fn events(&self) -> Bytes {
        self.json.slice(self.events_start..self.json.len() - 1)
    }
}
