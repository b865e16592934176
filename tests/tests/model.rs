//! The naive board of this crate agrees with `View::apply`, event by event.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that does not come this far has failed"
)]

#[path = "../../protocol/tests/rules/arbitrary.rs"]
mod arbitrary;

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Dice, actor, command};
use boardcast_protocol::board::{Board, Moment, Seen, Stamp, View, transact};
use boardcast_protocol::position::{Timestamp, Version};
use boardcast_tests::model::{Head, Model};
use serde_json::Value;

const EVENTS: usize = 30_000;
const VERSIONS_OF_A_BOARD: u64 = 600;

#[test]
fn r14_the_naive_board_agrees_over_tens_of_thousands_of_events() {
    let mut dice = Dice::new(20_260_101);
    let mut events = 0;
    while events < EVENTS {
        events += play(&mut dice);
    }
}

/// Plays one board on both sides; returns how many events it took.
fn play(dice: &mut Dice) -> usize {
    let view = View::new("board1".parse().unwrap(), "Board".into());
    let mut model = Model::new(serde_json::to_value(&view).unwrap());
    let mut board = Board::new(view, BTreeMap::new(), BTreeSet::new());
    let mut count = 0;
    for n in 1..=VERSIONS_OF_A_BOARD {
        let actor = actor(dice);
        let commands: Vec<_> = (0..1 + dice.below(2))
            .map(|_| command(dice, &board))
            .collect();
        let at = 1_700_000_000_000 + n;
        let moment = Moment {
            version: Version(n),
            stamp: Stamp {
                by: actor.user,
                at: Timestamp(at),
            },
        };
        let Ok(applied) = transact(&mut board, &actor, &commands, &Seen::new(), moment) else {
            continue;
        };
        let by = actor.user.to_string();
        for event in &applied.events {
            let event: Value =
                serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            model.apply(Head { n, by: &by, at }, &event);
        }
        count += applied.events.len();
        if n % 20 == 0 {
            assert_agree(&board, &model);
        }
    }
    assert_agree(&board, &model);
    count
}

fn assert_agree(board: &Board, model: &Model) {
    let view = serde_json::to_value(board.view()).unwrap();
    assert_eq!(&view, model.view());
    for card in board.view().cards.keys() {
        let detail = board.detail(*card).cloned().unwrap_or_default();
        let detail = serde_json::to_value(detail).unwrap();
        assert_eq!(detail, model.detail(card.as_str()));
    }
}
