//! How fast boards are read and cards changed over HTTP, beside a bare handler of the same framework
//! that answers with as many bytes (`make bench-rest`).
//!
//! Last, 10,000 cards are made a hundred at a time, by a user who may send 10,000 commands a second
//! and not 1,000: with the defaults it takes six seconds, after a burst of 4,000.
//!
//! The server under test runs on one core, this program on another. Reads are asked for as fast as
//! they are answered; changes come at a fixed rate, while WebSockets watch the board. An answer to a
//! change comes when the change is durable.

mod bare;
mod load;
mod process;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use boardcast_protocol::ids::BoardId;
use boardcast_tests::client::TestClient;
use boardcast_tests::http::ask;
use clap::Parser;
use serde_json::json;

use crate::load::{Request, Run};
use crate::process::Server;

/// Connections, each of a user of its own: the requests of one user are limited.
const CONNECTIONS: usize = 32;
const CARDS: usize = 100;

#[derive(Debug, Parser)]
struct Options {
    /// The `boardcast` to measure
    #[arg(long)]
    server: PathBuf,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Changes a second
    #[arg(long, default_value_t = 3_000)]
    rate: u32,
    /// WebSockets that watch the board while it is changed
    #[arg(long, default_value_t = 100)]
    watchers: usize,
    /// Repetitions; medians are printed
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The core of the servers
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Answers every request with so many bytes: the other end of the measurement
    #[arg(long, hide = true)]
    bare: Option<usize>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is asked for in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Known,
    Read,
    Change,
}

const KINDS: [(Kind, &str); 3] = [
    (Kind::Known, "a board that is known, 304"),
    (Kind::Read, "a board"),
    (Kind::Change, "a change of a card, durable"),
];

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match options.bare {
        Some(bytes) => runtime.block_on(bare::serve(bytes)),
        None => runtime.block_on(measure(&options)),
    }
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let mut made = Vec::new();
    let mut pairs: Vec<Vec<(Run, Run)>> = vec![Vec::new(); KINDS.len()];
    for round in 1..=options.rounds {
        let stage = Stage::set(options).await?;
        for ((kind, what), pairs) in KINDS.into_iter().zip(&mut pairs) {
            let ours = stage.run(options, kind).await?;
            let bare = beside(options, kind, ours.body_bytes).await?;
            println!("round {round}: {what}: {ours}; bare {bare}");
            pairs.push((ours, bare));
        }
        let took = stage.make_cards().await?;
        println!("round {round}: 10,000 cards, 100 at a time: {took:.2} s");
        made.push(took);
    }
    println!(
        "\nmedians of {} rounds, beside the bare handler:",
        options.rounds
    );
    for ((kind, what), pairs) in KINDS.into_iter().zip(&pairs) {
        let median = |of: &dyn Fn(&(Run, Run)) -> f64| load::median(pairs.iter().map(of).collect());
        println!(
            "{what}, {} bytes: {:.0} a second ({:.2} of bare), p50 {:.1} ms, p99 {:.1} ms (bare {:.1}), {:.1} us of the processor each ({:.1} times bare){}",
            pairs[0].0.body_bytes,
            median(&|(ours, _)| ours.rate),
            median(&|(ours, bare)| ours.rate / bare.rate),
            median(&|(ours, _)| ours.p50_ms),
            median(&|(ours, _)| ours.p99_ms),
            median(&|(_, bare)| bare.p99_ms),
            median(&|(ours, _)| ours.cpu_us),
            median(&|(ours, bare)| ours.cpu_us / bare.cpu_us),
            if kind == Kind::Change {
                format!("; {} watch", options.watchers)
            } else {
                String::new()
            },
        );
    }
    println!("10,000 cards, 100 at a time: {:.2} s", load::median(made));
    Ok(())
}

/// The same requests to the bare handler.
async fn beside(options: &Options, kind: Kind, bytes: usize) -> anyhow::Result<Run> {
    let own = std::env::current_exe()?;
    let bytes = bytes.to_string();
    let args = ["--server", "none", "--bare", bytes.as_str()];
    let server = Server::start(&own, &args, options.server_core)?;
    let requests = (0..CONNECTIONS).map(|n| Request {
        head: "GET / HTTP/1.1\r\nhost: x\r\n".to_owned(),
        body: None,
        number: n,
    });
    let requests: Vec<_> = requests.collect();
    run(options, kind, &server, requests, 200).await
}

async fn run(
    options: &Options,
    kind: Kind,
    server: &Server,
    requests: Vec<Request>,
    status: u16,
) -> anyhow::Result<Run> {
    let time = Duration::from_secs(options.seconds);
    let rate = (kind == Kind::Change).then_some(options.rate);
    // What comes for the first time is not measured.
    load::run(server.address(), requests.clone(), rate, time / 5).await?;
    let before = server.cpu()?;
    let mut run = load::run(server.address(), requests, rate, time).await?;
    let spent = server.cpu()?.saturating_sub(before);
    ensure!(
        run.statuses.iter().all(|(seen, _)| *seen == status),
        "answers by status: {:?}",
        run.statuses
    );
    run.cpu_us = spent.as_secs_f64() * 1e6 / run.answers as f64;
    Ok(run)
}

/// A server with a board of a hundred cards.
struct Stage {
    server: Server,
    board: BoardId,
    tokens: Vec<String>,
    tag: String,
    _dir: tempfile::TempDir,
}

