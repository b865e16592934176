use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn rank(text: &str) -> Rank {
    text.parse().unwrap()
}

/// An ordered collection that is changed as a room changes one.
#[derive(Default)]
struct Collection {
    ranks: Vec<Rank>,
    longest: usize,
    most_moved: usize,
    moved: usize,
}

impl Collection {
    fn insert(&mut self, index: usize) {
        let ranks: Vec<&Rank> = self.ranks.iter().collect();
        let placement = place(&ranks, index).unwrap();
        self.moved += placement.moved.len();
        self.most_moved = self.most_moved.max(placement.moved.len());
        for (member, rank) in placement.moved {
            assert_ne!(
                self.ranks[member], rank,
                "a member was moved to where it was"
            );
            self.longest = self.longest.max(rank.len());
            self.ranks[member] = rank;
        }
        self.longest = self.longest.max(placement.rank.len());
        self.ranks.insert(index, placement.rank);
        let from = index.saturating_sub(REBALANCE_NEIGHBOURS + 1);
        let to = self.ranks.len().min(index + REBALANCE_NEIGHBOURS + 2);
        assert!(
            self.ranks[from..to].is_sorted_by(|a, b| a < b),
            "not ascending around {index}"
        );
    }

    fn check(&self, what: &str) {
        assert!(
            self.ranks.is_sorted_by(|a, b| a < b),
            "{what}: not ascending"
        );
        println!(
            "{what}: {} ranks, longest {}, at most {} moved at once, {} in all",
            self.ranks.len(),
            self.longest,
            self.most_moved,
            self.moved
        );
        assert!(
            self.longest <= SOFT_RANK_BYTES,
            "{what}: a rank of {} bytes",
            self.longest
        );
        assert!(
            self.most_moved <= REBALANCE_NEIGHBOURS,
            "{what}: {} moved",
            self.most_moved
        );
    }
}

#[test]
fn ranks_are_in_the_order_of_their_text() {
    let ascending = [
        "0001", "1", "9", "A", "V", "V0001", "V1", "Z", "a", "z", "zzzz",
    ];
    assert!(ascending.map(rank).is_sorted_by(|a, b| a < b));
}

#[test]
fn bad_ranks_are_refused_with_a_reason() {
    let too_long = "1".repeat(MAX_RANK_BYTES + 1);
    let cases = [
        ("", RankError::Empty),
        ("V0", RankError::TrailingZero),
        ("0", RankError::TrailingZero),
        ("a-b", RankError::Character),
        ("é", RankError::Character),
        (too_long.as_str(), RankError::TooLong),
    ];
    for (text, reason) in cases {
        assert_eq!(Rank::try_from(text), Err(reason), "{text:?}");
        let error = serde_json::from_value::<Rank>(text.into())
            .unwrap_err()
            .to_string();
        assert_eq!(error, reason.to_string());
    }
}

#[test]
fn ranks_survive_json() {
    let longest = "z".repeat(MAX_RANK_BYTES);
    for text in ["V", "0001", longest.as_str()] {
        let json = serde_json::to_string(&rank(text)).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Rank>(&json).unwrap(), rank(text));
    }
}

#[test]
fn between_is_the_shortest_middle_or_one_step_beyond_an_end() {
    let cases = [
        (None, None, Some("V")),
        (Some("V"), None, Some("V001")),
        (Some("V00z"), None, Some("V01")),
        (Some("V001abc"), None, Some("V002")),
        (Some("zzzz"), None, Some("zzzz0001")),
        (None, Some("V"), Some("Uzzz")),
        (None, Some("V001abc"), Some("V001")),
        (None, Some("0001"), Some("0000zzzz")),
        (Some("1"), Some("3"), Some("2")),
        (Some("1"), Some("2"), Some("1V")),
        (Some("1"), Some("21"), Some("2")),
        (Some("1zz"), Some("2"), Some("1zzV")),
        (Some("V"), Some("V001"), Some("V000V")),
        (Some("V"), Some("V"), None),
        (Some("W"), Some("V"), None),
    ];
    for (low, high, expected) in cases {
        let found = between(low.map(rank).as_ref(), high.map(rank).as_ref());
        assert_eq!(found, expected.map(rank), "between {low:?} and {high:?}");
    }
}

