//! What a part has found.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

/// Failures that are kept word by word; the count goes on.
const FAILURES_KEPT: usize = 20;

/// What a part has found.
#[derive(Debug, Serialize)]
pub struct Outcome {
    part: &'static str,
    seed: u64,
    /// Why the part was not carried out here.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(flatten)]
    figures: Map<String, Value>,
    failed: u64,
    failures: Vec<String>,
}

impl Outcome {
    /// Nothing yet.
    pub fn new(part: &'static str, seed: u64) -> Self {
        Self {
            part,
            seed,
            skipped: None,
            figures: Map::new(),
            failed: 0,
            failures: Vec::new(),
        }
    }

    /// The part cannot be carried out on this machine.
    pub fn skipped(part: &'static str, seed: u64, why: impl Into<String>) -> Self {
        let mut outcome = Self::new(part, seed);
        outcome.skipped = Some(why.into());
        outcome
    }

    /// Why the part was not carried out, if it was not.
    pub fn why_skipped(&self) -> Option<&str> {
        self.skipped.as_deref()
    }

    /// Sets a figure.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Adds to a count.
    pub fn add(&mut self, name: &str, more: u64) {
        let count = self.count(name) + more;
        self.set(name, count);
    }

    /// A count; 0 where there is none.
    pub fn count(&self, name: &str) -> u64 {
        self.figures
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    /// A promise was broken.
    pub fn fail(&mut self, what: impl Into<String>) {
        self.failed += 1;
        let what = what.into();
        eprintln!("{}: FAILED: {what}", self.part);
        if self.failures.len() < FAILURES_KEPT {
            self.failures.push(what);
        }
    }

    /// Counts a failure unless `kept`.
    pub fn expect(&mut self, kept: bool, what: impl FnOnce() -> String) {
        if !kept {
            self.fail(what());
        }
    }

    /// Tells how far the part is.
    pub fn progress(&self, text: &str) {
        eprintln!("{}: {text}", self.part);
    }

    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.failed == 0
    }

    /// The broken promises.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// All as JSON, on one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The line of figures.
    pub fn summary(&self) -> String {
        if let Some(why) = &self.skipped {
            return format!("{}: skipped: {why}", self.part);
        }
        let mut text = format!("{}:", self.part);
        for (name, value) in &self.figures {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let _ = write!(text, " {}={value}", name.replace(' ', "_"));
        }
        let _ = write!(text, " failed={} seed={}", self.failed, self.seed);
        text
    }
}
