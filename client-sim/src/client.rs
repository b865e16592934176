//! One client: a task that connects, subscribes to one board, feeds its replica and comes back.

mod incoming;
mod session;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{CardId, ClientId};
use boardcast_protocol::message::Whereabouts;
use boardcast_protocol::position::{Seq, Version};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::chronicle::Chronicle;
use crate::fault::Fault;
use crate::fleet::Fleet;
use crate::replica::{Effect, Keep, Replica};

/// Inputs that wait for a client; when they are full, a command is held back and counted.
const INPUTS_MAX: usize = 64;
/// Commands of a client that are not durable; above this it reads no inputs.
const PENDING_MAX: usize = 512;
/// Bounds of the pause before a reconnect: full jitter under a doubling ceiling.
const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// How a client comes and goes: cut without a word, back with its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// Longest stay; the shortest is a quarter of it.
    pub stay: Duration,
    /// Longest absence.
    pub away: Duration,
}

/// How a client reads slowly: by turns it reads, and leaves everything where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// How long it reads.
    pub read: Duration,
    /// How long it does not.
    pub pause: Duration,
}

/// What makes a client.
#[derive(Debug)]
pub struct ClientConfig {
    /// Its id.
    pub client: ClientId,
    /// Its token.
    pub token: Arc<str>,
    /// How much of the board it holds.
    pub keep: Keep,
    /// Seed of its pauses.
    pub seed: u64,
    /// Whether it comes and goes.
    pub churn: Option<Churn>,
    /// Whether it stops reading again and again. Its latencies are counted apart.
    pub slow: Option<Pauses>,
    /// A planted fault.
    pub fault: Option<Fault>,
    /// The address it connects from.
    pub source: Option<Ipv4Addr>,
}

#[derive(Debug)]
enum Input {
    Submit(Vec<Command>, u64),
    Open(CardId),
    Presence(Option<Whereabouts>),
    Cut(Duration),
    Settle,
    Finish,
}

/// How a client stands, for others to look at.
#[derive(Debug, Default)]
struct Status {
    live: AtomicBool,
    ended: AtomicBool,
    pending: AtomicU64,
    answered: AtomicU64,
    version: AtomicU64,
}

/// A client did not take a command: it has too many on the way, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client has too many commands on the way")]
pub struct Full;

/// What is left of a client.
#[derive(Debug)]
pub struct Finished {
    /// Its replica.
    pub replica: Replica,
    /// Why it ended before it was told to.
    pub ended: Option<String>,
}

/// A running client.
#[derive(Debug)]
pub struct ClientHandle {
    client: ClientId,
    token: Arc<str>,
    keep: Keep,
    slow: bool,
    chronicle: Arc<Chronicle>,
    inputs: mpsc::Sender<Input>,
    status: Arc<Status>,
    submitted: AtomicU64,
    task: JoinHandle<Finished>,
}

impl ClientHandle {
    /// Starts a client of the chronicle's board.
    pub fn spawn(fleet: &Arc<Fleet>, chronicle: &Arc<Chronicle>, config: ClientConfig) -> Self {
        let (inputs, receiver) = mpsc::channel(INPUTS_MAX);
        let status = Arc::new(Status::default());
        let (client, keep) = (config.client, config.keep);
        let slow = config.slow.is_some();
        let token = Arc::clone(&config.token);
        let task = Client {
            replica: Replica::new(chronicle.board(), client, config.keep),
            rng: StdRng::seed_from_u64(config.seed),
            fleet: Arc::clone(fleet),
            chronicle: Arc::clone(chronicle),
            status: Arc::clone(&status),
            inputs: receiver,
            churn: config.churn,
            slow: config.slow,
            was_slow: slow,
            token: config.token,
            source: config.source,
            fault: config.fault,
            effects: Vec::new(),
            attempts: 0,
            retry_at: None,
            opens: 0,
            asked: VecDeque::new(),
            joining_ns: None,
            is_open: false,
            was_live: false,
        };
        Self {
            client,
            token,
            keep,
            slow,
            chronicle: Arc::clone(chronicle),
            inputs,
            status,
            submitted: AtomicU64::new(0),
            task: tokio::spawn(task.run()),
        }
    }

