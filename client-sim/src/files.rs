//! The limit of open files, which bounds the clients of one process.

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of the process that are not clients: runtime, terminal, report, ledger, fresh snapshots.
const OTHERS: u64 = 128;

/// Raises the soft limit of open files as far as it goes, and checks that it holds the clients.
///
/// # Errors
/// The hard limit is too low; says what to do.
pub fn make_room(clients: usize) -> anyhow::Result<()> {
    let needed = clients as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let Some(hard) = limit.maximum.filter(|hard| *hard < needed) else {
        let raised = Rlimit {
            current: limit.maximum.or(Some(needed)),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised)?;
        return Ok(());
    };
    bail!(
        "{clients} clients need {needed} open files and this process may have {hard}: raise the \
         hard limit (`ulimit -Hn {needed}` as root, or LimitNOFILE= of the service), or start \
         {} processes with fewer clients each",
        needed.div_ceil(hard.max(1))
    )
}
