//! Things stand where their neighbours say, for as long as people move them.

use boardcast_protocol::board::{Actor, Board, Seen, transact};
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{CardId, ColumnId};
use boardcast_protocol::order::SOFT_RANK_BYTES;
use proptest::prelude::*;
use serde_json::json;

use crate::arbitrary::Dice;
use crate::invariants::assert_whole;
use crate::trials::{cases, empty, moment};

fn admin() -> Actor {
    Actor::new("ann".parse().unwrap(), true)
}

fn run(board: &mut Board, command: Command) -> usize {
    let moment = moment(1, &admin());
    let applied = transact(board, &admin(), &[command], &Seen::new(), moment);
    applied.expect("the command is allowed").events.len()
}

fn column(index: usize) -> ColumnId {
    format!("c{index}").parse().unwrap()
}

fn card(index: usize) -> CardId {
    format!("k{index}").parse().unwrap()
}

/// A board and the lists of cards that it ought to show.
struct Table {
    board: Board,
    lists: Vec<Vec<CardId>>,
}

impl Table {
    fn new(columns: usize, cards: usize) -> Self {
        let mut board = empty();
        for index in 0..columns {
            let create = json!({"type": "column.create", "column": column(index), "title": "C"});
            run(&mut board, serde_json::from_value(create).unwrap());
        }
        let mut lists = vec![Vec::new(); columns];
        for index in 0..cards {
            let create = json!({
                "type": "card.create", "card": card(index), "column": column(index % columns), "title": "K"
            });
            run(&mut board, serde_json::from_value(create).unwrap());
            lists[index % columns].push(card(index));
        }
        Self { board, lists }
    }

    /// Moves a card; returns how many events it took.
    fn move_card(&mut self, moved: CardId, to: usize, place: Place<CardId>) -> usize {
        for list in &mut self.lists {
            list.retain(|id| *id != moved);
        }
        let list = &mut self.lists[to];
        let find = |id: Option<CardId>| list.iter().position(|other| Some(*other) == id);
        let index = find(place.after).map(|index| index + 1);
        let index = index.or_else(|| find(place.before)).unwrap_or(list.len());
        list.insert(index, moved);
        run(
            &mut self.board,
            Command::CardMove {
                card: moved,
                column: column(to),
                place,
            },
        )
    }

    fn assert_shown(&self) {
        for (index, list) in self.lists.iter().enumerate() {
            let shown: Vec<_> = self.board.lane(column(index)).map(|card| card.id).collect();
            assert_eq!(&shown, list);
        }
    }

    fn longest_rank(&self) -> usize {
        let cards = self.board.view().cards.values();
        cards
            .map(|card| card.rank.as_str().len())
            .max()
            .unwrap_or(0)
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn cards_stand_where_their_neighbours_say(seeds in proptest::collection::vec(any::<u64>(), 1..200)) {
        let mut table = Table::new(3, 12);
        for seed in seeds {
            let mut dice = Dice::new(seed);
            let place = Place {
                after: dice.one_in(2).then(|| card(dice.below(14))),
                before: dice.one_in(2).then(|| card(dice.below(14))),
            };
            table.move_card(card(dice.below(12)), dice.below(3), place);
            table.assert_shown();
        }
        assert_whole(&table.board);
    }
}

#[test]
fn ranks_stay_ordered_and_short_under_ten_thousand_random_moves() {
    let mut table = Table::new(4, 300);
    let mut dice = Dice::new(7);
    for round in 0..10_000 {
        let place = match dice.below(3) {
            0 => Place::after(card(dice.below(300))),
            1 => Place::before(card(dice.below(300))),
            _ => Place::default(),
        };
        table.move_card(card(dice.below(300)), dice.below(4), place);
        if round % 500 == 0 {
            table.assert_shown();
        }
    }
    table.assert_shown();
    assert_whole(&table.board);
    assert!(
        table.longest_rank() <= SOFT_RANK_BYTES,
        "{}",
        table.longest_rank()
    );
}

#[test]
fn ranks_stay_short_where_everybody_drops_into_the_same_gap() {
    let mut table = Table::new(1, 200);
    let mut most_events = 0;
    for round in 0..5_000 {
        let moved = card(2 + round % 198);
        most_events = most_events.max(table.move_card(moved, 0, Place::after(card(0))));
        if round % 500 == 0 {
            table.assert_shown();
        }
    }
    assert_whole(&table.board);
    assert!(
        table.longest_rank() <= SOFT_RANK_BYTES,
        "{}",
        table.longest_rank()
    );
    assert!(most_events > 1, "neighbours were moved at least once");
    assert!(most_events <= 65, "one move states at most 64 neighbours");
}

#[test]
fn columns_checklists_and_items_stand_where_their_neighbours_say() {
    for kind in ["column", "checklist", "item"] {
        let mut board = Table::new(1, 1).board;
        if kind == "item" {
            let list =
                json!({"type": "checklist.create", "card": "k0", "checklist": "l", "title": "L"});
            run(&mut board, serde_json::from_value(list).unwrap());
        }
        let mut list: Vec<String> = shown(&board, kind);
        for index in 0..40 {
            let id = format!("n{index}");
            run(&mut board, wish(kind, "create", &id, &json!({})));
            list.push(id);
        }
        let mut dice = Dice::new(3);
        for _ in 0..2_000 {
            let moved = list[dice.below(list.len())].clone();
            let neighbour = list[dice.below(list.len())].clone();
            if moved == neighbour {
                continue;
            }
            let side = dice.pick(&["after", "before"]);
            run(
                &mut board,
                wish(kind, "move", &moved, &json!({ side: neighbour })),
            );
            list.retain(|id| *id != moved);
            let index = list.iter().position(|id| *id == neighbour).unwrap();
            list.insert(index + usize::from(side == "after"), moved);
            assert_eq!(shown(&board, kind), list);
        }
        assert_whole(&board);
    }
}

fn wish(kind: &str, verb: &str, id: &str, place: &serde_json::Value) -> Command {
    let mut wish = json!({"type": format!("{kind}.{verb}"), kind: id, "place": place});
    if kind != "column" {
        wish["card"] = "k0".into();
    }
    if kind == "item" {
        wish["checklist"] = "l".into();
        wish["text"] = "t".into();
    }
    if verb == "create" && kind != "item" {
        wish["title"] = "T".into();
    }
    serde_json::from_value(wish).unwrap()
}

fn shown(board: &Board, kind: &str) -> Vec<String> {
    let card = &board.view().cards[&card(0)];
    let mut ranked: Vec<(String, String)> = match kind {
        "column" => {
            let columns = board.columns().into_iter();
            columns
                .map(|c| (c.rank.to_string(), c.id.to_string()))
                .collect()
        }
        "checklist" => {
            let lists = card.checklists.values();
            lists
                .map(|l| (l.rank.to_string(), l.id.to_string()))
                .collect()
        }
        _ => {
            let items = card.checklists[&"l".parse().unwrap()].items.values();
            items
                .map(|i| (i.rank.to_string(), i.id.to_string()))
                .collect()
        }
    };
    ranked.sort();
    ranked.into_iter().map(|(_, id)| id).collect()
}