#[test]
fn between_ends_where_the_digits_do() {
    let last = rank(&"z".repeat(MAX_RANK_BYTES));
    assert_eq!(between(Some(&last), None), None);
    let mut first = "0".repeat(MAX_RANK_BYTES - 1);
    first.push('1');
    assert_eq!(between(None, Some(&rank(&first))), None);
}

#[test]
fn ten_thousand_at_an_end_stay_at_four_digits() {
    let (mut first, mut last) = (rank("V"), rank("V"));
    for _ in 0..10_000 {
        first = between(None, Some(&first)).unwrap();
        last = between(Some(&last), None).unwrap();
        assert!(
            first.len() <= STEP_DIGITS && last.len() <= STEP_DIGITS,
            "{first} {last}"
        );
    }
}

#[test]
fn spread_is_even_and_short() {
    let texts = |ranks: Vec<Rank>| ranks.iter().map(Rank::to_string).collect::<Vec<_>>();
    assert_eq!(texts(spread(None, None, 3).unwrap()), ["F", "V", "k"]);
    assert_eq!(
        texts(spread(Some(&rank("A")), Some(&rank("B")), 1).unwrap()),
        ["AV"]
    );
    assert!(spread(None, None, 0).unwrap().is_empty());
    let cards = spread(None, None, 3_843).unwrap();
    assert_eq!(cards.iter().map(Rank::len).max(), Some(2));
    assert_eq!(spread(Some(&rank("B")), Some(&rank("A")), 1), None);
    assert_eq!(spread(None, None, usize::MAX), None);
}

#[test]
fn place_looks_at_the_two_neighbours_only() {
    let (low, high, unsorted) = (rank("1"), rank("3"), rank("z"));
    let ranks = [&unsorted, &low, &high, &low];
    assert_eq!(
        place(&ranks, 2),
        Some(Placement {
            rank: rank("2"),
            moved: Vec::new()
        })
    );
    assert_eq!(place(&ranks, 1), None);
    assert_eq!(place(&ranks, 5), None);
}

#[test]
fn neighbours_make_room_at_both_ends_of_a_collection() {
    let tight = ["V00000000000000V", "V00000000000000W", "V00000000000000X"].map(rank);
    let ranks: Vec<&Rank> = tight.iter().collect();
    for index in 1..ranks.len() {
        let mut collection = Collection {
            ranks: tight.to_vec(),
            ..Collection::default()
        };
        collection.insert(index);
        collection.check("three tight ranks");
        assert_eq!(collection.most_moved, 3);
    }
}

#[test]
fn there_is_room_beside_the_outermost_ranks() {
    let bottom = "0".repeat(MAX_RANK_BYTES - 1);
    let top = "z".repeat(MAX_RANK_BYTES - 1);
    for pair in [
        [format!("{bottom}1"), format!("{bottom}2")],
        [format!("{top}y"), format!("{top}z")],
    ] {
        for index in 0..=2 {
            let ranks = pair.iter().map(|text| rank(text)).collect();
            let mut collection = Collection {
                ranks,
                ..Collection::default()
            };
            collection.insert(index);
            collection.check("outermost ranks");
        }
    }
}

#[test]
fn always_right_after_the_first() {
    let mut collection = Collection::default();
    for index in 0..20_000 {
        collection.insert(index.min(1));
    }
    collection.check("always right after the first");
}

#[test]
fn always_right_before_the_last() {
    let mut collection = Collection::default();
    for index in 0..20_000_usize {
        collection.insert(index.saturating_sub(1));
    }
    collection.check("always right before the last");
}

