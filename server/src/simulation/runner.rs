//! Runs seeds, many or one, and makes a plan that fails smaller.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use super::cover::Cover;
use super::plan::Plan;
use super::world::{self, Ran};

/// Failing seeds that are shown; the others are only counted.
const SHOWN: usize = 5;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a plan; a panic anywhere in it, in a task of the server too, is a failure.
pub(super) fn run(plan: &Plan, with_lines: bool) -> Ran {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANIC.set(Some(info.to_string()));
            before(info);
        }));
    });
    PANIC.set(None);
    let ran = panic::catch_unwind(AssertUnwindSafe(|| world::run(plan, with_lines)));
    let panicked = PANIC.take();
    let mut ran = ran.unwrap_or_default();
    ran.failure = ran.failure.or(panicked);
    ran
}

/// What is needed to see a failure again.
fn report(plan: &Plan, failure: &str) -> String {
    let seed = plan.seed;
    format!(
        "{failure}\n{plan}\
         to see it again: make simulate SEED={seed}\n\
         with all that happened: make simulate SEED={seed} TRACE=1\n\
         with a plan as small as possible: make simulate SEED={seed} TRIM=1\n"
    )
}

/// Runs a seed; panics with what is needed to see it again.
pub(super) fn check(seed: u64) -> Ran {
    let plan = Plan::new(seed);
    let ran = run(&plan, false);
    if let Some(failure) = &ran.failure {
        panic!("{}", report(&plan, failure));
    }
    ran
}

/// What is left of a plan that fails when everything is taken out without which it fails as well.
pub(super) fn trim(plan: &Plan) -> Plan {
    let kind = |plan: &Plan| run(plan, false).failure.map(|failure| kind(&failure));
    let wanted = kind(plan);
    let mut plan = plan.clone();
    let mut size = plan.acts.len().div_ceil(2).max(1);
    loop {
        let mut index = 0;
        while index < plan.acts.len() {
            let smaller = plan.without(index, size);
            if kind(&smaller) == wanted {
                plan = smaller;
            } else {
                index += size;
            }
        }
        if size == 1 {
            return plan;
        }
        size = size.div_ceil(2);
    }
}

/// A failure without what differs between runs: ids and numbers.
fn kind(failure: &str) -> String {
    let words = failure.split(' ');
    let plain = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    plain.collect::<Vec<_>>().join(" ")
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn one(seed: u64) {
    let mut plan = Plan::new(seed);
    let mut ran = run(&plan, true);
    if ran.failure.is_some() && number("TRIM").is_some() {
        plan = trim(&plan);
        ran = run(&plan, true);
    }
    if number("TRACE").is_some() {
        println!("{}", ran.lines.join("\n"));
    }
    println!("{}trace {:016x}", ran.cover, ran.trace);
    if let Some(failure) = ran.failure {
        panic!("{}", report(&plan, &failure));
    }
}

fn many(first: u64, count: u64) {
    let began = Instant::now();
    let next = AtomicU64::new(first);
    let done = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let cover = Mutex::new(Cover::default());
    let failed = Mutex::new(BTreeMap::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + count {
                    return;
                }
                let ran = run(&Plan::new(seed), false);
                cover.lock().unwrap().merge(&ran.cover);
                if let Some(failure) = ran.failure {
                    eprintln!("seed {seed}: {failure}");
                    failed.lock().unwrap().insert(seed, failure);
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_secs(5));
                let (done, failed) = (done.load(Ordering::Relaxed), failed.lock().unwrap().len());
                eprintln!(
                    "{done} of {count} seeds, {failed} failed, {:.1} a second",
                    done as f64 / began.elapsed().as_secs_f64()
                );
            }
        });
        for worker in workers {
            let _ = worker.join();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let failed = failed.into_inner().unwrap();
    println!("{}", cover.into_inner().unwrap());
    for (seed, failure) in failed.iter().take(SHOWN) {
        println!("{}", report(&Plan::new(*seed), failure));
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = count as f64 / seconds;
    let failing: Vec<_> = failed.keys().collect();
    println!("{count} seeds from {first}, {seconds:.0} s, {rate:.1} a second, failed: {failing:?}");
    assert!(failed.is_empty());
}

#[test]
#[ignore = "run by `make simulate`"]
fn simulate() {
    match number("SEED") {
        Some(seed) => one(seed),
        None => many(
            number("FIRST").unwrap_or(1),
            number("SEEDS").unwrap_or(1_000),
        ),
    }
}
