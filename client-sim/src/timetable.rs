//! When each command of an open loop is due: at a constant rate, or at one that follows a day.

use std::time::Duration;

/// The moments at which something is due, whatever became of what was due before.
///
/// A day is a list of factors: each holds for an equal part of the time, and multiplies the rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Timetable {
    parts: Vec<Part>,
    total: u64,
}

/// A part of the time in which the rate does not change.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    begins_s: f64,
    /// How many were due before it; not a whole number.
    before: f64,
    rate: f64,
}

impl Timetable {
    /// `rate` a second during `duration`, times the factors of `day`; an empty day is an even one.
    pub fn new(rate: f64, day: &[f64], duration: Duration) -> Self {
        let even = [1.0];
        let day = if day.is_empty() { &even } else { day };
        let length_s = duration.as_secs_f64() / day.len() as f64;
        let mut before = 0.0;
        let mut parts = Vec::with_capacity(day.len());
        for (index, factor) in day.iter().enumerate() {
            parts.push(Part {
                begins_s: index as f64 * length_s,
                before,
                rate: rate * factor,
            });
            before += rate * factor * length_s;
        }
        Self {
            parts,
            total: before.floor() as u64,
        }
    }

    /// How many are due in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// When number `number` is due, in nanoseconds from the beginning.
    pub fn due_ns(&self, number: u64) -> u64 {
        let number = number as f64;
        let later = self.parts.partition_point(|part| part.before <= number);
        // Parts of rate 0 begin with as many before them as the next one: the last of these counts.
        let Some(part) = self.parts[..later].last() else {
            return 0;
        };
        let since_s = (number - part.before) / part.rate;
        ((part.begins_s + since_s) * 1e9) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_ms(table: &Timetable) -> Vec<u64> {
        (0..table.total())
            .map(|number| table.due_ns(number) / 1_000_000)
            .collect()
    }

    #[test]
    fn an_even_day_has_one_every_interval() {
        let table = Timetable::new(4.0, &[], Duration::from_millis(1_600));
        assert_eq!(due_ms(&table), [0, 250, 500, 750, 1_000, 1_250]);
        assert_eq!(
            Timetable::new(0.0, &[], Duration::from_secs(9)).total(),
            0,
            "nothing at rate 0"
        );
    }

    #[test]
    fn a_day_has_quiet_and_busy_parts_and_pauses() {
        let table = Timetable::new(2.0, &[1.0, 0.0, 2.0], Duration::from_secs(3));
        assert_eq!(due_ms(&table), [0, 500, 2_000, 2_250, 2_500, 2_750]);
    }
}
