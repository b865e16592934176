//! CPU and memory of processes and cores, from /proc.

use std::fs;

use serde::Serialize;

/// A process and its descendants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes(Vec<i32>);

impl Processes {
    /// `pid` and its descendants as they are now; nobody without one.
    pub(crate) fn below(pid: Option<i32>) -> Self {
        let Some(pid) = pid else {
            return Self::default();
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let parents: Vec<(i32, i32)> = entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|pid| Some((pid, stat(pid)?.parent)))
            .collect();
        let mut found = vec![pid];
        let mut at = 0;
        while let Some(parent) = found.get(at).copied() {
            found.extend(
                parents
                    .iter()
                    .filter(|(_, p)| *p == parent)
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        Self(found)
    }

    /// CPU that they have used so far.
    pub(crate) fn cpu(&self) -> Cpu {
        let stats = self.0.iter().filter_map(|pid| stat(*pid));
        stats.fold(Cpu::default(), |sum, stat| Cpu {
            all_s: sum.all_s + stat.cpu.all_s,
            kernel_s: sum.kernel_s + stat.cpu.kernel_s,
        })
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kb(&self) -> u64 {
        let page_kb = rustix::param::page_size() as u64 / 1_024;
        let pages = self.0.iter().filter_map(|pid| {
            let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
            text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
        });
        pages.sum::<u64>() * page_kb
    }
}

/// Seconds of CPU, and the kernel's part of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) all_s: f64,
    pub(crate) kernel_s: f64,
}

/// Memory at one moment.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Memory {
    pub(crate) resident_kb: u64,
    /// What the kernel holds for all TCP sockets of the machine; not part of resident memory.
    pub(crate) sockets_kb: u64,
}

impl Memory {
    pub(crate) fn of(processes: &Processes) -> Self {
        let sockets = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
        let tcp = sockets.lines().find(|line| line.starts_with("TCP:"));
        let pages = tcp.and_then(|line| line.split_ascii_whitespace().last()?.parse::<u64>().ok());
        Self {
            resident_kb: processes.resident_kb(),
            sockets_kb: pages.unwrap_or(0) * rustix::param::page_size() as u64 / 1_024,
        }
    }
}

/// Seconds since the start of the machine in which a core was not idle.
pub(crate) fn core_busy_s(core: usize) -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let name = format!("cpu{core} ");
    let Some(line) = text.lines().find(|line| line.starts_with(&name)) else {
        return 0.0;
    };
    // user, nice, system, idle, iowait, irq, softirq, steal
    let times = line.split_ascii_whitespace().skip(1).take(8);
    let busy = times.enumerate().filter(|(at, _)| !matches!(at, 3 | 4));
    ticks_to_s(busy.filter_map(|(_, time)| time.parse::<u64>().ok()).sum())
}

struct Stat {
    parent: i32,
    cpu: Cpu,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, spaces and brackets included.
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let (user, kernel) = (ticks(11)?, ticks(12)?);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        cpu: Cpu {
            all_s: ticks_to_s(user + kernel),
            kernel_s: ticks_to_s(kernel),
        },
    })
}

fn ticks_to_s(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}
