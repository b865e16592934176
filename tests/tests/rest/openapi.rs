//! The OpenAPI document: every route is in it, every field is bounded, answers are as it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{User, card};

/// Every path that the sources route, with its parameters.
fn routed(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            routed(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        for after in text.split(".route(").skip(1) {
            let quoted = after.trim_start().strip_prefix('"');
            let path = quoted.and_then(|rest| rest.split('"').next());
            found.extend(path.map(str::to_owned));
        }
    }
}

async fn document(user: &User) -> Value {
    let answer = user.get("/api/openapi.json").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    answer.json()
}

#[tokio::test]
async fn every_route_is_described_with_each_of_its_methods() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let document = document(&ann).await;
    assert!(
        document["openapi"]
            .as_str()
            .expect("a version")
            .starts_with("3.1.")
    );
    let mut paths = BTreeSet::new();
    let http = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src/http");
    routed(Path::new(http), &mut paths);
    paths.retain(|path| path.starts_with("/api/v1/"));
    assert!(paths.len() > 30, "{paths:?}");

    let mut answered: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in &paths {
        let filled: Vec<_> = (path.split('/'))
            .map(|part| if part.starts_with('{') { "x" } else { part })
            .collect();
        let answer = ann.send("NONE", &filled.join("/"), &[], None).await;
        assert_eq!(answer.status, 405, "{path}");
        let allow = answer.header("allow").expect("what is allowed");
        let methods = allow.split(',').filter(|method| *method != "HEAD");
        answered.insert(path, methods.map(str::to_lowercase).collect());
    }
    let described = document["paths"].as_object().expect("paths");
    let described: BTreeMap<&str, BTreeSet<String>> = (described.iter())
        .map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys().cloned();
            (path.as_str(), methods.collect())
        })
        .collect();
    assert_eq!(described, answered);
    let operations = document["paths"].as_object().expect("paths").values();
    let operations = operations.flat_map(|item| item.as_object().expect("methods").values());
    let mut ids = BTreeSet::new();
    for operation in operations {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id), "{id} stands twice");
    }
    server.stop().await;
}

/// What is made is linked to what can be asked about it, by the ids of the answer and of the path.
#[tokio::test]
async fn links_lead_to_operations_and_give_them_all_ids_of_their_paths() {
    let server = TestServer::start().await;
    let document = document(&User::of(&server, "ann")).await;
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").values();
        methods.map(move |operation| (path.as_str(), operation))
    });
    let operations: Vec<_> = operations.collect();
    let ids_in = |path: &str| -> BTreeSet<String> {
        let parts = path.split('/');
        let ids = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        ids.map(str::to_owned).collect()
    };
    let mut linked = BTreeSet::new();
    for (path, operation) in &operations {
        let answers = operation["responses"].as_object().expect("answers");
        for link in answers
            .values()
            .filter_map(|answer| answer["links"].as_object())
        {
            for link in link.values() {
                let target = &link["operationId"];
                let found = operations
                    .iter()
                    .find(|(_, other)| other["operationId"] == *target);
                let (place, _) = found.unwrap_or_else(|| panic!("{target} is nowhere"));
                let given = link["parameters"].as_object().expect("parameters");
                assert!(given.keys().cloned().collect::<BTreeSet<_>>() == ids_in(place));
                for value in given.values().filter_map(Value::as_str) {
                    let of_path = value.strip_prefix("$request.path.");
                    let is_known = of_path.is_none_or(|name| ids_in(path).contains(name));
                    let is_of_body = value.starts_with("$response.body#/");
                    assert!(is_known && (of_path.is_some() || is_of_body), "{value}");
                }
                linked.insert(target.as_str().expect("a name").to_owned());
            }
        }
    }
    for wanted in [
        "read-board",
        "create-card",
        "change-card",
        "remove-item",
        "revoke-link",
    ] {
        assert!(linked.contains(wanted), "{wanted}: {linked:?}");
    }
    server.stop().await;
}