    /// Its id.
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// Its token.
    pub fn token(&self) -> &Arc<str> {
        &self.token
    }

    /// How much of the board it holds.
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Whether it stops reading again and again; such a client is given no commands.
    pub fn is_slow(&self) -> bool {
        self.slow
    }

    /// Its board.
    pub fn chronicle(&self) -> &Arc<Chronicle> {
        &self.chronicle
    }

    /// Whether it is connected and up to date.
    pub fn is_live(&self) -> bool {
        self.status.live.load(Ordering::Acquire)
    }

    /// Whether it has ended for good before it was told to.
    pub fn has_ended(&self) -> bool {
        self.status.ended.load(Ordering::Acquire)
    }

    /// Whether all commands that it was given are done.
    pub fn is_done(&self) -> bool {
        let submitted = self.submitted.load(Ordering::Acquire);
        self.answered() == Seq(submitted) && self.status.pending.load(Ordering::Acquire) == 0
    }

    /// The highest command up to which all are answered.
    pub fn answered(&self) -> Seq {
        Seq(self.status.answered.load(Ordering::Acquire))
    }

    /// The version that it has reached.
    pub fn version(&self) -> Version {
        Version(self.status.version.load(Ordering::Acquire))
    }

    /// Gives it a list of commands that was meant to be sent at `intended_ns` of the fleet's clock;
    /// its number.
    ///
    /// # Errors
    /// It has too many commands on the way.
    pub fn submit(&self, cmds: Vec<Command>, intended_ns: u64) -> Result<Seq, Full> {
        let permit = self.inputs.try_reserve().map_err(|_| Full)?;
        let seq = self.submitted.fetch_add(1, Ordering::AcqRel) + 1;
        permit.send(Input::Submit(cmds, intended_ns));
        Ok(Seq(seq))
    }

    /// Makes it open a card, unless it is busy.
    pub fn open(&self, card: CardId) {
        // Opening is a bonus to the checks: a full queue only means that there is none this time.
        let _ = self.inputs.try_send(Input::Open(card));
    }

    /// Makes it tell where its person is, unless it is busy: the next update replaces this one.
    pub fn tell(&self, at: Option<Whereabouts>) {
        let _ = self.inputs.try_send(Input::Presence(at));
    }

    /// Cuts its connection without a word; it comes back after `away`.
    pub async fn cut(&self, away: Duration) {
        let _ = self.inputs.send(Input::Cut(away)).await;
    }

    /// It does not go away by itself any more.
    pub async fn settle(&self) {
        let _ = self.inputs.send(Input::Settle).await;
    }

    /// Tells it to end, without waiting until it has.
    pub async fn stop(&self) {
        let _ = self.inputs.send(Input::Finish).await;
    }

    /// Ends it.
    ///
    /// # Errors
    /// Its task has panicked.
    pub async fn finish(self) -> Result<Finished, tokio::task::JoinError> {
        self.stop().await;
        self.task.await
    }
}

/// How a connection ended.
enum End {
    /// The client was told to finish.
    Finished,
    /// It was cut on purpose.
    Cut(Duration),
    /// It was lost; after how long to come back, where the server said so.
    Lost(String, Option<Duration>),
    /// Coming back would not help.
    Final(String),
}

