//! Boardcast: a live kanban server.

pub mod connection;
pub mod frame;
pub mod http;
pub mod import;
pub mod room;
pub mod storage;
