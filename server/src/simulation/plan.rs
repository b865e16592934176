//! What happens in one run: made from the seed up front, so that it can be printed, replayed and
//! trimmed.

use std::fmt;
use std::time::Duration;

use boardcast_protocol::board::Role;

use super::dice::Dice;
use crate::room::{OutboxLimits, RoomLimits};
use crate::storage::StorageOptions;
use crate::storage::simulation::Step;

/// A person at a client: a browser tab, with the boards that it shows.
#[derive(Clone, Debug)]
pub(super) struct Seating {
    /// The user; several clients may be of the same. User 0 is the admin who is never removed.
    pub(super) user: usize,
    pub(super) deflate: bool,
    /// One bit for each board.
    pub(super) boards: Vec<usize>,
}

/// How a connection breaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// Both sides hear of it at once; what is under way is lost.
    Both,
    /// The client leaves; the server hears of it later, and what was sent may still come in.
    Client { server_hears_ms: u64 },
    /// The server's side breaks; the client hears of it later.
    Server { client_hears_ms: u64 },
}

/// What a person asks besides commands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noise {
    Presence,
    OpenCard,
    Activity,
    Boards,
    Ping,
}

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// A person sends so many submits at once.
    Work {
        person: usize,
        board: usize,
        submits: usize,
    },
    /// A person's last submit is sent twice.
    Repeat {
        person: usize,
        board: usize,
    },
    Noise {
        person: usize,
        board: usize,
        noise: Noise,
    },
    /// The admin gives a user a role, or takes the membership.
    Role {
        user: usize,
        board: usize,
        role: Option<Role>,
    },
    /// The admin archives a board, or restores it.
    Archive {
        board: usize,
        archived: bool,
    },
    /// The admin puts a board into the bin, and takes it out after so long.
    Delete {
        board: usize,
        back_ms: u64,
    },
    Cut {
        person: usize,
        cut: Cut,
        back_ms: u64,
    },
    /// A person reads nothing for so long.
    Stall {
        person: usize,
        ms: u64,
    },
    /// Each step of the disk takes up to `step_ms`.
    Slow {
        ms: u64,
        step_ms: u64,
    },
    Full {
        ms: u64,
    },
    Busy {
        ms: u64,
    },
    Unreadable {
        ms: u64,
    },
    /// What the board writes breaks a rule of the database.
    Break {
        board: usize,
        ms: u64,
    },
    /// The next commit does not say whether it was kept; the process ends a while later.
    Unclear {
        kept: bool,
        ends_ms: u64,
    },
    /// The process ends at the next such step, and so do so many of the following ones.
    Crash {
        step: Option<Step>,
        again: u32,
        down_ms: u64,
    },
    /// The server is stopped in order.
    Stop {
        down_ms: u64,
    },
    /// What is on the disk is copied.
    Backup,
    /// The server ends and what was copied takes the place of what is on the disk.
    Restore {
        down_ms: u64,
    },
    /// The wall clock is set.
    Clock {
        by_ms: i64,
    },
}

/// What happens in one run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) boards: usize,
    pub(super) users: usize,
    pub(super) people: Vec<Seating>,
    pub(super) rooms: RoomLimits,
    pub(super) outbox: OutboxLimits,
    pub(super) storage: StorageOptions,
    /// Bytes that a socket holds for a client that does not read.
    pub(super) socket_bytes: usize,
    /// The longest time that a message is under way.
    pub(super) delay_ms: u64,
    /// When all faults end.
    pub(super) heal_ms: u64,
    /// In the order of their times, in milliseconds.
    pub(super) acts: Vec<(u64, Act)>,
}

