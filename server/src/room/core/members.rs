//! Who subscribes and who goes, and what happens when a role changes (rules R2, R3, R10).

use std::net::IpAddr;

use serde_json::json;

use boardcast_protocol::board::{Role, Stamp};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::message::{Mode, RoleChange, ServerMessage, Subscribed};
use boardcast_protocol::position::{Position, Version};

use super::Room;
use crate::planted::{Bug, planted};
use crate::room::feed::PastRead;
use crate::room::subscriber::{Pace, Subscriber};
use crate::room::{ConnId, Joining, answers};
use crate::storage::{AuditAct, AuditEntry, StoredVersion};

/// Role changes of one version that are noted one by one: an import may bring thousands.
const ROLES_NOTED_MAX: usize = 100;

/// Somebody has another role on the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::room) struct RoleChanged {
    /// Who changed it, and when.
    stamp: Stamp,
    /// From which address; `None` for a change from inside the server.
    address: Option<IpAddr>,
    /// Who has it; `None` for more of them.
    user: Option<UserId>,
    /// The role; `None` for no membership.
    role: Option<Role>,
    /// How many more there are.
    more: usize,
}

impl RoleChanged {
    /// As the audit log has it.
    pub(in crate::room) fn into_entry(self, board: BoardId) -> AuditEntry {
        AuditEntry {
            by: Some(self.stamp.by),
            address: self.address.map(|ip| ip.to_canonical().to_string()),
            about: self.user,
            board: Some(board),
            detail: match self.user {
                Some(_) => json!({"role": self.role}),
                None => json!({"more": self.more}),
            },
            ..AuditEntry::new(AuditAct::RoleChanged, self.stamp.at)
        }
    }
}

impl Room {
    /// Registers a subscriber and queues its position and what follows it, in one turn (rule R3).
    pub(super) fn join(&mut self, joining: Joining) {
        let Joining { origin, req, at } = joining;
        let board = self.feed.board();
        let Some(role) = self.board.role_of(&origin.actor) else {
            let error = answers::no_such_board(req, board, None);
            return answers::send(&origin.outbox, &ServerMessage::Error(error));
        };
        let (user, client, conn) = (origin.actor.user, origin.client, origin.conn);
        if self.clients.is_foreign(client, user) {
            let error = answers::foreign_client(req, board, None);
            return answers::send(&origin.outbox, &ServerMessage::Error(error));
        }
        if self.is_fenced(&origin) {
            return;
        }
        self.clients.connected(client, conn);
        let resume = at.and_then(|at| Some((at.version, self.pace_from(at)?)));
        let subscribed = ServerMessage::Subscribed(Subscribed {
            req,
            board,
            role,
            epoch: self.feed.epoch(),
            version: self.feed.version(),
            durable: self.feed.durable(),
            last_seq: self.clients.last_seq(client),
            mode: match resume {
                Some(_) => Mode::Events,
                None => Mode::Snapshot,
            },
        });
        answers::send(&origin.outbox, &subscribed);
        let mut cursor = resume.map_or(self.feed.version(), |(version, _)| version);
        if planted(Bug::ResumeOffByOne) && cursor < self.feed.version() {
            cursor = cursor.next();
        }
        let mut subscriber = Subscriber::new(origin, role, cursor, self.feed.durable());
        match resume {
            Some((_, pace)) => {
                self.stats.resumes_by_events.add(1);
                subscriber.pace = pace;
            }
            None => {
                self.stats.resumes_by_snapshot.add(1);
                subscriber.snapshot_due = true;
            }
        }
        if let Some(older) = self.subscribers.insert(subscriber)
            && older.conn != conn
        {
            self.presence.leave(older.conn);
        }
        self.presence.join(conn, user);
        self.catch_up(conn);
    }

    /// Whether a newer connection of the same client is known here (rule R4).
    pub(super) fn is_fenced(&self, origin: &super::Origin) -> bool {
        if planted(Bug::FenceOpen) {
            return false;
        }
        let (user, client) = (origin.actor.user, origin.client);
        let subscribed = self.subscribers.newest(user, client);
        let submitted = self.clients.newest(client, user);
        subscribed
            .max(submitted)
            .is_some_and(|newest| newest > origin.conn)
    }

