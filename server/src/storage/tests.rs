//! Storage as a room uses it, with real files.

mod harness;
mod imports;

mod accounts;
mod audit;
mod backups;
mod bin;
mod crash;
mod faults;
mod groups;
mod plans;
mod reads;
mod reopen;
mod seam;
mod search;
mod start;
mod statements;
mod trim;
mod users;
