//! What the search index costs, and how long searches take (`make bench-search`): boards are filled
//! over HTTP and their cards changed and moved; the journal's own counters tell what its transactions
//! of rows took. Then cards are looked for among all of them.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use boardcast_tests::harness::TestServer;
use clap::Parser;
use serde_json::{Value, json};

/// Commands of one request.
const COMMANDS: usize = 100;
const WORDS: [&str; 24] = [
    "report",
    "login",
    "invoice",
    "Straßenbau",
    "Überarbeitung",
    "meeting",
    "server",
    "北京会议",
    "東京タワー",
    "release",
    "customer",
    "database",
    "Angebot",
    "prüfen",
    "design",
    "error",
    "page",
    "用户登录",
    "データベース",
    "budget",
    "travel",
    "photo",
    "contract",
    "garden",
];

#[derive(Debug, Parser)]
struct Options {
    /// Boards
    #[arg(long, default_value_t = 5)]
    boards: usize,
    /// Cards of each board
    #[arg(long, default_value_t = 20_000)]
    cards: usize,
    /// Searches of each kind
    #[arg(long, default_value_t = 200)]
    searches: usize,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

struct Client {
    agent: ureq::Agent,
    base: String,
    token: String,
}

impl Client {
    fn send(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = if method == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        let mut answer = self.agent.run(request.body(body)?)?;
        ensure!(
            answer.status().as_u16() < 300,
            "{path}: {}",
            answer.status()
        );
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }

    fn commands(&self, board: &str, list: &[Value]) -> anyhow::Result<()> {
        for part in list.chunks(COMMANDS) {
            let body = json!({"commands": part});
            self.send("POST", &format!("/api/v1/boards/{board}/commands"), &body)?;
        }
        Ok(())
    }
}

fn text(seed: usize, words: usize) -> String {
    let word = |n: usize| {
        WORDS[(seed.wrapping_mul(2_654_435_761) >> 7).wrapping_add(n * n * 7 + n * seed)
            % WORDS.len()]
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// What the journal has spent on rows since the last time.
struct Rows<'a> {
    server: &'a TestServer,
    transactions: u64,
    sum_us: u64,
}

impl Rows<'_> {
    async fn told(&mut self, what: &str) {
        let storage = &self.server.server().services().storage;
        // Until nothing waits, twice in a row: rows come about a second behind.
        let mut quiet = 0;
        while quiet < 15 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let status = storage.status();
            let waits = status.queued_rows_bytes > 0 || status.queued_versions > 0;
            quiet = if waits { 0 } else { quiet + 1 };
        }
        let counters = storage.status().counters;
        let transactions = counters.rows_transactions - self.transactions;
        let sum_us = counters.rows_sum_us - self.sum_us;
        println!(
            "{what:32} rows: {transactions} transactions, {} ms in all, {} us each; commits of versions: {} us each",
            sum_us / 1_000,
            sum_us / transactions.max(1),
            counters.commit_sum_us / counters.groups.max(1),
        );
        (self.transactions, self.sum_us) = (counters.rows_transactions, counters.rows_sum_us);
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    let server = TestServer::with(|config| {
        config.connections.limits.requests_per_s_per_user = 1_000_000;
        config.connections.limits.commands_per_s_per_user = 1_000_000;
        config.rooms.commands_per_s = 1_000_000;
    })
    .await;
    let client = std::sync::Arc::new(Client {
        agent: ureq::Agent::config_builder().build().into(),
        base: server.url(""),
        token: server.token("ann"),
    });
    let mut rows = Rows {
        server: &server,
        transactions: 0,
        sum_us: 0,
    };
    let fill = std::sync::Arc::clone(&client);
    let (count, cards) = (options.boards, options.cards);
    let boards = tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<String>> {
        let mut boards = Vec::new();
        for number in 0..count {
            let made = fill.send(
                "POST",
                "/api/v1/boards",
                &json!({"title": format!("Board {number}")}),
            )?;
            let board = made["board"].as_str().context("an id")?.to_owned();
            fill.commands(
                &board,
                &[
                    json!({"type": "column.create", "column": "todo", "title": "To do"}),
                    json!({"type": "column.create", "column": "done", "title": "Done"}),
                    json!({"type": "label.create", "label": "bug", "name": "Bug"}),
                    json!({"type": "label.create", "label": "rare", "name": "Rare"}),
                ],
            )?;
            let list: Vec<_> = (0..cards)
                .map(|n| {
                    let mut labels = Vec::new();
                    labels.extend((n % 10 == 0).then_some("bug"));
                    labels.extend((n % 1_000 == 7).then_some("rare"));
                    json!({
                        "type": "card.create", "card": format!("c{n}"), "column": "todo",
                        "title": format!("{} {n}", text(n + number, 4)), "labels": labels,
                        "set": {"description": text(n * 3 + number, 40)},
                    })
                })
                .collect();
            fill.commands(&board, &list)?;
            boards.push(board);
        }
        Ok(boards)
    })
    .await??;
    rows.told("cards made").await;
    let changing = std::sync::Arc::clone(&client);
    let first = boards[0].clone();
    let some = cards.min(5_000);
    tokio::task::spawn_blocking(move || {
        let list: Vec<_> = (0..some)
            .map(|n| json!({"type": "card.move", "card": format!("c{n}"), "column": "done"}))
            .collect();
        changing.commands(&first, &list)
    })
    .await??;
    rows.told("cards moved").await;
    let changing = std::sync::Arc::clone(&client);
    let first = boards[0].clone();
    tokio::task::spawn_blocking(move || {
        let list: Vec<_> = (0..some).map(|n| json!({"type": "card.set", "card": format!("c{n}"), "set": {"title": text(n * 11, 5)}})).collect();
        changing.commands(&first, &list)
    }).await??;
    rows.told("titles changed").await;
    let status = server.server().services().storage.status();
    println!("database: {} MB", status.database_bytes / 1_000_000);
    for path in [
        "/api/v1/search?limit=100&q=label:bug",
        "/api/v1/search?limit=100&q=label:rare",
        "/api/v1/search?limit=100&q=label:rare+report",
        "/api/v1/search?limit=20&q=%22login+server%22",
        "/api/v1/search?limit=20&q=report+garden+label:bug",
        "/api/v1/search?limit=20&q=report",
        "/api/v1/search?limit=20&q=%E5%8C%97%E4%BA%AC",
        "/api/v1/search?limit=20&q=nothing",
        "/api/v1/search?limit=20&q=r",
        &format!("/api/v1/boards/{}/cards?limit=100&q=label:bug", boards[0]),
        &format!("/api/v1/boards/{}/cards?limit=100&q=report", boards[0]),
    ] {
        let (client, path, searches) = (
            std::sync::Arc::clone(&client),
            path.to_owned(),
            options.searches,
        );
        tokio::task::spawn_blocking(move || {
            let mut times = Vec::new();
            let mut hits = 0;
            for _ in 0..searches {
                let began = Instant::now();
                let Ok(answer) = client.send("GET", &path, &Value::Null) else {
                    println!("{path}: not served");
                    return;
                };
                times.push(began.elapsed());
                let things = answer["hits"].as_array().or(answer["cards"].as_array());
                hits = things.map_or(0, Vec::len);
            }
            times.sort();
            let at = |part: usize| times[(times.len() - 1) * part / 100].as_micros();
            println!("{path}: {hits} hits, p50 {} us, p99 {} us", at(50), at(99));
        })
        .await?;
    }
    server.stop().await;
    Ok(())
}
