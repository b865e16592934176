//! What the tests of Boardcast share: servers on real sockets with real files, and clients.

pub mod client;
pub mod harness;
pub mod process;
pub mod raw;
