//! A room in short: decides, applies, hands over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use boardcast_protocol::board::{
    Actor, Applied, Board, Member, Moment, Role, Seen, Stamp, View, transact,
};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::event::{Entity, Event};
use boardcast_protocol::ids::{AnyId, BoardId, CardId, ClientId, UserId};
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Seq, Timestamp, Version};

use crate::storage::connect;
use crate::storage::directory::DATABASE;
use crate::storage::{
    Append, BoardJournal, ClientRecord, Health, KeptOutcome, LoadedBoard, Refusal, Rows, Slot,
    Storage, StorageError, StorageOptions,
};

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);

pub(super) fn user() -> UserId {
    "ann".parse().unwrap()
}

pub(super) fn owner() -> Member {
    Member {
        id: user(),
        name: "Ann".into(),
        role: Role::Admin,
    }
}

pub(super) fn client() -> ClientId {
    "laptop".parse().unwrap()
}

pub(super) fn options(dir: &Path) -> StorageOptions {
    StorageOptions {
        retry: Duration::from_millis(5),
        ..StorageOptions::new(dir)
    }
}

pub(super) async fn start() -> (TempDir, Storage) {
    let dir = TempDir::new().unwrap();
    let storage = Storage::open(options(dir.path())).await.unwrap();
    (dir, storage)
}

/// Takes the right to write from the journal, whose next transaction waits until it is
/// [given back](give_back): what is handed over meanwhile gathers.
pub(super) async fn hold_writes(dir: &Path) -> SqliteConnection {
    let mut held = connect::plain(&dir.join(DATABASE)).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut held)
        .await
        .unwrap();
    held
}

pub(super) async fn give_back(mut held: SqliteConnection) {
    sqlx::query("ROLLBACK").execute(&mut held).await.unwrap();
    held.close().await.unwrap();
}

/// Opens a directory that was closed just now.
pub(super) async fn reopen(dir: &Path) -> Storage {
    reopen_with(options(dir)).await
}

