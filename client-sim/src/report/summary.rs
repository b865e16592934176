//! The report for people.

use std::fmt::Write as _;

use super::Report;

impl Report {
    /// The report for people.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let (c, d, v) = (self.commands, self.deliveries, self.violations);
        let mut line = |name: &str, rest: String| {
            let _ = writeln!(text, "{name:<12} {rest}");
        };
        if let Some(scenario) = &self.scenario {
            line(
                "scenario",
                format!("{} at scale {}", scenario.name, scenario.scale),
            );
        }
        line(
            "clients",
            format!(
                "{} on {} boards; replicas: {}",
                self.clients, self.boards, self.replicas
            ),
        );
        if self.actions.read > 0 {
            let a = &self.actions;
            line(
                "actions",
                format!(
                    "{} read, {} sent, {} of {} about cards and lists, {} things prepared",
                    a.read, a.sent, a.card_and_list_sent, a.card_and_list, a.prepared
                ),
            );
            for skipped in &a.skipped {
                line(
                    "  skipped",
                    format!("{} {}: {}", skipped.count, skipped.what, skipped.why),
                );
            }
        }
        line(
            "commands",
            format!(
                "{} sent, {} accepted, {} durable, {} without change, {} rejected, {} unanswered, \
                 {} held back",
                c.sent, c.accepted, c.durable, c.no_change, c.rejected, c.unanswered, c.held_back
            ),
        );
        line(
            "deliveries",
            format!(
                "{} of {} live ({:.0}/s), {} by resume, {} passed over by snapshots",
                d.received, d.expected, self.deliveries_per_s, d.resumed, d.skipped_by_snapshot
            ),
        );
        for (name, ms) in [
            ("latency ms", self.latency_ms),
            ("echo ms", self.echo_ms),
            ("durable ms", self.durable_ms),
            ("join ms", self.join_ms),
            ("slow ms", self.slow_ms),
        ] {
            if ms.count == 0 {
                continue;
            }
            line(
                name,
                format!(
                    "p50 {:.2}  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2}",
                    ms.p50, ms.p90, ms.p99, ms.p999, ms.max
                ),
            );
        }
        line(
            "bytes",
            format!("{} sent, {} received", self.bytes.sent, self.bytes.received),
        );
        let presence = self.presence;
        if presence.sent + presence.received > 0 {
            line(
                "presence",
                format!("{} sent, {} received", presence.sent, presence.received),
            );
        }
        let connections = &self.connections;
        line(
            "connections",
            format!(
                "{} opened, {} cut, resumed {} times with events, {} times with a snapshot",
                connections.opened,
                connections.cut,
                connections.resumed_with_events,
                connections.resumed_with_snapshot
            ),
        );
        if let (Some(cpu), Some(us)) = (self.server.cpu_seconds, self.cpu_us_per_delivery) {
            let rss = self.server.rss_bytes.unwrap_or_default() / 1_048_576;
            line(
                "server",
                format!("{cpu:.2} s CPU, {us:.2} us a delivery, {rss} MiB resident"),
            );
        }
        if let Some(cpu) = self.simulator.cpu_seconds {
            let peak = self.simulator.rss_peak_bytes.unwrap_or_default() / 1_048_576;
            let late = self.lateness_ms;
            line(
                "simulator",
                format!(
                    "{cpu:.2} s CPU, {peak} MiB resident at most, commands late by p99 {:.2} max \
                     {:.2} ms",
                    late.p99, late.max
                ),
            );
        }
        for (why, count) in connections.failures.iter().chain(&self.rejections) {
            line("  failed", format!("{count} {why}"));
        }
        if let [end] = self.ends.as_slice() {
            line(
                "board",
                format!(
                    "{} version {} with {} cards, hash {}, equal in {} replicas and {} followers",
                    end.board, end.version, end.cards, end.hash, end.replicas, end.followers
                ),
            );
        }
        line(
            "violations",
            format!(
                "{} ({} gaps, {} duplicates, {} reordered, {} unanswered, {} diverged)",
                v.total, v.gaps, v.duplicates, v.reordered, v.unanswered, v.diverged
            ),
        );
        for note in &self.notes {
            line("  violation", note.clone());
        }
        text
    }
}
