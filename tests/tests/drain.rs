//! A server that stops under a fleet: everybody is told when to come back, nobody comes in a
//! stampede, and nothing is lost.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{CardId, ClientId};
use boardcast_sim::chronicle::Chronicle;
use boardcast_sim::client::{ClientConfig, ClientHandle};
use boardcast_sim::crew;
use boardcast_sim::files;
use boardcast_sim::fleet::Fleet;
use boardcast_sim::ledger::Ledger;
use boardcast_sim::link::{Codec, Server};
use boardcast_sim::replica::Keep;
use boardcast_sim::steward::Steward;
use boardcast_sim::token::{self, Token};
use boardcast_tests::fixture::{column, make_column};
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::process::{Serving, run, stdout};
use boardcast_tests::raw::upgrade;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A fleet and the limit of the server that it meets.
#[derive(Clone, Copy)]
struct Plan {
    clients: usize,
    /// Clients of one board.
    on_board: usize,
    /// Connects that the server lets in within any second, in all and from one address.
    connects_per_s: usize,
    /// Commands a second.
    rate: u32,
}

const PLAN: Plan = Plan {
    clients: 240,
    on_board: 30,
    connects_per_s: 120,
    rate: 100,
};

/// A data directory, and a fleet in this process.
struct Scene {
    plan: Plan,
    dir: TempDir,
    tokens: Vec<Token>,
    fleet: Arc<Fleet>,
    clients: Vec<ClientHandle>,
    commands: u64,
}

/// How a fleet came back.
#[derive(Debug)]
struct Return {
    /// Ends of connections and refusals, by what ended them.
    goodbyes: u64,
    refused: u64,
    /// The most connects that were seen within a second.
    most_in_a_second: u64,
}

fn serve_at(dir: &TempDir, address: SocketAddr, plan: Plan) -> Serving {
    let per_s = plan.connects_per_s.to_string();
    let in_all = ["--max-connects-per-s", &per_s];
    let of_one = ["--max-connects-per-s-per-address", &per_s];
    let flags = [in_all, of_one].concat();
    Serving::start_with(&dir.path().join("data"), address, &flags)
}

async fn until(what: &str, patience: Duration, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(patience, waiting).await.expect(what);
}

