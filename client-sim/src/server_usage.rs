//! CPU and memory of a process on this machine, from `/proc`.

use serde::Serialize;

/// Clock ticks of `/proc/PID/stat` a second; the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// User and system time, in seconds; `None` where it could not be read.
    pub cpu_seconds: Option<f64>,
    /// Resident memory, in bytes; `None` where it could not be read.
    pub rss_bytes: Option<u64>,
    /// The most that was ever resident, in bytes; `None` where it could not be read.
    pub rss_peak_bytes: Option<u64>,
}

impl Usage {
    /// What process `pid` has used until now.
    pub fn of(pid: Option<u32>) -> Self {
        let Some(pid) = pid else {
            return Self::default();
        };
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
        let status = read("status").unwrap_or_default();
        Self {
            cpu_seconds: read("stat").and_then(|stat| cpu_seconds(&stat)),
            rss_bytes: bytes_of(&status, "VmRSS:"),
            rss_peak_bytes: bytes_of(&status, "VmHWM:"),
        }
    }

    /// What this process has used until now.
    pub fn own() -> Self {
        Self::of(Some(std::process::id()))
    }

    /// The CPU time since an earlier look, and the memory of this one.
    pub fn since(self, earlier: Self) -> Self {
        let cpu = self.cpu_seconds.zip(earlier.cpu_seconds);
        Self {
            cpu_seconds: cpu.map(|(now, then)| now - then),
            ..self
        }
    }
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program may hold spaces; it ends at the last parenthesis.
    let fields = stat.rsplit_once(')')?.1;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn bytes_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_past_a_name_with_spaces() {
        let stat = "7 (a b) c) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 5 1 1 1";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        let status = "Name:\tx\nVmHWM:\t  16 kB\nVmRSS:\t  12 kB\n";
        assert_eq!(bytes_of(status, "VmRSS:"), Some(12_288));
        assert_eq!(bytes_of(status, "VmHWM:"), Some(16_384));
    }
}
