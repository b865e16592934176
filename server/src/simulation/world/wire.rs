//! Between people and the server: connections, messages, and what replicas ask for.

use std::sync::Arc;

use boardcast_protocol::PROTOCOL_VERSION;
use boardcast_protocol::close::reconnects;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{
    ClientMessage, ErrorCode, ErrorMessage, Hello, HelloBoard, OutcomeResult, ServerMessage,
    Subscribe,
};
use boardcast_sim::arrival::Arrival;
use boardcast_sim::replica::Effect;

use super::World;
use crate::simulation::dice::Dice;
use crate::simulation::link::{Link, Said};
use crate::simulation::person::ASIDE;
use crate::simulation::schedule::Event;

impl World {
    pub(super) fn connect(&mut self, index: usize) {
        let person = &mut self.people[index];
        if person.link.is_some() {
            return;
        }
        let house = self.house.clone().filter(|house| house.takes_connections());
        let Some(house) = house else {
            let pause_ms = person.pause_ms();
            return self
                .schedule
                .after(pause_ms, Event::Connect { person: index });
        };
        self.links_made += 1;
        self.connections += 1;
        person.links += 1;
        let owner = 10_000 + 1_000 * index as u64 + person.links;
        let link = Link::new(
            (self.links_made, index),
            (self.plan.socket_bytes, self.plan.delay_ms),
            Dice::new(self.plan.seed, owner),
            Arc::clone(&self.schedule),
            Arc::clone(&self.oracle),
        );
        self.links.insert(link.id, Arc::clone(&link));
        house.accept(&link, person);
        let boards = person.seats.iter();
        let boards: Vec<_> = boards
            .map(|(board, seat)| HelloBoard {
                board: *board,
                at: seat.replica.position(),
            })
            .collect();
        for wanted in &boards {
            let asks = (link.id, wanted.board, None);
            self.oracle.lock().unwrap().asks(asks, wanted.at);
        }
        person.link = Some(link);
        person.say(&ClientMessage::Hello(Hello {
            v: PROTOCOL_VERSION,
            client: person.client,
            token: None,
            agent: None,
            boards,
        }));
    }

