//! The file and the simulated disk are one and the same to everything above them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use boardcast_protocol::board::Board;
use boardcast_protocol::position::Version;

use super::harness::{NOW, TestRoom, card, client, column, options, start, user};
use crate::storage::base::Base;
use crate::storage::simulation::{Disk, Kind, Step, Tables, Turn, Weather};
use crate::storage::{Health, LoadedBoard, Storage};
use crate::{chance, clock};

/// Does what it is told, step by step; fair otherwise.
#[derive(Default)]
struct Told(Mutex<VecDeque<(Step, Turn)>>);

impl Told {
    fn tell(&self, step: Step, turn: Turn) {
        self.0.lock().unwrap().push_back((step, turn));
    }
}

impl Weather for Told {
    fn at(&self, step: Step, _: Option<Kind>) -> Turn {
        let mut told = self.0.lock().unwrap();
        let due = told.pop_front_if(|(at, _)| *at == step);
        due.map_or(Turn::Go(Duration::ZERO), |(_, turn)| turn)
    }

    fn breaks(&self, board: &str) -> bool {
        board == "broken"
    }

    fn committed(&self, _: Kind, _: &Tables, _: &Tables) {}
}

fn disk() -> (Disk, Arc<Told>) {
    let weather = Arc::<Told>::default();
    (Disk::new(Tables::default(), weather.clone()), weather)
}

async fn on(disk: &Disk) -> Storage {
    let options = options(std::path::Path::new("nowhere"));
    Storage::simulate(disk.clone(), &options).await.unwrap()
}

/// Two rooms write, one of them hands over rows and closes, both are opened again.
async fn story(storage: &Storage) -> (LoadedBoard, LoadedBoard, String) {
    let mut sleeper = TestRoom::create(storage).await;
    let mut other = TestRoom::create(storage).await;
    for room in [&mut sleeper, &mut other] {
        room.furnish();
        room.change();
        room.hand_rows();
        room.submit(card("after", "done"));
        room.durable().await;
    }
    sleeper.hand_rows();
    sleeper.journal.close().await.unwrap();
    let (asleep, dropped) = (sleeper.id(), other.id());
    drop(sleeper);
    drop(other);
    let asleep = TestRoom::open(storage, asleep).await;
    let dropped = TestRoom::open(storage, dropped).await;
    let id = asleep.id();
    let boards = storage
        .boards_of(Some(user()), None, None, 10)
        .await
        .unwrap();
    let about = storage.activity(id, Some("c4".parse().unwrap()), None, 9);
    let page = storage.activity(id, None, Some(Version(20)), 3);
    let answers = format!(
        "{} {:?} {:?}",
        boards.len(),
        about.await.unwrap(),
        page.await.unwrap()
    );
    (asleep.loaded, dropped.loaded, answers)
}

#[tokio::test]
async fn both_disks_give_back_what_they_were_given() {
    let (_dir, real) = start().await;
    let (disk, _) = disk();
    let simulated = on(&disk).await;
    let real = story(&real).await;
    let told = story(&simulated).await;
    assert_eq!(real.2, told.2);
    for (real, told) in [(real.0, told.0), (real.1, told.1)] {
        assert_eq!(real.version, told.version);
        assert_eq!(real.rows_version, told.rows_version);
        assert_eq!(real.dirty, told.dirty);
        assert_eq!(real.recent, told.recent);
        assert_eq!(real.clients, told.clients);
        assert_eq!(real.board.view().cards, told.board.view().cards);
        assert_eq!(real.board.details(), told.board.details());
        assert_eq!(real.board.buried(), told.board.buried());
    }
}

#[tokio::test]
async fn a_simulated_disk_that_is_busy_or_full_is_asked_again() {
    let (disk, weather) = disk();
    let storage = on(&disk).await;
    let mut room = TestRoom::create(&storage).await;
    weather.tell(Step::Begin, Turn::Busy);
    weather.tell(Step::Written, Turn::Full);
    weather.tell(Step::Commit, Turn::Full);
    room.submit(column("todo"));
    room.durable().await;
    assert_eq!(storage.status().counters.retries, 3);
    assert_eq!(disk.tables().boards[&room.id()].log.len(), 1);
}

#[tokio::test]
async fn an_unclear_commit_of_a_simulated_disk_stops_the_journal_whether_it_was_kept_or_not() {
    for kept in [true, false] {
        let (disk, weather) = disk();
        let storage = on(&disk).await;
        let mut room = TestRoom::create(&storage).await;
        weather.tell(Step::Commit, Turn::Unclear { kept });
        room.submit(column("todo"));
        while !matches!(storage.status().health, Health::Stopped { .. }) {
            tokio::task::yield_now().await;
        }
        assert_eq!(*room.journal.durable().borrow(), Version(0));
        let log = disk.tables().boards[&room.id()].log.len();
        assert_eq!(log, usize::from(kept));
    }
}

#[tokio::test]
async fn what_comes_back_from_a_simulated_backup_begins_an_epoch() {
    chance::simulation::seed(7);
    clock::simulation::set(NOW);
    let (disk, weather) = disk();
    let storage = on(&disk).await;
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    room.durable().await;
    let id = room.id();
    room.journal.close().await.unwrap();
    drop(room);
    storage.close().await.unwrap();

    let again = on(&disk).await;
    let clean = TestRoom::open(&again, id).await;
    let disk = Disk::new(disk.tables().restored(), weather);
    let restored = on(&disk).await;
    let late = TestRoom::open(&restored, id).await;
    assert_eq!(late.board, clean.board);
    assert_ne!(late.loaded.epochs, clean.loaded.epochs);
    assert_eq!(late.loaded.clients[0].client, client());
    let base: Base = serde_json::from_str(&disk.tables().boards[&id].base).unwrap();
    assert!(Board::from(base).view().columns.is_empty());
}

#[tokio::test]
async fn a_halted_disk_does_not_come_back() {
    let (disk, weather) = disk();
    let storage = on(&disk).await;
    let mut room = TestRoom::create(&storage).await;
    weather.tell(Step::Committed, Turn::Halt);
    room.submit(column("todo"));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*room.journal.durable().borrow(), Version(0));
    assert_eq!(disk.tables().boards[&room.id()].log.len(), 1);
}
