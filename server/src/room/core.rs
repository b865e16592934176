//! The room as a state machine: no clock, no randomness, no waiting (rule R13).
//!
//! An input changes the board and queues messages in the outboxes of those whom it concerns, which
//! never waits; what is left to do for the task is to append the version to the journal, to flush
//! batches and presence when they are due, and to hand over rows.

mod change;
mod deeds;
mod fan_out;
mod gone;
mod members;
mod request;
mod rows;
mod submit;
mod tell;

use self::deeds::Deeds;
use self::request::{Requests, Shown};
pub(super) use gone::is_given_up;
pub(super) use members::RoleChanged;
pub(super) use tell::Telling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use boardcast_protocol::board::Board;
use boardcast_protocol::event::Entity;
use boardcast_protocol::ids::{AnyId, CardId, ClientId};
use boardcast_protocol::message::{
    CardDetail, ErrorCode, ErrorMessage, ServerMessage, Unsubscribed,
};
use boardcast_protocol::position::{Epochs, Timestamp, Version};

use super::answers;
use super::clients::Clients;
use super::entry::Entry;
use super::feed::Feed;
use super::presence::Presence;
use super::recent::Recent;
use super::subscriber::Subscribers;
use super::{
    Answer, ConnId, ImportRefused, ImportReport, Origin, Outbox, RoomInput, RoomLimits, RoomStats,
};
use crate::rate::Bucket;
use crate::storage::{Append, ClientRecord, LoadedBoard, Refusal};

/// Whether the journal had a place for one version when the input was taken.
pub(super) type Place = Result<(), Refusal>;

/// A board and everybody on it.
#[derive(Debug)]
pub(super) struct Room {
    board: Board,
    epochs: Epochs,
    clients: Clients,
    subscribers: Subscribers,
    presence: Presence,
    feed: Feed,
    /// The last version that was sent to those who are level.
    flushed: Version,
    /// The durable version that everybody was told.
    told: Version,
    /// Connections with submits that are not durable yet, by version.
    waiting: VecDeque<Waiting>,
    /// Who has another role since the task asked.
    role_changes: Vec<RoleChanged>,
    imports: BTreeMap<Version, (Answer<ImportAnswer>, ImportReport)>,
    requests: Requests,
    deeds: Deeds,
    /// The view as it was asked for last.
    shown: Option<Shown>,
    dirty: BTreeSet<Entity>,
    /// Which versions since the last rows are about which card.
    touched: BTreeSet<(CardId, Version)>,
    buried: Vec<AnyId>,
    scratch: Vec<u8>,
    rate: Bucket,
    limits: RoomLimits,
    stats: Arc<RoomStats>,
}

type ImportAnswer = Result<ImportReport, ImportRefused>;

#[derive(Debug)]
struct Waiting {
    version: Version,
    conn: ConnId,
    outbox: Arc<Outbox>,
}

impl Room {
    /// The room of a board as it was found on disk.
    pub(super) fn new(loaded: LoadedBoard, limits: RoomLimits, stats: Arc<RoomStats>) -> Self {
        let LoadedBoard {
            board,
            epochs,
            version,
            rows_version: _,
            dirty,
            base,
            recent: stored,
            clients,
            knows_all_clients,
        } = loaded;
        let mut scratch = Vec::new();
        let before = stored
            .first()
            .map_or(version, |first| Version(first.version.0.saturating_sub(1)));
        let mut recent = Recent::new(before, base, limits.recent_versions, limits.recent_bytes);
        for stored in stored {
            recent.push(Entry::from_log(&stored, &mut scratch));
        }
        let id = board.view().id;
        let feed = Feed::new(
            id,
            epochs.current(),
            (version, recent),
            limits,
            Arc::clone(&stats),
        );
        Self {
            board,
            epochs,
            clients: Clients::new(clients, knows_all_clients, limits.clients_max),
            subscribers: Subscribers::default(),
            presence: Presence::default(),
            feed,
            flushed: version,
            told: version,
            waiting: VecDeque::new(),
            role_changes: Vec::new(),
            imports: BTreeMap::new(),
            requests: Requests::default(),
            deeds: Deeds::default(),
            shown: None,
            dirty: dirty.into_iter().collect(),
            touched: BTreeSet::new(),
            buried: Vec::new(),
            scratch,
            rate: Bucket::default(),
            limits,
            stats,
        }
    }

