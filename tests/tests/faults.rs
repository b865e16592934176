//! Small versions of what `make faults` does in full: real faults on the real binaries. What this
//! machine does not permit is skipped, and says so.

use std::io::Write as _;

use boardcast_tests::faults;
use boardcast_tests::faults::args::Arguments;
use boardcast_tests::faults::binaries::Binaries;
use boardcast_tests::faults::outcome::Outcome;
use boardcast_tests::process;
use clap::Parser;

const LOAD: [&str; 8] = [
    "--clients",
    "12",
    "--boards",
    "3",
    "--rate",
    "120",
    "--cards",
    "30",
];

async fn carry_out(line: &str) -> Outcome {
    let arguments =
        Arguments::try_parse_from(["boardcast-faults"].into_iter().chain(line.split(' ')))
            .expect("arguments");
    let binaries = Binaries {
        server: process::binary().to_owned(),
        simulator: process::simulator().to_owned(),
    };
    let outcome = Box::pin(faults::run(&arguments, &binaries)).await;
    let outcome = outcome.expect("a part that can be carried out");
    if let Some(why) = outcome.why_skipped() {
        // Not `eprintln!`, which the test harness captures.
        let _ = writeln!(std::io::stderr(), "SKIPPED {line}: {why}");
    }
    outcome
}

/// The outcome of a part with the small fleet, in which no promise was broken; `None` if it was
/// skipped.
async fn kept(line: &str) -> Option<Outcome> {
    let line = format!("{line} {}", LOAD.join(" "));
    let outcome = carry_out(&line).await;
    assert!(outcome.is_clean(), "{}", outcome.json());
    if outcome.why_skipped().is_some() {
        return None;
    }
    assert_eq!(outcome.count("lost"), 0, "{}", outcome.json());
    assert_eq!(outcome.count("doubled"), 0, "{}", outcome.json());
    assert_eq!(outcome.count("diverged"), 0, "{}", outcome.json());
    let (audits, clean) = (outcome.count("audits"), outcome.count("clean checks"));
    assert!(audits > 0 && audits == clean, "{}", outcome.json());
    Some(outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_what_is_durable_survives_kills_at_random_moments() {
    let outcome = kept("kill --rounds 3 --rounds-per-fleet 3").await;
    let outcome = outcome.expect("a part that no machine forbids");
    assert_eq!(outcome.count("rounds"), 3);
    assert!(outcome.count("durable") > 0, "{}", outcome.json());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_what_is_durable_survives_power_cuts() {
    let Some(outcome) = kept("power --cuts 2").await else {
        return;
    };
    assert_eq!(outcome.count("cuts"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_is_seen_to_take_what_was_not_synced() {
    process::build_planted();
    let line = format!(
        "power --cuts 3 --plant synchronous-normal {}",
        LOAD.join(" ")
    );
    let outcome = carry_out(&line).await;
    if outcome.why_skipped().is_none() {
        assert!(outcome.count("lost") > 0, "{}", outcome.json());
        assert!(!outcome.is_clean());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_a_full_disk_refuses_commands_and_nothing_else_and_recovers() {
    let Some(outcome) = kept("disk-full --fills 1").await else {
        return;
    };
    assert_eq!(outcome.count("fills"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_after_a_failed_sync_nothing_is_called_durable() {
    let Some(outcome) = kept("nth-fault --from 2 --to 3 --errors eio").await else {
        return;
    };
    assert_eq!(outcome.count("faults"), 4);
    assert!(outcome.count("stops") >= 2, "{}", outcome.json());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_clients_go_on_with_events_over_a_bad_network() {
    let outcome = kept("network --seconds 6").await;
    let outcome = outcome.expect("a part that no machine forbids");
    assert!(outcome.count("resumed with events") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_cuts_nobody_off_and_loses_nothing() {
    let Some(outcome) = kept("clock --jumps 3").await else {
        return;
    };
    assert_eq!(outcome.count("jumps"), 3);
    assert_eq!(outcome.count("reconnects"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_clients_that_stop_reading_cost_bounded_memory_and_come_back() {
    let outcome = carry_out("stopped-readers --clients 8 --seconds 3 --rate 200").await;
    assert!(outcome.is_clean(), "{}", outcome.json());
    assert_eq!(outcome.count("converged"), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_join_a_board_at_once_share_one_snapshot() {
    let outcome = carry_out("joiners --clients 60 --cards 500").await;
    assert!(outcome.is_clean(), "{}", outcome.json());
    assert_eq!(outcome.count("joined"), 60);
    assert_eq!(outcome.count("encoded"), 1);
}
