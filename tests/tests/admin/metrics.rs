//! `GET /metrics`.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_tests::harness::TestServer;
use boardcast_tests::raw;

use super::{add_column, ask, client_of, until};

/// Metrics as a server exposes them.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// The type of each metric.
    pub(crate) types: BTreeMap<String, String>,
    /// The value of each series, by its name and labels.
    pub(crate) series: BTreeMap<String, f64>,
    /// The labels of each metric.
    pub(crate) labels: BTreeMap<String, BTreeSet<String>>,
}

impl Metrics {
    pub(crate) async fn of(server: &TestServer) -> Self {
        let answer = ask(server, "GET", "/metrics", &[]).await;
        assert_eq!(answer.status, 200);
        let media_type = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(answer.media_type(), media_type);
        Self::parse(answer.text())
    }

    /// Reads the text form line by line; anything that it does not allow fails the test.
    fn parse(text: &str) -> Self {
        let mut read = Self::default();
        let mut family = String::new();
        assert!(text.ends_with('\n'));
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect("a help text");
                assert!(help.ends_with('.') && !help.contains('\\'), "{line}");
                let head = lines.next().and_then(|line| line.strip_prefix("# TYPE "));
                let (typed, kind) = head.and_then(|head| head.split_once(' ')).expect("a type");
                assert_eq!(typed, name);
                assert!(is_name(name), "{name}");
                let known = read.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(known, None, "{name} stands twice");
                family = name.to_owned();
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let value: f64 = value.parse().expect("a number");
            let (name, labels) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').expect("its end")),
                None => (series, ""),
            };
            let base = match read.types[&family].as_str() {
                "histogram" => ["_bucket", "_sum", "_count"]
                    .into_iter()
                    .find_map(|end| name.strip_suffix(end))
                    .expect("a part of a histogram"),
                "counter" => {
                    assert!(name.ends_with("_total") && value >= 0.0, "{line}");
                    name
                }
                kind => {
                    assert_eq!(kind, "gauge");
                    assert!(!name.ends_with("_total"));
                    name
                }
            };
            assert_eq!(base, family, "samples follow their type");
            let all = read.labels.entry(family.clone()).or_default();
            if !labels.is_empty() {
                let (label, value) = labels.split_once('=').expect("a label");
                let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                assert!(is_name(label) && !value.expect("quotes").contains(['"', '\\', ',']));
                all.insert(label.to_owned());
            }
            let known = read.series.insert(series.to_owned(), value);
            assert_eq!(known, None, "{series} stands twice");
        }
        read
    }

    fn get(&self, series: &str) -> f64 {
        *self
            .series
            .get(series)
            .unwrap_or_else(|| panic!("no {series}"))
    }
}

fn is_name(name: &str) -> bool {
    let is_inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.bytes().all(is_inside) && name.starts_with(|c: char| c.is_ascii_lowercase())
}