struct Client {
    replica: Replica,
    rng: StdRng,
    fleet: Arc<Fleet>,
    chronicle: Arc<Chronicle>,
    status: Arc<Status>,
    inputs: mpsc::Receiver<Input>,
    churn: Option<Churn>,
    slow: Option<Pauses>,
    /// Whether it was slow at any time: what it receives late after its last pause counts apart too.
    was_slow: bool,
    token: Arc<str>,
    source: Option<Ipv4Addr>,
    fault: Option<Fault>,
    effects: Vec<Effect>,
    attempts: u32,
    retry_at: Option<Instant>,
    opens: u32,
    /// Commands that are not answered, and when they were meant to be sent; at most `PENDING_MAX`.
    asked: VecDeque<(Seq, u64)>,
    /// When it first tried to come, while it is not there.
    joining_ns: Option<u64>,
    is_open: bool,
    was_live: bool,
}

impl Client {
    async fn run(mut self) -> Finished {
        let mut ended = None;
        loop {
            self.joining_ns.get_or_insert_with(|| self.fleet.now_ns());
            let end = Box::pin(self.connection()).await;
            if std::mem::take(&mut self.is_open) {
                self.fleet.open.fetch_sub(1, Ordering::Relaxed);
            }
            self.replica.disconnected();
            self.retry_at = None;
            self.publish();
            let pause = match end {
                End::Finished => break,
                End::Cut(away) => {
                    self.fleet.tally().cuts += 1;
                    away
                }
                End::Lost(why, retry) => {
                    self.fleet.tally().fail(&why);
                    retry.unwrap_or_else(|| self.backoff())
                }
                End::Final(why) => {
                    self.fleet.tally().fail(&why);
                    self.status.ended.store(true, Ordering::Release);
                    ended = Some(why);
                    Duration::MAX
                }
            };
            if self.stay_away(pause).await {
                break;
            }
        }
        Finished {
            replica: self.replica,
            ended,
        }
    }

    fn backoff(&mut self) -> Duration {
        let ceiling = BACKOFF_MIN
            .saturating_mul(1 << self.attempts.min(10))
            .min(BACKOFF_MAX);
        self.attempts += 1;
        ceiling.mul_f64(self.rng.random::<f64>())
    }

    /// Takes commands until the pause is over; whether the client is to finish.
    async fn stay_away(&mut self, pause: Duration) -> bool {
        let back = Instant::now().checked_add(pause);
        loop {
            let open = self.replica.pending().len() < PENDING_MAX;
            let input = tokio::select! {
                input = self.inputs.recv(), if open || back.is_none() => input,
                () = wait_until(back) => return false,
            };
            match input {
                Some(Input::Submit(cmds, intended_ns)) => self.submit(cmds, intended_ns),
                Some(Input::Open(_) | Input::Presence(_) | Input::Cut(_)) => {}
                Some(Input::Settle) => {
                    self.churn = None;
                    self.slow = None;
                    if back.is_some() {
                        return false;
                    }
                }
                Some(Input::Finish) | None => return true,
            }
        }
    }

    fn submit(&mut self, cmds: Vec<Command>, intended_ns: u64) {
        let seq = self.replica.submit(cmds, intended_ns);
        self.chronicle
            .intend(self.replica.client(), seq, intended_ns);
        self.asked.push_back((seq, intended_ns));
        self.fleet.tally().commands.sent += 1;
        self.replica.pump(&mut self.effects);
    }

    fn publish(&mut self) {
        let pending = self.replica.pending();
        let status = &self.status;
        let version = self.replica.position().map_or(0, |at| at.version.0);
        status.version.store(version, Ordering::Release);
        status
            .pending
            .store(pending.len() as u64, Ordering::Release);
        status
            .answered
            .store(pending.answered_to().0, Ordering::Release);
        let live = self.replica.is_live();
        status.live.store(live, Ordering::Release);
        if live != std::mem::replace(&mut self.was_live, live) {
            self.fleet.joined(live);
        }
        if let Some(since_ns) = self.joining_ns.take_if(|_| live) {
            self.fleet.tally().join(self.fleet.now_ns() - since_ns);
        }
    }
}

/// Waits for a moment, for ever without one.
async fn wait_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
