//! Boards and connections as tables.

use super::text::{bytes, ms, time};
use crate::cli::plain::plain;
use crate::http::admin::{BoardStats, ConnectionEntry, ConnectionsPage};

/// The widest cell; longer ones are cut.
const CELL_MAX: usize = 28;

/// The busiest boards; nothing where none was busy.
pub(super) fn boards(boards: &[BoardStats]) -> String {
    let head = [
        "BOARD",
        "SUBSCRIBERS",
        "DELIVERIES",
        "BATCHES",
        "P50 MS",
        "P99 MS",
    ];
    let rows = boards.iter().map(|board| {
        [
            board.board.to_string(),
            board.subscribers.to_string(),
            board.deliveries.to_string(),
            board.fan_out_us.count.to_string(),
            ms(board.fan_out_us.p50),
            ms(board.fan_out_us.p99),
        ]
    });
    table("busiest boards of the last two minutes", head, rows)
}

/// The first connections of a page.
pub(super) fn connections(page: &ConnectionsPage, count: usize, now_ms: u64) -> String {
    let head = [
        "ID", "USER", "BOARDS", "ADDRESS", "AGENT", "OPEN", "SILENT", "RTT MS", "QUEUE", "OUT",
        "IN", "LIMITS",
    ];
    let row = |entry: &ConnectionEntry| {
        let since = |then: u64| time(now_ms.saturating_sub(then));
        let trip = entry.round_trip_us.map(|us| ms(us.into()));
        [
            entry.id.to_string(),
            entry.user.map_or("-".to_owned(), |user| user.to_string()),
            entry.boards.len().to_string(),
            entry.address.to_string(),
            entry.agent.as_deref().map_or("-".to_owned(), plain),
            since(entry.since.0),
            since(entry.active.0),
            trip.unwrap_or_else(|| "-".to_owned()),
            bytes(entry.queue_bytes as u64),
            bytes(entry.sent.bytes),
            bytes(entry.received.bytes),
            entry.limits_hit.to_string(),
        ]
    };
    let rows = page.connections.iter().take(count).map(row);
    table("connections", head, rows)
}

/// Columns of equal width; nothing where there is no row.
fn table<const N: usize>(
    title: &str,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.map(|row| row.map(|cell| cell.chars().take(CELL_MAX).collect())));
    if lines.len() == 1 {
        return String::new();
    }
    let width = |at: usize| {
        lines
            .iter()
            .map(|line: &[String; N]| line[at].chars().count())
            .max()
    };
    let widths: Vec<_> = (0..N).map(|at| width(at).unwrap_or_default()).collect();
    let mut text = format!("\n{title}\n");
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1", "é"], ["200", "bb"]].map(|row| row.map(str::to_owned));
        let text = table("t", ["A", "LONG"], rows.into_iter());
        assert_eq!(text, "\nt\nA    LONG\n1    é\n200  bb\n");
        assert_eq!(boards(&[]), "");
        let long = table("t", ["A"], [["x".repeat(99)]].into_iter());
        assert_eq!(long.lines().last().map(str::len), Some(CELL_MAX));
    }
}