impl Scene {
    /// A server, its boards, and a fleet that has come in no faster than it is let in.
    async fn new(plan: Plan) -> (Self, Serving) {
        files::make_room(plan.clients).expect("descriptors");
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name);
        let (data, count) = (path("data"), plan.clients.div_ceil(4).to_string());
        let data = data.to_str().expect("a path");
        let args = [
            "token",
            "--user",
            "sim",
            "--data-dir",
            data,
            "--count",
            &count,
        ];
        std::fs::write(path("tokens"), stdout(&run(&args))).expect("a token file");
        let tokens = token::read(&path("tokens"), Duration::ZERO).expect("tokens");
        let serving = serve_at(&dir, ([127, 0, 0, 1], 0).into(), plan);
        let url: Server = serving.url("").parse().expect("a URL");
        let target = url.resolve(Codec::Json).await.expect("an address");
        let ledger = Ledger::create(&path("ledger")).expect("a ledger");
        let mut scene = Self {
            plan,
            dir,
            tokens,
            fleet: Fleet::new(target, Some(ledger)),
            clients: Vec::new(),
            commands: 0,
        };
        scene.muster().await;
        (scene, serving)
    }

    async fn muster(&mut self) {
        let (plan, tokens) = (self.plan, self.tokens.clone());
        let id = ClientId::from_u128(u128::MAX >> 1);
        let steward = Steward::connect(&self.fleet.target, &tokens[0].text, id).await;
        let mut steward = steward.expect("a steward");
        let mut chronicle = None;
        for number in 0..plan.clients {
            if number % plan.on_board == 0 {
                let board = steward.create("Drained").await.expect("a board");
                let on_board = number..number + plan.on_board;
                let others = on_board.map(|number| tokens[number % tokens.len()].user);
                let others = others.filter(|user| *user != tokens[0].user);
                let mut commands = crew::admit(others, Role::Editor);
                commands.push(make_column());
                steward.apply(board, &commands).await.expect("a board");
                chronicle = Some(Arc::new(Chronicle::new(board)));
            }
            let config = ClientConfig {
                client: ClientId::from_u128(number as u128 + 1),
                token: Arc::clone(&tokens[number % tokens.len()].text),
                keep: Keep::Position,
                seed: number as u64,
                churn: None,
                fault: None,
                source: None,
                slow: None,
            };
            let chronicle = chronicle.as_ref().expect("a board");
            self.clients
                .push(ClientHandle::spawn(&self.fleet, chronicle, config));
            let each = Duration::from_secs(2) / u32::try_from(plan.connects_per_s).expect("few");
            tokio::time::sleep(each).await;
        }
        steward.close().await;
        self.all_live().await;
    }

    /// Longer than it takes all to come back at the admission limit.
    fn patience(&self) -> Duration {
        let seconds = 10 * self.plan.clients / self.plan.connects_per_s;
        PATIENCE * 2 + Duration::from_secs(seconds as u64)
    }

    async fn all_live(&self) {
        let is_live = || self.clients.iter().all(ClientHandle::is_live);
        until("all are there", self.patience(), is_live).await;
    }

    /// Hands out commands for a while, whoever is there to take them.
    async fn work(&mut self, count: u64) {
        for _ in 0..count {
            let client = &self.clients[self.commands as usize % self.clients.len()];
            self.commands += 1;
            let card = Command::CardCreate {
                card: CardId::from_u128(u128::from(self.commands)),
                column: column(),
                title: "One more".to_owned(),
                place: Place::default(),
                set: Box::default(),
                labels: Vec::new(),
                assignees: Vec::new(),
            };
            let submitted = client.submit(vec![card], self.fleet.now_ns());
            submitted.expect("few commands on the way");
            tokio::time::sleep(Duration::from_secs(1) / self.plan.rate).await;
        }
    }

    /// The fleet works on while `stop` ends the server and another is started at its address.
    async fn restart(&mut self, serving: Serving, stop: impl FnOnce(Serving)) -> (Return, Serving) {
        let clients = self.plan.clients as u64;
        self.work(clients / 2).await;
        let before = self.fleet.tally().connects;
        let address = serving.address();
        self.fleet.tally().failures.clear();
        let (dir, plan, fleet) = (&self.dir, self.plan, Arc::clone(&self.fleet));
        let serving = tokio::task::block_in_place(|| {
            stop(serving);
            serve_at(dir, address, plan)
        });
        let watching = tokio::spawn(async move {
            let second = Duration::from_secs(1);
            let (mut seen, mut most) = (VecDeque::new(), 0);
            loop {
                let (now, connects) = (Instant::now(), fleet.tally().connects);
                seen.push_back((now, connects));
                while seen[0].0 + second < now {
                    seen.pop_front();
                }
                most = most.max(connects - seen[0].1);
                if connects >= before + clients {
                    return most;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        self.work(clients).await;
        self.all_live().await;
        let is_done = || self.clients.iter().all(ClientHandle::is_done);
        until("all is answered", self.patience(), is_done).await;
        let failures = self.fleet.tally().failures.clone();
        let count = |is: &dyn Fn(&str) -> bool| {
            let some = failures.iter().filter(|(why, _)| is(why));
            some.map(|(_, count)| count).sum::<u64>()
        };
        let came = Return {
            goodbyes: count(&|why| why == "closed: 1012"),
            refused: count(&|why| why.starts_with("upgrade:")),
            most_in_a_second: watching.await.expect("a count"),
        };
        println!("{came:?} {failures:?}");
        (came, serving)
    }

    /// Asserts that every command was answered durable, and stands in the database.
    async fn assert_nothing_is_lost(self, serving: Serving) {
        for client in self.clients {
            let finished = client.finish().await.expect("no panic");
            assert_eq!(finished.ended, None);
        }
        {
            let tally = self.fleet.tally();
            assert_eq!(tally.violations.total, 0, "{:?}", tally.notes);
            assert_eq!(tally.commands.sent, self.commands);
            assert_eq!(tally.commands.durable, self.commands);
        }
        let ledger = self.fleet.ledger.as_ref().expect("a ledger");
        ledger.flush().expect("lines that are written");
        let stopped = tokio::task::block_in_place(|| serving.terminate());
        assert_eq!(stopped, Some(0));
        let [data, ledger] = ["data", "ledger"].map(|name| self.dir.path().join(name));
        let [data, ledger] = [&data, &ledger].map(|path| path.to_str().expect("a path"));
        let lines = std::fs::read_to_string(ledger).expect("a ledger");
        assert_eq!(lines.lines().count() as u64, self.commands);
        let checked = run(&["check", "--data-dir", data, "--ledger", ledger]);
        assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
    }
}

/// Everybody is told to come back, at half the rate at which the server lets clients in: a tenth of
/// them may meet others on a machine that stands still for a moment.
async fn come_back_without_a_stampede(plan: Plan) {
    let (mut scene, serving) = Scene::new(plan).await;
    let stop = |serving: Serving| assert_eq!(serving.terminate(), Some(0));
    let (came, serving) = scene.restart(serving, stop).await;
    assert_eq!(came.goodbyes, plan.clients as u64);
    assert!(came.refused <= came.goodbyes / 10, "{came:?}");
    assert!(
        came.most_in_a_second <= plan.connects_per_s as u64,
        "{came:?}"
    );
    scene.assert_nothing_is_lost(serving).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_a_server_that_restarts_come_back_below_the_admission_limit() {
    come_back_without_a_stampede(PLAN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "5,000 clients: make drain"]
async fn five_thousand_clients_come_back_below_the_admission_limit() {
    let plan = Plan {
        clients: 5_000,
        on_board: 10,
        connects_per_s: 1_000,
        rate: 500,
    };
    come_back_without_a_stampede(plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stampede_after_a_crash_is_let_in_at_the_admission_limit_and_loses_nothing() {
    let (mut scene, serving) = Scene::new(PLAN).await;
    let (came, serving) = scene.restart(serving, Serving::kill).await;
    assert_eq!(came.goodbyes, 0);
    assert!(came.refused > 0, "{came:?}");
    scene.assert_nothing_is_lost(serving).await;
}

#[tokio::test]
async fn a_server_stops_in_time_with_0_although_nobody_goes_and_lets_nobody_in() {
    let dir = tempfile::tempdir().expect("a folder");
    let flags = [
        "--drain-ms",
        "300",
        "--max-unauthenticated-per-address",
        "50",
    ];
    let serving = Serving::start_with(dir.path(), ([127, 0, 0, 1], 0).into(), &flags);
    let address = serving.address();
    let mut stay = Vec::new();
    for _ in 0..50 {
        let (head, stream) = upgrade(address, "/ws", &[]).await;
        assert_eq!(head.status, 101);
        stay.push(stream);
    }
    serving.ask_to_stop();
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("nobody comes in");
    assert_eq!(serving.ended(), Some(0));
    drop(stay);
}
