//! What an import leaves out, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Things that an import left out or changed, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What kind of thing: `card`, `label`, `title`.
    pub what: String,
    /// How many.
    pub count: usize,
    /// Why.
    pub why: String,
}

/// Counts what is left out by kind and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Omissions(BTreeMap<(&'static str, &'static str), usize>);

impl Omissions {
    /// Counts one thing.
    pub fn add(&mut self, what: &'static str, why: &'static str) {
        self.add_many(what, 1, why);
    }

    /// Counts some things; none are not mentioned.
    pub fn add_many(&mut self, what: &'static str, count: usize, why: &'static str) {
        if count > 0 {
            *self.0.entry((what, why)).or_default() += count;
        }
    }

    /// The list, sorted by kind and reason.
    pub fn into_list(self) -> Vec<Skipped> {
        let list = self.0.into_iter().map(|((what, why), count)| Skipped {
            what: what.to_owned(),
            count,
            why: why.to_owned(),
        });
        list.collect()
    }
}
