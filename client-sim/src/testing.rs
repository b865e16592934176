//! A board that decides like the server's, for tests of what clients make of it.

use boardcast_protocol::board::{Actor, Board, Moment, Seen, Stamp, View, transact};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ClientId, ColumnId, UserId};
use boardcast_protocol::message::{Batch, Mode, ServerMessage, Snapshot, Subscribed, VersionEntry};
use boardcast_protocol::position::{Epoch, Seq, Timestamp, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::arrival::Arrival;

pub(crate) fn client(number: u128) -> ClientId {
    ClientId::from_u128(number)
}

pub(crate) fn card(number: u128) -> CardId {
    CardId::from_u128(1_000 + number)
}

pub(crate) fn column() -> ColumnId {
    ColumnId::from_u128(7)
}

pub(crate) fn rename(number: u128, title: &str) -> Vec<Command> {
    vec![Command::CardSet {
        card: card(number),
        set: Box::new(CardChange {
            title: Some(title.into()),
            ..CardChange::default()
        }),
    }]
}

/// The truth: one board with all its versions.
pub(crate) struct Ground {
    pub(crate) board: Board,
    pub(crate) epoch: Epoch,
    pub(crate) entries: Vec<VersionEntry>,
}

impl Ground {
    /// A board with one column and `cards` cards, made as version 1.
    pub(crate) fn new(cards: u128) -> Self {
        let id: BoardId = "board".parse().unwrap();
        let view = View::new(id, "Ground".into());
        let mut ground = Self {
            board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
            epoch: Epoch(1),
            entries: Vec::new(),
        };
        let mut cmds = vec![Command::ColumnCreate {
            column: column(),
            title: "Doing".into(),
            wip: None,
            done: false,
            place: Place::default(),
        }];
        cmds.extend((0..cards).map(|number| Command::CardCreate {
            card: card(number),
            column: column(),
            title: format!("Card {number}"),
            place: Place::default(),
            set: Box::default(),
            labels: Vec::new(),
            assignees: Vec::new(),
        }));
        ground.commit(None, &cmds);
        ground
    }

    pub(crate) fn id(&self) -> BoardId {
        self.board.view().id
    }

    pub(crate) fn version(&self) -> Version {
        Version(self.entries.len() as u64)
    }

    /// Applies commands as the next version; false when they were rejected or changed nothing.
    pub(crate) fn commit(&mut self, by: Option<(ClientId, Seq)>, cmds: &[Command]) -> bool {
        let user: UserId = "tester".parse().unwrap();
        let n = self.version().next();
        let at = Timestamp(1_700_000_000_000 + n.0);
        let moment = Moment {
            version: n,
            stamp: Stamp { by: user, at },
        };
        let actor = Actor::new(user, true);
        let Ok(applied) = transact(&mut self.board, &actor, cmds, &Seen::new(), moment) else {
            return false;
        };
        let ev = applied.events;
        if ev.is_empty() {
            return false;
        }
        self.entries.push(VersionEntry {
            n,
            client: by.map(|(client, _)| client),
            seq: by.map(|(_, seq)| seq),
            by: user,
            at,
            ev,
        });
        true
    }

    pub(crate) fn batch(&self, from: u64, to: u64) -> ServerMessage {
        ServerMessage::Batch(Batch {
            board: self.id(),
            from: Version(from),
            durable: Version(from),
            v: self.entries[from as usize..to as usize].to_vec(),
        })
    }

    pub(crate) fn snapshot(&self) -> ServerMessage {
        ServerMessage::Snapshot(Snapshot {
            board: self.id(),
            epoch: self.epoch,
            version: self.version(),
            view: Box::new(self.board.view().clone()),
        })
    }

    pub(crate) fn subscribed(&self, mode: Mode, last_seq: u64) -> ServerMessage {
        ServerMessage::Subscribed(Subscribed {
            req: None,
            board: self.id(),
            role: boardcast_protocol::board::Role::Editor,
            epoch: self.epoch,
            version: self.version(),
            durable: Version(0),
            last_seq: Seq(last_seq),
            mode,
        })
    }
}

pub(crate) fn arrival(message: ServerMessage) -> Arc<Arrival> {
    Arc::new(Arrival::new(message))
}
