//! What of our style a machine can see: each rule is a function from files to violations.

mod files;
mod layers;
mod masking;
mod pages;
mod sources;

use files::{Tracked, Violation, tracked};

fn check(rule: fn(&[Tracked]) -> Vec<Violation>) {
    let violations: Vec<String> = rule(&tracked()).iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn rust_files_can_be_read_in_one_sitting() {
    check(sources::length);
}

#[test]
fn nothing_is_left_for_later() {
    check(sources::left_overs);
}

#[test]
fn files_are_named_after_what_they_hold() {
    check(sources::names);
}

#[test]
fn code_that_ships_does_not_unwrap() {
    check(sources::unwraps);
}

#[test]
fn exceptions_from_lints_have_a_reason() {
    check(sources::exceptions);
}

#[test]
fn imports_inside_the_server_run_one_way() {
    check(layers::server);
}

#[test]
fn axum_and_sqlx_stay_in_their_layers() {
    check(layers::libraries);
}

#[test]
fn the_simulator_does_not_know_the_server() {
    check(layers::simulator);
}

#[test]
fn links_between_pages_lead_somewhere() {
    check(pages::links);
}

#[test]
fn tests_that_a_page_names_exist() {
    check(pages::named_tests);
}

#[test]
fn each_attack_has_its_test() {
    check(pages::rows_with_tests);
}

#[test]
fn migrations_are_named_and_contiguous() {
    check(pages::migrations);
}
