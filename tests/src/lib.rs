//! What the tests of Boardcast share: servers on real sockets with real files, clients, and a naive
//! board that the real one is compared with.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets something unexpected has failed"
)]

#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and skips messages that it does not wait for"
)]

pub mod client;
pub mod harness;
pub mod model;
pub mod process;
pub mod raw;
