//! What holds of every board, after whatever was done to it.

use std::collections::BTreeSet;

use boardcast_protocol::board::{Board, Card, FieldValue, Role, View, detail_digest};
use boardcast_protocol::ids::CardId;
use boardcast_protocol::order::{MAX_RANK_BYTES, Rank};

/// Panics with the rule that does not hold.
pub(crate) fn assert_whole(board: &Board) {
    let view = board.view();
    let rebuilt = Board::new(
        view.clone(),
        board.details().clone(),
        board.buried().clone(),
    );
    assert_eq!(*board, rebuilt, "the order of cards is that of a rebuild");
    assert!(
        view.members.values().any(|m| m.role == Role::Admin),
        "the board has an admin"
    );
    assert_ranks(view.columns.values().map(|column| &column.rank));
    let mut numbers = BTreeSet::new();
    for card in view.cards.values() {
        assert!(numbers.insert(card.number), "numbers are unique");
        assert!(card.number < view.next_number);
        assert_references(view, card);
        assert_detail(board, card);
        assert_ranks(card.checklists.values().map(|list| &list.rank));
        for list in card.checklists.values() {
            assert_ranks(list.items.values().map(|item| &item.rank));
        }
    }
    for column in view.columns.keys() {
        assert_ranks(board.lane(*column).map(|card| &card.rank));
    }
    assert_no_cycles(view);
}

/// Ranks are unique and within their bound.
fn assert_ranks<'a>(ranks: impl Iterator<Item = &'a Rank>) {
    let mut seen = BTreeSet::new();
    for rank in ranks {
        assert!(rank.as_str().len() <= MAX_RANK_BYTES, "{rank}");
        assert!(seen.insert(rank), "the rank {rank} stands twice");
    }
}

fn assert_references(view: &View, card: &Card) {
    assert!(
        view.columns.contains_key(&card.column),
        "column of {card:?}"
    );
    assert!(card.labels.iter().all(|id| view.labels.contains_key(id)));
    assert!(card.labels.is_sorted() && card.assignees.is_sorted());
    assert!(
        card.assignees
            .iter()
            .all(|id| view.members.contains_key(id))
    );
    assert!(card.blocked_by.iter().all(|id| view.cards.contains_key(id)));
    assert!(card.blocked_by.is_sorted());
    assert!(card.parent.is_none_or(|id| view.cards.contains_key(&id)));
    assert!(card.sprint.is_none_or(|id| view.sprints.contains_key(&id)));
    assert!(card.fields.is_sorted_by_key(|value| value.id));
    for value in &card.fields {
        let field = view.fields.get(&value.id).expect("the field exists");
        if let FieldValue::Option(option) = &value.value {
            assert!(field.options.iter().any(|known| known.id == *option));
        }
    }
    let mut items = card.checklists.values().flat_map(|l| l.items.values());
    assert!(items.all(|item| {
        item.assignee
            .is_none_or(|id| view.members.contains_key(&id))
    }));
}

fn assert_detail(board: &Board, card: &Card) {
    let detail = board.detail(card.id).cloned().unwrap_or_default();
    assert_eq!(card.detail.digest, detail_digest(&detail), "{:?}", card.id);
    assert_eq!(card.detail.described, !detail.description.is_empty());
    assert_eq!(card.detail.comments as usize, detail.comments.len());
}

fn assert_no_cycles(view: &View) {
    for start in view.cards.keys() {
        assert!(!reaches(view, *start, |card| card
            .parent
            .iter()
            .copied()
            .collect()));
        assert!(!reaches(view, *start, |card| card.blocked_by.clone()));
    }
}

fn reaches(view: &View, start: CardId, links: impl Fn(&Card) -> Vec<CardId>) -> bool {
    let mut open = links(&view.cards[&start]);
    let mut visited = BTreeSet::new();
    while let Some(next) = open.pop() {
        if next == start {
            return true;
        }
        if visited.insert(next) {
            open.extend(links(&view.cards[&next]));
        }
    }
    false
}
