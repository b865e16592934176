use std::time::Duration;

use super::*;
use crate::finish::Conclusion;
use crate::report::{Actions, Facts, Setting};
use crate::series::Series;
use crate::server_usage::Usage;
use crate::tally::Tally;
use crate::violation::Violation;

fn report(samples: Vec<Sample>, tally: &Tally) -> Report {
    let facts = Facts {
        clients: 3,
        seed: 1,
        duration: Duration::from_secs(2),
        replicas: "all",
        settled: true,
        server: Usage::default(),
        actions: Actions::default(),
        scenario: Some(Setting {
            name: "a & b".into(),
            about: "<script>alert('x')</script>".into(),
            scale: 0.5,
            commands_per_s: 2.0,
            presence_per_s: 0.0,
        }),
        series: Series {
            running_from_s: 0.5,
            running_to_s: 2.5,
            samples,
        },
    };
    Report::new(facts, tally, Conclusion::default())
}

fn samples() -> Vec<Sample> {
    let spread = |ms| {
        Some(Spread {
            p50: ms,
            p99: ms * 2.0,
            max: ms * 3.0,
        })
    };
    let sample = |number: u32| Sample {
        at_s: f64::from(number),
        open: 3,
        live: 2,
        deliveries_per_s: 40.0,
        latency_ms: spread(f64::from(number)),
        echo_ms: spread(1.0),
        durable_ms: spread(2.0),
        server_cpu: Some(0.25),
        server_rss_bytes: Some(1 << 20),
        simulator_cpu: Some(0.5),
        simulator_rss_bytes: Some(1 << 21),
        ..Sample::default()
    };
    (1..=4).map(sample).collect()
}

/// Every element is closed, in order; the names of all elements.
fn elements(page: &str) -> Vec<String> {
    let body = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a document type");
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("the end of a tag");
        if open.last().is_none_or(|name| name != "style") {
            assert!(!text.contains('>'), "a stray > in {text}");
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "</{name}>");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default().to_owned();
        all.push(name.clone());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    all
}

#[test]
fn the_page_is_well_formed_loads_nothing_and_has_all_plots() {
    let mut tally = Tally::default();
    tally.deliver(2_000_000);
    tally.echo(1_000_000);
    tally.violate(Violation::Gap, || "1 < 2 & \"so on\"".into());
    let page = html(&report(samples(), &tally));
    let elements = elements(&page);
    let count = |name: &str| elements.iter().filter(|found| *found == name).count();
    assert_eq!(count("figure"), 8, "a plot each");
    assert_eq!(count("svg"), 8, "each with something to show");
    for name in ["script", "link", "img", "iframe", "object"] {
        assert_eq!(count(name), 0, "{name}");
    }
    for reference in ["http:", "https:", "url(", "@import", "src=", "href="] {
        assert!(!page.contains(reference), "{reference}");
    }
    for title in [
        "Delivery",
        "Answers",
        "Deliveries",
        "Commands",
        "Connections",
        "Connecting",
        "CPU",
        "Memory",
    ] {
        let label = format!("aria-label=\"{title}\"");
        assert_eq!(page.matches(&label).count(), 1, "{title}");
    }
    assert!(page.contains("a &amp; b at scale 0.5"), "its name");
    assert!(page.contains("1 violations"), "what was wrong");
    assert!(page.contains("1 &lt; 2 &amp; &quot;so on&quot;"), "and why");
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn a_page_without_samples_says_so() {
    let page = html(&report(Vec::new(), &Tally::default()));
    let elements = elements(&page);
    assert!(elements.iter().all(|name| name != "svg"));
    assert_eq!(page.matches("Nothing was measured.").count(), 8);
    assert!(page.contains("Every promise was kept."));
}

#[test]
fn what_was_not_measured_has_no_line() {
    let mut samples = samples();
    for sample in &mut samples {
        sample.server_cpu = None;
    }
    let page = html(&report(samples, &Tally::default()));
    let figures = page
        .split("<figcaption>")
        .find(|part| part.starts_with("CPU "));
    let cpu = figures.expect("the plot of the CPU");
    assert!(
        cpu.contains(">simulator<") && !cpu.contains(">server<"),
        "{cpu}"
    );
}
