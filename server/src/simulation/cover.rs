//! What happened in a run: a simulation in which nothing happens proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use boardcast_protocol::message::ErrorCode;

/// How often each kind of thing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cover(BTreeMap<&'static str, u64>);

impl Cover {
    pub(super) fn count(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    pub(super) fn add(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(super) fn code(&mut self, code: ErrorCode) {
        self.count(match code {
            ErrorCode::Busy => "error: busy",
            ErrorCode::Unavailable => "error: unavailable",
            ErrorCode::NoSuchBoard => "error: no such board",
            ErrorCode::NoSuchCard => "error: no such card",
            ErrorCode::NotJson
            | ErrorCode::UnknownType
            | ErrorCode::BadMessage
            | ErrorCode::HelloExpected
            | ErrorCode::Unauthorized
            | ErrorCode::Forbidden
            | ErrorCode::NotSubscribed
            | ErrorCode::Limit => "error: other",
        });
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            self.add(what, *count);
        }
    }

    pub(super) fn get(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl fmt::Display for Cover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.0 {
            writeln!(f, "{count:>10}  {what}")?;
        }
        Ok(())
    }
}
