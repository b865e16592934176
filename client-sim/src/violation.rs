//! What a server may never do to a client.

use serde::Serialize;

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// A version is missing between two that came.
    Gap,
    /// A version came twice, a command was answered or applied twice.
    Duplicate,
    /// A version came too late, of another epoch, or was called durable before it was seen.
    Reordered,
    /// A command was not answered, or was accepted and never became durable.
    Unanswered,
    /// Content differs between clients, or does not fit the board.
    Diverged,
}

/// Counts of violations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// See [`Violation::Gap`].
    pub gaps: u64,
    /// See [`Violation::Duplicate`].
    pub duplicates: u64,
    /// See [`Violation::Reordered`].
    pub reordered: u64,
    /// See [`Violation::Unanswered`].
    pub unanswered: u64,
    /// See [`Violation::Diverged`].
    pub diverged: u64,
    /// All of them.
    pub total: u64,
}

impl Violations {
    /// Counts one more.
    pub fn add(&mut self, violation: Violation) {
        let count = match violation {
            Violation::Gap => &mut self.gaps,
            Violation::Duplicate => &mut self.duplicates,
            Violation::Reordered => &mut self.reordered,
            Violation::Unanswered => &mut self.unanswered,
            Violation::Diverged => &mut self.diverged,
        };
        *count += 1;
        self.total += 1;
    }
}