/// The same. A process that [`copy_of`] of another test has forked may hold the lock for a moment.
pub(super) async fn reopen_with(options: StorageOptions) -> Storage {
    loop {
        match Storage::open(options.clone()).await {
            Ok(storage) => return storage,
            Err(StorageError::InUse(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// What a kill at this moment would leave: the files, copied by another process, because closing
/// the live database here would drop its locks.
pub(super) fn copy_of(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in ["boardcast.db", "boardcast.db-wal"] {
        let status = std::process::Command::new("cp")
            .arg(dir.join(file))
            .arg(copy.path())
            .status()
            .unwrap();
        assert!(status.success());
    }
    copy
}

/// Resolves when the journal's health is `wanted`.
pub(super) async fn healthy(storage: &Storage) {
    while storage.status().health != Health::Healthy {
        tokio::task::yield_now().await;
    }
}

/// A room in short.
pub(super) struct TestRoom {
    pub(super) board: Board,
    pub(super) loaded: LoadedBoard,
    pub(super) journal: BoardJournal,
    pub(super) version: Version,
    pub(super) seq: u64,
    dirty: BTreeSet<Entity>,
    touched: Vec<(CardId, Version)>,
    buried: Vec<AnyId>,
    outcomes: Vec<KeptOutcome>,
}

impl TestRoom {
    pub(super) async fn create(storage: &Storage) -> Self {
        let id = storage
            .create_board("Plans", Some(&owner()), NOW)
            .await
            .unwrap();
        Self::open(storage, id).await
    }

    pub(super) async fn open(storage: &Storage, id: BoardId) -> Self {
        let (loaded, journal) = storage.open_board(id, NOW).await.unwrap().unwrap();
        let known = loaded.clients.iter().find(|known| known.client == client());
        Self {
            board: loaded.board.clone(),
            version: loaded.version,
            seq: known.map_or(0, |known| known.last_seq.0),
            outcomes: known.map_or(Vec::new(), |known| known.outcomes.clone()),
            dirty: loaded.dirty.iter().copied().collect(),
            touched: Vec::new(),
            buried: Vec::new(),
            journal,
            loaded,
        }
    }

    pub(super) fn id(&self) -> BoardId {
        self.board.view().id
    }

    pub(super) fn submit(&mut self, command: Command) {
        let slot = self.journal.reserve().unwrap();
        self.submit_with(slot, command);
    }

    pub(super) fn try_submit(&mut self, command: Command) -> Result<(), Refusal> {
        let slot = self.journal.reserve()?;
        self.submit_with(slot, command);
        Ok(())
    }

    fn submit_with(&mut self, slot: Slot, command: Command) {
        let actor = Actor::new(user(), false);
        let moment = Moment {
            version: self.version.next(),
            stamp: Stamp {
                by: user(),
                at: Timestamp(NOW.0 + self.version.0),
            },
        };
        let Applied { events, was } =
            transact(&mut self.board, &actor, &[command], &Seen::new(), moment).unwrap();
        assert!(!events.is_empty());
        self.version = moment.version;
        self.seq += 1;
        self.dirty.extend(events.iter().flat_map(Event::touches));
        let cards = events.iter().filter_map(Event::card);
        self.touched.extend(cards.map(|card| (card, self.version)));
        self.buried.extend(events.iter().filter_map(Event::buries));
        self.outcomes.push(KeptOutcome {
            seq: Seq(self.seq),
            body: body(self.seq),
            result: OutcomeResult::Accepted,
            version: Some(self.version),
            reason: None,
        });
        let surplus = self.outcomes.len().saturating_sub(64);
        self.outcomes.drain(..surplus);
        slot.append(Append {
            version: self.version,
            origin: Some((client(), Seq(self.seq), body(self.seq))),
            by: user(),
            at: moment.stamp.at,
            events: json(&events),
            was: json(&was),
        });
    }

    pub(super) fn take_rows(&mut self) -> Rows {
        let parts = std::mem::take(&mut self.dirty)
            .into_iter()
            .map(|entity| (entity, part(&self.board, entity)))
            .collect();
        Rows {
            version: self.version,
            parts,
            touched: std::mem::take(&mut self.touched),
            buried: std::mem::take(&mut self.buried),
            clients: vec![self.client()],
        }
    }

    pub(super) fn hand_rows(&mut self) {
        let rows = self.take_rows();
        self.journal.rows(rows).unwrap();
    }

    pub(super) fn client(&self) -> ClientRecord {
        ClientRecord {
            client: client(),
            user: user(),
            last_seq: Seq(self.seq),
            seen: Timestamp(NOW.0 + self.version.0 - 1),
            outcomes: self.outcomes.clone(),
        }
    }

    pub(super) async fn durable(&self) {
        let version = self.version;
        self.journal
            .durable()
            .wait_for(|durable| *durable >= version)
            .await
            .unwrap();
    }

    /// Columns and cards with everything that makes a row.
    pub(super) fn furnish(&mut self) {
        self.submit(column("todo"));
        self.submit(column("done"));
        self.submit(Command::LabelCreate {
            label: "red".parse().unwrap(),
            name: "area/ü \"quoted\"".into(),
            color: Some("#ff0000".into()),
        });
        for n in 0..20 {
            self.submit(card(&format!("c{n}"), "todo"));
        }
        self.submit(describe("c1", "Long \u{1F600} text"));
        self.submit(describe("c2", "Short lived"));
        self.submit(Command::CommentCreate {
            card: "c3".parse().unwrap(),
            comment: "m1".parse().unwrap(),
            text: "First!".into(),
        });
        self.submit(Command::MemberAdd {
            user: "bob".parse().unwrap(),
            name: Some("Bob".into()),
            role: Role::Editor,
        });
        self.submit(Command::BoardSet {
            title: Some("Plans of spring".into()),
            background: None,
            archived: None,
        });
    }

    /// Changes that end with deletions and with things that come back.
    pub(super) fn change(&mut self) {
        self.submit(Command::CardRemove { card: id("c4") });
        self.submit(describe("c2", ""));
        self.submit(Command::MemberRemove {
            user: "bob".parse().unwrap(),
        });
        self.submit(Command::CardMove {
            card: id("c5"),
            column: "done".parse().unwrap(),
            place: Place::default(),
        });
        self.submit(card("late", "done"));
    }
}

pub(super) fn body(seq: u64) -> u64 {
    u64::MAX - seq
}

pub(super) fn id(card: &str) -> CardId {
    card.parse().unwrap()
}

pub(super) fn column(id: &str) -> Command {
    Command::ColumnCreate {
        column: id.parse().unwrap(),
        title: id.to_uppercase(),
        wip: None,
        done: false,
        place: Place::default(),
    }
}

pub(super) fn card(card: &str, column: &str) -> Command {
    Command::CardCreate {
        card: id(card),
        column: column.parse().unwrap(),
        title: format!("Card {card}"),
        place: Place::default(),
        set: Box::default(),
        labels: Vec::new(),
        assignees: vec![user()],
    }
}

pub(super) fn retitle(card: &str, title: &str) -> Command {
    Command::CardSet {
        card: id(card),
        set: Box::new(CardChange {
            title: Some(title.into()),
            ..CardChange::default()
        }),
    }
}

pub(super) fn describe(card: &str, text: &str) -> Command {
    Command::CardSet {
        card: id(card),
        set: Box::new(CardChange {
            description: Some(text.into()),
            ..CardChange::default()
        }),
    }
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap().into()
}

fn part(board: &Board, entity: Entity) -> Option<Bytes> {
    let view = board.view();
    match entity {
        Entity::Board => Some(json(&View {
            members: BTreeMap::new(),
            columns: BTreeMap::new(),
            labels: BTreeMap::new(),
            fields: BTreeMap::new(),
            sprints: BTreeMap::new(),
            cards: BTreeMap::new(),
            ..view.clone()
        })),
        Entity::Member(id) => view.members.get(&id).map(json),
        Entity::Column(id) => view.columns.get(&id).map(json),
        Entity::Label(id) => view.labels.get(&id).map(json),
        Entity::Field(id) => view.fields.get(&id).map(json),
        Entity::Sprint(id) => view.sprints.get(&id).map(json),
        Entity::Card(id) => view.cards.get(&id).map(json),
        Entity::Detail(id) => board.detail(id).map(json),
    }
}
