//! What the plan does to the world.

use std::sync::Arc;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_sim::replica::Effect;

use super::World;
use crate::clock;
use crate::simulation::person::user_id;
use crate::simulation::plan::{Act, Cut};
use crate::simulation::schedule::Event;
use crate::simulation::weather::Doom;

impl World {
    pub(super) fn act(&mut self, act: Act) {
        if self.boards.is_empty() {
            return;
        }
        match act {
            Act::Work {
                person,
                board,
                submits,
            } => {
                for _ in 0..submits {
                    let board = self.boards[board];
                    let effects = self.people[person].work(board, clock::now());
                    self.perform(person, board, effects);
                }
            }
            Act::Repeat { person, board } => {
                if self.people[person].repeat(self.boards[board]) {
                    self.count("a submit was sent twice");
                }
            }
            Act::Noise {
                person,
                board,
                noise,
            } => self.people[person].noise(self.boards[board], noise),
            Act::Role { user, board, role } => self.give_role(user, self.boards[board], role),
            Act::Archive { board, archived } => self.archive(self.boards[board], archived),
            Act::Delete { board, back_ms } => self.delete(self.boards[board], back_ms),
            Act::Cut {
                person,
                cut,
                back_ms,
            } => self.cut(person, cut, back_ms),
            Act::Stall { person, ms } => {
                self.people[person].reads_from_ms = self.schedule.now_ms() + ms;
                self.schedule.after(ms, Event::Read { person });
            }
            Act::Slow { ms, step_ms } => self.sky.slow(ms, step_ms),
            Act::Full { ms } => self.sky.full(ms),
            Act::Busy { ms } => self.sky.busy(ms),
            Act::Unreadable { ms } => self.sky.unreadable(ms),
            Act::Break { board, ms } => self.sky.break_board(self.boards[board].to_string(), ms),
            Act::Unclear { kept, ends_ms } => {
                self.sky.unclear(kept);
                self.schedule.after(ends_ms, Event::Die { down_ms: 20 });
            }
            Act::Crash {
                step: Some(step),
                again,
                down_ms,
            } => self.sky.doom(Doom {
                step,
                again,
                down_ms,
            }),
            Act::Crash { down_ms, .. } => {
                self.count("killed at any moment");
                self.schedule.die(down_ms);
            }
            Act::Stop { down_ms } => self.stop(down_ms),
            Act::Backup => {
                let present = self.disk.as_ref().map(|disk| disk.tables());
                self.backup = Some(present.unwrap_or_else(|| self.tables.clone()));
            }
            Act::Restore { down_ms } => {
                self.restores = self.backup.is_some();
                self.schedule.die(down_ms);
            }
            Act::Clock { by_ms } => {
                self.count("the wall clock was set");
                self.set_ms += by_ms;
                self.set_clock();
            }
        }
    }

    pub(super) fn give_role(&mut self, user: usize, board: BoardId, role: Option<Role>) {
        let command = match role {
            Some(role) => Command::MemberAdd {
                user: user_id(user),
                name: None,
                role,
            },
            None => Command::MemberRemove {
                user: user_id(user),
            },
        };
        self.command(board, command);
    }

    pub(super) fn archive(&mut self, board: BoardId, archived: bool) {
        let command = Command::BoardSet {
            title: None,
            background: None,
            archived: Some(archived),
        };
        self.command(board, command);
    }

    /// The admin submits something.
    fn command(&mut self, board: BoardId, command: Command) {
        let Some(seat) = self.people[0].seats.get_mut(&board) else {
            return;
        };
        let mut effects: Vec<Effect> = Vec::new();
        seat.replica.submit(vec![command], 0);
        seat.replica.pump(&mut effects);
        self.perform(0, board, effects);
    }

    fn delete(&mut self, board: BoardId, back_ms: u64) {
        let Some(house) = self.house.clone() else {
            return;
        };
        tokio::spawn(async move { house.delete(board).await });
        self.schedule.after(back_ms, Event::TakeOut { board });
    }

    pub(super) fn take_out(&mut self, board: BoardId) {
        match self.house.clone() {
            Some(house) => {
                tokio::spawn(async move { house.take_out(board).await });
            }
            None => self.schedule.after(50, Event::TakeOut { board }),
        }
    }

    fn cut(&mut self, person: usize, cut: Cut, back_ms: u64) {
        let Some(link) = self.people[person].link.clone() else {
            return;
        };
        let id = link.id;
        match cut {
            Cut::Both => {
                self.count("cut for both sides");
                link.hang_up();
            }
            Cut::Client { server_hears_ms } => {
                self.count("left by the client, the server heard later");
                link.stall(server_hears_ms);
                // What it does last is still under way when it leaves.
                for board in self.boards.clone() {
                    let effects = self.people[person].work(board, clock::now());
                    self.perform(person, board, effects);
                }
                self.schedule
                    .after(server_hears_ms, Event::Hangup { link: id });
            }
            Cut::Server { client_hears_ms } => {
                self.count("lost by the server, the client heard later");
                return link.lose(client_hears_ms);
            }
        }
        self.people[person].disconnected();
        self.schedule.after(back_ms, Event::Connect { person });
    }

    fn stop(&mut self, down_ms: u64) {
        let Some(house) = self.house.clone().filter(|house| house.takes_connections()) else {
            return;
        };
        self.stop_down_ms = down_ms;
        let (schedule, connections) = (Arc::clone(&self.schedule), self.connections);
        tokio::spawn(async move {
            let clean = house.stop(connections).await;
            schedule.after(0, Event::Stopped { clean });
        });
    }

    /// All faults end, and so does this life of the server: in the next one its bounds suffice.
    pub(super) fn heal(&mut self) {
        self.sky.clear();
        self.healing = true;
        let now_ms = self.schedule.now_ms();
        for person in 0..self.people.len() {
            self.people[person].reads_from_ms = now_ms;
            self.read(person);
        }
        let stops = self.house.is_some() && self.dice.percent(50);
        if stops {
            self.stop(10);
            // Should it hang, it is killed.
            self.schedule.after(20_000, Event::Die { down_ms: 10 });
        } else {
            self.schedule.die(10);
        }
    }
}
