//! The rules, each in the file of its number; the harness drives a room without its task.

mod r10_roles;
mod r1_one_writer;
mod r2_positions;
mod r3_contiguous;
mod r3_past;
mod r4_exactly_once;
mod r5_two_answers;
mod r6_bytes;
mod r6_encode_once;
mod r7_batches_adapt;
mod r8_bounds;
mod r9_presence;
mod random;
mod requests;
mod rooms;
mod rows;
mod undo;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Cursor, Read};
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use boardcast_protocol::board::{
    Actor, Board, CardKey, Column, Member, Moment, Role, Seen, Stamp, View,
};
use boardcast_protocol::codec;
use boardcast_protocol::command::{Command, Place as Where};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{BoardId, CardId, ClientId, ColumnId, UserId};
use boardcast_protocol::message::{Batch, Outcome, ServerMessage, Submit, Subscribed};
use boardcast_protocol::order;
use boardcast_protocol::position::{Epoch, Epochs, Position, Seq, Timestamp, Version};

use super::core::Room;
use super::*;
use crate::storage::{Append, LoadedBoard, Refusal, StoredVersion};

const EPOCH: Epoch = Epoch(0xe1);

fn board_id() -> BoardId {
    "board".parse().unwrap()
}

fn column() -> ColumnId {
    "todo".parse().unwrap()
}

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn member(name: &str, role: Role) -> Member {
    Member {
        id: user(name),
        name: name.to_owned(),
        role,
    }
}

/// A board with a column and the members ann (admin), ed (editor), vi (viewer).
fn loaded() -> LoadedBoard {
    let mut view = View::new(board_id(), "Plan".to_owned());
    for (name, role) in [
        ("ann", Role::Admin),
        ("ed", Role::Editor),
        ("vi", Role::Viewer),
    ] {
        view.members.insert(user(name), member(name, role));
    }
    let rank = order::between(None, None).unwrap();
    let todo = Column {
        id: column(),
        title: "To do".to_owned(),
        rank,
        wip: None,
        done: false,
        archived: false,
    };
    view.columns.insert(column(), todo);
    LoadedBoard {
        board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
        epochs: Epochs::starting(EPOCH, Version(0)),
        version: Version(0),
        rows_version: Version(0),
        dirty: Vec::new(),
        base: Version(0),
        recent: Vec::new(),
        clients: Vec::new(),
        knows_all_clients: true,
    }
}

fn create(card: u128) -> Command {
    create_titled(card, &format!("card {card}"))
}

fn create_titled(card: u128, title: &str) -> Command {
    Command::CardCreate {
        card: CardId::from_u128(card),
        column: column(),
        title: title.to_owned(),
        place: Where::default(),
        set: Box::default(),
        labels: Vec::new(),
        assignees: Vec::new(),
    }
}

fn rename(title: &str) -> Command {
    Command::ColumnSet {
        column: column(),
        title: Some(title.to_owned()),
        wip: None,
        done: None,
        archived: None,
    }
}

/// A connection of a client.
struct Peer {
    conn: ConnId,
    client: ClientId,
    actor: Actor,
    outbox: Arc<Outbox>,
    taken: VecDeque<Frame>,
}

impl Peer {
    /// A connection of the user's client `user-c`.
    fn new(conn: u64, name: &str) -> Self {
        Self::with(conn, name, Codec::Json, OutboxLimits::default())
    }

    fn with(conn: u64, name: &str, codec: Codec, limits: OutboxLimits) -> Self {
        Self {
            conn: ConnId(conn),
            client: format!("{name}-c").parse().unwrap(),
            actor: Actor::new(user(name), false),
            outbox: Arc::new(Outbox::new(codec, limits)),
            taken: VecDeque::new(),
        }
    }

    /// The same client in the hands of another user.
    fn of(mut self, name: &str) -> Self {
        self.actor.user = user(name);
        self
    }

    fn origin(&self) -> Origin {
        Origin {
            conn: self.conn,
            client: self.client,
            actor: self.actor,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            outbox: Arc::clone(&self.outbox),
        }
    }

    fn join(&self, at: Option<Position>) -> RoomInput {
        RoomInput::Join(Box::new(Joining {
            origin: self.origin(),
            req: Some(7),
            at,
        }))
    }

