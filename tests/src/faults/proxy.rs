//! A bad network in front of a server: delay with jitter, stalls, cuts at any byte, dead ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// Bytes that one direction of a connection holds: what has been read and not passed on.
const CHUNK_BYTES: usize = 64 * 1_024;
/// One chunk in so many waits behind a stall.
const STALL_IN: u32 = 500;

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Longest delay of a chunk in milliseconds; each connection has its own share of it.
    pub delay_ms: u64,
    /// Longest life of a connection in bytes, both ways together; it is drawn for each.
    pub life_bytes: u64,
    /// Longest stall, and longest dead end, in milliseconds.
    pub stall_ms: u64,
}

/// What has happened.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that were passed on.
    pub connections: AtomicU64,
    /// Those that were cut at both ends.
    pub cuts: AtomicU64,
    /// Those that swallowed everything before they ended.
    pub dead_ends: AtomicU64,
    /// Those that the server held for alive after the client had lost them.
    pub half_open: AtomicU64,
    /// Pauses in which nothing passed.
    pub stalls: AtomicU64,
}

/// A proxy; it ends with all its connections when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
    calm: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens at `address` and passes on to `server`.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start(
        address: SocketAddr,
        server: SocketAddr,
        weather: Weather,
        seed: u64,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let counts = Arc::new(Counts::default());
        let calm = Arc::new(AtomicBool::new(true));
        let (counting, calming) = (Arc::clone(&counts), Arc::clone(&calm));
        let task = tokio::spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut connections = JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                };
                if let Ok((client, _)) = accepted {
                    counting.connections.fetch_add(1, Ordering::Relaxed);
                    let link = Link {
                        weather,
                        rng: StdRng::seed_from_u64(rng.random()),
                        counts: Arc::clone(&counting),
                        calm: Arc::clone(&calming),
                    };
                    connections.spawn(link.run(client, server));
                }
            }
        });
        Ok(Self {
            address,
            counts,
            calm,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has happened.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether connections live on without stalls, as they do at first; delays stay.
    pub fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Link {
    weather: Weather,
    rng: StdRng,
    counts: Arc<Counts>,
    calm: Arc<AtomicBool>,
}

impl Link {
    async fn run(mut self, mut client: TcpStream, server: SocketAddr) {
        let Ok(mut server) = TcpStream::connect(server).await else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let life = AtomicU64::new(self.rng.random_range(0..=self.weather.life_bytes));
        let (up, down) = (self.direction(), self.direction());
        let passed = {
            let ((from_client, to_client), (from_server, to_server)) =
                (client.split(), server.split());
            tokio::select! {
                passed = self.pass(up, &life, from_client, to_server) => passed,
                passed = self.pass(down, &life, from_server, to_client) => passed,
            }
        };
        if !matches!(passed, Ok(Passed::Life)) {
            return;
        }
        let pause = Duration::from_millis(self.rng.random_range(0..=self.weather.stall_ms));
        match self.rng.random_range(0..3) {
            // Both sides see it at once, in the middle of whatever was on its way.
            0 => {
                self.counts.cuts.fetch_add(1, Ordering::Relaxed);
            }
            // Nothing passes for a while; then both see it.
            1 => {
                self.counts.dead_ends.fetch_add(1, Ordering::Relaxed);
                sleep(pause).await;
            }
            // The client sees it at once, the server only later.
            _ => {
                self.counts.half_open.fetch_add(1, Ordering::Relaxed);
                drop(client);
                sleep(pause).await;
            }
        }
    }

    fn direction(&mut self) -> Direction {
        Direction {
            delay_ms: self.rng.random_range(0..=self.weather.delay_ms),
            rng: StdRng::seed_from_u64(self.rng.random()),
        }
    }

    /// Passes on until a side closes, or the life of the connection is over.
    async fn pass(
        &self,
        mut direction: Direction,
        life: &AtomicU64,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> std::io::Result<Passed> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = from.read(&mut chunk).await?;
            if read == 0 {
                return Ok(Passed::Closed);
            }
            sleep(direction.delay()).await;
            let is_calm = self.calm.load(Ordering::Relaxed);
            if direction.rng.random_ratio(1, STALL_IN) && !is_calm {
                self.counts.stalls.fetch_add(1, Ordering::Relaxed);
                let ms = direction.rng.random_range(0..=self.weather.stall_ms);
                sleep(Duration::from_millis(ms)).await;
            }
            if is_calm {
                to.write_all(&chunk[..read]).await?;
                continue;
            }
            let left = usize::try_from(life.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
            let passing = read.min(left);
            to.write_all(&chunk[..passing]).await?;
            if passing == left {
                return Ok(Passed::Life);
            }
            life.fetch_sub(passing as u64, Ordering::Relaxed);
        }
    }
}

/// Why nothing more is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    /// A side has closed.
    Closed,
    /// The bytes of the connection's life are used up.
    Life,
}

struct Direction {
    delay_ms: u64,
    rng: StdRng,
}

impl Direction {
    fn delay(&mut self) -> Duration {
        let jitter = self.rng.random_range(0.5..1.5);
        Duration::from_millis(self.delay_ms).mul_f64(jitter)
    }
}