fn each_schema(name: &str, schema: &Value, see: &mut impl FnMut(&str, &Value)) {
    see(name, schema);
    let Some(keywords) = schema.as_object() else {
        return;
    };
    for (keyword, inner) in keywords {
        match (keyword.as_str(), inner) {
            ("properties", Value::Object(fields)) => {
                for (field, schema) in fields {
                    each_schema(&format!("{name}.{field}"), schema, see);
                }
            }
            ("items" | "additionalProperties", inner) => each_schema(name, inner, see),
            ("oneOf" | "anyOf" | "allOf", Value::Array(choices)) => {
                for choice in choices {
                    each_schema(name, choice, see);
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_field_is_bounded_and_has_an_example() {
    let server = TestServer::start().await;
    let document = document(&User::of(&server, "ann")).await;
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    let (mut fields, mut faults) = (0, Vec::new());
    for (name, schema) in schemas {
        each_schema(name, schema, &mut |at, schema| {
            if let Some(name) = schema["$ref"].as_str() {
                let name = name.strip_prefix("#/components/schemas/").expect("a place");
                assert!(schemas.contains_key(name), "{at}: {name}");
            }
            let is_closed = ["enum", "const"]
                .iter()
                .any(|word| schema.get(word).is_some());
            let kinds = match &schema["type"] {
                Value::Array(some) => some.clone(),
                one => vec![one.clone()],
            };
            for kind in kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|_| !is_closed)
            {
                let wanted: &[&str] = match kind {
                    "string" => &["maxLength"],
                    "integer" => &["minimum", "maximum"],
                    "array" => &["maxItems"],
                    "object" if schema.get("properties").is_none() => &["maxProperties"],
                    "number" => panic!("{at}: there are no floats"),
                    _ => &[],
                };
                let lacking = wanted.iter().filter(|word| schema.get(**word).is_none());
                faults.extend(lacking.map(|word| format!("{at} lacks {word}")));
            }
            for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
                fields += 1;
                if schema["examples"].as_array().is_none_or(Vec::is_empty) {
                    faults.push(format!("{at}.{field} lacks an example"));
                }
            }
        });
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(fields > 200, "{fields} fields");
    server.stop().await;
}

/// The server refuses other fields at any depth: see `fields_that_are_not_of_a_thing_are_refused`.
#[tokio::test]
async fn whatever_is_sent_has_no_fields_but_those_that_are_named() {
    let server = TestServer::start().await;
    let document = document(&User::of(&server, "ann")).await;
    let schemas = &document["components"]["schemas"];
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|item| item.as_object().expect("methods").values());
    let bodies = operations.map(|operation| {
        &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    });
    let name_of = |place: &Value| {
        let name = place.as_str()?.strip_prefix("#/components/schemas/")?;
        Some(name.to_owned())
    };
    let mut next: Vec<String> = bodies.filter_map(name_of).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = next.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        each_schema(&name, &schemas[&name], &mut |at, schema| {
            next.extend(name_of(&schema["$ref"]));
            if schema.get("properties").is_some() {
                assert_eq!(schema["additionalProperties"], false, "{at}");
            }
        });
    }
    for name in [
        "NewCard",
        "Command",
        "CardChange",
        "NewWip",
        "NewFieldOption",
    ] {
        assert!(seen.contains(name), "{name}: {seen:?}");
    }
    for name in ["View", "Wip", "FieldOption", "Receipt"] {
        assert!(
            schemas[name].get("additionalProperties").is_none(),
            "{name}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let document = document(&ann).await;
    let board = ann.board().await;
    let list = json!([
        card("c1"),
        {"type": "label.create", "label": "l1", "name": "Bug", "color": "red"},
        {"type": "comment.create", "card": "c1", "comment": "m1", "text": "x"},
        {"type": "checklist.create", "card": "c1", "checklist": "k1", "title": "x"},
        {"type": "item.create", "card": "c1", "checklist": "k1", "item": "i1", "text": "x"}
    ]);
    let answers = [
        (ann.commands(&board, list).await, "Answer"),
        (ann.get("/api/v1/boards").await, "Boards"),
        (ann.get(&board).await, "View"),
        (ann.get(&format!("{board}/cards")).await, "CardPage"),
        (ann.get(&format!("{board}/cards/c1")).await, "WholeCard"),
        (
            ann.get(&format!("{board}/cards/c1/comments")).await,
            "CommentPage",
        ),
        (
            ann.get(&format!("{board}/cards/c1/checklists")).await,
            "ChecklistPage",
        ),
        (ann.get(&format!("{board}/columns")).await, "ColumnPage"),
        (ann.get(&format!("{board}/columns/todo")).await, "Column"),
        (ann.get(&format!("{board}/labels")).await, "LabelPage"),
        (ann.get(&format!("{board}/members")).await, "MemberPage"),
        (ann.get(&format!("{board}/activity")).await, "History"),
        (ann.patch(&board, &json!({"title": "New"})).await, "Receipt"),
        (ann.get(&format!("{board}/cards/none")).await, "Problem"),
        (ann.get("/api/v1/sessions").await, "Sessions"),
        (ann.get("/api/v1/search?q=c1").await, "Hits"),
    ];
    for (answer, name) in answers {
        let mut schema = document["components"]["schemas"][name].clone();
        schema["components"] = document["components"].clone();
        super::validator::validate(&schema, &answer.json())
            .unwrap_or_else(|error| panic!("{name}: {error}\n{}", answer.text()));
    }
    server.stop().await;
}

#[tokio::test]
async fn every_problem_has_its_place_in_the_reference() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let document = document(&ann).await;
    let problems = document["x-problems"].as_object().expect("problems");
    for (method, path) in [
        ("GET", "/api/v1/boards/none"),
        ("GET", "/none"),
        ("PUT", "/healthz"),
    ] {
        let name = ann.send(method, path, &[], None).await.problem();
        assert!(problems.contains_key(&name), "{name}");
    }
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src/http/rest");
    for entry in std::fs::read_dir(sources).expect("a folder") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a source");
        for name in text
            .split("of_kind(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(problems.contains_key(name), "{name}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_reference_is_a_page_that_needs_nobody_else() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let page = ann.get("/api/").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").expect("a policy");
    let none_but_own = "default-src 'none'; script-src 'self';";
    assert!(policy.starts_with(none_but_own), "{policy}");
    for attribute in page.text().split('"').skip(1).step_by(2) {
        assert!(!attribute.contains("//"), "{attribute} is elsewhere");
        if attribute.starts_with('/') {
            assert_eq!(ann.get(attribute).await.status, 200, "{attribute}");
        }
    }
    assert!(
        !page.text().contains("<script>") && !page.text().contains("style="),
        "nothing inline"
    );
    let answer = ann.get("/api/reference.js").await;
    let script = answer.text();
    assert!(
        !script.contains("innerHTML") && !script.contains("eval("),
        "no text becomes code"
    );
    server.stop().await;
}
