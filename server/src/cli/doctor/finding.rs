//! What was found, printed as it is found.

use std::io::Write as _;

use serde_json::json;

use crate::cli::Failure;
use crate::cli::plain::plain;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// Something that people will not notice yet.
    Warning,
    Fault,
    /// It could not be looked at.
    Skipped,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// What is so.
    pub(super) what: String,
    /// What to change; empty where nothing is wrong.
    pub(super) change: String,
}

impl Finding {
    pub(super) fn fine(what: impl Into<String>) -> Self {
        Self::new(Verdict::Fine, what, "")
    }

    pub(super) fn warning(what: impl Into<String>, change: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, what, change)
    }

    pub(super) fn fault(what: impl Into<String>, change: impl Into<String>) -> Self {
        Self::new(Verdict::Fault, what, change)
    }

    pub(super) fn skipped(what: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, what, "")
    }

    fn new(verdict: Verdict, what: impl Into<String>, change: impl Into<String>) -> Self {
        Self {
            verdict,
            what: what.into(),
            change: change.into(),
        }
    }
}

/// Prints findings and counts faults.
#[derive(Debug)]
pub(super) struct Findings {
    json: bool,
    faults: usize,
}

impl Findings {
    pub(super) fn new(json: bool) -> Self {
        Self { json, faults: 0 }
    }

    /// How many faults there were.
    pub(super) fn faults(&self) -> usize {
        self.faults
    }

    /// Prints what a check has found.
    ///
    /// # Errors
    /// It cannot be printed.
    pub(super) fn note(&mut self, check: &str, finding: &Finding) -> Result<(), Failure> {
        let Finding {
            verdict,
            what,
            change,
        } = finding;
        self.faults += usize::from(*verdict == Verdict::Fault);
        let verdict = verdict.name();
        let text = match (self.json, change.as_str()) {
            (true, _) => {
                json!({"check": check, "verdict": verdict, "what": what, "change": change})
                    .to_string()
            }
            (false, "") => format!("{verdict:<8} {check:<12} {}", plain(what)),
            (false, change) => {
                let (what, change) = (plain(what), plain(change));
                format!("{verdict:<8} {check:<12} {what}\n{:22}{change}", "")
            }
        };
        let printed = writeln!(std::io::stdout().lock(), "{text}");
        printed.map_err(|error| Failure::failed(format!("failed to print: {error}")))
    }
}
