//! Who may come in: places for connections, in all and by source, and how fast they fill.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;

use boardcast_protocol::position::Timestamp;

use super::limits::Limits;
use super::refusals::{Cause, Refusals};
use super::services::Source;
use crate::chance;
use crate::rate::{Bucket, Pace};
use crate::rates::Rates;

/// The line of those who were refused is counted up to this length, in microseconds: a minute.
const LINE_MAX_US: u64 = 60_000_000;
/// When somebody who found no place comes back, in milliseconds: a random time between half and all.
const PLACE_RETRY_MS: u32 = 10_000;
/// The same for somebody who comes while the server stops.
const DRAINING_RETRY_MS: u32 = 4_000;

/// An upgrade is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{hint}")]
pub struct Refused {
    /// The limit.
    pub cause: Cause,
    hint: &'static str,
    /// When to come back, in seconds: at least 1, and random, so that not all come at once.
    pub retry_after_s: u32,
}

/// The way in.
#[derive(Debug)]
pub struct Door {
    limits: Limits,
    total: AtomicUsize,
    sources: DashMap<Source, Present>,
    source_rates: Rates<Source>,
    pace: Pace,
    line: Mutex<Line>,
    refusals: Arc<Refusals>,
}

/// Connections of one source.
#[derive(Clone, Copy, Debug, Default)]
struct Present {
    all: usize,
    nameless: usize,
}

/// Who came in recently, and who was told to come back.
#[derive(Debug, Default)]
struct Line {
    admitted: Bucket,
    /// When all who were refused could have come in, one behind the other, in microseconds.
    ends_at_us: u64,
}

/// A place among all connections, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    door: Arc<Door>,
    source: Source,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.total.fetch_sub(1, Ordering::Relaxed);
        self.door.leave(self.source, |present| &mut present.all);
    }
}

/// A place among those of a source that have not said who they are, given back when it is dropped.
#[derive(Debug)]
pub struct SourcePlace {
    door: Arc<Door>,
    source: Source,
}

impl Drop for SourcePlace {
    fn drop(&mut self) {
        self.door
            .leave(self.source, |present| &mut present.nameless);
    }
}

impl Door {
    /// Nobody has come in yet.
    pub fn new(limits: Limits, refusals: Arc<Refusals>) -> Self {
        let per_source = Pace::in_any_second(limits.connects_per_s_per_source);
        Self {
            total: AtomicUsize::new(0),
            sources: DashMap::new(),
            source_rates: Rates::new(per_source, limits.total),
            pace: Pace::in_any_second(limits.connects_per_s),
            line: Mutex::default(),
            refusals,
            limits,
        }
    }

    /// A place for one more connection from `source`. What concerns the source alone is looked at
    /// first, so that nobody uses up the rate of all.
    ///
    /// # Errors
    /// One of the limits is reached.
    pub fn enter(self: &Arc<Self>, source: Source, now: Timestamp) -> Result<Place, Refused> {
        if let Err(wait_ms) = self.source_rates.take(source, 1, now) {
            let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
            let hint = "too many connections a second come from this address";
            let cause = Cause::ConnectsPerSecondPerAddress;
            return Err(self.refuse(cause, hint, wait_ms.saturating_add(2_000)));
        }
        let most = self.limits.per_source;
        if !self.come(source, most, |present| &mut present.all) {
            let hint = "too many connections come from this address";
            return Err(self.refuse(Cause::ConnectionsPerAddress, hint, PLACE_RETRY_MS));
        }
        let before = self.total.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            door: Arc::clone(self),
            source,
        };
        if before >= self.limits.total {
            let hint = "the server has as many connections as it takes";
            return Err(self.refuse(Cause::Connections, hint, PLACE_RETRY_MS));
        }
        if let Err(most_ms) = self.line_up(now) {
            let hint = "more connections come a second than are let in";
            return Err(self.refuse(Cause::ConnectsPerSecond, hint, most_ms));
        }
        Ok(place)
    }

    /// A place for one more connection without credentials from `source`.
    ///
    /// # Errors
    /// There are too many of them.
    pub fn enter_nameless(self: &Arc<Self>, source: Source) -> Result<SourcePlace, Refused> {
        let most = self.limits.unauthenticated_per_source;
        if !self.come(source, most, |present| &mut present.nameless) {
            let hint = "too many connections without credentials come from this address";
            return Err(self.refuse(Cause::UnauthenticatedPerAddress, hint, PLACE_RETRY_MS));
        }
        Ok(SourcePlace {
            door: Arc::clone(self),
            source,
        })
    }

    /// Count of places that are taken, and of sources that they are for.
    pub fn taken(&self) -> (usize, usize) {
        (self.total.load(Ordering::Relaxed), self.sources.len())
    }

    /// Somebody comes while the server stops.
    pub fn refuse_while_draining(&self) -> Refused {
        let hint = "the server is stopping";
        self.refuse(Cause::Draining, hint, DRAINING_RETRY_MS)
    }

    /// Whether the rate of all lets one more in. If not: when to come back at the latest, in
    /// milliseconds, which is twice the time that the line of those who were refused takes.
    fn line_up(&self, now: Timestamp) -> Result<(), u32> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.admitted.take(now, 1, self.pace).is_ok() {
            return Ok(());
        }
        let now_us = now.0.saturating_mul(1_000);
        let waits_us = line.ends_at_us.saturating_sub(now_us);
        // Longer than the longest: the clock was set back.
        let waits_us = if waits_us > LINE_MAX_US { 0 } else { waits_us };
        let waits_us = (waits_us + self.pace.each_us()).min(LINE_MAX_US);
        line.ends_at_us = now_us + waits_us;
        Err(u32::try_from(waits_us / 500).unwrap_or(u32::MAX) + 2_000)
    }

    fn refuse(&self, cause: Cause, hint: &'static str, most_ms: u32) -> Refused {
        self.refusals.note(cause);
        Refused {
            cause,
            hint,
            retry_after_s: chance::spread_ms(most_ms).div_ceil(1_000).max(1),
        }
    }

    fn come(
        &self,
        source: Source,
        most: usize,
        count: impl Fn(&mut Present) -> &mut usize,
    ) -> bool {
        let mut present = self.sources.entry(source).or_default();
        let count = count(&mut present);
        let fits = *count < most;
        if fits {
            *count += 1;
        }
        // Who was refused without having a place has left no trace.
        let is_empty = present.is_empty();
        drop(present);
        if is_empty {
            self.sources
                .remove_if(&source, |_, present| present.is_empty());
        }
        fits
    }

    fn leave(&self, source: Source, count: impl Fn(&mut Present) -> &mut usize) {
        if let Slot::Occupied(mut present) = self.sources.entry(source) {
            *count(present.get_mut()) -= 1;
            if present.get().is_empty() {
                present.remove();
            }
        }
    }
}