    fn submit(&self, seq: u64, cmds: Vec<Command>) -> RoomInput {
        self.submit_with(seq, cmds, BTreeMap::new())
    }

    /// Submits with the revision of a field that the person saw.
    fn submit_seen(&self, seq: u64, cmds: Vec<Command>, field: CardKey, saw: u64) -> RoomInput {
        self.submit_with(seq, cmds, BTreeMap::from([(field, Version(saw))]))
    }

    fn submit_with(&self, seq: u64, cmds: Vec<Command>, seen: Seen) -> RoomInput {
        RoomInput::Submit(Box::new(Submission {
            received: tokio::time::Instant::now(),
            origin: self.origin(),
            submit: Submit {
                board: board_id(),
                seq: Seq(seq),
                cmds,
                seen,
            },
            after: None,
        }))
    }

    /// Everything that was queued, as if it were written to the socket.
    fn take(&mut self) -> Vec<ServerMessage> {
        self.outbox.take(&mut self.taken, usize::MAX);
        let frames = std::mem::take(&mut self.taken);
        let bytes = frames.iter().map(Frame::len).sum();
        self.outbox.written(bytes);
        frames.iter().filter_map(message_of).collect()
    }

    fn batches(&mut self) -> Vec<Batch> {
        self.take().into_iter().filter_map(batch_of).collect()
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        self.take().into_iter().filter_map(outcome_of).collect()
    }
}

fn batch_of(message: ServerMessage) -> Option<Batch> {
    if let ServerMessage::Batch(batch) = message {
        Some(batch)
    } else {
        None
    }
}

fn outcome_of(message: ServerMessage) -> Option<Outcome> {
    if let ServerMessage::Outcome(outcome) = message {
        Some(outcome)
    } else {
        None
    }
}

fn subscribed(messages: &[ServerMessage]) -> &Subscribed {
    let Some(ServerMessage::Subscribed(subscribed)) = messages.first() else {
        panic!("{messages:?} does not begin with subscribed");
    };
    subscribed
}

/// The kinds of messages, as they stand on the wire.
fn kinds(messages: &[ServerMessage]) -> Vec<String> {
    let kind = |message| {
        let value = serde_json::to_value(message).unwrap();
        let kind = value
            .get("type")
            .map_or("batch", |kind| kind.as_str().unwrap());
        kind.to_owned()
    };
    messages.iter().map(kind).collect()
}

/// The message in a whole frame; `None` for a close frame.
fn message_of(frame: &Frame) -> Option<ServerMessage> {
    let mut cursor = Cursor::new(&frame[..]);
    let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
    let start = usize::try_from(cursor.position()).unwrap();
    let payload = &frame[start..];
    assert_eq!(payload.len() as u64, length, "one whole frame");
    let text = match header.opcode {
        OpCode::Data(Data::Text) => String::from_utf8(payload.to_vec()).unwrap(),
        OpCode::Data(Data::Binary) => {
            let mut text = String::new();
            DeflateDecoder::new(payload)
                .read_to_string(&mut text)
                .unwrap();
            text
        }
        OpCode::Control(Control::Close) => return None,
        OpCode::Data(_) | OpCode::Control(_) => panic!("unexpected frame"),
    };
    let message = codec::decode_server(&text).unwrap().unwrap();
    if let ServerMessage::Batch(batch) = &message {
        assert_eq!(codec::encode(batch), text.as_bytes());
    }
    Some(message)
}

/// What a client has of the board: the view that snapshots and batches lead to.
#[derive(Default)]
struct Replica {
    view: Option<View>,
    epoch: Option<Epoch>,
    version: Version,
}

impl Replica {
    /// Applies what a client applies; a gap is a failure.
    fn read(&mut self, messages: Vec<ServerMessage>) {
        for message in messages {
            if let ServerMessage::Snapshot(snapshot) = message {
                self.view = Some(*snapshot.view);
                self.version = snapshot.version;
                self.epoch = Some(snapshot.epoch);
            } else if let ServerMessage::Batch(batch) = message {
                self.apply(batch);
            }
        }
    }

