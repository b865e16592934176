//! One life of the server: the real registry of rooms, connections and journal, on a disk that is
//! simulated.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use boardcast_protocol::board::{Actor, Board, Member, Role};
use boardcast_protocol::close::CloseCode;
use boardcast_protocol::codec::encode;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{Goodbye, ServerMessage};
use boardcast_protocol::position::{Timestamp, Version};
use bytes::Bytes;

use super::cover::Cover;
use super::link::{Link, ServerEnd};
use super::person::{Person, user_id};
use super::plan::Plan;
use crate::auth::{Grant, Identity, Proof, Secret, Tokens};
use crate::connection::task::{Accepted, Task};
use crate::connection::{ConnectionRules, Services};
use crate::room::{Codec, ConnId, Deletion, RoomInput, RoomLimits, Rooms};
use crate::storage::{Health, Storage};
use crate::{clock, frame};

/// Time for clients to go when the server stops.
const DRAIN: Duration = Duration::from_millis(400);

/// A server that runs.
#[derive(Clone)]
pub(super) struct House {
    services: Arc<Services>,
    storage: Storage,
    versions_max: usize,
    hard_bytes: usize,
}

impl House {
    pub(super) fn new(plan: &Plan, limits: RoomLimits, storage: Storage) -> Self {
        let rooms = Rooms::new(storage.clone(), limits);
        let rules = ConnectionRules {
            outbox: plan.outbox,
            ..ConnectionRules::default()
        };
        let tokens = Tokens::new(&Secret::of_tests());
        Self {
            services: Arc::new(Services::new(rooms, storage.clone(), tokens, rules)),
            storage,
            versions_max: plan.storage.journal_max_versions,
            hard_bytes: plan.outbox.hard_bytes,
        }
    }

    pub(super) async fn create(&self, title: &str) -> BoardId {
        let owner = Member {
            id: user_id(0),
            name: "Root".to_owned(),
            role: Role::Admin,
        };
        self.services.rooms.create(title, &owner).await.unwrap()
    }

    pub(super) fn takes_connections(&self) -> bool {
        !self.services.is_draining()
    }

    /// The server's end of a new link: the task of a connection.
    pub(super) fn accept(&self, link: &Arc<Link>, person: &Person) {
        let identity = Identity {
            actor: Actor::new(person.user, false),
            name: person.user.as_str().into(),
            expires: Timestamp(u64::MAX >> 12),
            proof: Proof::Signed(self.services.tokens.key()),
            grant: Grant::Full,
        };
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST).into();
        let accepted = Accepted {
            stream: ServerEnd(Arc::clone(link)),
            direct: Some(Arc::clone(link) as _),
            early: Bytes::new(),
            peer: std::net::SocketAddr::from(([127, 0, 0, 1], 9)),
            codec: if person.deflate {
                Codec::Deflate
            } else {
                Codec::Json
            },
            authenticated: Some(Box::new(identity)),
            place: self.services.door.enter(source, clock::now()).unwrap(),
            source_place: None,
        };
        self.services
            .tasks
            .spawn(Task::new(&self.services, accepted));
    }

    /// Stops in the order of `shutdown`; whether everything was written.
    pub(super) async fn stop(&self, connections: u64) -> bool {
        let services = &self.services;
        services.begin_draining(50);
        let goodbye = encode(&ServerMessage::Goodbye(Goodbye {
            code: CloseCode::ServiceRestart.code(),
            retry_ms: 50,
        }));
        for id in 1..=connections {
            if let Some(connection) = services.connections.get(ConnId(id)) {
                let _ = connection.outbox.push_answer(frame::text(&goodbye));
                connection.outbox.close(CloseCode::ServiceRestart);
            }
        }
        services.tasks.close();
        if timeout(DRAIN, services.tasks.wait()).await.is_err() {
            for id in 1..=connections {
                if let Some(connection) = services.connections.get(ConnId(id)) {
                    connection.drop_socket(CloseCode::ServiceRestart);
                }
            }
            let _ = timeout(DRAIN, services.tasks.wait()).await;
        }
        self.end().await
    }

    /// Ends the rooms and closes storage; whether everything was written.
    pub(super) async fn end(&self) -> bool {
        self.services.rooms.stop().await;
        self.storage.close().await.is_ok()
    }

    /// Puts a board into the bin, as far as it gets.
    pub(super) async fn delete(&self, board: BoardId) {
        let Ok(Some(room)) = self.services.rooms.open(board).await else {
            return;
        };
        let (answer, done) = oneshot::channel();
        let actor = Actor::new(user_id(0), false);
        let deletion = Deletion { actor, answer };
        if room.send(RoomInput::Delete(deletion)).await.is_ok() {
            let _ = done.await;
        }
    }

    /// Takes a board out of the bin, if it is there.
    pub(super) async fn take_out(&self, board: BoardId) {
        let _ = self.storage.take_out_of_bin(board, clock::now()).await;
    }

    /// The board as its room has it, opened where it is not.
    pub(super) async fn copy(&self, board: BoardId) -> Option<(Board, Version)> {
        let room = self.services.rooms.open(board).await.ok()??;
        let (answer, copy) = oneshot::channel();
        room.send(RoomInput::Copy { answer }).await.ok()?;
        copy.await.ok().map(|copy| *copy)
    }

    /// Whether the journal has ended, or given up a board: only a start brings that back.
    pub(super) fn is_hurt(&self) -> bool {
        let status = self.storage.status();
        let ended = !matches!(status.health, Health::Healthy | Health::Degraded { .. });
        ended || status.counters.failed_boards > 0
    }

    /// A bound that is passed.
    pub(super) fn over_bound(&self, connections: u64, frame_max_bytes: usize) -> Option<String> {
        let queued = self.storage.status().queued_versions;
        if queued > self.versions_max {
            return Some(format!("{queued} versions wait for the disk"));
        }
        // Answers are not bound themselves: who does not read them is not listened to.
        let most = self.hard_bytes + 2 * frame_max_bytes + 64 * 1_024;
        (1..=connections).find_map(|id| {
            let connection = self.services.connections.get(ConnId(id))?;
            let bytes = connection.outbox.pending_bytes();
            (bytes > most).then(|| format!("{bytes} bytes wait for connection {id}"))
        })
    }

    pub(super) fn count(&self, cover: &mut Cover) {
        let stats = self.services.rooms.stats();
        cover.add(
            "a subscriber was resynchronised in place",
            stats.resyncs.get(),
        );
        cover.add("a slow consumer was closed", stats.slow_consumers.get());
        cover.add("batches encoded", stats.batches.get());
        let counters = self.storage.status().counters;
        cover.add("a write was tried again", counters.retries);
        cover.add("a board was given up", counters.failed_boards);
        cover.add("groups committed", counters.groups);
        cover.add("versions committed", counters.versions);
    }
}
