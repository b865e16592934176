//! The wall clock: read at the edges only, everything pure takes the time as an argument (rule R13).

use std::time::{SystemTime, UNIX_EPOCH};

use boardcast_protocol::position::Timestamp;

/// The time at this moment; 1970 if the machine's clock stands before that.
pub fn now() -> Timestamp {
    #[cfg(test)]
    if let Some(now) = simulation::now() {
        return now;
    }
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A clock that a test can set, for its own thread.
#[cfg(test)]
pub(crate) mod simulation {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::Timestamp;

    thread_local! {
        static SET: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
    }

    /// From now on this thread's clock shows `now` and goes with the runtime's time.
    pub(crate) fn set(now: Timestamp) {
        SET.set(Some((Instant::now(), now)));
    }

    pub(super) fn now() -> Option<Timestamp> {
        let (at, shown) = SET.get()?;
        let since = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(Timestamp(shown.0 + since))
    }
}
