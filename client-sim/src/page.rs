//! The report as a page: one HTML file with its plots inside, which loads nothing.

mod plot;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

use self::plot::{Axis, Plot};
use crate::report::{Latency, Report};
use crate::series::{Sample, Spread};

const MIB: f64 = 1_048_576.0;

const STYLE: &str = "
:root { color-scheme: light dark; --c0: #1f6feb; --c1: #d9480f; --c2: #2b8a3e; --c3: #862e9c;
  --grid: #8885; --band: #1f6feb14; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1500px; margin: 2rem auto; padding: 0 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; } small { font-weight: 400; opacity: .7; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; opacity: .75; }
text.y { text-anchor: end; } text.x { text-anchor: middle; }
path { fill: none; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
path.grid { stroke: var(--grid); stroke-width: .5; } rect.band { fill: var(--band); }
.l0 { stroke: var(--c0); } .l1 { stroke: var(--c1); } .l2 { stroke: var(--c2); }
.l3 { stroke: var(--c3); }
.k0 { color: var(--c0); } .k1 { color: var(--c1); } .k2 { color: var(--c2); }
.k3 { color: var(--c3); }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .15rem .8rem .15rem 0; text-align: right; font-variant-numeric: tabular-nums; }
td:first-child, th:first-child { text-align: left; }
pre { white-space: pre-wrap; }
";

/// Writes the page to a file.
///
/// # Errors
/// The file cannot be written.
pub fn write(report: &Report, path: &Path) -> anyhow::Result<()> {
    std::fs::write(path, html(report))
        .with_context(|| format!("failed to write {}", path.display()))
}

/// The page.
pub fn html(report: &Report) -> String {
    let name = match &report.scenario {
        Some(scenario) => format!("{} at scale {}", scenario.name, scenario.scale),
        None => "run".into(),
    };
    let title = escape(&format!("boardcast-sim: {name}"));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width\"/>\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    if let Some(scenario) = &report.scenario {
        let _ = writeln!(page, "<p>{}</p>", escape(&scenario.about));
    }
    let verdict = if report.is_clean() {
        "Every promise was kept.".to_owned()
    } else {
        format!(
            "{} violations; {} clients ended before they were told to.",
            report.violations.total,
            report.connections.ended.len()
        )
    };
    let _ = writeln!(page, "<p><strong>{verdict}</strong></p>");
    page.push_str(&percentiles(report));
    page.push_str("<div class=\"plots\">\n");
    for plot in plots(report) {
        page.push_str(&plot.draw());
    }
    page.push_str("</div>\n<p><small>The marked time is that of the commands.</small></p>\n");
    let _ = write!(
        page,
        "<h2>Summary</h2>\n<pre>{}</pre>\n</body>\n</html>\n",
        escape(&report.summary())
    );
    page
}

fn percentiles(report: &Report) -> String {
    let mut table = String::from(
        "<table>\n<tr><th>ms</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th>\
         <th>count</th></tr>\n",
    );
    let rows: [(&str, &Latency); 6] = [
        ("delivery: due to received", &report.latency_ms),
        ("delivery at slow readers", &report.slow_ms),
        ("echo: due to accepted", &report.echo_ms),
        ("durable: due to on disk", &report.durable_ms),
        ("join: first attempt to up to date", &report.join_ms),
        ("lateness of this program", &report.lateness_ms),
    ];
    for (name, ms) in rows.into_iter().filter(|(_, ms)| ms.count > 0) {
        let _ = write!(table, "<tr><td>{name}</td>");
        for value in [ms.p50, ms.p90, ms.p99, ms.p999, ms.max] {
            let _ = write!(table, "<td>{value:.2}</td>");
        }
        let _ = writeln!(table, "<td>{}</td></tr>", ms.count);
    }
    table.push_str("</table>\n");
    table
}

fn plots(report: &Report) -> [Plot; 8] {
    let series = &report.series;
    let samples = &series.samples;
    let times: Vec<f64> = samples.iter().map(|sample| sample.at_s).collect();
    let band = (series.running_from_s, series.running_to_s);
    let plot = |title, unit, axis| Plot::new(title, unit, axis, &times, band);
    let each = |look: fn(&Sample) -> Option<f64>| samples.iter().map(look);
    let of = |spread: fn(&Sample) -> Option<Spread>, value: fn(Spread) -> f64| {
        samples.iter().map(move |sample| spread(sample).map(value))
    };
    [
        plot("Delivery", "ms, due to received", Axis::Log)
            .line("p50", of(|s| s.latency_ms, |ms| ms.p50))
            .line("p99", of(|s| s.latency_ms, |ms| ms.p99))
            .line("max", of(|s| s.latency_ms, |ms| ms.max)),
        plot("Answers", "ms, due to answered", Axis::Log)
            .line("echo p50", of(|s| s.echo_ms, |ms| ms.p50))
            .line("echo p99", of(|s| s.echo_ms, |ms| ms.p99))
            .line("durable p50", of(|s| s.durable_ms, |ms| ms.p50))
            .line("durable p99", of(|s| s.durable_ms, |ms| ms.p99)),
        plot("Deliveries", "a second", Axis::Linear)
            .line("versions", each(|s| Some(s.deliveries_per_s)))
            .line("presence", each(|s| Some(s.presence_per_s))),
        plot("Commands", "a second", Axis::Linear)
            .line("sent", each(|s| Some(s.commands_per_s)))
            .line("durable", each(|s| Some(s.durable_per_s))),
        plot("Connections", "clients", Axis::Linear)
            .line("open", each(|s| Some(s.open as f64)))
            .line("up to date", each(|s| Some(s.live as f64))),
        plot("Connecting", "connections opened a second", Axis::Linear)
            .line("opened", each(|s| Some(s.connects_per_s))),
        plot("CPU", "cores", Axis::Linear)
            .line("server", each(|s| s.server_cpu))
            .line("simulator", each(|s| s.simulator_cpu)),
        plot("Memory", "MiB resident", Axis::Linear)
            .line("server", each(|s| Some(s.server_rss_bytes? as f64 / MIB)))
            .line(
                "simulator",
                each(|s| Some(s.simulator_rss_bytes? as f64 / MIB)),
            ),
    ]
}

/// Text as it may stand in a page.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
