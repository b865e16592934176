//! Writes metrics in the text form of Prometheus, version 0.0.4.
//!
//! By hand, and not through a registry of metrics: the numbers are fields of what they are about,
//! counted with one relaxed atomic and no look-up of a name, and the form is a page of code.

use std::fmt::{Display, Write as _};

use crate::measure::Distribution;

/// The media type of the form.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics as text.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// A number that only grows; its name ends with `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help, "counter");
        self.sample(name, "", value);
    }

    /// A number of this moment.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help, "gauge");
        self.sample(name, "", value);
    }

    /// A counter for each value of a label. The values are names of this program's own: they need
    /// no escaping.
    pub(super) fn counters(
        &mut self,
        (name, label): (&str, &str),
        help: &str,
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) {
        self.head(name, help, "counter");
        self.samples((name, label), values);
    }

    /// A number of this moment for each value of a label.
    pub(super) fn gauges(
        &mut self,
        (name, label): (&str, &str),
        help: &str,
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) {
        self.head(name, help, "gauge");
        self.samples((name, label), values);
    }

    /// A histogram of sizes.
    pub(super) fn sizes(&mut self, name: &str, help: &str, of: &Distribution) {
        self.histogram(name, help, of, 1.0);
    }

    /// A histogram of times that are counted in microseconds and told in seconds.
    pub(super) fn times(&mut self, name: &str, help: &str, of: &Distribution) {
        self.histogram(name, help, of, 1e6);
    }

    fn histogram(&mut self, name: &str, help: &str, of: &Distribution, scale: f64) {
        self.head(name, help, "histogram");
        let bucket = format!("{name}_bucket");
        for (bound, count) in of.cumulative() {
            let label = format!("{{le=\"{}\"}}", bound as f64 / scale);
            self.sample(&bucket, &label, count);
        }
        self.sample(&bucket, "{le=\"+Inf\"}", of.count());
        self.sample(&format!("{name}_sum"), "", of.sum() as f64 / scale);
        self.sample(&format!("{name}_count"), "", of.count());
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn samples(
        &mut self,
        (name, label): (&str, &str),
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) {
        for (value, count) in values {
            self.sample(name, &format!("{{{label}=\"{value}\"}}"), count);
        }
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Histogram;

    #[test]
    fn metrics_have_the_form_of_prometheus() {
        let mut text = Exposition::default();
        text.counter("a_total", "What a is.", 7);
        text.counters(("b_total", "cause"), "What b is.", [("x", 1), ("y", 2)]);
        let histogram = Histogram::new(&[250, 1_000_000]);
        for us in [250, 251, 1_000_001] {
            histogram.observe(us);
        }
        text.times("c_seconds", "What c is.", &histogram.read());
        let expected = "\
# HELP a_total What a is.
# TYPE a_total counter
a_total 7
# HELP b_total What b is.
# TYPE b_total counter
b_total{cause=\"x\"} 1
b_total{cause=\"y\"} 2
# HELP c_seconds What c is.
# TYPE c_seconds histogram
c_seconds_bucket{le=\"0.00025\"} 1
c_seconds_bucket{le=\"1\"} 2
c_seconds_bucket{le=\"+Inf\"} 3
c_seconds_sum 1.000502
c_seconds_count 3
";
        assert_eq!(text.into_text(), expected);
    }
}
