//! Who subscribes and who goes, and what happens when a role changes (rules R2, R3, R10).

use boardcast_protocol::event::Event;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::message::{Mode, RoleChange, ServerMessage, Subscribed};
use boardcast_protocol::position::Position;

use super::Room;
use crate::room::subscriber::Subscriber;
use crate::room::{ConnId, Joining, answers};

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
        let resume = at.filter(|at| self.resumes(*at));
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
        let cursor = resume.map_or(self.feed.version(), |at| at.version);
        let mut subscriber = Subscriber::new(origin, role, cursor, self.feed.durable());
        match resume {
            Some(_) => self.stats.resumes_by_events.add(1),
            None => {
                self.stats.resumes_by_snapshot.add(1);
                self.feed.send_snapshot(self.board.view(), &mut subscriber);
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
        let (user, client) = (origin.actor.user, origin.client);
        let subscribed = self.subscribers.newest(user, client);
        let submitted = self.clients.newest(client, user);
        subscribed
            .max(submitted)
            .is_some_and(|newest| newest > origin.conn)
    }

    /// Whether the client can go on with events from its position (rule R2).
    fn resumes(&self, at: Position) -> bool {
        self.epochs.continues(at) && self.feed.covers(at.version)
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
