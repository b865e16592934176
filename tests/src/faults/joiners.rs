//! Many clients that join a large board at one moment: its snapshot is encoded once, and the server
//! keeps nothing of what it sent them.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{BoardId, CardId};
use futures::future::try_join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::args::JoinersArgs;
use super::binaries::Binaries;
use super::outcome::Outcome;
use super::server::Server;
use super::site::Site;
use crate::client::TestClient;
use crate::fixture::{column, make_column};
use crate::raw;

/// Cards of one submit.
const SUBMIT_CARDS: u32 = 100;
/// Bytes of a card's description.
const TEXT_BYTES: usize = 200;
/// How long the server may take to give memory back, and the time between two looks.
const SETTLE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(250);

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &JoinersArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("joiners", seed);
    let at_any_rate = ["--max-connects-per-s", "--max-connects-per-s-per-address"]
        .map(|flag| format!("{flag}=100000"));
    let site = Site::new(binaries)?.with_flags(&at_any_rate.each_ref().map(String::as_str));
    let server = site.serve().await?;
    let token = site.token()?;
    let (board, _author) = make_board(&site, &token, args.cards).await?;
    let mut clients = Vec::with_capacity(args.clients);
    for _ in 0..args.clients {
        let mut client = TestClient::connect(site.address(), Some(&token)).await;
        client.hello(None).await;
        clients.push(client);
    }
    outcome.progress(&format!("{} clients are connected", clients.len()));

    let before = server.memory("VmRSS")?;
    let encoded = snapshots_encoded(&site).await?;
    let began = Instant::now();
    let joined = clients
        .into_iter()
        .map(|client| tokio::spawn(async move { join(client, board).await }));
    let (joined, bytes): (Vec<_>, Vec<_>) = try_join_all(joined)
        .await?
        .into_iter()
        .collect::<anyhow::Result<Vec<_>>>()?
        .into_iter()
        .unzip();
    outcome.set("joined", joined.len());
    outcome.set("in ms", u64::try_from(began.elapsed().as_millis())?);
    outcome.set("snapshot bytes", bytes.first().copied().unwrap_or(0));
    let encoded = snapshots_encoded(&site).await? - encoded;
    outcome.set("encoded", encoded);
    outcome.expect(encoded == 1, || {
        format!("the snapshot was encoded {encoded} times, once is enough")
    });

    let bound = before + before / 10;
    let after = settled(&server, bound).await?;
    outcome.set("rss before kib", before >> 10);
    outcome.set("rss peak kib", server.memory("VmHWM")? >> 10);
    outcome.set("rss after kib", after >> 10);
    outcome.expect(after <= bound, || {
        format!("{after} bytes are resident, a tenth more than before are {bound}")
    });
    drop(joined);
    let panics = server.panics();
    outcome.expect(panics == 0, || format!("{panics} panics"));
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || format!("the stop ended with {code:?}"));
    Ok(outcome)
}

/// A board with so many cards, all of them durable, and its author, who has not subscribed.
async fn make_board(site: &Site, token: &str, cards: u32) -> anyhow::Result<(BoardId, TestClient)> {
    let mut author = TestClient::connect(site.address(), Some(token)).await;
    author.hello(None).await;
    let board = author.create_board("Joined by many").await;
    author.submit(board, 1, vec![make_column()]).await;
    author.durable(board, 1).await;
    let numbers: Vec<_> = (1..=cards).collect();
    for (seq, part) in (2..).zip(numbers.chunks(SUBMIT_CARDS as usize)) {
        let cards = part.iter().map(|number| make_card(*number)).collect();
        author.submit(board, seq, cards).await;
        author.durable(board, seq).await;
    }
    Ok((board, author))
}

fn make_card(number: u32) -> Command {
    Command::CardCreate {
        card: CardId::from_u128(number.into()),
        column: column(),
        title: format!("Card {number} of many"),
        place: Place::default(),
        set: Box::new(CardChange {
            description: Some("x".repeat(TEXT_BYTES)),
            ..CardChange::default()
        }),
        labels: Vec::new(),
        assignees: Vec::new(),
    }
}

/// Subscribes and reads the snapshot; its size.
async fn join(mut client: TestClient, board: BoardId) -> anyhow::Result<(TestClient, usize)> {
    client
        .say(&json!({"type": "subscribe", "board": board, "req": 1}))
        .await;
    loop {
        let text = client.next_text().await;
        let text = text.map_err(|closed| anyhow!("closed instead of a snapshot: {closed:?}"))?;
        ensure!(!text.contains("\"type\":\"error\""), "{text}");
        if text.starts_with(r#"{"type":"snapshot""#) {
            return Ok((client, text.len()));
        }
    }
}

/// Memory once it is under the bound, or after the longest wait.
async fn settled(server: &Server, bound: u64) -> anyhow::Result<u64> {
    let end = Instant::now() + SETTLE;
    loop {
        let now = server.memory("VmRSS")?;
        if now <= bound || Instant::now() > end {
            return Ok(now);
        }
        sleep(LOOK).await;
    }
}

/// What the server says of itself under `/metrics`.
async fn snapshots_encoded(site: &Site) -> anyhow::Result<u64> {
    let address = site.address();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let (_, mut stream) = raw::exchange(address, &request).await;
    let text = String::from_utf8(raw::rest(&mut stream).await)?;
    let name = "boardcast_snapshots_encoded_total ";
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(value.context("no such metric")?.trim().parse()?)
}
