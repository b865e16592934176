//! Requests over connections that are kept, in turn or at a rate.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What a connection asks for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The line and headers of its own; `{card}` is the next card.
    pub(crate) head: String,
    /// Titles of so many cards are changed in turn; `None`: there is no body.
    pub(crate) body: Option<usize>,
    /// Of the connection.
    pub(crate) number: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) answers: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) body_bytes: usize,
    /// Of the server, for an answer.
    pub(crate) cpu_us: f64,
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self {
            rate,
            p50_ms,
            p99_ms,
            cpu_us,
            ..
        } = self;
        write!(
            f,
            "{rate:.0} a second, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, {cpu_us:.1} us"
        )
    }
}

#[derive(Debug)]
struct Seen {
    latencies_us: Histogram<u64>,
    statuses: BTreeMap<u16, u64>,
    body_bytes: usize,
}

/// Asks over all connections for so long. With a rate, request `i` of all is due at its time,
/// whatever the server does, and its latency counts from then; without, each connection asks again
/// when it is answered.
pub(crate) async fn run(
    address: SocketAddr,
    requests: Vec<Request>,
    rate: Option<u32>,
    time: Duration,
) -> anyhow::Result<Run> {
    let connections = u32::try_from(requests.len())?;
    let began = Instant::now() + Duration::from_millis(50);
    let mut tasks = JoinSet::new();
    for request in requests {
        let number = u32::try_from(request.number)?;
        let pace = rate.map(|rate| Pace {
            first: began + Duration::from_secs(1) / rate * number,
            every: Duration::from_secs(1) / rate * connections,
        });
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        tasks.spawn(connection(stream, request, pace, began + time));
    }
    let mut latencies_us = Histogram::<u64>::new(3)?;
    let (mut statuses, mut body_bytes) = (BTreeMap::new(), 0);
    while let Some(seen) = tasks.join_next().await {
        let seen = seen??;
        latencies_us.add(&seen.latencies_us)?;
        for (status, count) in seen.statuses {
            *statuses.entry(status).or_default() += count;
        }
        body_bytes = seen.body_bytes;
    }
    let answers = latencies_us.len();
    let ms = |quantile| latencies_us.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Run {
        answers,
        statuses,
        rate: answers as f64 / began.elapsed().as_secs_f64(),
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
        body_bytes,
        cpu_us: 0.0,
    })
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Instant,
    every: Duration,
}

async fn connection(
    mut stream: TcpStream,
    request: Request,
    pace: Option<Pace>,
    until: Instant,
) -> anyhow::Result<Seen> {
    let mut seen = Seen {
        latencies_us: Histogram::new(3)?,
        statuses: BTreeMap::new(),
        body_bytes: 0,
    };
    let (mut text, mut answer) = (String::new(), Vec::new());
    for turn in 0_u32.. {
        let due = match pace {
            Some(pace) => pace.first + pace.every * turn,
            None => Instant::now(),
        };
        if due >= until {
            break;
        }
        if pace.is_some() {
            sleep_until(due).await;
        }
        request.write(turn, &mut text);
        stream.write_all(text.as_bytes()).await?;
        let (status, body_bytes) = read(&mut stream, &mut answer).await?;
        let us = u64::try_from(due.elapsed().as_micros())?;
        seen.latencies_us.record(us.max(1))?;
        *seen.statuses.entry(status).or_default() += 1;
        seen.body_bytes = body_bytes;
    }
    Ok(seen)
}

impl Request {
    fn write(&self, turn: u32, text: &mut String) {
        text.clear();
        let Some(cards) = self.body else {
            text.push_str(&self.head);
            text.push_str("\r\n");
            return;
        };
        let card = (self.number * 31 + turn as usize) % cards;
        let body = format!(
            r#"{{"title":"Title {turn} by connection {:02}"}}"#,
            self.number
        );
        text.push_str(&self.head.replace("{card}", &format!("c{card}")));
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    }
}

/// Reads one answer; its status, and the bytes of its body.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<(u16, usize)> {
    answer.clear();
    let head = loop {
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(answer).await? == 0 {
            bail!("the server hung up");
        }
    };
    let text = std::str::from_utf8(&answer[..head])?;
    let status = text.split(' ').nth(1).context("a status")?.parse()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let length = match (status, length) {
        (304, _) => 0,
        (_, Some(length)) => length,
        (_, None) => bail!("an answer without a length: {text}"),
    };
    while answer.len() < head + length {
        if stream.read_buf(answer).await? == 0 {
            bail!("the server hung up");
        }
    }
    Ok((status, length))
}

/// The one in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
