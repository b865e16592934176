//! `docs/admin.md` and the dashboard name what there is.

use std::collections::BTreeSet;
use std::path::Path;

use boardcast_tests::harness::TestServer;
use serde_json::Value;

use super::metrics::Metrics;
use super::{client_of, get};

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the rows of the table under a heading.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = page
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = |row: &str| {
        let row = row.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
        let cells = row.unwrap_or_default().split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

fn names(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[tokio::test]
async fn the_table_of_metrics_is_that_of_a_running_server() {
    let server = TestServer::start().await;
    let metrics = Metrics::of(&server).await;
    let mut told = BTreeSet::new();
    for row in rows(&file("admin.md"), "Metrics") {
        let [name, kind, label, _] = &row[..] else {
            panic!("four cells: {row:?}");
        };
        let name = names(name).next().expect("a name");
        assert_eq!(metrics.types.get(&name), Some(kind), "{name}");
        let labels: BTreeSet<_> = names(label).collect();
        let mut exposed = metrics.labels[&name].clone();
        exposed.remove("le");
        assert_eq!(exposed, labels, "{name}");
        assert!(told.insert(name.clone()), "{name} stands twice");
    }
    let exposed: BTreeSet<_> = metrics.types.into_keys().collect();
    assert_eq!(told, exposed);
}

#[tokio::test]
async fn the_dashboard_uses_metrics_that_exist() {
    let server = TestServer::start().await;
    let metrics = Metrics::of(&server).await;
    let exposed: BTreeSet<_> = (metrics.series.keys())
        .map(|series| series.split('{').next().unwrap_or_default().to_owned())
        .collect();
    let dashboard: Value = serde_json::from_str(&file("grafana/boardcast.json")).expect("JSON");
    let mut queries = Vec::new();
    collect_queries(&dashboard, &mut queries);
    assert!(queries.len() >= 20, "{}", queries.len());
    for query in &queries {
        let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named = words.filter(|w| w.starts_with("boardcast_") || w.starts_with("process_"));
        let named: Vec<_> = named.collect();
        assert!(!named.is_empty(), "{query}");
        for name in named {
            assert!(exposed.contains(name), "{name} in {query}");
        }
        for label in query.split("by (").skip(1) {
            let label = label.split(')').next().unwrap_or_default();
            for label in label.split(", ") {
                let known = metrics.labels.values().any(|labels| labels.contains(label));
                assert!(known, "{label} in {query}");
            }
        }
    }
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has its number");
}

fn collect_queries(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(query) if name == "expr" => queries.push(query.clone()),
                    value => collect_queries(value, queries),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|v| collect_queries(v, queries)),
        _ => {}
    }
}

#[tokio::test]
async fn the_fields_of_the_page_are_those_that_are_answered() {
    let server = TestServer::start().await;
    let _ann = client_of(&server, "ann", "t/1").await;
    let page = file("admin.md");
    let list = get(&server, "/api/v1/admin/connections").await;
    let mut exposed = BTreeSet::new();
    fields("", &list["connections"][0], &mut exposed);
    assert_eq!(told(&page, "Connections"), exposed);

    let mut exposed = BTreeSet::new();
    let mut stats = get(&server, "/api/v1/admin/stats").await;
    stats["connections"]["closed"] = Value::Null;
    fields("", &stats, &mut exposed);
    assert_eq!(told(&page, "Statistics"), exposed);
}

/// The fields that a table names: `a.b` for a field of a field.
fn told(page: &str, heading: &str) -> BTreeSet<String> {
    let rows = rows(page, heading);
    let told = rows.iter().flat_map(|row| names(&row[0]));
    told.filter(|name| !name.contains('=')).collect()
}

/// The paths of all fields; a distribution is one field.
fn fields(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(inner) if !inner.contains_key("p99") && !inner.is_empty() => {
            for (name, value) in inner {
                let dot = if path.is_empty() { "" } else { "." };
                fields(&format!("{path}{dot}{name}"), value, found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}