impl Plan {
    /// The plan of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let boards = dice.pick(&[1, 1, 2]);
        let users = dice.pick(&[2, 3, 4]);
        let mut people = vec![Seating {
            user: 0,
            deflate: dice.percent(50),
            boards: (0..boards).collect(),
        }];
        for _ in 0..dice.range(1..=4) {
            let first = dice.below(boards);
            people.push(Seating {
                user: dice.below(users),
                deflate: dice.percent(40),
                boards: if dice.percent(60) {
                    (0..boards).collect()
                } else {
                    vec![first]
                },
            });
        }
        let soft_bytes = dice.order(500..=16_000);
        let heal_ms = dice.range(2_000..=6_000);
        let mut plan = Self {
            seed,
            boards,
            users,
            people,
            rooms: rooms(&mut dice),
            outbox: OutboxLimits {
                soft_bytes: usize::try_from(soft_bytes).unwrap(),
                hard_bytes: usize::try_from(soft_bytes * dice.range(1..=4)).unwrap(),
            },
            storage: storage(&mut dice),
            socket_bytes: usize::try_from(dice.order(200..=16_000)).unwrap(),
            delay_ms: dice.order(1..=200),
            heal_ms,
            acts: Vec::new(),
        };
        plan.work(&mut dice);
        plan.faults(&mut dice);
        plan.put_away(&mut Dice::new(seed, 4));
        plan.acts.sort_by_key(|(at, _)| *at);
        plan
    }

    fn work(&mut self, dice: &mut Dice) {
        for _ in 0..dice.range(20..=90) {
            let person = dice.below(self.people.len());
            let board = dice.pick(&self.people[person].boards);
            let act = match dice.range(0..=19) {
                0..=12 => Act::Work {
                    person,
                    board,
                    submits: usize::try_from(dice.order(1..=12)).unwrap(),
                },
                13 | 14 => Act::Repeat { person, board },
                15..=18 => Act::Noise {
                    person,
                    board,
                    noise: dice.pick(&[
                        Noise::Presence,
                        Noise::Presence,
                        Noise::OpenCard,
                        Noise::Activity,
                        Noise::Boards,
                        Noise::Ping,
                    ]),
                },
                _ => Act::Role {
                    user: 1 + dice.below(self.users - 1),
                    board,
                    role: dice.pick(&[
                        None,
                        Some(Role::Viewer),
                        Some(Role::Commenter),
                        Some(Role::Editor),
                        Some(Role::Admin),
                    ]),
                },
            };
            self.add(dice, act);
        }
    }

    fn faults(&mut self, dice: &mut Dice) {
        for _ in 0..dice.range(0..=10) {
            let person = dice.below(self.people.len());
            let act = if dice.percent(70) {
                let late_ms = dice.order(5..=2_000);
                let cut = match dice.range(0..=2) {
                    0 => Cut::Both,
                    1 => Cut::Client {
                        server_hears_ms: late_ms,
                    },
                    _ => Cut::Server {
                        client_hears_ms: late_ms,
                    },
                };
                Act::Cut {
                    person,
                    cut,
                    back_ms: dice.order(1..=1_000),
                }
            } else {
                let ms = dice.order(50..=3_000);
                Act::Stall { person, ms }
            };
            self.add(dice, act);
        }
        for _ in 0..dice.range(0..=4) {
            let act = self.disk_fault(dice);
            self.add(dice, act);
        }
        for _ in 0..dice.pick(&[0, 1, 1, 2, 3]) {
            let down_ms = dice.order(1..=800);
            let steps = [Step::Begin, Step::Written, Step::Commit, Step::Committed];
            let act = match dice.range(0..=9) {
                0..=6 => Act::Crash {
                    step: dice.percent(85).then(|| dice.pick(&steps)),
                    again: dice.pick(&[0, 0, 0, 1, 2, 3]),
                    down_ms,
                },
                7 | 8 => Act::Stop { down_ms },
                _ => Act::Restore { down_ms },
            };
            if matches!(act, Act::Restore { .. }) {
                self.add(dice, Act::Backup);
            }
            self.add(dice, act);
        }
        if dice.percent(10) {
            let by_ms = i64::try_from(dice.range(0..=7_200_000)).unwrap() - 3_600_000;
            self.add(dice, Act::Clock { by_ms });
        }
    }

    /// Boards are archived and restored, go into the bin and come back.
    fn put_away(&mut self, dice: &mut Dice) {
        for _ in 0..dice.pick(&[0, 0, 1, 2]) {
            let (board, at_ms) = (dice.below(self.boards), dice.range(50..=self.heal_ms));
            let back_ms = at_ms + dice.order(5..=1_500);
            for (at_ms, archived) in [(at_ms, true), (back_ms, false)] {
                self.acts.push((at_ms, Act::Archive { board, archived }));
            }
        }
        for _ in 0..dice.pick(&[0, 0, 1, 2]) {
            let board = dice.below(self.boards);
            let back_ms = dice.order(5..=1_500);
            self.add(dice, Act::Delete { board, back_ms });
        }
    }

    fn disk_fault(&self, dice: &mut Dice) -> Act {
        let ms = dice.order(20..=1_500);
        match dice.range(0..=9) {
            0..=3 => Act::Slow {
                ms,
                step_ms: dice.order(5..=400),
            },
            4 | 5 => Act::Full { ms },
            6 => Act::Busy { ms },
            7 => Act::Unreadable { ms },
            8 => Act::Break {
                board: dice.below(self.boards),
                ms,
            },
            _ => Act::Unclear {
                kept: dice.percent(50),
                ends_ms: ms,
            },
        }
    }

    fn add(&mut self, dice: &mut Dice, act: Act) {
        self.acts.push((dice.range(50..=self.heal_ms), act));
    }

    /// The same without `count` acts from `index` on.
    pub(super) fn without(&self, index: usize, count: usize) -> Self {
        let mut plan = self.clone();
        let end = plan.acts.len().min(index + count);
        plan.acts.drain(index..end);
        plan
    }
}

