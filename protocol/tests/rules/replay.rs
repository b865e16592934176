//! Events say everything: whoever applies them has the board, whoever undoes them has it back.

use std::collections::BTreeMap;

use boardcast_protocol::board::{Board, Detail, Moment, View, view_hash};
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::CardId;
use proptest::prelude::*;

use crate::invariants::assert_whole;
use crate::trials::{cases, empty, moment, take, turn};

/// What a client keeps: the view, and the details of all cards.
struct Replica {
    view: View,
    details: BTreeMap<CardId, Detail>,
}

impl Replica {
    fn apply(&mut self, moment: Moment, event: &Event) {
        self.view.apply(moment, event).expect("the event fits");
        let Some(card) = event.card() else { return };
        if matches!(event, Event::CardRemoved { .. }) {
            self.details.remove(&card);
        } else {
            self.details.entry(card).or_default().apply(event);
        }
    }
}

fn seeds(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(any::<u64>(), count)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn r14_replaying_the_events_gives_the_same_board(seeds in seeds(1..160)) {
        let mut board = empty();
        let mut follower = empty();
        let mut replica = Replica { view: board.view().clone(), details: BTreeMap::new() };
        for (index, seed) in seeds.iter().enumerate() {
            let version = index as u64 + 1;
            let turn = turn(*seed, &board);
            let before = board.clone();
            let Ok(applied) = take(&mut board, &turn, version) else {
                prop_assert_eq!(&board, &before, "a rejection leaves the board as it was");
                continue;
            };
            if applied.events.is_empty() {
                prop_assert_eq!(&board, &before, "no event, no change");
            }
            for sent in &applied.events {
                // What is sent is what is applied: the event as it comes out of its JSON form.
                let json = serde_json::to_string(sent).unwrap();
                let event: Event = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(&event, sent);
                let moment = moment(version, &turn.actor);
                follower.apply(moment, &event).unwrap();
                replica.apply(moment, &event);
            }
        }
        assert_whole(&board);
        prop_assert_eq!(&follower, &board);
        prop_assert_eq!(&replica.view, board.view());
        replica.details.retain(|_, detail| !detail.is_empty());
        prop_assert_eq!(&replica.details, board.details());
    }

    #[test]
    fn every_step_leaves_a_whole_board(seeds in seeds(1..100)) {
        let mut board = empty();
        for (index, seed) in seeds.iter().enumerate() {
            let turn = turn(*seed, &board);
            if take(&mut board, &turn, index as u64 + 1).is_ok() {
                assert_whole(&board);
            }
        }
    }

    #[test]
    fn inverse_events_in_opposite_order_restore_the_board(seeds in seeds(1..120)) {
        let mut board = empty();
        for (index, seed) in seeds.iter().enumerate() {
            let turn = turn(*seed, &board);
            let version = index as u64 + 1;
            let before = board.clone();
            let Ok(applied) = take(&mut board, &turn, version) else { continue };
            let mut undone = board.clone();
            for was in applied.was.iter().rev() {
                let was = was.as_ref().expect("each event replaces something");
                undone.apply(moment(version, &turn.actor), was).unwrap();
            }
            prop_assert_eq!(timeless(undone.view()), timeless(before.view()));
            prop_assert_eq!(undone.details(), before.details());
        }
    }

    #[test]
    fn hashes_are_equal_where_views_are(seeds in seeds(1..60)) {
        let mut board = empty();
        let mut views: Vec<(View, String)> = Vec::new();
        for (index, seed) in seeds.iter().enumerate() {
            let turn = turn(*seed, &board);
            let _ = take(&mut board, &turn, index as u64 + 1);
            let hash = view_hash(board.view());
            for (view, known) in &views {
                prop_assert_eq!(*known == hash, view == board.view());
            }
            let json = serde_json::to_string(board.view()).unwrap();
            let read: View = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&read, board.view());
            views.push((board.view().clone(), hash));
        }
    }

    #[test]
    fn ids_of_deleted_things_are_refused(seeds in seeds(20..120)) {
        let mut board = empty();
        for (index, seed) in seeds.iter().enumerate() {
            let turn = turn(*seed, &board);
            let buried = board.buried().clone();
            let before: Vec<_> = ids(&board);
            if take(&mut board, &turn, index as u64 + 1).is_ok() {
                for id in ids(&board) {
                    prop_assert!(before.contains(&id) || !buried.contains(&id), "{} is back", id);
                }
                prop_assert!(board.buried().is_superset(&buried));
            }
        }
    }
}

/// Without what an undo does not give back: who changed a card last, its revisions, and numbers.
pub(crate) fn timeless(view: &View) -> View {
    let mut view = view.clone();
    view.next_number = 0;
    for card in view.cards.values_mut() {
        card.changed = card.created;
        card.revs.clear();
        card.detail.rev = Default::default();
    }
    view
}

fn ids(board: &Board) -> Vec<boardcast_protocol::ids::AnyId> {
    let view = board.view();
    let columns = view.columns.keys().map(|id| (*id).into());
    let cards = view.cards.keys().map(|id| (*id).into());
    let labels = view.labels.keys().map(|id| (*id).into());
    let checklists = view.cards.values().flat_map(|card| card.checklists.keys());
    columns
        .chain(cards)
        .chain(labels)
        .chain(checklists.map(|id| (*id).into()))
        .collect()
}