#[test]
fn always_in_the_same_inner_gap() {
    for (what, low_side) in [
        ("after an inner member", true),
        ("before an inner member", false),
    ] {
        let mut collection = Collection {
            ranks: spread(None, None, 400).unwrap(),
            ..Collection::default()
        };
        for inserted in 0..20_000 {
            collection.insert(if low_side { 200 } else { 200 + inserted });
        }
        collection.check(what);
    }
}

#[test]
fn alternating_inside_a_shrinking_interval() {
    for (what, present) in [("alternating, empty", 0), ("alternating, 400 around", 400)] {
        let mut collection = Collection {
            ranks: spread(None, None, present).unwrap(),
            ..Collection::default()
        };
        let mut index = present / 2;
        for inserted in 0..20_000 {
            collection.insert(index);
            index += inserted % 2;
        }
        collection.check(what);
    }
}

#[test]
fn first_after_everything_before_it_was_deleted() {
    let mut collection = Collection::default();
    for index in 0..20_000 {
        collection.insert(index.min(1));
        if index % 2 == 1 {
            collection.ranks.remove(0);
        }
    }
    collection.check("after the first, which is deleted every other time");
}

fn any_rank() -> impl Strategy<Value = Rank> {
    "[0-1y-z]{0,63}[1-9A-Za-z]".prop_map(|text| rank(&text))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn ten_thousand_random_moves_keep_the_order(
        moves in prop::collection::vec((any::<Index>(), any::<Index>()), 10_000)
    ) {
        let mut collection = Collection { ranks: spread(None, None, 200).unwrap(), ..Collection::default() };
        for (from, to) in moves {
            collection.ranks.remove(from.index(200));
            collection.insert(to.index(200));
        }
        collection.check("random moves");
    }
}

proptest! {
    #[test]
    fn spread_is_ascending_between_any_bounds(
        low in prop::option::of(any_rank()),
        high in prop::option::of(any_rank()),
        count in 0_usize..2_000,
    ) {
        let ascending = low.as_ref().zip(high.as_ref()).is_none_or(|(low, high)| low < high);
        if let Some(ranks) = spread(low.as_ref(), high.as_ref(), count) {
            prop_assert!(ascending);
            prop_assert_eq!(ranks.len(), count);
            prop_assert!(low.iter().chain(&ranks).chain(&high).is_sorted_by(|a, b| a < b));
            for rank in &ranks {
                prop_assert_eq!(Rank::try_from(rank.as_str()), Ok(rank.clone()));
            }
        }
    }

    #[test]
    fn between_is_strictly_between_any_bounds(
        low in prop::option::of(any_rank()),
        high in prop::option::of(any_rank()),
    ) {
        if let Some(middle) = between(low.as_ref(), high.as_ref()) {
            prop_assert!(low.is_none_or(|low| low < middle));
            prop_assert!(high.is_none_or(|high| middle < high));
            prop_assert_eq!(Rank::try_from(middle.as_str()), Ok(middle));
        }
    }

    #[test]
    fn place_keeps_any_ascending_ranks_ascending(
        ranks in prop::collection::btree_set(any_rank(), 0..200),
        index in any::<Index>(),
    ) {
        let mut after: Vec<Rank> = ranks.into_iter().collect();
        let index = index.index(after.len() + 1);
        if let Some(placement) = place(&after.iter().collect::<Vec<_>>(), index) {
            prop_assert!(placement.moved.len() <= REBALANCE_NEIGHBOURS);
            for (member, rank) in placement.moved {
                after[member] = rank;
            }
            after.insert(index, placement.rank);
            prop_assert!(after.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn place_does_not_panic_on_ranks_in_any_order(
        ranks in prop::collection::vec(any_rank(), 0..200),
        index in 0_usize..220,
    ) {
        let _ = place(&ranks.iter().collect::<Vec<_>>(), index);
    }
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_describes_a_rank() {
    let schema = schemars::schema_for!(Rank);
    assert_eq!(schema.get("maxLength"), Some(&MAX_RANK_BYTES.into()));
}