    /// How the client can go on with events from its position (rule R2): from the ring, or from the
    /// log where it is older; `None` where it needs a snapshot.
    fn pace_from(&self, at: Position) -> Option<Pace> {
        if !self.epochs.continues(at) {
            return None;
        }
        if self.feed.covers(at.version) {
            return Some(Pace::Level);
        }
        let bytes_left = self.limits.past_bytes.max(self.board.weight_bytes());
        let reaches = self.feed.reaches(at.version, bytes_left);
        reaches.then_some(Pace::Past { bytes_left })
    }

    /// The reads of the log that are to be made now; each is answered with [`RoomInput::Past`].
    pub(in crate::room) fn take_reads(&mut self) -> Vec<PastRead> {
        self.feed.take_reads()
    }

    /// A part of the log has come: who waits for it gets it and goes on.
    pub(super) fn past(&mut self, after: Version, versions: Vec<StoredVersion>) {
        let (mut batch, readers) = self.feed.past_arrived(after, versions);
        for conn in readers {
            if let Some(subscriber) = self.subscribers.get_mut(conn) {
                self.feed.deliver_past(subscriber, after, batch.as_mut());
                self.catch_up(conn);
            }
        }
    }

    /// Ends a subscription, if there is one.
    pub(super) fn leave(&mut self, conn: ConnId) {
        if self.subscribers.remove(conn).is_some() {
            self.presence.leave(conn);
        }
    }

    /// The outbox of a subscriber that had fallen behind is drained: it goes on from its cursor.
    pub(super) fn drained(&mut self, conn: ConnId) {
        self.catch_up(conn);
        self.presence.inform(conn);
    }

    /// Sends a subscriber everything up to the present version, as far as its outbox takes it.
    pub(super) fn catch_up(&mut self, conn: ConnId) {
        let Some(subscriber) = self.subscribers.get_mut(conn) else {
            return;
        };
        if self.feed.catch_up(self.board.view(), subscriber).is_err() {
            self.close_slow(conn);
        }
    }

    /// Keeps who has another role now, for the audit log: the first 100 of a version, and a count of
    /// the others.
    pub(super) fn note_roles(&mut self, events: &[Event], stamp: Stamp, address: Option<IpAddr>) {
        let mut changed: Vec<UserId> = events.iter().filter_map(member_of).collect();
        changed.sort_unstable();
        changed.dedup();
        let more = changed.len().saturating_sub(ROLES_NOTED_MAX);
        changed.truncate(ROLES_NOTED_MAX);
        let members = &self.board.view().members;
        for user in changed {
            self.role_changes.push(RoleChanged {
                stamp,
                address,
                user: Some(user),
                role: members.get(&user).map(|member| member.role),
                more: 0,
            });
        }
        if more > 0 {
            self.role_changes.push(RoleChanged {
                stamp,
                address,
                user: None,
                role: None,
                more,
            });
        }
    }

    /// Who has another role since this was asked last.
    pub(in crate::room) fn take_role_changes(&mut self) -> Vec<RoleChanged> {
        std::mem::take(&mut self.role_changes)
    }

    /// Tells the subscribers whose membership was changed what they may do now. Who may do nothing
    /// any more gets nothing afterwards (rule R10).
    pub(super) fn settle_roles(&mut self, events: &[Event]) {
        let changed: Vec<UserId> = events.iter().filter_map(member_of).collect();
        if changed.is_empty() {
            return;
        }
        let board = self.feed.board();
        let mut ended = Vec::new();
        for subscriber in self.subscribers.iter_mut() {
            if !changed.contains(&subscriber.actor.user) {
                continue;
            }
            let role = self.board.role_of(&subscriber.actor);
            if role == Some(subscriber.role) {
                continue;
            }
            let change = ServerMessage::Role(RoleChange { board, role });
            answers::send(&subscriber.outbox, &change);
            match role {
                Some(role) => subscriber.role = role,
                None => ended.push(subscriber.conn),
            }
        }
        for conn in ended {
            self.leave(conn);
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others leave the members alone"
)]
fn member_of(event: &Event) -> Option<UserId> {
    match event {
        Event::MemberPut { member } => Some(member.id),
        Event::MemberRemoved { user } => Some(*user),
        _ => None,
    }
}
