//! The rules of the protocol, tried on random boards and pinned by golden files.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that does not come this far has failed"
)]

mod arbitrary;
mod batches;
mod decoding;
mod examples;
mod golden;
mod invariants;
mod page;
mod placing;
mod replay;
mod roles;
mod scenarios;
mod search;
mod trials;
mod undo;