#[tokio::test]
async fn metrics_are_prometheus_text_and_move_with_what_happens() {
    let server = TestServer::start().await;
    let before = Metrics::of(&server).await;
    let mut ann = client_of(&server, "ann", "t/1").await;
    let board = ann.create_board("Plan").await;
    ann.subscribe(board, None).await;
    for n in 1..=10 {
        add_column(&mut ann, board, n).await;
    }
    let again = r#"[{"type":"column.create","column":"c1","title":"x"}]"#;
    ann.submit(board, 11, serde_json::from_str(again).expect("a command"))
        .await;
    ann.outcome().await;
    ann.say_text("no JSON").await;
    ann.error().await;
    raw::upgrade(server.address(), "/ws", &[("Authorization", "Bearer x")]).await;
    let mut bob = client_of(&server, "bob", "t/1").await;
    bob.say(&serde_json::json!({"type": "hello", "v": 1, "client": "x"}))
        .await;
    assert_eq!(bob.closed().await, Some(1008));

    let after = until(async || {
        let metrics = Metrics::of(&server).await;
        (metrics.get("boardcast_connections") == 1.0).then_some(metrics)
    })
    .await;
    let moved = |series: &str| after.get(series) - before.get(series);
    for (series, by) in [
        ("boardcast_connections", 1.0),
        ("boardcast_connections_admitted", 1.0),
        ("boardcast_connections_opened_total", 2.0),
        (
            "boardcast_connections_closed_total{cause=\"policy_violation\"}",
            1.0,
        ),
        ("boardcast_connections_closed_total{cause=\"lost\"}", 0.0),
        ("boardcast_upgrades_refused_total{status=\"401\"}", 1.0),
        ("boardcast_errors_total{code=\"not_json\"}", 1.0),
        (
            "boardcast_submits_rejected_total{reason=\"duplicate_id\"}",
            1.0,
        ),
        ("boardcast_received_messages_total", 17.0),
        ("boardcast_rooms", 1.0),
        ("boardcast_deliveries_total", 10.0),
        ("boardcast_batch_versions_count", 10.0),
        ("boardcast_batch_versions_sum", 10.0),
        ("boardcast_batch_versions_bucket{le=\"1\"}", 10.0),
        ("boardcast_batch_versions_bucket{le=\"+Inf\"}", 10.0),
        ("boardcast_fan_out_seconds_count", 10.0),
        ("boardcast_fan_out_seconds_bucket{le=\"+Inf\"}", 10.0),
        ("boardcast_journal_durable_versions_total", 10.0),
        ("boardcast_journal_lag_seconds_count", 10.0),
        ("boardcast_journal_healthy", 0.0),
        ("boardcast_subscriptions_total{with=\"snapshot\"}", 1.0),
    ] {
        assert_eq!(moved(series), by, "{series}");
    }
    for series in [
        "boardcast_sent_bytes_total",
        "boardcast_received_bytes_total",
        "boardcast_sent_frames_total",
        "boardcast_rooms_bytes",
        "boardcast_fan_out_seconds_sum",
        "boardcast_journal_lag_seconds_sum",
        "boardcast_room_wait_seconds_count",
        "boardcast_storage_read_seconds_count",
    ] {
        assert!(moved(series) > 0.0, "{series}");
    }
    assert_eq!(after.get("boardcast_journal_healthy"), 1.0);
    #[cfg(target_os = "linux")]
    {
        assert!(after.get("process_resident_memory_bytes") > 1e6);
        assert!(after.get("process_cpu_seconds_total") > 0.0);
        assert!(after.get("process_max_fds") > after.get("process_open_fds"));
    }
    // Buckets are cumulative, and units and series are those that the names promise.
    let series = |metrics: &Metrics| metrics.series.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        series(&before),
        series(&after),
        "what happens adds no series"
    );
    assert!(after.series.len() < 400, "{}", after.series.len());
    for (name, kind) in &after.types {
        if kind == "histogram" {
            let prefix = format!("{name}_bucket{{le=\"");
            let buckets = after
                .series
                .iter()
                .filter(|(key, _)| key.starts_with(&prefix));
            let mut buckets: Vec<_> = buckets
                .map(|(key, count)| {
                    let bound = key[prefix.len()..].trim_end_matches("\"}");
                    (bound.parse::<f64>().expect("a bound"), *count)
                })
                .collect();
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{name}");
            let last = buckets.last().expect("a bucket");
            assert_eq!(*last, (f64::INFINITY, after.get(&format!("{name}_count"))));
        }
    }
}

#[tokio::test]
async fn no_metric_names_a_user_or_a_board() {
    let server = TestServer::start().await;
    let mut ann = client_of(&server, "user-of-test", "agent-of-test").await;
    let board = ann.create_board("Plan").await;
    ann.subscribe(board, None).await;
    let answer = ask(&server, "GET", "/metrics", &[]).await;
    let text = answer.text();
    for secret in ["user-of-test", "agent-of-test", board.as_str(), "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn counters_of_connections_outlive_them() {
    let server = TestServer::start().await;
    let mut told = 0.0;
    for n in 1..=5 {
        let client = client_of(&server, "ann", "t/1").await;
        drop(client);
        let metrics = until(async || {
            let metrics = Metrics::of(&server).await;
            let heard = metrics.get("boardcast_received_messages_total");
            assert!(heard >= told, "a counter never falls");
            told = heard;
            (metrics.get("boardcast_connections") == 0.0 && heard == f64::from(n))
                .then_some(metrics)
        })
        .await;
        let lost = metrics.get("boardcast_connections_closed_total{cause=\"lost\"}");
        assert_eq!(lost, f64::from(n));
    }
}
