//! What this process takes of the machine, from `/proc`; elsewhere nothing is known of it.

use std::fs;

use serde::{Deserialize, Serialize};

/// Clock ticks of `/proc/self/stat` a second; the same on every Linux that Rust runs on.
const TICKS_PER_S: u64 = 100;

/// What the process takes of the machine at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
    /// Addresses that are mapped, in bytes.
    pub virtual_bytes: u64,
    /// User and system time since the start, in milliseconds, in steps of 10.
    pub cpu_ms: u64,
    /// Threads.
    pub threads: u64,
    /// Open files and sockets.
    pub open_files: u64,
    /// How many there may be.
    pub open_files_max: u64,
    /// When the process began, in seconds since 1970.
    pub started_s: u64,
}

impl Usage {
    /// What this process takes now; `None` where there is no `/proc`. Counting the open files takes
    /// about a microsecond for each: not for a thread that serves connections.
    pub fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let machine = fs::read_to_string("/proc/stat").ok()?;
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count();
        let (cpu_ms, began_ms) = times_ms(&stat)?;
        let booted_s: u64 = line(&machine, "btime ")?.trim().parse().ok()?;
        Some(Self {
            resident_bytes: bytes(&status, "VmRSS:")?,
            virtual_bytes: bytes(&status, "VmSize:")?,
            cpu_ms,
            threads: line(&status, "Threads:")?.trim().parse().ok()?,
            // One of them is that of this count.
            open_files: u64::try_from(open_files).ok()?.saturating_sub(1),
            open_files_max: (line(&limits, "Max open files")?.split_ascii_whitespace())
                .next()?
                .parse()
                .unwrap_or(u64::MAX),
            started_s: booted_s + began_ms / 1_000,
        })
    }
}

fn line<'a>(text: &'a str, head: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(head))
}

fn bytes(status: &str, head: &str) -> Option<u64> {
    let kib: u64 = (line(status, head)?.trim().strip_suffix("kB")?.trim())
        .parse()
        .ok()?;
    Some(kib * 1_024)
}

/// CPU time of a process, and when it began after the start of the machine.
fn times_ms(stat: &str) -> Option<(u64, u64)> {
    // The name of the program may hold spaces; it ends at the last parenthesis.
    let fields = stat.rsplit_once(')')?.1;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let cpu = next()? + next()?;
    let began: u64 = fields.nth(6)?.parse().ok()?;
    Some((cpu * 1_000 / TICKS_PER_S, began * 1_000 / TICKS_PER_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 3 0 6200 9 9";
        assert_eq!(times_ms(stat), Some((2_000, 62_000)));
        assert_eq!(bytes("Name:\tx\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12_288));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        let usage = Usage::now().unwrap();
        assert!(usage.resident_bytes > 1 << 20 && usage.virtual_bytes > usage.resident_bytes);
        assert!(usage.threads >= 1 && usage.open_files >= 3);
        assert!(usage.open_files_max > usage.open_files);
        let now_s = crate::clock::now().0 / 1_000;
        assert!(usage.started_s <= now_s + 1 && usage.started_s + 86_400 > now_s);
    }
}
