//! The newest versions of a board, for batches and for resume.

use std::collections::VecDeque;

use boardcast_protocol::limits::VERSION_MAX_BYTES;
use boardcast_protocol::position::{Timestamp, Version};

use super::entry::Entry;

/// Versions that are kept whatever their age: a client that was away for a moment from a quiet board
/// costs no read of the log.
const KEPT_MIN: usize = 32;

/// The newest versions without a gap, bounded in count and bytes, and in time by who owns them.
#[derive(Debug)]
pub(super) struct Recent {
    versions_max: usize,
    bytes_max: usize,
    /// The version before the first one held.
    after: Version,
    /// No version up to this one can be sent as events, wherever it is kept.
    floor: Version,
    held: VecDeque<Held>,
    /// Bytes of all entries that were ever pushed.
    pushed_bytes: u64,
}

#[derive(Debug)]
struct Held {
    entry: Entry,
    /// Bytes of all entries that were ever pushed, this one included.
    end_bytes: u64,
}

impl Recent {
    /// Holds nothing; the next version pushed follows `after`. The log begins after `floor`.
    pub(super) fn new(
        after: Version,
        floor: Version,
        versions_max: usize,
        bytes_max: usize,
    ) -> Self {
        Self {
            versions_max: versions_max.max(1),
            bytes_max,
            after,
            floor,
            held: VecDeque::new(),
            pushed_bytes: 0,
        }
    }

    /// Adds the next version and drops the oldest ones above the bounds. A version too large to be
    /// sent as events is not held, and nothing before it can be resumed with events any more.
    pub(super) fn push(&mut self, entry: Entry) {
        if entry.json().len() > VERSION_MAX_BYTES {
            self.after = entry.version;
            self.floor = entry.version;
            self.held = VecDeque::new();
            return;
        }
        self.pushed_bytes += entry.json().len() as u64;
        self.held.push_back(Held {
            entry,
            end_bytes: self.pushed_bytes,
        });
        while self.held.len() > 1
            && (self.held.len() > self.versions_max || self.held_bytes() > self.bytes_max as u64)
        {
            if let Some(oldest) = self.held.pop_front() {
                self.after = oldest.entry.version;
            }
        }
    }

    /// Lets go of versions up to this one that were decided before `time`, all but the newest few.
    pub(super) fn forget(&mut self, up_to: Version, time: Timestamp) {
        while self.held.len() > KEPT_MIN
            && let Some(oldest) = self
                .held
                .pop_front_if(|oldest| oldest.entry.version <= up_to && oldest.entry.at < time)
        {
            self.after = oldest.entry.version;
        }
        if self.held.len() < self.held.capacity() / 4 {
            self.held.shrink_to(self.held.len() * 2);
        }
    }

    fn held_bytes(&self) -> u64 {
        self.held.front().map_or(0, |first| {
            self.pushed_bytes - first.end_bytes + first.entry.json().len() as u64
        })
    }

    /// Whether all versions after this one are held.
    pub(super) fn covers(&self, version: Version) -> bool {
        version >= self.after
    }

    /// The version before the first one held.
    pub(super) fn after(&self) -> Version {
        self.after
    }

    /// Whether the versions after this one may be sent as events, from the ring or from the log.
    pub(super) fn reaches(&self, version: Version) -> bool {
        version >= self.floor
    }

    /// About how many bytes so many versions have, going by those held; 0 where none is.
    pub(super) fn estimate_bytes(&self, versions: u64) -> u64 {
        self.held_bytes() / (self.held.len().max(1) as u64) * versions
    }

    /// The versions after this one; those that are not held any more are left out.
    pub(super) fn range(&self, version: Version) -> impl Iterator<Item = &Entry> {
        let skip = usize::try_from(version.0.saturating_sub(self.after.0)).unwrap_or(usize::MAX);
        self.held
            .range(skip.min(self.held.len())..)
            .map(|held| &held.entry)
    }

    /// Count and bytes of the versions after this one.
    pub(super) fn size_since(&self, version: Version) -> (usize, usize) {
        let skip = usize::try_from(version.0.saturating_sub(self.after.0)).unwrap_or(usize::MAX);
        let Some(first) = self.held.get(skip) else {
            return (0, 0);
        };
        let start = first.end_bytes - first.entry.json().len() as u64;
        let bytes = usize::try_from(self.pushed_bytes - start).unwrap_or(usize::MAX);
        (self.held.len() - skip, bytes)
    }
}

#[cfg(test)]
mod tests {
    use boardcast_protocol::ids::UserId;

    use super::super::entry::EntryHead;
    use super::*;

    fn entry(version: u64, bytes: usize) -> Entry {
        let head = EntryHead {
            version: Version(version),
            origin: None,
            by: UserId::from_u128(1),
            at: Timestamp(0),
        };
        Entry::compose(head, &mut Vec::new(), |out| {
            out.resize(out.len() + bytes, b' ');
        })
    }

    #[test]
    fn the_old_are_forgotten_but_for_a_few_and_never_what_is_still_to_be_sent() {
        let mut recent = Recent::new(Version(0), Version(0), 1_000, 1 << 20);
        let count = 3 * KEPT_MIN as u64;
        for version in 1..=count {
            recent.push(entry(version, 10));
        }
        recent.forget(Version(10), Timestamp(1));
        assert!(recent.covers(Version(10)) && !recent.covers(Version(9)));
        recent.forget(Version(count), Timestamp(0));
        assert!(recent.covers(Version(10)), "they are not older than that");
        recent.forget(Version(count), Timestamp(1));
        assert_eq!(versions(&recent, 0).len(), KEPT_MIN);
        assert!(recent.covers(Version(count)) && !recent.covers(Version(10)));
    }

    fn versions(recent: &Recent, after: u64) -> Vec<u64> {
        recent
            .range(Version(after))
            .map(|entry| entry.version.0)
            .collect()
    }

    #[test]
    fn the_oldest_are_dropped_above_the_count() {
        let mut recent = Recent::new(Version(7), Version(0), 3, 1 << 20);
        for version in 8..=12 {
            recent.push(entry(version, 10));
        }
        assert_eq!(versions(&recent, 9), [10, 11, 12]);
        assert_eq!(versions(&recent, 11), [12]);
        assert_eq!(versions(&recent, 12), [0; 0]);
        assert!(recent.covers(Version(9)) && !recent.covers(Version(8)));
    }

    #[test]
    fn the_oldest_are_dropped_above_the_bytes_but_never_the_newest() {
        let mut recent = Recent::new(Version(0), Version(0), 100, 1_000);
        for version in 1..=5 {
            recent.push(entry(version, 400));
        }
        assert_eq!(versions(&recent, 3), [4, 5]);
        assert!(!recent.covers(Version(2)));
        recent.push(entry(6, 5_000));
        assert_eq!(versions(&recent, 5), [6]);
        let (count, bytes) = recent.size_since(Version(5));
        assert!(count == 1 && bytes > 5_000);
        assert_eq!(recent.size_since(Version(6)), (0, 0));
    }

    #[test]
    fn a_version_too_large_for_events_ends_what_can_be_resumed() {
        let mut recent = Recent::new(Version(0), Version(0), 100, 4 << 20);
        recent.push(entry(1, 10));
        recent.push(entry(2, VERSION_MAX_BYTES));
        assert!(recent.covers(Version(2)) && !recent.covers(Version(1)));
        assert!(recent.reaches(Version(2)) && !recent.reaches(Version(1)));
        recent.push(entry(3, 10));
        assert_eq!(versions(&recent, 2), [3]);
    }
}