    fn apply(&mut self, batch: Batch) {
        assert_eq!(batch.from, self.version, "a gap or an overlap");
        let to = batch.to();
        for entry in batch.v {
            assert_eq!(entry.n, self.version.next());
            let moment = Moment {
                version: entry.n,
                stamp: Stamp {
                    by: entry.by,
                    at: entry.at,
                },
            };
            let view = self.view.as_mut().expect("a snapshot came first");
            for event in &entry.ev {
                view.apply(moment, event).unwrap();
            }
            self.version = entry.n;
        }
        assert_eq!(to, self.version);
    }

    fn position(&self) -> Position {
        Position {
            epoch: self.epoch.unwrap(),
            version: self.version,
        }
    }
}

/// A room without its task.
struct Bench {
    room: Room,
    stats: Arc<RoomStats>,
    now: u64,
    /// What was appended to the journal.
    log: Vec<StoredVersion>,
}

impl Bench {
    fn new() -> Self {
        Self::with(loaded(), RoomLimits::default())
    }

    fn with(loaded: LoadedBoard, limits: RoomLimits) -> Self {
        let stats = Arc::<RoomStats>::default();
        Self {
            room: Room::new(loaded, limits, Arc::clone(&stats)),
            stats,
            now: 1_000,
            log: Vec::new(),
        }
    }

    fn handle(&mut self, input: RoomInput) -> Option<Append> {
        self.handle_at(input, Ok(()))
    }

    fn handle_at(&mut self, input: RoomInput, place: Result<(), Refusal>) -> Option<Append> {
        self.now += 1;
        let append = self.room.handle(input, place, Timestamp(self.now));
        self.log.extend(append.as_ref().map(stored));
        append
    }

    /// Everything is durable: answers the reads of the log that the room asks for, at most
    /// `max_bytes` each; how many.
    fn serve_reads(&mut self, max_bytes: usize) -> usize {
        if let Some(last) = self.log.last() {
            self.room.durable(last.version);
        }
        let reads = self.room.take_reads();
        for read in &reads {
            let mut bytes = 0;
            let after = self
                .log
                .iter()
                .filter(|stored| stored.version > read.after && stored.version <= read.to);
            let versions = after
                .take_while(|stored| {
                    bytes += stored.events.len();
                    bytes <= max_bytes || bytes == stored.events.len()
                })
                .cloned()
                .collect();
            let after = read.after;
            assert!(self.handle(RoomInput::Past { after, versions }).is_none());
        }
        reads.len()
    }

    /// A connection that has subscribed and read what it was sent.
    fn joined(&mut self, conn: u64, name: &str) -> Peer {
        let mut peer = Peer::new(conn, name);
        assert!(self.handle(peer.join(None)).is_none());
        self.room.tell_presence();
        peer.take();
        peer
    }

    /// Submits one command, which is accepted.
    fn accepted(&mut self, peer: &Peer, seq: u64, command: Command) -> Append {
        self.handle(peer.submit(seq, vec![command]))
            .expect("the submit is accepted")
    }

    /// Cards made by `peer`, each a version, with titles of so many bytes.
    fn make_cards(&mut self, peer: &Peer, seqs: std::ops::RangeInclusive<u64>, bytes: usize) {
        for seq in seqs {
            let title = "x".repeat(bytes.max(1));
            self.accepted(peer, seq, create_titled(u128::from(seq), &title));
        }
    }

    fn view(&mut self) -> (View, Version) {
        let (answer, mut copy) = tokio::sync::oneshot::channel();
        assert!(self.handle(RoomInput::Copy { answer }).is_none());
        let (board, version) = *copy.try_recv().unwrap();
        (board.view().clone(), version)
    }

    /// The replica shows what the board is.
    fn assert_equal(&mut self, replica: &Replica) {
        let (view, version) = self.view();
        assert_eq!(replica.version, version);
        assert_eq!(replica.view.as_ref(), Some(&view));
    }
}

fn stored(append: &Append) -> StoredVersion {
    StoredVersion {
        version: append.version,
        origin: append.origin,
        by: append.by,
        at: append.at,
        events: append.events.clone(),
    }
}

fn events_of(append: &Append) -> Vec<Event> {
    serde_json::from_slice(&append.events).unwrap()
}