    /// The client hears that its connection has ended.
    pub(super) fn ended(&mut self, id: u64) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        let index = link.person;
        if self.is_present(&link) {
            self.people[index].disconnected();
            let pause_ms = self.people[index].pause_ms();
            self.schedule
                .after(pause_ms, Event::Connect { person: index });
        }
    }

    fn is_present(&self, link: &Link) -> bool {
        let present = self.people[link.person].link.as_ref();
        present.is_some_and(|present| present.id == link.id)
    }

    /// A message has come in at the client.
    pub(super) fn arrive(&mut self, id: u64) {
        let Some(link) = self.links.get(&id).cloned() else {
            return;
        };
        if !self.is_present(&link) {
            link.arrive();
            return;
        }
        let person = &mut self.people[link.person];
        person.unread += 1;
        if person.reads_from_ms > self.schedule.now_ms() {
            self.count("a message waited for a slow client");
        } else {
            self.read(link.person);
        }
    }

    /// The server has said `subscribed` to a client: often what the client sent over an older link
    /// comes in just then.
    pub(super) fn flow_behind(&mut self, newer: u64) {
        let Some(person) = self.links.get(&newer).map(|link| link.person) else {
            return;
        };
        if self.dice.percent(50) {
            let of_person = |link: &&Arc<Link>| link.person == person && link.id < newer;
            self.links
                .values()
                .filter(of_person)
                .for_each(|link| link.flow());
        }
    }

    /// A person reads what has come in.
    pub(super) fn read(&mut self, index: usize) {
        while self.people[index].unread > 0
            && self.people[index].reads_from_ms <= self.schedule.now_ms()
        {
            self.people[index].unread -= 1;
            let Some(link) = self.people[index].link.clone() else {
                return;
            };
            match link.arrive() {
                Some(Said::Message(message)) => self.hear(index, &link, &message),
                Some(Said::Close(code)) if !reconnects(code) => {
                    self.fail(|| format!("the newest connection of {index} was closed: {code}"));
                }
                Some(Said::Close(_) | Said::Ping) | None => {}
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others concern no board"
    )]
    fn hear(&mut self, index: usize, link: &Link, message: &ServerMessage) {
        let board = match message {
            ServerMessage::Subscribed(said) => said.board,
            ServerMessage::Snapshot(said) => said.board,
            ServerMessage::Batch(said) => said.board,
            ServerMessage::Durable(said) => said.board,
            ServerMessage::Card(said) => said.board,
            ServerMessage::Outcome(said) => {
                let seat = self.people[index].seats.get_mut(&said.board);
                if seat.is_some_and(|seat| seat.is_repeated(said.seq)) {
                    return;
                }
                said.board
            }
            ServerMessage::Role(said) => {
                if said.role.is_none()
                    && let Some(seat) = self.people[index].seats.get_mut(&said.board)
                {
                    seat.replica.unsubscribed();
                    self.ask_later(index, link.id, said.board);
                }
                return;
            }
            ServerMessage::Error(said) => return self.refused(index, link.id, said),
            _ => return,
        };
        let mut effects = Vec::new();
        if let Some(seat) = self.people[index].seats.get_mut(&board) {
            let arrival = Arc::new(Arrival::new(message.clone()));
            seat.replica.handle(&arrival, &mut effects);
        }
        self.perform(index, board, effects);
    }

    fn refused(&mut self, index: usize, link: u64, error: &ErrorMessage) {
        let seat = error
            .board
            .and_then(|board| self.people[index].seats.get_mut(&board));
        if let (Some(seat), Some(seq)) = (seat, error.seq) {
            seat.is_repeated(seq);
        }
        let aside = error.req.is_some_and(|req| req >= ASIDE);
        match error.code {
            ErrorCode::NoSuchCard => {}
            ErrorCode::Busy | ErrorCode::Unavailable | ErrorCode::NoSuchBoard => {
                if let Some(board) = error.board
                    && !aside
                    && error.seq.is_none()
                {
                    self.ask_later(index, link, board);
                }
            }
            ErrorCode::NotJson
            | ErrorCode::UnknownType
            | ErrorCode::BadMessage
            | ErrorCode::HelloExpected
            | ErrorCode::Unauthorized
            | ErrorCode::Forbidden
            | ErrorCode::NotSubscribed
            | ErrorCode::Limit => self.fail(|| format!("person {index} is told {error:?}")),
        }
    }

    fn ask_later(&mut self, index: usize, link: u64, board: BoardId) {
        let Some(seat) = self.people[index].seats.get_mut(&board) else {
            return;
        };
        seat.reasons += 1;
        let reason = seat.reasons;
        let event = Event::Subscribe {
            link,
            board,
            reason,
        };
        self.schedule.after(150, event);
    }

    pub(super) fn subscribe(&mut self, link: u64, board: BoardId, reason: u32) {
        let Some(link) = self.links.get(&link).cloned() else {
            return;
        };
        if !self.is_present(&link) {
            return;
        }
        let person = &mut self.people[link.person];
        let req = person.next_req();
        let Some(seat) = person.seats.get(&board) else {
            return;
        };
        if seat.reasons != reason {
            return;
        }
        let at = seat.replica.position();
        let asks = (link.id, board, Some(req));
        self.oracle.lock().unwrap().asks(asks, at);
        person.say(&ClientMessage::Subscribe(Subscribe { req, board, at }));
    }

    pub(super) fn retry(&mut self, link: u64, board: BoardId) {
        let Some(link) = self.links.get(&link).cloned() else {
            return;
        };
        if !self.is_present(&link) {
            return;
        }
        let mut effects = Vec::new();
        let now_ms = self.schedule.now_ms();
        if let Some(seat) = self.people[link.person].seats.get_mut(&board)
            && seat.retry_ms.take_if(|at| *at <= now_ms).is_some()
        {
            seat.replica.retry(&mut effects);
        }
        self.perform(link.person, board, effects);
    }

    /// Does what a replica asks for.
    pub(super) fn perform(&mut self, index: usize, board: BoardId, effects: Vec<Effect>) {
        for effect in effects {
            let link = self.people[index].link.clone();
            let Some(seat) = self.people[index].seats.get_mut(&board) else {
                return;
            };
            match effect {
                Effect::Send(text) => {
                    if let Some(link) = link {
                        let seq = seat.sent(link.id, &text);
                        let end = link.send(&text);
                        if let Some(seq) = seq {
                            let submit = (self.people[index].client, board, seq);
                            let mut oracle = self.oracle.lock().unwrap();
                            oracle.fences.sent(submit, (link.id, end));
                        }
                    }
                }
                Effect::Subscribe => {
                    if let Some(link) = link {
                        self.ask_later(index, link.id, board);
                    }
                }
                Effect::Retry(ms) => {
                    let at_ms = self.schedule.now_ms() + u64::from(ms);
                    if let Some(link) = link
                        && seat.retry_ms.is_none_or(|waits| waits < at_ms)
                    {
                        seat.retry_ms = Some(at_ms);
                        let link = link.id;
                        self.schedule.at(at_ms, Event::Retry { link, board });
                    }
                }
                Effect::Answered(answered) => {
                    let is_undoing = seat.undoings.contains_key(&answered.seq);
                    seat.done.insert(answered.seq, answered.result);
                    if is_undoing && answered.result == OutcomeResult::Rejected {
                        self.count("an undoing was rejected");
                    }
                }
                Effect::Saved(saved) => self.saved(index, board, saved.seq, saved.version),
                Effect::Violation(violation, note) => {
                    self.violated(index, board, violation, &note);
                }
            }
        }
    }
}