impl Present {
    fn is_empty(self) -> bool {
        self.all == 0 && self.nameless == 0
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn door(limits: Limits) -> Arc<Door> {
        Arc::new(Door::new(limits, Arc::default()))
    }

    fn source(text: &str) -> Source {
        Source::from(text.parse::<IpAddr>().unwrap())
    }

    fn cause<T>(entered: Result<T, Refused>) -> Option<Cause> {
        entered.err().map(|refused| refused.cause)
    }

    #[test]
    fn places_are_bounded_and_come_back() {
        let door = door(Limits {
            total: 3,
            per_source: 2,
            unauthenticated_per_source: 1,
            ..Limits::default()
        });
        let (ann, bob) = (source("192.0.2.1"), source("192.0.2.2"));
        let places = [door.enter(ann, NOW), door.enter(ann, NOW)];
        assert!(places.iter().all(Result::is_ok));
        assert_eq!(
            cause(door.enter(ann, NOW)),
            Some(Cause::ConnectionsPerAddress)
        );
        let third = door.enter(bob, NOW);
        assert_eq!(cause(door.enter(bob, NOW)), Some(Cause::Connections));
        drop(places);
        assert!(door.enter(ann, NOW).is_ok());
        drop(third);
        assert_eq!(door.taken(), (0, 0));
        assert_eq!(door.refusals.count(Cause::Connections), 1);
    }

    #[test]
    fn a_network_of_an_ipv6_address_is_one_source() {
        let door = door(Limits {
            unauthenticated_per_source: 1,
            ..Limits::default()
        });
        let place = door.enter_nameless(source("2001:db8::1"));
        assert!(place.is_ok());
        let other = door.enter_nameless(source("2001:db8::2"));
        assert_eq!(cause(other), Some(Cause::UnauthenticatedPerAddress));
        assert!(door.enter_nameless(source("2001:db8:0:1::1")).is_ok());
        drop(place);
        assert!(door.enter_nameless(source("2001:db8::2")).is_ok());
        assert_eq!(door.taken(), (0, 0));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn who_comes_too_often_uses_up_nothing_of_the_others() {
        let door = door(Limits {
            connects_per_s: 100,
            connects_per_s_per_source: 5,
            ..Limits::default()
        });
        let (eve, ann) = (source("192.0.2.1"), source("192.0.2.2"));
        let mut entered = 0;
        for ms in 0..1_000 {
            let now = Timestamp(NOW.0 + ms);
            match door.enter(eve, now) {
                Ok(_) => entered += 1,
                Err(refused) => assert_eq!(refused.cause, Cause::ConnectsPerSecondPerAddress),
            }
            if ms % 250 == 50 {
                assert_eq!(cause(door.enter(ann, now)), None, "{ms}");
            }
        }
        assert_eq!(entered, 5);
    }

    #[test]
    fn those_who_are_refused_come_back_one_behind_the_other() {
        let door = door(Limits {
            connects_per_s: 100,
            connects_per_s_per_source: 100_000,
            ..Limits::default()
        });
        let mut back_at_s = vec![0; 32];
        for _ in 0..1_010 {
            if let Err(refused) = door.enter(source("192.0.2.1"), NOW) {
                assert_eq!(refused.cause, Cause::ConnectsPerSecond);
                back_at_s[refused.retry_after_s as usize] += 1;
            }
        }
        // The line takes 11 s: nobody is told to come at once, or later than twice that.
        let refused: usize = back_at_s.iter().sum();
        assert_eq!(refused, 1_000);
        assert_eq!(back_at_s[0], 0);
        assert_eq!(back_at_s[25..].iter().sum::<usize>(), 0);
        assert!(back_at_s.iter().all(|count| *count <= 150), "{back_at_s:?}");
        // Later there is no line any more.
        for _ in 0..11 {
            let entered = door.enter(source("192.0.2.1"), Timestamp(NOW.0 + 70_000));
            let retry_s = entered.err().map_or(1, |refused| refused.retry_after_s);
            assert!(retry_s <= 3, "{retry_s}");
        }
    }
}