impl Stage {
    async fn set(options: &Options) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let users = CONNECTIONS.max(options.watchers);
        let tokens = (0..users).map(|n| token(&options.server, dir.path(), n));
        let tokens = tokens.collect::<anyhow::Result<Vec<_>>>()?;
        let data = dir.path().to_str().context("a path that is text")?;
        let args = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--max-commands-per-s-per-user",
            "10000",
            "--log",
            "warn",
            "--data-dir",
            data,
        ];
        let server = Server::start(&options.server, &args, options.server_core)?;
        let address = server.address();
        let post = async |path: &str, body| {
            let bearer = format!("Bearer {}", tokens[0]);
            let url = format!("http://{address}/api/v1/boards{path}");
            let answer = ask(&url, "POST", &[("authorization", &bearer)], Some(&body)).await;
            ensure!(answer.status < 300, "{path}: {}", answer.text());
            Ok(answer.json())
        };
        let made = post("", json!({"title": "Measured"})).await?;
        let board = made["board"].as_str().context("an id")?.to_owned();
        let commands = format!("/{board}/commands");
        let mut list = vec![json!({"type": "column.create", "column": "todo", "title": "To do"})];
        list.extend((0..CARDS).map(|n| {
            let title = format!("Card {n} of those that are read");
            json!({"type": "card.create", "card": format!("c{n}"), "column": "todo", "title": title})
        }));
        for part in list.chunks(50) {
            post(&commands, json!({"commands": part})).await?;
        }
        let members = (1..users).map(
            |n| json!({"type": "member.add", "user": user(n), "name": user(n), "role": "editor"}),
        );
        for part in members.collect::<Vec<_>>().chunks(50) {
            post(&commands, json!({"commands": part})).await?;
        }
        let bearer = format!("Bearer {}", tokens[0]);
        let url = format!("http://{address}/api/v1/boards/{board}");
        let read = ask(&url, "GET", &[("authorization", &bearer)], None).await;
        ensure!(read.status == 200, "{}", read.text());
        Ok(Self {
            server,
            board: board.parse()?,
            tokens,
            tag: read.tag(),
            _dir: dir,
        })
    }

    /// Seconds until 10,000 cards of a new board are made, a hundred with each request, and durable.
    async fn make_cards(&self) -> anyhow::Result<f64> {
        let url = format!("http://{}/api/v1/boards", self.server.address());
        let bearer = format!("Bearer {}", self.tokens[0]);
        let headers = [("authorization", bearer.as_str())];
        let made = ask(&url, "POST", &headers, Some(&json!({"title": "Filled"}))).await;
        let board = made.json()["board"].as_str().context("an id")?.to_owned();
        let url = format!("{url}/{board}/commands");
        let column =
            json!({"commands": [{"type": "column.create", "column": "todo", "title": "To do"}]});
        ask(&url, "POST", &headers, Some(&column)).await;
        let began = std::time::Instant::now();
        for part in 0..100 {
            let cards = (0..100).map(|n| {
                let n = part * 100 + n;
                json!({"type": "card.create", "card": format!("c{n}"), "column": "todo", "title": format!("Card {n}")})
            });
            let body = json!({"commands": cards.collect::<Vec<_>>()});
            let done = ask(&url, "POST", &headers, Some(&body)).await;
            ensure!(done.status == 200, "{}", done.text());
        }
        Ok(began.elapsed().as_secs_f64())
    }

    async fn run(&self, options: &Options, kind: Kind) -> anyhow::Result<Run> {
        let board = self.board;
        let requests = self.tokens[..CONNECTIONS].iter().enumerate();
        let requests = requests.map(|(number, token)| {
            let (line, more) = match kind {
                Kind::Known => ("GET", format!("if-none-match: {}\r\n", self.tag)),
                Kind::Read => ("GET", String::new()),
                Kind::Change => ("PATCH", "content-type: application/json\r\n".to_owned()),
            };
            let card = if kind == Kind::Change { "/cards/{card}" } else { "" };
            Request {
                head: format!(
                    "{line} /api/v1/boards/{board}{card} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}"
                ),
                body: (kind == Kind::Change).then_some(CARDS),
                number,
            }
        });
        let watchers = if kind == Kind::Change {
            options.watchers
        } else {
            0
        };
        let mut watching = Vec::new();
        for token in &self.tokens[..watchers] {
            let mut client = TestClient::connect(self.server.address(), Some(token)).await;
            client.hello(None).await;
            client.subscribe(board, None).await;
            watching.push(tokio::spawn(async move {
                while client.next_text().await.is_ok() {}
            }));
        }
        let status = if kind == Kind::Known { 304 } else { 200 };
        let done = run(options, kind, &self.server, requests.collect(), status).await;
        for watcher in watching {
            ensure!(!watcher.is_finished(), "a watcher was cut off");
            watcher.abort();
        }
        done
    }
}

fn user(number: usize) -> String {
    format!("user{number}")
}

fn token(server: &Path, dir: &Path, number: usize) -> anyhow::Result<String> {
    let token = std::process::Command::new(server)
        .args(["token", "--user", &user(number), "--data-dir"])
        .arg(dir)
        .output()?;
    ensure!(token.status.success(), "boardcast token failed");
    Ok(String::from_utf8(token.stdout)?.trim().to_owned())
}