/// Bounds that are small enough to be reached.
fn rooms(dice: &mut Dice) -> RoomLimits {
    let mut size = |low, high| usize::try_from(dice.order(low..=high)).unwrap();
    let usual = RoomLimits::default();
    let limits = RoomLimits {
        inbox: size(1, 256),
        turn_inputs: size(1, 64),
        recent_versions: size(2, 128),
        recent_bytes: size(500, 100_000),
        batch_bytes: size(200, 64_000),
        snapshot_tail_bytes: size(100, 64_000),
        snapshot_tail_versions: size(1, 128),
        catch_up_bytes: size(200, 64_000),
        waiting_max: size(2, 512),
        pushes_per_slice: size(1, 8),
        ..usual
    };
    let limits = RoomLimits {
        bytes_per_slice: 250 * limits.pushes_per_slice,
        slices_before_journal: limits.pushes_per_slice,
        ..limits
    };
    RoomLimits {
        window_max_ms: dice.range(0..=40),
        retry_ms: u32::try_from(dice.range(10..=250)).unwrap(),
        rows_after_ms: dice.order(5..=1_000),
        durable_after_ms: dice.order(5..=250),
        sleep_after_ms: dice.order(10..=4_000),
        loaded_bytes: if dice.percent(20) {
            1
        } else {
            usual.loaded_bytes
        },
        ..limits
    }
}

fn storage(dice: &mut Dice) -> StorageOptions {
    StorageOptions {
        journal_max_versions: usize::try_from(dice.order(1..=200)).unwrap(),
        journal_max_bytes: usize::try_from(dice.order(500..=200_000)).unwrap(),
        rows_max_bytes: usize::try_from(dice.order(500..=200_000)).unwrap(),
        retry: Duration::from_millis(dice.order(5..=500)),
        ..StorageOptions::new("nowhere")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, storage, .. } = self;
        writeln!(
            f,
            "seed {}: {} boards, {} users, heals at {} ms",
            self.seed, self.boards, self.users, self.heal_ms
        )?;
        for (index, person) in self.people.iter().enumerate() {
            writeln!(f, "  person {index}: {person:?}")?;
        }
        writeln!(f, "  {rooms:?}\n  {:?}\n  {storage:?}", self.outbox)?;
        writeln!(
            f,
            "  delays up to {} ms, sockets hold {} bytes",
            self.delay_ms, self.socket_bytes
        )?;
        for (at_ms, act) in &self.acts {
            writeln!(f, "  {at_ms:>6} ms  {act:?}")?;
        }
        Ok(())
    }
}
