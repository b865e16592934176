//! A fleet of Boardcast clients that verify what they receive.
//!
//! In reading order: what may never happen, what arrives, what one client believes, what all
//! clients of a process know together, how a client connects, and the two programs made of it: a
//! seeded workload, and the replay of a real board's history.

#[cfg(test)]
mod testing;

pub mod violation;

pub mod arrival;
pub mod pending;
pub mod replica;

pub mod chronicle;
pub mod ledger;
pub mod tally;

pub mod client;
pub mod fault;
pub mod fleet;
pub mod link;

pub mod files;
pub mod plan;
pub mod steward;
pub mod timetable;
pub mod token;
pub mod workload;

pub mod args;
pub mod crew;
pub mod finish;
pub mod progress;
pub mod report;
pub mod server_usage;

pub mod compare;
pub mod drive;
pub mod page;
pub mod replay;
pub mod run;
pub mod scenario;
pub mod series;
