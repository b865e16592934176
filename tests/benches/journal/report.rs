//! Figures of a run, as text and as JSON.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::trace::Step;

/// Times in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Times {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub(crate) max: f64,
}

impl Times {
    pub(crate) fn of(us: &Histogram<u64>) -> Self {
        let at = |quantile| us.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: us.max() as f64 / 1_000.0,
        }
    }

    pub(crate) fn of_each(us: impl IntoIterator<Item = u64>) -> Self {
        let mut times = Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds that fit");
        for us in us {
            times.saturating_record(us.max(1));
        }
        Self::of(&times)
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50 {:.1}  p90 {:.1}  p99 {:.1}  p999 {:.1}  max {:.1} ms",
            self.p50, self.p90, self.p99, self.p999, self.max
        )
    }
}

/// What the journal did in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Work {
    pub(crate) groups: usize,
    pub(crate) mean_group: f64,
    pub(crate) commit_ms: Times,
    pub(crate) commit_seconds: f64,
    pub(crate) rows_transactions: usize,
    pub(crate) rows_ms: Times,
    pub(crate) rows_seconds: f64,
    pub(crate) checkpoints: usize,
    pub(crate) checkpoint_ms: Times,
    pub(crate) checkpoint_seconds: f64,
    pub(crate) wal_max_bytes: u64,
}

impl Work {
    pub(crate) fn of(steps: &[Step]) -> Self {
        let (mut groups, mut rows, mut checkpoints) = (Vec::new(), Vec::new(), Vec::new());
        let (mut count, mut wal_max_bytes) = (0, 0);
        for step in steps {
            match step {
                Step::Group {
                    versions,
                    duration_us,
                } => {
                    groups.push(*duration_us);
                    count += versions;
                }
                Step::Rows { duration_us, .. } => rows.push(*duration_us),
                Step::Checkpoint {
                    wal_bytes,
                    duration_us,
                } => {
                    checkpoints.push(*duration_us);
                    wal_max_bytes = wal_max_bytes.max(*wal_bytes);
                }
            }
        }
        let seconds = |us: &[u64]| us.iter().sum::<u64>() as f64 / 1e6;
        Self {
            groups: groups.len(),
            mean_group: count as f64 / groups.len().max(1) as f64,
            commit_seconds: seconds(&groups),
            rows_transactions: rows.len(),
            rows_seconds: seconds(&rows),
            checkpoints: checkpoints.len(),
            checkpoint_seconds: seconds(&checkpoints),
            commit_ms: Times::of_each(groups),
            rows_ms: Times::of_each(rows),
            checkpoint_ms: Times::of_each(checkpoints),
            wal_max_bytes,
        }
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "    groups      {:>6}  mean {:.0} versions  {}  {:.2} s",
            self.groups, self.mean_group, self.commit_ms, self.commit_seconds
        )?;
        writeln!(
            f,
            "    rows        {:>6}  {}  {:.2} s",
            self.rows_transactions, self.rows_ms, self.rows_seconds
        )?;
        write!(
            f,
            "    checkpoints {:>6}  {}  {:.2} s  log up to {} MiB",
            self.checkpoints,
            self.checkpoint_ms,
            self.checkpoint_seconds,
            self.wal_max_bytes >> 20
        )
    }
}

/// A run at a rate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Paced {
    pub(crate) rate: u64,
    pub(crate) sent: u64,
    pub(crate) durable: u64,
    pub(crate) refused: u64,
    pub(crate) submit_to_durable_ms: Times,
    pub(crate) work: Work,
}

/// A run as fast as it goes, and the bare loop over what it wrote.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Full {
    pub(crate) path: &'static str,
    pub(crate) versions: usize,
    pub(crate) rows: usize,
    pub(crate) versions_per_second: f64,
    pub(crate) bare_versions_per_second: f64,
    pub(crate) ratio: f64,
    pub(crate) bare_commit_ms: Times,
    pub(crate) work: Work,
}

/// The middle of several figures, and how far they lie apart.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |n: usize| values.get(n).copied().unwrap_or_default();
        Self {
            median: at(values.len() / 2),
            min: at(0),
            max: at(values.len().saturating_sub(1)),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = if self.max < 10.0 { 2 } else { 0 };
        write!(
            f,
            "{:.digits$} ({:.digits$} to {:.digits$})",
            self.median, self.min, self.max
        )
    }
}
