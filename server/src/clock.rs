//! The wall clock: read at the edges only, everything pure takes the time as an argument (rule R13).

use std::time::{SystemTime, UNIX_EPOCH};

use boardcast_protocol::position::Timestamp;

/// The time at this moment; 1970 if the machine's clock stands before that.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
