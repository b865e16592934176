//! A run: the server in its lives, the people at their clients, and what happens to them.

mod acts;
mod judge;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::Builder;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Timestamp;

use super::cover::Cover;
use super::dice::Dice;
use super::house::House;
use super::link::Link;
use super::oracle::Oracle;
use super::person::{Person, client_id, user_id};
use super::plan::Plan;
use super::schedule::{Event, Schedule};
use super::weather::Sky;
use crate::room::RoomLimits;
use crate::storage::Storage;
use crate::storage::simulation::{Disk, Tables};
use crate::{chance, clock};

/// When the wall clock shows this, a run begins.
const DAWN_MS: u64 = 1_800_000_000_000;
/// Time for everything to become quiet after the last fault.
const QUIET_MS: u64 = 60_000;

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) cover: Cover,
    /// Equal for equal runs.
    pub(super) trace: u64,
    pub(super) lines: Vec<String>,
    /// What must not have happened.
    pub(super) failure: Option<String>,
}

/// How a life of the server ended.
enum End {
    Died { down_ms: u64 },
    Quiet,
    Failed,
}

/// Runs a plan.
pub(super) fn run(plan: &Plan, with_lines: bool) -> Ran {
    let mut world = World::new(plan.clone(), with_lines);
    loop {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let end = runtime.block_on(world.live());
        drop(runtime);
        match end {
            End::Died { down_ms } => world.schedule.after(down_ms, Event::Start),
            End::Quiet | End::Failed => break,
        }
    }
    let mut oracle = world.oracle();
    Ran {
        cover: oracle.cover.clone(),
        trace: oracle.trace(),
        lines: oracle.lines.take().unwrap_or_default(),
        failure: oracle.failure.take(),
    }
}

struct World {
    plan: Plan,
    dice: Dice,
    schedule: Arc<Schedule>,
    oracle: Arc<Mutex<Oracle>>,
    sky: Arc<Sky>,
    people: Vec<Person>,
    links: BTreeMap<u64, Arc<Link>>,
    links_made: u64,
    /// Links made in this life of the server.
    connections: u64,
    boards: Vec<BoardId>,
    /// What is committed while no server runs.
    tables: Tables,
    backup: Option<Tables>,
    restores: bool,
    disk: Option<Disk>,
    opened: Arc<Mutex<Option<Storage>>>,
    house: Option<House>,
    /// By how much the wall clock was set.
    set_ms: i64,
    healing: bool,
    stop_down_ms: u64,
}

impl World {
    fn new(plan: Plan, with_lines: bool) -> Self {
        let seed = plan.seed;
        chance::simulation::seed(seed);
        let schedule = Arc::new(Schedule::new());
        let clients = (0..plan.people.len()).map(client_id).collect();
        let oracle = Arc::new(Mutex::new(Oracle::new(clients, with_lines)));
        let sky = Sky::new(
            Dice::new(seed, 2),
            Arc::clone(&schedule),
            Arc::clone(&oracle),
        );
        schedule.at(0, Event::Start);
        for (index, (at_ms, _)) in plan.acts.iter().enumerate() {
            schedule.at(*at_ms, Event::Act(index));
        }
        schedule.at(plan.heal_ms, Event::Heal);
        Self {
            dice: Dice::new(seed, 3),
            schedule,
            oracle,
            sky: Arc::new(sky),
            people: Vec::new(),
            links: BTreeMap::new(),
            links_made: 0,
            connections: 0,
            boards: Vec::new(),
            tables: Tables::default(),
            backup: None,
            restores: false,
            disk: None,
            opened: Arc::default(),
            house: None,
            set_ms: 0,
            healing: false,
            stop_down_ms: 0,
            plan,
        }
    }

    fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap()
    }

    fn fail(&self, what: impl FnOnce() -> String) {
        self.oracle().fail(what);
    }

    fn count(&self, what: &'static str) {
        self.oracle().cover.count(what);
    }

    /// One life of the server, and the time without one before it.
    async fn live(&mut self) -> End {
        self.schedule.begin_life();
        self.sky.begin_life();
        self.oracle().begin_life();
        self.set_clock();
        loop {
            if self.oracle().failure.is_some() {
                return End::Failed;
            }
            if let Some(down_ms) = self.schedule.dies() {
                self.die();
                return End::Died { down_ms };
            }
            if let Some(event) = self.schedule.next().await
                && self.handle(event).await
            {
                return End::Quiet;
            }
            for _ in 0..self.dice.below(3) {
                tokio::task::yield_now().await;
            }
        }
    }

    fn set_clock(&self) {
        let wall_ms = DAWN_MS + self.schedule.now_ms();
        clock::simulation::set(Timestamp(wall_ms.saturating_add_signed(self.set_ms)));
    }

    /// Handles an event; whether it was the last one.
    async fn handle(&mut self, event: Event) -> bool {
        match event {
            Event::Act(index) => {
                let (_, act) = self.plan.acts[index];
                self.oracle().note(|| format!("{act:?}"));
                self.act(act);
                self.check_bounds();
            }
            Event::Start => self.start(),
            Event::Started => self.started().await,
            Event::Stopped { clean } => self.stopped(clean),
            Event::Die { down_ms } => self.schedule.die(down_ms),
            Event::Connect { person } => self.connect(person),
            Event::Inbound { link, bytes } => {
                if let Some(link) = self.links.get(&link) {
                    link.inbound(bytes);
                }
            }
            Event::Hangup { link } => {
                if let Some(link) = self.links.get(&link) {
                    link.hang_up();
                }
            }
            Event::Arrive { link } => self.arrive(link),
            Event::Ended { link } => self.ended(link),
            Event::Retry { link, board } => self.retry(link, board),
            Event::Subscribe {
                link,
                board,
                reason,
            } => self.subscribe(link, board, reason),
            Event::Subscribed { link } => self.flow_behind(link),
            Event::TakeOut { board } => self.take_out(board),
            Event::Read { person } => self.read(person),
            Event::Heal => self.heal(),
            Event::Look => return self.look().await,
        }
        false
    }

    fn start(&mut self) {
        let disk = Disk::new(self.tables.clone(), Arc::clone(&self.sky) as _);
        self.disk = Some(disk.clone());
        let (options, opened) = (self.plan.storage.clone(), Arc::clone(&self.opened));
        let schedule = Arc::clone(&self.schedule);
        tokio::spawn(async move {
            match Storage::simulate(disk, &options).await {
                Ok(storage) => {
                    opened.lock().unwrap().replace(storage);
                    schedule.after(0, Event::Started);
                }
                Err(_) => schedule.after(100, Event::Start),
            }
        });
    }

    async fn started(&mut self) {
        let Some(storage) = self.opened.lock().unwrap().take() else {
            return;
        };
        let mut limits = self.plan.rooms;
        if self.healing {
            limits.loaded_bytes = RoomLimits::default().loaded_bytes;
        }
        self.count("lives of the server");
        let house = House::new(&self.plan, limits, storage);
        if self.boards.is_empty() {
            self.found(&house).await;
        }
        self.house = Some(house);
        if self.healing {
            self.schedule.after(50, Event::Look);
        }
    }

    /// The boards, and the people on them.
    async fn found(&mut self, house: &House) {
        for number in 0..self.plan.boards {
            let board = house.create(&format!("Board {number}")).await;
            self.boards.push(board);
        }
        let seatings = self.plan.people.iter().enumerate();
        let person = |(index, seating)| Person::new(index, seating, &self.boards, self.plan.seed);
        self.people = seatings.map(person).collect();
        let members: Vec<_> = (1..self.plan.users)
            .map(|user| Command::MemberAdd {
                user: user_id(user),
                name: None,
                role: Role::Editor,
            })
            .collect();
        for board in self.boards.clone() {
            self.people[0].found(board, members.clone(), clock::now());
        }
        for person in 0..self.people.len() {
            let at_ms = self.dice.range(0..=40);
            self.schedule.at(at_ms, Event::Connect { person });
        }
    }

    fn stopped(&mut self, clean: bool) {
        if clean {
            self.count("stopped cleanly");
            self.oracle().stopped_cleanly();
        } else {
            self.count("stopped, but not cleanly");
        }
        self.schedule.die(self.stop_down_ms);
    }

    /// The process ends: what is committed is left.
    fn die(&mut self) {
        for link in self.links.values() {
            link.lose(self.dice.range(0..=50));
        }
        if let Some(house) = self.house.take() {
            house.count(&mut self.oracle().cover);
        }
        if let Some(disk) = self.disk.take() {
            self.tables = disk.tables();
        }
        self.opened.lock().unwrap().take();
        if std::mem::take(&mut self.restores)
            && let Some(backup) = &self.backup
        {
            self.tables = backup.clone().restored();
            self.restored();
        }
        let now_ms = self.schedule.now_ms();
        self.oracle()
            .note(|| format!("{now_ms} the server is gone"));
        self.connections = 0;
        self.schedule.end_life();
        self.schedule.forget_life();
    }
}
