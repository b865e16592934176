//! A person at a client: real replicas, and what is between them and a connection.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use boardcast_protocol::board::{CardKey, Seen, View};
use boardcast_protocol::codec;
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ClientId, UserId};
use boardcast_protocol::message::{
    ActivityQuery, BoardsList, CardOpen, ClientMessage, OutcomeResult, Ping, PresenceUpdate,
    Submit, Whereabouts,
};
use boardcast_protocol::position::{Seq, Timestamp, Version};
use boardcast_sim::replica::{Effect, Keep, Replica};
use boardcast_sim::workload::{FILL_COLUMNS, Workload};
use bytes::Bytes;

use super::dice::Dice;
use super::link::Link;
use super::plan::{Noise, Seating};

/// Commands that are not done; above it a person waits.
const PENDING_MAX: usize = 40;
/// Requests that are not about a subscription have numbers from here on.
pub(super) const ASIDE: u32 = 1_000_000;

/// A person at a client.
pub(super) struct Person {
    pub(super) user: UserId,
    pub(super) client: ClientId,
    pub(super) deflate: bool,
    pub(super) link: Option<Arc<Link>>,
    pub(super) seats: BTreeMap<BoardId, Seat>,
    pub(super) reads_from_ms: u64,
    /// Messages that have come in and were not read.
    pub(super) unread: usize,
    pub(super) links: u64,
    req: u32,
    dice: Dice,
    /// Decides what the person undoes.
    regrets: Dice,
    workload: Workload,
}

/// A person's copy of a board, and what became of what the person did.
pub(super) struct Seat {
    pub(super) replica: Replica,
    /// Answers to what was sent twice that are still to come.
    repeated: BTreeMap<Seq, u32>,
    /// The last submit, and the link that it was sent over.
    last: Option<(u64, Seq, Bytes)>,
    /// Counts the reasons to ask for the board again: only the newest one counts.
    pub(super) reasons: u32,
    /// When the replica waits no longer.
    pub(super) retry_ms: Option<u64>,
    pub(super) done: BTreeMap<Seq, OutcomeResult>,
    pub(super) saved: BTreeSet<Seq>,
    /// What the person made last, as it was saved.
    pub(super) made: VecDeque<Version>,
    /// Which version each command was to undo.
    pub(super) undoings: BTreeMap<Seq, Version>,
    /// Saved, and taken back by a restored backup.
    pub(super) lost: BTreeSet<Seq>,
}

impl Person {
    pub(super) fn new(index: usize, seating: &Seating, boards: &[BoardId], seed: u64) -> Self {
        let number = 1_000 + index as u64;
        let client = client_id(index);
        let seat = |board: &usize| {
            let seat = Seat {
                replica: Replica::new(boards[*board], client, Keep::View),
                repeated: BTreeMap::new(),
                last: None,
                reasons: 0,
                retry_ms: None,
                done: BTreeMap::new(),
                saved: BTreeSet::new(),
                made: VecDeque::new(),
                undoings: BTreeMap::new(),
                lost: BTreeSet::new(),
            };
            (boards[*board], seat)
        };
        Self {
            user: user_id(seating.user),
            client,
            deflate: seating.deflate,
            link: None,
            seats: seating.boards.iter().map(seat).collect(),
            reads_from_ms: 0,
            unread: 0,
            links: 0,
            req: 0,
            dice: Dice::new(seed, number),
            regrets: Dice::new(seed, 1_000 + number),
            workload: Workload::new(seed ^ number),
        }
    }

    /// Sends a message, where there is a connection.
    pub(super) fn say(&self, message: &ClientMessage) {
        if let Some(link) = &self.link {
            link.send(&codec::encode(message));
        }
    }

    pub(super) fn next_req(&mut self) -> u32 {
        self.req += 1;
        self.req
    }

    /// Fills the board that everybody finds.
    pub(super) fn found(&mut self, board: BoardId, members: Vec<Command>, now: Timestamp) {
        let filling = self.workload.fill(FILL_COLUMNS, 4, &[], now);
        if let Some(seat) = self.seats.get_mut(&board) {
            seat.replica.submit(members, 0);
            seat.replica.submit(filling, 0);
        }
    }

    /// Submits something, as far as the person sees the board.
    pub(super) fn work(&mut self, board: BoardId, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(seat) = self.seats.get_mut(&board) else {
            return effects;
        };
        let Some(view) = seat.replica.view() else {
            return effects;
        };
        if seat.replica.pending().len() >= PENDING_MAX {
            return effects;
        }
        if self.regrets.percent(12) {
            seat.undo(&mut self.regrets, &mut effects);
            return effects;
        }
        let (dice, workload) = (&mut self.dice, &mut self.workload);
        let (cmds, seen) = match dice.range(0..=99) {
            0..=64 => (workload.next(view, now), Seen::new()),
            65..=76 => {
                let count = dice.range(2..=5);
                let many = (0..count).flat_map(|_| workload.next(view, now));
                (many.collect(), Seen::new())
            }
            77..=86 => in_doubt(dice, view),
            87..=92 => (vec![nonsense(dice)], Seen::new()),
            _ => (long(dice, view), Seen::new()),
        };
        if !cmds.is_empty() {
            seat.replica.submit_seen(cmds, seen, 0);
            seat.replica.pump(&mut effects);
        }
        effects
    }

