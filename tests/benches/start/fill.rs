//! The database that is measured: made once by the server's own rooms and journal, then reused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use boardcast::room::{Codec, ConnId, Origin, Outbox, OutboxLimits, RoomInput, Submission};
use boardcast::room::{RoomLimits, Rooms};
use boardcast::storage::{Storage, StorageOptions};
use boardcast_protocol::board::{Actor, Member, Role, Seen};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::message::Submit;
use boardcast_protocol::position::Seq;

/// Commands of one submit.
const SUBMIT_COMMANDS: usize = 50;
/// A board at a time would wait for the disk; all at once would not fit the memory for rooms.
const BOARDS_AT_ONCE: usize = 20;

/// What the database is to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) boards: usize,
    /// Cards of each board but the first.
    pub(crate) cards: usize,
    /// Cards of the first board.
    pub(crate) large: usize,
    pub(crate) text_bytes: usize,
}

/// The user that owns the boards.
pub(crate) fn user() -> UserId {
    "ann".parse().expect("a user id")
}

/// The board with the most cards, and the folder of the database.
pub(crate) struct Filled {
    pub(crate) dir: PathBuf,
    pub(crate) large: BoardId,
    pub(crate) bytes: u64,
}

/// Makes the database, unless it was made before.
pub(crate) async fn fill(home: &Path, size: Size) -> anyhow::Result<Filled> {
    let name = format!(
        "{}-{}-{}-{}",
        size.boards, size.cards, size.large, size.text_bytes
    );
    let dir = home.join(name);
    let done = dir.join("large-board");
    if !done.exists() {
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        eprintln!("making {} boards in {}, once", size.boards, dir.display());
        let large = make(&dir, size).await?;
        std::fs::write(&done, large.to_string())?;
    }
    Ok(Filled {
        large: std::fs::read_to_string(&done)?.parse()?,
        bytes: std::fs::metadata(dir.join("boardcast.db"))?.len(),
        dir,
    })
}

async fn make(dir: &Path, size: Size) -> anyhow::Result<BoardId> {
    let storage = Storage::open(StorageOptions::new(dir)).await?;
    let limits = RoomLimits {
        sleep_after_ms: 50,
        ..RoomLimits::default()
    };
    let rooms = Rooms::new(storage.clone(), limits);
    let mut large = None;
    let mut filling = tokio::task::JoinSet::new();
    for n in 0..size.boards {
        let owner = Member {
            id: user(),
            name: "Ann".into(),
            role: Role::Admin,
        };
        let board = rooms.create(&format!("Board {n}"), &owner).await?;
        let cards = if n == 0 { size.large } else { size.cards };
        large.get_or_insert(board);
        filling.spawn(fill_board(rooms.clone(), board, cards, size.text_bytes));
        if filling.len() >= BOARDS_AT_ONCE {
            filling.join_next().await.context("a board")???;
        }
    }
    while let Some(filled) = filling.join_next().await {
        filled??;
    }
    rooms.stop().await;
    storage.close().await?;
    large.context("no boards were asked for")
}

async fn fill_board(
    rooms: Rooms,
    board: BoardId,
    cards: usize,
    text_bytes: usize,
) -> anyhow::Result<()> {
    let room = rooms.open(board).await?.context("no such board")?;
    let outbox = std::sync::Arc::new(Outbox::new(
        Codec::Json,
        OutboxLimits {
            soft_bytes: usize::MAX / 2,
            hard_bytes: usize::MAX / 2,
        },
    ));
    let columns = (0..5).map(|n| Command::ColumnCreate {
        column: format!("c{n}").parse().expect("a column id"),
        title: format!("Column {n}"),
        wip: None,
        done: n == 4,
        place: Place::default(),
    });
    let cards = (0..cards).map(|n| Command::CardCreate {
        card: format!("k{n}").parse().expect("a card id"),
        column: format!("c{}", n % 5).parse().expect("a column id"),
        title: format!("Card {n}: the export lacks archived cards when a label is chosen"),
        place: Place::default(),
        set: Box::new(CardChange {
            description: Some(text(n, text_bytes)),
            ..CardChange::default()
        }),
        labels: Vec::new(),
        assignees: vec![user()],
    });
    let all: Vec<_> = columns.chain(cards).collect();
    for (seq, cmds) in (1..).zip(all.chunks(SUBMIT_COMMANDS)) {
        let submission = Submission {
            received: tokio::time::Instant::now(),
            after: None,
            origin: Origin {
                conn: ConnId(1),
                client: "filler".parse().expect("a client id"),
                actor: Actor::new(user(), false),
                address: std::net::Ipv4Addr::LOCALHOST.into(),
                outbox: std::sync::Arc::clone(&outbox),
            },
            submit: Submit {
                board,
                seq: Seq(seq),
                cmds: cmds.to_vec(),
                seen: Seen::new(),
            },
        };
        room.send(RoomInput::Submit(Box::new(submission)))
            .await
            .map_err(|_| anyhow::anyhow!("the room has ended"))?;
        // Each submit is answered; one that was refused would leave the board short.
        while outbox.pushed_frames() < seq {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
    Ok(())
}

fn text(n: usize, bytes: usize) -> String {
    let sentence = format!(
        "Steps for card {n}: choose a label, export as CSV, look for the cards of last month. "
    );
    sentence.repeat(bytes / sentence.len() + 1)[..bytes].to_owned()
}
