//! Boardcast: a live kanban server.
//!
//! In reading order: how it is configured and started, then the way of a command from the socket to
//! the disk: [`http`], [`connection`], [`room`], [`storage`].

pub mod cli;
pub mod config;
mod server;
mod shutdown;
pub mod telemetry;
mod upkeep;

pub mod http;

pub mod accounts;
pub mod attachments;
pub mod auth;
pub mod backups;
mod behind;
mod calendar;
mod chance;
pub mod clock;
pub mod connection;
pub mod files;
pub mod frame;
pub mod import;
pub mod lag;
pub mod measure;
mod planted;
pub mod process;
mod rate;
mod rates;
pub mod reload;
pub mod room;
pub mod sharing;
pub mod storage;
mod trust;

#[cfg(test)]
mod simulation;

pub use server::{ServeError, Server, serve};
pub use shutdown::DrainRules;
