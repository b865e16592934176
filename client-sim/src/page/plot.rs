//! A plot of some lines over time, as SVG.

use std::fmt::Write as _;

use super::escape;

/// Size of a plot and of the space around it, in the units of its view box.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// Marks on an axis, about.
const TICKS: f64 = 5.0;

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// From 0.
    Linear,
    /// Each ten times as high as the last; what is not above 0 is left out.
    Log,
}

/// A plot of some lines over time.
#[derive(Debug)]
pub(super) struct Plot {
    title: &'static str,
    unit: &'static str,
    axis: Axis,
    times: Vec<f64>,
    band: (f64, f64),
    lines: Vec<(&'static str, Vec<Option<f64>>)>,
}

impl Plot {
    /// A plot without lines; `times` are seconds, in order, and `band` is marked.
    pub(super) fn new(
        title: &'static str,
        unit: &'static str,
        axis: Axis,
        times: &[f64],
        band: (f64, f64),
    ) -> Self {
        Self {
            title,
            unit,
            axis,
            times: times.to_vec(),
            band,
            lines: Vec::new(),
        }
    }

    /// Adds a line, with a value for each time; one without values is left out.
    #[must_use]
    pub(super) fn line(
        mut self,
        name: &'static str,
        values: impl Iterator<Item = Option<f64>>,
    ) -> Self {
        let shown = |value: &f64| value.is_finite() && (self.axis == Axis::Linear || *value > 0.0);
        let values: Vec<_> = values.map(|value| value.filter(shown)).collect();
        if values.iter().any(Option::is_some) {
            self.lines.push((name, values));
        }
        self
    }

    /// The plot as a figure; a plot without lines says so.
    pub(super) fn draw(&self) -> String {
        let (title, unit) = (escape(self.title), escape(self.unit));
        let mut svg = format!("<figure>\n<figcaption>{title} <small>{unit}</small>");
        for (index, (name, _)) in self.lines.iter().enumerate() {
            let _ = write!(svg, " <span class=\"k{index}\">{}</span>", escape(name));
        }
        svg.push_str("</figcaption>\n");
        if self.lines.is_empty() {
            svg.push_str("<p>Nothing was measured.</p>\n</figure>\n");
            return svg;
        }
        let _ = writeln!(
            svg,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">"
        );
        let frame = Frame::of(self);
        frame.band(self.band, &mut svg);
        frame.axes(self.axis, &mut svg);
        for (index, (_, values)) in self.lines.iter().enumerate() {
            let path = frame.path(&self.times, values);
            let _ = writeln!(svg, "<path class=\"l{index}\" d=\"{path}\"/>");
        }
        svg.push_str("</svg>\n</figure>\n");
        svg
    }
}

/// Where times and values are on the paper.
struct Frame {
    end_s: f64,
    low: f64,
    high: f64,
    is_log: bool,
}

impl Frame {
    fn of(plot: &Plot) -> Self {
        let values = plot.lines.iter().flat_map(|(_, values)| values);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.flatten() {
            least = least.min(*value);
            most = most.max(*value);
        }
        let end_s = plot.times.last().copied().unwrap_or_default().max(0.001);
        match plot.axis {
            Axis::Linear => {
                let step = step(most);
                Self {
                    end_s,
                    low: 0.0,
                    high: (most / step).ceil().max(1.0) * step,
                    is_log: false,
                }
            }
            Axis::Log => {
                let low = least.log10().floor();
                Self {
                    end_s,
                    low,
                    high: most.log10().ceil().max(low + 1.0),
                    is_log: true,
                }
            }
        }
    }

