//! The whole server in a simulated world, run from a seed.
//!
//! Real: the registry of rooms, their tasks and state machines, the journal with its queue, the
//! tasks of connections with their sessions and outboxes, and at the clients' side the replicas of
//! `boardcast-sim`. Simulated: the network (delays, cuts, half-open connections, clients that do not
//! read), the disk (slow, full, busy, failing, with crashes at each step of a transaction and
//! backups that are put back), the clock and chance. Every byte between a client and the server is
//! what would be on the wire, and every life of the server has a runtime of its own, on one thread
//! and with paused time, so that a run is the same whenever it is run again.
//!
//! A run is made from a [`plan`], the plan from a seed. The [`oracle`] judges what is told and what is
//! committed, as it happens; `world/judge.rs` judges what is left when everything is quiet again.
//!
//! In reading order: the plan, the world that carries it out, the oracle.

mod cover;
mod dice;
mod house;
mod link;
mod oracle;
mod person;
mod plan;
mod schedule;
mod weather;
mod world;

mod runner;
mod tests;
