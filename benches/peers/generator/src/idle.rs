//! Connections on which nothing happens.

use crate::fleet::Fleet;

/// Watches them for so many seconds. The server's CPU, in percent of a core.
pub(crate) fn watch(fleet: &mut Fleet, seconds: f64) -> f64 {
    let before = fleet.server.cpu();
    fleet.rest(seconds);
    (fleet.server.cpu().all_s - before.all_s) / seconds * 100.0
}
