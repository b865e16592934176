//! Numbers as people read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::plain::plain;
use crate::http::admin::Stats;
use crate::measure::Summary;

/// The numbers of a server; with those of an earlier look also what happened a second since then.
pub(super) fn of(stats: &Stats, earlier: Option<&Stats>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, stats)
        .and_then(|()| rates(&mut text, stats, earlier))
        .and_then(|()| connections(&mut text, stats))
        .and_then(|()| rooms(&mut text, stats))
        .and_then(|()| journal(&mut text, stats));
    text
}

fn head(text: &mut String, stats: &Stats) -> std::fmt::Result {
    write!(text, "boardcast    {}", plain(&stats.version))?;
    if let Some(usage) = &stats.process {
        let up_s = (stats.at / 1_000).saturating_sub(usage.started_s);
        write!(
            text,
            ", up {}, memory {}, CPU {:.1} s, {} threads, {} of {} files",
            time(up_s * 1_000),
            bytes(usage.resident_bytes),
            usage.cpu_ms as f64 / 1e3,
            usage.threads,
            usage.open_files,
            usage.open_files_max,
        )?;
    }
    writeln!(text)
}

fn rates(text: &mut String, stats: &Stats, earlier: Option<&Stats>) -> std::fmt::Result {
    let Some(earlier) = earlier else {
        return Ok(());
    };
    let seconds = stats.at.saturating_sub(earlier.at).max(1) as f64 / 1e3;
    let rate = |of: fn(&Stats) -> u64| of(stats).saturating_sub(of(earlier)) as f64 / seconds;
    let cpu = rate(|s| s.process.map_or(0, |usage| usage.cpu_ms)) / 10.0;
    writeln!(
        text,
        "a second     {:.0} deliveries, {:.0} versions durable, {:.0} messages in, {:.0} out, \
         {} out, CPU {cpu:.1} %",
        rate(|s| s.rooms.deliveries),
        rate(|s| s.journal.versions),
        rate(|s| s.connections.received.messages),
        rate(|s| s.connections.sent.messages),
        bytes(rate(|s| s.connections.sent.bytes) as u64),
    )
}

fn connections(text: &mut String, stats: &Stats) -> std::fmt::Result {
    let all = &stats.connections;
    writeln!(
        text,
        "connections  {} open, {} admitted, {} opened, closed: {}, {} upgrades refused",
        all.open,
        all.admitted,
        all.opened,
        causes(&all.closed),
        all.refused,
    )?;
    writeln!(
        text,
        "traffic      out {} in {} messages, in {} in {} messages, {} limits hit",
        bytes(all.sent.bytes),
        all.sent.messages,
        bytes(all.received.bytes),
        all.received.messages,
        all.limits_hit,
    )?;
    writeln!(
        text,
        "queues       {} for all, {} at most for one",
        bytes(all.queue_bytes),
        bytes(all.queue_max_bytes),
    )
}

fn rooms(text: &mut String, stats: &Stats) -> std::fmt::Result {
    let rooms = &stats.rooms;
    writeln!(
        text,
        "rooms        {} open with {}, {} inputs wait, {} at most for one",
        rooms.open,
        bytes(rooms.bytes as u64),
        rooms.inputs,
        rooms.inputs_max,
    )?;
    writeln!(
        text,
        "fan-out      {} deliveries in {} batches of {} versions; {}; waited for the thread {}",
        rooms.deliveries,
        rooms.batches,
        sizes(&rooms.batch_versions),
        times(&rooms.fan_out_us),
        times(&rooms.wait_us),
    )?;
    writeln!(
        text,
        "consequences {} rejected, {} busy, {} resynchronised, {} too slow, {} snapshots",
        rooms.rejected, rooms.busy, rooms.resyncs, rooms.slow_consumers, rooms.snapshots_encoded,
    )
}

fn journal(text: &mut String, stats: &Stats) -> std::fmt::Result {
    let journal = &stats.journal;
    let reason = journal.reason.as_deref().map(plain);
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    writeln!(
        text,
        "journal      {}{reason}; {} versions wait, {} durable after {}",
        plain(&journal.health),
        journal.queued_versions,
        journal.versions,
        times(&journal.lag_us),
    )?;
    writeln!(
        text,
        "commits      of {} versions; {}; {} repeated, {} boards failed",
        sizes(&journal.group_versions),
        times(&journal.commit_us),
        journal.retries,
        journal.failed_boards,
    )?;
    let slow = &stats.slow_queries;
    writeln!(
        text,
        "database     {}, log {}; reads {}; {} slower than {} ms",
        bytes(journal.database_bytes),
        bytes(journal.wal_bytes),
        times(&slow.read_us),
        slow.count,
        slow.above_ms,
    )?;
    for query in &slow.slowest {
        writeln!(
            text,
            "  slow       {} ms: {}",
            query.duration_ms,
            plain(&query.what)
        )?;
    }
    Ok(())
}

fn causes(closed: &BTreeMap<String, u64>) -> String {
    if closed.is_empty() {
        return "none".to_owned();
    }
    let causes = closed
        .iter()
        .map(|(cause, count)| format!("{count} {}", plain(cause)));
    causes.collect::<Vec<_>>().join(" ")
}

fn times(us: &Summary) -> String {
    format!(
        "p50 {} p90 {} p99 {} ms",
        ms(us.p50),
        ms(us.p90),
        ms(us.p99)
    )
}

fn sizes(of: &Summary) -> String {
    format!("{} to {}", of.p50, of.p99)
}

/// Microseconds as milliseconds.
pub(super) fn ms(us: u64) -> String {
    format!("{:.2}", us as f64 / 1e3)
}

/// A count of bytes in three or four digits.
pub(super) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB"] {
        if value < 1_024.0 {
            let digits = usize::from(unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1_024.0;
    }
    format!("{value:.1} GiB")
}

/// A time in its largest unit.
pub(super) fn time(ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", s / 60),
        7_200..172_800 => format!("{} h", s / 3_600),
        _ => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_unit() {
        let of_bytes = [0, 1_023, 1_024, 1_572_864, 5 << 30].map(bytes);
        assert_eq!(of_bytes, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "5.0 GiB"]);
        let of_times = [0, 119_999, 120_000, 7_200_000, 172_800_000].map(time);
        assert_eq!(of_times, ["0 s", "119 s", "2 min", "2 h", "2 d"]);
        assert_eq!(ms(1_234), "1.23");
    }

    #[test]
    fn a_second_look_tells_what_happened_a_second() {
        let mut stats = Stats {
            at: 10_000,
            ..Stats::default()
        };
        assert!(!of(&stats, None).contains("a second"));
        let earlier = stats.clone();
        stats.at = 12_000;
        stats.rooms.deliveries = 500;
        stats.journal.versions = 20;
        let text = of(&stats, Some(&earlier));
        let wanted = "a second     250 deliveries, 10 versions durable, 0 messages in";
        assert!(text.contains(wanted), "{text}");
    }
}
