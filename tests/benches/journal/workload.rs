//! Boards, and commands that each make exactly one version.

use std::path::Path;

use anyhow::{Context, ensure};
use boardcast::room::{RoomLimits, Rooms};
use boardcast::storage::{Storage, StorageOptions};
use boardcast_protocol::board::{Member, Role};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ColumnId, LabelId, UserId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::clients::Fleet;

const COLUMNS: u32 = 4;
const LABELS: u32 = 3;

/// The user that owns all boards.
pub(crate) fn user() -> UserId {
    "ann".parse().expect("a user id")
}

/// Its membership of each board.
pub(crate) fn owner() -> Member {
    Member {
        id: user(),
        name: "Ann".into(),
        role: Role::Admin,
    }
}

fn card(n: u32) -> CardId {
    format!("card{n}").parse().expect("a card id")
}

fn column(n: u32) -> ColumnId {
    format!("column{n}").parse().expect("a column id")
}

fn label(n: u32) -> LabelId {
    format!("label{n}").parse().expect("a label id")
}

/// Opens what is in `dir` with the usual bounds.
pub(crate) async fn open(dir: &Path) -> anyhow::Result<(Storage, Rooms)> {
    let storage = Storage::open(StorageOptions::new(dir)).await?;
    let rooms = Rooms::new(storage.clone(), RoomLimits::default());
    Ok((storage, rooms))
}

/// Makes a database with boards and cards, and closes it cleanly.
pub(crate) async fn furnish(dir: &Path, boards: usize, cards: u32) -> anyhow::Result<Vec<BoardId>> {
    let (storage, rooms) = open(dir).await?;
    let mut ids = Vec::new();
    for n in 0..boards {
        ids.push(rooms.create(&format!("Board {n}"), &owner()).await?);
    }
    let fleet = Fleet::open(&rooms, &ids, "furnish").await?;
    for client in &fleet.clients {
        client.submit(furniture(cards), fleet.now())?;
    }
    fleet.settled().await;
    ensure!(fleet.refused() == 0, "a board refused its furniture");
    rooms.stop().await;
    storage
        .close()
        .await
        .context("failed to close the storage")?;
    Ok(ids)
}

fn furniture(cards: u32) -> Vec<Command> {
    let columns = (0..COLUMNS).map(|n| Command::ColumnCreate {
        column: column(n),
        title: format!("Column {n}"),
        wip: None,
        done: n + 1 == COLUMNS,
        place: Place::default(),
    });
    let labels = (0..LABELS).map(|n| Command::LabelCreate {
        label: label(n),
        name: format!("area/{n}"),
        color: Some("#336699".into()),
    });
    let cards = (0..cards).map(|n| Command::CardCreate {
        card: card(n),
        column: column(n % COLUMNS),
        title: format!("Card {n}: find out why the list is empty after a reload"),
        place: Place::default(),
        set: Box::default(),
        labels: vec![label(n % LABELS)],
        assignees: Vec::new(),
    });
    columns.chain(labels).chain(cards).collect()
}

/// What one board's people do: moves, edits, comments, labels. Never twice the same, so each
/// command changes something and makes one version.
pub(crate) struct Workload {
    random: StdRng,
    made: u64,
    /// Column of each card, and whether it bears label 0.
    cards: Vec<(u32, bool)>,
}

impl Workload {
    pub(crate) fn new(seed: u64, cards: u32) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            made: 0,
            cards: (0..cards).map(|n| (n % COLUMNS, n % LABELS == 0)).collect(),
        }
    }

    pub(crate) fn next(&mut self) -> Command {
        self.made += 1;
        let made = self.made;
        let n = self.random.random_range(0..self.cards.len());
        let (in_column, has_label) = &mut self.cards[n];
        let card = card(u32::try_from(n).expect("few cards"));
        let set = |change| Command::CardSet {
            card,
            set: Box::new(change),
        };
        match self.random.random_range(0..100) {
            0..45 => {
                *in_column = (*in_column + 1) % COLUMNS;
                Command::CardMove {
                    card,
                    column: column(*in_column),
                    place: Place::default(),
                }
            }
            45..65 => set(CardChange {
                title: Some(format!(
                    "Find out why the list is empty after reload {made}"
                )),
                ..CardChange::default()
            }),
            65..75 => set(CardChange {
                description: Some(format!(
                    "Attempt {made}: the list stays empty when a reload comes between the first \
                     answer and the snapshot. It does not happen with one card, and it does not \
                     happen when the board was opened before."
                )),
                ..CardChange::default()
            }),
            75..83 => Command::CommentCreate {
                card,
                comment: format!("m{made}").parse().expect("a comment id"),
                text: format!("Seen again, for the {made}th time; the log says nothing."),
            },
            83..93 => {
                *has_label = !*has_label;
                Command::CardLabel {
                    card,
                    label: label(0),
                    on: *has_label,
                }
            }
            _ => set(CardChange {
                estimate: Some(u32::try_from(made % 1_000).ok()),
                ..CardChange::default()
            }),
        }
    }
}
