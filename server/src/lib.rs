//! Boardcast: a live kanban server.

pub mod frame;
