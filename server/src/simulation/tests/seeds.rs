//! Some hundred seeds, and what happened in them.

use crate::simulation::cover::Cover;
use crate::simulation::plan::Plan;
use crate::simulation::runner::{check, run};

/// What must have happened, or the seeds prove too little.
const HAPPENED: [&str; 46] = [
    "a board came out of the bin",
    "a board was archived",
    "a board was given up",
    "a board went into the bin",
    "a client saw that a backup was restored",
    "a commit was kept and failed unclearly",
    "a commit was lost and failed unclearly",
    "a message waited for a slow client",
    "a slow consumer was closed",
    "a submit was sent twice",
    "a subscriber was resynchronised in place",
    "a version broke a rule of the database",
    "a version was undone",
    "a write was tried again",
    "an undoing was rejected",
    "an undoing was undone",
    "answered again or without an echo",
    "answered that nothing changes",
    "crashed after a commit of rows or requests",
    "crashed after a commit that nobody heard of",
    "crashed again soon after a crash",
    "crashed before a commit",
    "crashed before a transaction",
    "crashed in the middle of a transaction",
    "crashed while boards were opened",
    "cut for both sides",
    "error: no such board",
    "killed at any moment",
    "left by the client, the server heard later",
    "lost by the server, the client heard later",
    "membership ended for a subscriber",
    "refused: busy",
    "refused: unavailable",
    "rejected",
    "rejected for a conflict",
    "restored a backup",
    "resumed with a snapshot",
    "resumed with events",
    "resumed with events from an earlier epoch",
    "somebody asked for a board in the bin",
    "stopped cleanly",
    "the disk could not be read",
    "the disk was busy",
    "the disk was full",
    "the wall clock was set",
    "written from the room's task",
];

fn cover(seeds: std::ops::RangeInclusive<u64>) -> Cover {
    let mut cover = Cover::default();
    for seed in seeds {
        cover.merge(&check(seed).cover);
    }
    cover
}

#[test]
fn two_hundred_seeds_keep_every_promise_and_every_fault_happens() {
    let other = std::thread::spawn(|| cover(1..=100));
    let mut all = cover(101..=200);
    all.merge(&other.join().expect("a seed below 101 failed"));
    let missing: Vec<_> = HAPPENED.iter().filter(|what| all.get(what) == 0).collect();
    assert!(missing.is_empty(), "{missing:?}\n{all}");
}

#[test]
fn r13_a_seed_runs_the_same_whenever_it_is_run() {
    for seed in 1..=8 {
        let plan = Plan::new(seed);
        let (first, again) = (run(&plan, true), run(&plan, true));
        assert_eq!(first.lines, again.lines);
        assert_eq!(first.trace, again.trace);
        assert_ne!(first.trace, run(&Plan::new(seed + 1), true).trace);
    }
}
