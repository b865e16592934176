use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{Actor, Board, Moment, Seen, Stamp, View, transact};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::limits::SUBMIT_COMMANDS_MAX;
use boardcast_protocol::position::{Timestamp, Version};

use super::{FILL_COLUMNS, Workload};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

struct Bench {
    board: Board,
    version: Version,
    touched: BTreeSet<String>,
}

impl Bench {
    /// Events of the commands; the reason of a rejection as text.
    fn commit(&mut self, cmds: &[Command]) -> Result<usize, String> {
        self.version = self.version.next();
        let user: UserId = "a".parse().unwrap();
        let moment = Moment {
            version: self.version,
            stamp: Stamp { by: user, at: NOW },
        };
        let actor = Actor::new(user, true);
        let events = transact(&mut self.board, &actor, cmds, &Seen::new(), moment)
            .map_err(|rejection| rejection.to_string())?
            .events;
        self.touched.extend(
            events
                .iter()
                .filter_map(|event| Some(event.card()?.to_string())),
        );
        Ok(events.len())
    }
}

fn bench(seed: u64, cards: usize) -> Bench {
    let view = View::new("b".parse().unwrap(), "b".into());
    let mut bench = Bench {
        board: Board::new(view, BTreeMap::new(), BTreeSet::new()),
        version: Version(0),
        touched: BTreeSet::new(),
    };
    let member = Command::MemberAdd {
        user: "a".parse().unwrap(),
        name: None,
        role: boardcast_protocol::board::Role::Admin,
    };
    bench.commit(&[member]).unwrap();
    let fill = Workload::new(seed).fill(FILL_COLUMNS, cards, &["a".parse().unwrap()], NOW);
    for some in fill.chunks(SUBMIT_COMMANDS_MAX) {
        bench.commit(some).unwrap();
    }
    bench
}

#[test]
fn commands_fit_the_board_they_were_made_for_and_spread_over_it() {
    let mut bench = bench(1, 500);
    assert_eq!(bench.board.view().cards.len(), 500);
    bench.touched.clear();
    let mut workload = Workload::new(2);
    let mut nothing = 0;
    for _ in 0..5_000 {
        let cmds = workload.next(bench.board.view(), NOW);
        let events = bench.commit(&cmds).unwrap();
        nothing += usize::from(events == 0);
    }
    assert!(
        nothing < 250,
        "{nothing} of 5000 commands had nothing to do"
    );
    assert!(bench.touched.len() >= 500, "{} cards", bench.touched.len());
}

#[test]
fn a_board_with_a_bound_keeps_its_size() {
    let mut bench = bench(3, 40);
    let mut workload = Workload::new(4).with_cards_max(45);
    let mut removed = 0;
    for _ in 0..5_000 {
        let cmds = workload.next(bench.board.view(), NOW);
        removed += (cmds.iter())
            .filter(|command| matches!(command, Command::CardRemove { .. }))
            .count();
        bench.commit(&cmds).unwrap();
        assert!((30..=45).contains(&bench.board.view().cards.len()));
    }
    assert!(removed > 100, "{removed} removed");
}

#[test]
fn a_board_is_filled_with_as_many_columns_as_are_asked_for() {
    let fill = Workload::new(1).fill(250, 40, &[], NOW);
    let columns: BTreeSet<_> = fill
        .iter()
        .filter_map(|command| {
            let Command::ColumnCreate { column, title, .. } = command else {
                return None;
            };
            Some((column.to_string(), title))
        })
        .collect();
    let titles: BTreeSet<_> = columns.iter().map(|(_, title)| title).collect();
    assert_eq!((columns.len(), titles.len()), (250, 250));
}

#[test]
fn the_same_seed_gives_the_same_commands() {
    let bench = bench(1, 50);
    let commands = |seed| -> Vec<_> {
        let mut workload = Workload::new(seed);
        (0..200)
            .map(|_| workload.next(bench.board.view(), NOW))
            .collect()
    };
    assert_eq!(commands(7), commands(7));
    assert_ne!(commands(7), commands(8));
}