    fn x(&self, at_s: f64) -> f64 {
        LEFT + (at_s / self.end_s).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let value = if self.is_log { value.log10() } else { value };
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn band(&self, (from, to): (f64, f64), svg: &mut String) {
        let (from, to) = (self.x(from), self.x(to));
        let (width, height) = (to - from, HEIGHT - TOP - BOTTOM);
        if width > 0.0 {
            let _ = writeln!(
                svg,
                "<rect class=\"band\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" \
                 height=\"{height}\"/>"
            );
        }
    }

    fn axes(&self, axis: Axis, svg: &mut String) {
        let heights: Vec<f64> = match axis {
            Axis::Linear => marks(self.high),
            Axis::Log => (0..=(self.high - self.low) as i32)
                .map(|power| 10_f64.powf(self.low + f64::from(power)))
                .collect(),
        };
        for mark in heights {
            let y = self.y(mark);
            let (right, text, below) = (WIDTH - RIGHT, short(mark), y + 4.0);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text class=\"y\" x=\"58\" y=\"{below:.1}\">{text}</text>"
            );
        }
        for mark in marks(self.end_s) {
            let x = self.x(mark);
            let (y, text) = (HEIGHT - 8.0, short(mark));
            let _ = writeln!(
                svg,
                "<text class=\"x\" x=\"{x:.1}\" y=\"{y}\">{text} s</text>"
            );
        }
    }

    /// A path that is interrupted where there is no value.
    fn path(&self, times: &[f64], values: &[Option<f64>]) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        for (at_s, value) in times.iter().zip(values) {
            let Some(value) = value else {
                pen = 'M';
                continue;
            };
            let _ = write!(path, "{pen}{:.1} {:.1}", self.x(*at_s), self.y(*value));
            if pen == 'M' {
                // A value between two gaps is a dot: its line ends where it begins.
                path.push_str("h0");
            }
            pen = 'L';
        }
        path
    }
}

/// A step of 1, 2 or 5 times a power of ten that divides what is shown into about five.
fn step(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let raw = most / TICKS;
    let power = 10_f64.powf(raw.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let fits = factors.into_iter().find(|factor| factor * power >= raw);
    fits.unwrap_or(10.0) * power
}

fn marks(high: f64) -> Vec<f64> {
    let step = step(high);
    let count = (high / step + 0.001).floor() as u32;
    (0..=count).map(|number| f64::from(number) * step).collect()
}

/// A number with a suffix instead of many digits.
fn short(number: f64) -> String {
    let (number, suffix) = if number >= 1e6 {
        (number / 1e6, "M")
    } else if number >= 1e4 {
        (number / 1e3, "k")
    } else {
        (number, "")
    };
    // Three decimals, without the zeros at their end.
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers() {
        assert_eq!(marks(10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(step(0.0), 1.0);
        assert_eq!(step(130.0), 50.0);
        let texts = [0.0, 0.25, 9_000.0, 25_000.0, 2e6].map(short);
        assert_eq!(texts, ["0", "0.25", "9000", "25k", "2M"]);
    }

    #[test]
    fn a_line_is_interrupted_where_nothing_was_measured() {
        let times = [0.0, 1.0, 2.0, 3.0];
        let values = [Some(1.0), Some(2.0), None, Some(4.0)];
        let plot = Plot::new("t", "u", Axis::Linear, &times, (0.0, 0.0));
        let drawn = plot.line("a", values.into_iter()).draw();
        let path = drawn.split("class=\"l0\" d=\"").nth(1).unwrap();
        let path = path.split('"').next().unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(path.matches('L').count(), 1, "{path}");
        // From the left end to the right end, the highest value at the top of a scale to 4.
        assert!(path.starts_with("M64.0 "), "{path}");
        assert!(path.ends_with("M708.0 10.0h0"), "{path}");
    }

    #[test]
    fn a_log_axis_leaves_out_what_it_cannot_show() {
        let plot = Plot::new("t", "u", Axis::Log, &[0.0, 1.0], (0.0, 0.0));
        let drawn = plot.line("a", [Some(0.0), Some(100.0)].into_iter()).draw();
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        let plot = Plot::new("t", "u", Axis::Log, &[0.0], (0.0, 0.0));
        let drawn = plot.line("a", [Some(0.0)].into_iter()).draw();
        assert!(drawn.contains("Nothing was measured"), "{drawn}");
    }
}