    /// Handles one input. What comes back is to be appended to the journal, in whose place it fits:
    /// nothing comes back when `place` is a refusal.
    #[must_use]
    pub(super) fn handle(
        &mut self,
        input: RoomInput,
        place: Place,
        now: Timestamp,
    ) -> Option<Append> {
        match input {
            RoomInput::Join(joining) => self.join(*joining),
            RoomInput::Leave { conn, req, outbox } => {
                self.leave(conn);
                let board = self.feed.board();
                let answer = ServerMessage::Unsubscribed(Unsubscribed { req, board });
                answers::send(&outbox, &answer);
            }
            RoomInput::Gone { conn } => self.leave(conn),
            RoomInput::Submit(submission) => return self.submit(*submission, place, now),
            RoomInput::Presence { conn, at } => {
                let view = self.board.view();
                let at = at.map(|mut at| {
                    at.card = at.card.filter(|card| view.cards.contains_key(card));
                    at.column = at.column.filter(|column| view.columns.contains_key(column));
                    at
                });
                self.presence.tell(conn, at);
            }
            RoomInput::OpenCard { origin, req, card } => self.open_card(&origin, req, card),
            RoomInput::Drained { conn } => self.drained(conn),
            RoomInput::Past { after, versions } => self.past(after, versions),
            RoomInput::RoleOf { actor, answer } => {
                let _ = answer.send(self.board.role_of(&actor));
            }
            RoomInput::Copy { answer } => {
                let copy = (self.board.clone(), self.feed.version());
                let _ = answer.send(Box::new(copy));
            }
            RoomInput::View {
                actor,
                known,
                answer,
            } => {
                let _ = answer.send(self.show(&actor, known));
            }
            RoomInput::Look { actor, see } => {
                let sight = (self.board.role_of(&actor)).map(|_| (&self.board, self.position()));
                (see.0)(sight);
            }
            RoomInput::Request(request) => return self.request(*request, place, now),
            RoomInput::Import(import) => return self.import(*import, place, now),
            RoomInput::Delete(_) | RoomInput::Sleep | RoomInput::Stop => {}
        }
        None
    }

    /// Whether the input may need a place in the journal.
    pub(super) fn needs_place(input: &RoomInput) -> bool {
        match input {
            RoomInput::Submit(_) | RoomInput::Request(_) | RoomInput::Import(_) => true,
            RoomInput::Join(_)
            | RoomInput::Leave { .. }
            | RoomInput::Gone { .. }
            | RoomInput::Presence { .. }
            | RoomInput::OpenCard { .. }
            | RoomInput::Drained { .. }
            | RoomInput::Past { .. }
            | RoomInput::RoleOf { .. }
            | RoomInput::Copy { .. }
            | RoomInput::View { .. }
            | RoomInput::Look { .. }
            | RoomInput::Delete(_)
            | RoomInput::Sleep
            | RoomInput::Stop => false,
        }
    }

    /// The client that speaks, where only the disk can tell what it did before: to be
    /// [recalled](Self::recall) before the input is handled.
    pub(super) fn lacks(&self, input: &RoomInput) -> Option<ClientId> {
        let client = if let RoomInput::Request(request) = input {
            request.name.map(|(client, _)| client)
        } else {
            input.origin().map(|origin| origin.client)
        };
        client.filter(|client| self.clients.lacks(*client))
    }

    /// What the disk says of a client.
    pub(super) fn recall(&mut self, record: ClientRecord) {
        self.clients.recall(record);
    }

    /// The card as the board's last version shows it; a subscriber is sent that version before.
    fn open_card(&mut self, origin: &Origin, req: u32, card: CardId) {
        let board = self.feed.board();
        if self.board.role_of(&origin.actor).is_none() {
            let error = answers::no_such_board(Some(req), board, None);
            return answers::send(&origin.outbox, &ServerMessage::Error(error));
        }
        if !self.board.view().cards.contains_key(&card) {
            let error = ErrorMessage {
                req: Some(req),
                board: Some(board),
                seq: None,
                code: ErrorCode::NoSuchCard,
                hint: format!("there is no card {card} on this board"),
            };
            return answers::send(&origin.outbox, &ServerMessage::Error(error));
        }
        if !origin.outbox.is_drained() {
            let error = ErrorMessage {
                req: Some(req),
                board: Some(board),
                seq: None,
                code: ErrorCode::Busy,
                hint: "much waits to be read by this client; read it, then ask again".to_owned(),
            };
            return answers::send(&origin.outbox, &ServerMessage::Error(error));
        }
        self.catch_up(origin.conn);
        let detail = CardDetail {
            req,
            board,
            card,
            version: self.feed.version(),
            detail: self.board.detail(card).cloned().unwrap_or_default(),
        };
        answers::send(&origin.outbox, &ServerMessage::Card(detail));
    }

    /// Rough count of bytes in memory.
    pub(super) fn weight_bytes(&self) -> usize {
        let shown = self.shown.as_ref().map_or(0, Shown::bytes);
        self.board.weight_bytes() + self.feed.kept_bytes() + self.subscribers.len() * 512 + shown
    }

    /// Whether nobody is on the board or waits for it, and nothing of it is read.
    pub(super) fn is_idle(&self) -> bool {
        self.subscribers.is_empty()
            && self.waiting.is_empty()
            && self.imports.is_empty()
            && self.requests.is_empty()
            && !self.feed.awaits_past()
    }
}
