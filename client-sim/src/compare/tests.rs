use std::path::PathBuf;

use serde_json::json;

use super::*;

fn report(p99: f64, deliveries: u64) -> Value {
    json!({
        "clients": 4, "boards": 1, "seconds": 2.0, "scenario": {"name": "hot board", "scale": 1.0},
        "latency_ms": {"p50": 1.0, "p90": 2.0, "p99": p99, "p999": 9.0, "max": 9.0, "count": 10},
        "echo_ms": {"p50": 0.0, "p90": 0.0, "p99": 0.0, "p999": 0.0, "max": 0.0, "count": 0},
        "deliveries": {"received": deliveries}, "deliveries_per_s": deliveries as f64 / 2.0,
        "violations": {"total": 0}, "server": {"cpu_seconds": null, "rss_bytes": null},
    })
}

fn thresholds(texts: &[&str]) -> Vec<Threshold> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn row(comparison: &Comparison, name: &str) -> Option<Row> {
    comparison.rows.iter().find(|row| row.name == name).cloned()
}

#[test]
fn a_ratio_fails_only_past_its_threshold() {
    let (a, b) = (report(8.0, 100), report(10.0, 80));
    let within = |most: &[&str], least: &[&str]| {
        let (most, least) = (thresholds(most), thresholds(least));
        Comparison::new(&a, &b, &most, &least).unwrap().is_within()
    };
    assert!(within(&[], &[]));
    assert!(within(&["p99=1.25"], &["deliveries_per_s=0.8"]));
    assert!(!within(&["p99=1.24"], &[]));
    assert!(!within(&[], &["deliveries_per_s=0.81"]));
    assert!(
        !within(&["p50=1", "p99=1.24"], &[]),
        "each threshold counts"
    );
}

#[test]
fn what_grows_from_nothing_passes_every_upper_threshold() {
    let mut broken = report(8.0, 100);
    broken["violations"]["total"] = json!(3);
    let most = thresholds(&["violations=1000"]);
    let clean = report(8.0, 100);
    let comparison = Comparison::new(&clean, &broken, &most, &[]).unwrap();
    assert!(!comparison.is_within());
    assert_eq!(row(&comparison, "violations").unwrap().ratio, None);
    assert!(comparison.table().contains("from 0  above 1000"));
    let comparison = Comparison::new(&clean, &clean, &most, &[]).unwrap();
    assert!(comparison.is_within(), "nothing is as much as nothing");
}

#[test]
fn a_threshold_on_what_was_not_measured_is_an_error() {
    let (a, b) = (report(8.0, 100), report(8.0, 100));
    for name in ["cpu_seconds=2", "echo_p99=2", "durable_p99=2"] {
        let told = Comparison::new(&a, &b, &thresholds(&[name]), &[]).unwrap_err();
        assert!(
            told.to_string().contains("not both reports have it"),
            "{told}"
        );
    }
    let comparison = Comparison::new(&a, &b, &[], &[]).unwrap();
    assert_eq!(row(&comparison, "echo_p99"), None);
    assert_eq!(row(&comparison, "p99").unwrap().ratio, Some(1.0));
}

#[test]
fn reports_of_different_runs_are_compared_with_a_warning() {
    let mut other = report(8.0, 100);
    other["scenario"]["name"] = json!("idle crowd");
    other["violations"]["total"] = json!(1);
    let comparison = Comparison::new(&report(8.0, 100), &other, &[], &[]).unwrap();
    assert_eq!(
        comparison.warnings,
        [
            "the reports have different scenarios: \"hot board\" in A, \"idle crowd\" in B",
            "B has 1 violations",
        ]
    );
}

#[test]
fn a_threshold_names_a_figure_and_a_ratio() {
    assert!("p99=1.25".parse::<Threshold>().is_ok());
    for bad in ["p99", "p99=", "p99=-1", "p99=NaN", "=1"] {
        assert!(bad.parse::<Threshold>().is_err(), "{bad}");
    }
    let told = "p98=1".parse::<Threshold>().unwrap_err().to_string();
    assert!(told.contains("`p98` is no figure"), "{told}");
    assert!(told.contains("durable_p99"), "{told}");
}

#[test]
fn a_file_that_is_no_report_is_told() {
    let dir = std::env::temp_dir().join(format!("boardcast-compare-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let told = |path: PathBuf| format!("{:#}", read(&path).unwrap_err());
    assert!(told(file("text", "p99")).contains("it is not JSON"));
    assert!(told(file("other", "{}")).contains("write one with `--report FILE`"));
    assert!(told(dir.join("none")).contains("failed to read the report"));
    std::fs::remove_dir_all(dir).unwrap();
}
