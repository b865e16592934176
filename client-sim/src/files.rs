//! Open files and ports, which bound the clients of one process.

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::link::Target;

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

/// Where Linux says which ports a connection may leave from.
const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Checks that each address that clients connect from has a port for each of its clients. Where the
/// machine does not say how many it has, nothing is checked.
///
/// # Errors
/// It has not; says what to do.
pub fn ports(target: &Target, clients: usize) -> anyhow::Result<()> {
    let Ok(range) = std::fs::read_to_string(PORT_RANGE) else {
        return Ok(());
    };
    let available =
        count_ports(&range).with_context(|| format!("{PORT_RANGE} is not two ports"))?;
    check_ports(target.clients_of_source(clients), clients, available)
}

fn count_ports(range: &str) -> Option<usize> {
    let mut ends = range.split_ascii_whitespace().map(str::parse::<usize>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    (last + 1).checked_sub(first)
}

fn check_ports(of_source: usize, clients: usize, available: usize) -> anyhow::Result<()> {
    if of_source <= available {
        return Ok(());
    }
    bail!(
        "{of_source} clients would connect from one address, which has {available} ports: connect \
         to a loopback address from more of them (`--source-addresses {}`), or widen \
         net.ipv4.ip_local_port_range",
        clients.div_ceil(available.max(1))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_files_are_told_before_the_run_with_what_to_do() {
        let told = make_room(usize::MAX / 2).unwrap_err().to_string();
        assert!(told.contains("raise the hard limit"), "{told}");
        assert!(told.contains("processes with fewer clients"), "{told}");
    }

    #[test]
    fn too_few_ports_are_told_before_the_run_with_what_to_do() {
        assert_eq!(count_ports("32768\t60999\n"), Some(28_232));
        assert_eq!(count_ports("32768"), None);
        assert!(check_ports(28_232, 28_232, 28_232).is_ok());
        let told = check_ports(60_000, 60_000, 28_232).unwrap_err().to_string();
        assert!(told.contains("`--source-addresses 3`"), "{told}");
    }
}