    /// Sends the last submit once more.
    pub(super) fn repeat(&mut self, board: BoardId) -> bool {
        let (Some(link), Some(seat)) = (&self.link, self.seats.get_mut(&board)) else {
            return false;
        };
        let Some((over, seq, text)) = seat.last.clone() else {
            return false;
        };
        if over != link.id || !seat.replica.is_live() {
            return false;
        }
        *seat.repeated.entry(seq).or_default() += 1;
        link.send(&text);
        true
    }

    pub(super) fn noise(&mut self, board: BoardId, noise: Noise) {
        let req = ASIDE + self.next_req();
        let view = self.seats.get(&board).and_then(|seat| seat.replica.view());
        let card = view.and_then(|view| view.cards.keys().next().copied());
        self.say(&match noise {
            Noise::Presence => ClientMessage::Presence(PresenceUpdate {
                board,
                at: card.map(|card| Whereabouts {
                    doing: boardcast_protocol::message::Activity::Typing,
                    card: Some(card),
                    column: None,
                }),
            }),
            Noise::OpenCard => ClientMessage::CardOpen(CardOpen {
                req,
                board,
                card: card.unwrap_or_else(|| CardId::from_u128(1)),
            }),
            Noise::Activity => ClientMessage::Activity(ActivityQuery {
                req,
                board,
                card,
                before: None,
                limit: 20,
            }),
            Noise::Boards => ClientMessage::BoardsList(BoardsList {
                req,
                after: None,
                archived: false,
            }),
            Noise::Ping => ClientMessage::Ping(Ping { t: Timestamp(1) }),
        });
    }

    /// The connection has ended.
    pub(super) fn disconnected(&mut self) {
        self.link = None;
        self.unread = 0;
        for seat in self.seats.values_mut() {
            seat.replica.disconnected();
            seat.repeated.clear();
            seat.reasons += 1;
            seat.retry_ms = None;
        }
    }

    /// How long it waits before it connects again.
    pub(super) fn pause_ms(&mut self) -> u64 {
        self.dice.order(1..=600)
    }
}

impl Seat {
    /// A message goes out over a link; its number, if it is a submit.
    pub(super) fn sent(&mut self, link: u64, text: &Bytes) -> Option<Seq> {
        let message = codec::decode_client(std::str::from_utf8(text).unwrap());
        let Ok(ClientMessage::Submit(Submit { seq, .. })) = message else {
            return None;
        };
        self.last = Some((link, seq, text.clone()));
        Some(seq)
    }

    /// Undoes something: mostly what the person made lately, which may be an undoing, or one of the
    /// last versions, whoever made it and wherever it is on its way.
    fn undo(&mut self, dice: &mut Dice, effects: &mut Vec<Effect>) {
        let last = self.replica.position().map_or(0, |at| at.version.0);
        let lately = Version(last.saturating_sub(dice.range(0..=5)));
        let version = match dice.range(0..=9) {
            0..=5 if !self.made.is_empty() => self.made[dice.below(self.made.len())],
            6 => Version(dice.range(0..=last + 1)),
            _ => lately,
        };
        let seq = self
            .replica
            .submit(vec![Command::VersionUndo { version }], 0);
        self.undoings.insert(seq, version);
        self.replica.pump(effects);
    }

    /// Whether an answer is one of those that repeating brought.
    pub(super) fn is_repeated(&mut self, seq: Seq) -> bool {
        let left = self.repeated.get_mut(&seq).filter(|left| **left > 0);
        left.is_some_and(|left| {
            *left -= 1;
            true
        })
    }
}

pub(super) fn user_id(index: usize) -> UserId {
    format!("u{index}").parse().unwrap()
}

pub(super) fn client_id(index: usize) -> ClientId {
    format!("c{index}").parse().unwrap()
}

/// A change of what the person has seen, which may be old by now.
fn in_doubt(dice: &mut Dice, view: &View) -> (Vec<Command>, Seen) {
    let Some(card) = view.cards.values().nth(dice.below(view.cards.len().max(1))) else {
        return (Vec::new(), Seen::new());
    };
    let revision = card.revs.get(&CardKey::Title).copied().unwrap_or_default();
    let seen = if dice.percent(70) {
        revision
    } else {
        Version(revision.0.saturating_sub(1))
    };
    let command = Command::CardSet {
        card: card.id,
        set: Box::new(CardChange {
            title: Some(format!("seen at {seen}, {}", dice.range(0..=99))),
            ..CardChange::default()
        }),
    };
    (vec![command], Seen::from([(CardKey::Title, seen)]))
}

/// A command that does not fit any board.
fn nonsense(dice: &mut Dice) -> Command {
    let card = CardId::from_u128(u128::from(dice.bits()));
    if dice.percent(50) {
        return Command::CardRemove { card };
    }
    Command::CardMove {
        card,
        column: "nowhere".parse().unwrap(),
        place: Place::default(),
    }
}

/// A change with much text.
fn long(dice: &mut Dice, view: &View) -> Vec<Command> {
    let Some(card) = view.cards.values().nth(dice.below(view.cards.len().max(1))) else {
        return Vec::new();
    };
    let bytes = usize::try_from(dice.order(500..=12_000)).unwrap();
    vec![Command::CardSet {
        card: card.id,
        set: Box::new(CardChange {
            description: Some(format!("{} {}", dice.bits(), "long ".repeat(bytes / 5))),
            ..CardChange::default()
        }),
    }]
}
