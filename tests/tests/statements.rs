//! How many statements reads make: none for a board that is loaded, one for each kind of thing for one
//! that is opened, and as many for a search as its query asks for, whatever is found.

use std::collections::BTreeMap;
use std::sync::Mutex;

use boardcast_tests::harness::{PATIENCE, TestServer};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Statements that SQLite has run, as sqlx tells of each.
static RUN: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Recorder;

impl<S: tracing::Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let mut text = [statement.whole, statement.summary].into_iter();
        let text = text.find(|text| !text.trim().is_empty());
        RUN.lock().expect("a list").extend(text);
    }
}

#[derive(Default)]
struct Statement {
    summary: String,
    whole: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// How the upkeep looks for boards whose rows are behind, once after each start.
const UPKEEP: &str = "SELECT b.id FROM boards AS b WHERE b.id > ?1 AND b.deleted IS NULL";

/// The reads since the last time, without what the journal and the upkeep read for themselves.
fn reads() -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for statement in RUN.lock().expect("a list").drain(..) {
        let words: Vec<_> = statement.split_whitespace().collect();
        let text = words.join(" ");
        if words.first() == Some(&"SELECT") && !text.starts_with(UPKEEP) {
            let known = text.chars().take(60).collect::<String>();
            *counts.entry(known).or_default() += 1;
        }
    }
    counts
}

struct User {
    base: String,
    token: String,
}

impl User {
    fn of(server: &TestServer) -> Self {
        Self {
            base: server.url(""),
            token: server.token("ann"),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(body).expect("a request");
        let asked = tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
            let mut answer = agent.run(request).expect("an answer");
            answer.body_mut().read_to_string().expect("a body")
        });
        serde_json::from_str(&asked.await.expect("an answer")).expect("JSON")
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path, None).await
    }

    async fn board(&self, cards: usize) -> String {
        let made = self
            .send("POST", "/api/v1/boards", Some(&json!({"title": "Plans"})))
            .await;
        let board = format!("/api/v1/boards/{}", made["board"].as_str().expect("an id"));
        let mut list = vec![
            json!({"type": "column.create", "column": "todo", "title": "To do"}),
            json!({"type": "label.create", "label": "bug", "name": "Bug"}),
        ];
        list.extend((0..cards).map(|n| {
            json!({"type": "card.create", "card": format!("c{n}"), "column": "todo",
                "title": if n == 0 { "one needle" } else { "many" },
                "labels": if n == 0 { vec!["bug"] } else { vec![] },
                "set": {"description": "text"}})
        }));
        for part in list.chunks(100) {
            let body = json!({"commands": part});
            self.send("POST", &format!("{board}/commands"), Some(&body))
                .await;
        }
        board
    }
}

#[tokio::test]
async fn reads_of_loaded_boards_make_no_statement_and_others_a_fixed_number() {
    let levels = Targets::new().with_target("sqlx::query", LevelFilter::TRACE);
    let recorder = Recorder.with_filter(levels);
    tracing_subscriber::registry().with(recorder).init();

    let server = TestServer::start().await;
    let ann = User::of(&server);
    let (small, large) = (ann.board(2).await, ann.board(300).await);
    assert!(reads().len() > 3, "statements are seen");
    let began = Instant::now();
    while ann.get("/api/v1/search?q=many&limit=200").await["hits"]
        .as_array()
        .map(Vec::len)
        != Some(200)
    {
        assert!(began.elapsed() < PATIENCE, "the index is behind");
    }

    // What is loaded is read from memory.
    let server = server.restart().await;
    let ann = User::of(&server);
    let mut opened = Vec::new();
    for board in [&small, &large] {
        reads();
        ann.get(board).await;
        opened.push(reads());
        for path in [
            "",
            "/cards",
            "/cards?q=text",
            "/cards/c0",
            "/columns",
            "/labels",
            "/members",
        ] {
            ann.get(&format!("{board}{path}")).await;
        }
        assert_eq!(reads(), BTreeMap::new(), "a board that is loaded");
    }
    // What is not is read by one statement for each kind of thing, however many there are of it.
    assert_eq!(opened[0], opened[1]);
    assert!(opened[0].values().all(|count| *count == 1), "{opened:#?}");
    assert!((3..=6).contains(&opened[0].len()), "{opened:#?}");

    // A search is one statement, and one more for each kind of name that the query uses.
    let server = server.restart().await;
    let ann = User::of(&server);
    for (queries, count) in [
        (&["needle", "text", "many", "nothing"][..], 1),
        (&["is:open", "is:blocked", "due:none"], 1),
        (&["label:bug", "label:bug%20needle"], 2),
        (
            &["board:plans%20label:bug", "board:plans%20label:bug%20text"],
            3,
        ),
    ] {
        for query in queries {
            reads();
            ann.get(&format!("/api/v1/search?q={query}&limit=200"))
                .await;
            let reads = reads();
            assert_eq!(reads.values().sum::<usize>(), count, "{query}: {reads:#?}");
        }
    }
    assert_eq!(server.server().services().rooms.loaded().boards, 0);
    server.stop().await;
}
