//! Brings things into a wanted order with as few new ranks as possible.

use std::collections::{BTreeMap, BTreeSet};

use crate::order::{self, Rank, SOFT_RANK_BYTES};

/// New ranks that bring `wanted` into its order among `present`.
///
/// `present` are the things that are there and stay, in their order; those that `wanted` does not
/// name keep their places. The longest run of wanted things that stand in order already keeps its
/// ranks; each other one goes right behind the one it follows. When nothing is present, things get
/// `own`, the ranks they come with.
///
/// `None` when there is no room even after everything was ranked anew.
pub(super) fn arrange<Id: Copy + Ord>(
    present: &[(Id, &Rank)],
    wanted: &[(Id, &Rank)],
) -> Option<BTreeMap<Id, Rank>> {
    if present.is_empty() {
        return Some(own(wanted));
    }
    let place: BTreeMap<Id, usize> = present
        .iter()
        .enumerate()
        .map(|(i, (id, _))| (*id, i))
        .collect();
    let standing: Vec<(usize, Id)> = wanted
        .iter()
        .filter_map(|(id, _)| place.get(id).map(|place| (*place, *id)))
        .collect();
    let kept: BTreeSet<Id> = longest_rise(&standing);
    if kept.len() == wanted.len() {
        return Some(BTreeMap::new());
    }
    let sequence = interleave(present, wanted, &kept);
    let ranks: BTreeMap<Id, &Rank> = present.iter().copied().collect();
    let moving: BTreeSet<Id> = wanted
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| !kept.contains(id))
        .collect();
    let fixed = |id: &Id| {
        (!moving.contains(id))
            .then(|| ranks.get(id).copied())
            .flatten()
    };
    fill(&sequence, fixed).or_else(|| {
        let all = order::spread(None, None, sequence.len())?;
        let all = sequence.iter().copied().zip(all);
        Some(
            all.filter(|(id, rank)| ranks.get(id) != Some(&rank))
                .collect(),
        )
    })
}

fn own<Id: Copy + Ord>(wanted: &[(Id, &Rank)]) -> BTreeMap<Id, Rank> {
    wanted
        .iter()
        .map(|(id, rank)| (*id, (*rank).clone()))
        .collect()
}

/// The whole order: what is present and keeps its rank, with what moves put in between.
fn interleave<Id: Copy + Ord>(
    present: &[(Id, &Rank)],
    wanted: &[(Id, &Rank)],
    kept: &BTreeSet<Id>,
) -> Vec<Id> {
    let mut ahead = Vec::new();
    let mut behind: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    let mut last = None;
    let named: BTreeSet<Id> = wanted.iter().map(|(id, _)| *id).collect();
    for (id, _) in wanted {
        if kept.contains(id) {
            last = Some(*id);
        } else if let Some(last) = last {
            behind.entry(last).or_default().push(*id);
        } else {
            ahead.push(*id);
        }
    }
    let mut sequence = Vec::with_capacity(present.len() + wanted.len());
    let mut ahead = Some(ahead);
    for (id, _) in present {
        if kept.contains(id) {
            sequence.extend(ahead.take().into_iter().flatten());
            sequence.push(*id);
            sequence.extend(behind.remove(id).into_iter().flatten());
        } else if !named.contains(id) {
            sequence.push(*id);
        }
    }
    sequence.extend(ahead.into_iter().flatten());
    sequence
}

/// Ranks for each run of things without one; `None` where a gap has too little room.
fn fill<'a, Id: Copy + Ord>(
    sequence: &[Id],
    fixed: impl Fn(&Id) -> Option<&'a Rank>,
) -> Option<BTreeMap<Id, Rank>> {
    let mut ranks = BTreeMap::new();
    let mut low = None;
    let mut rest = sequence;
    while !rest.is_empty() {
        let run = rest.iter().take_while(|id| fixed(id).is_none()).count();
        let high = rest.get(run).and_then(&fixed);
        if run > 0 {
            for (id, rank) in rest.iter().zip(order::spread(low, high, run)?) {
                if rank.as_str().len() > SOFT_RANK_BYTES {
                    return None;
                }
                ranks.insert(*id, rank);
            }
        }
        low = high;
        rest = rest.get(run + 1..).unwrap_or_default();
    }
    Some(ranks)
}

/// The longest subsequence whose places rise.
fn longest_rise<Id: Copy + Ord>(standing: &[(usize, Id)]) -> BTreeSet<Id> {
    // tails[n] is the index of the smallest last place of a rise of n + 1 things.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(standing.len());
    for (index, (place, _)) in standing.iter().enumerate() {
        let length = tails.partition_point(|tail| standing[*tail].0 < *place);
        before.push(length.checked_sub(1).map(|shorter| tails[shorter]));
        if length == tails.len() {
            tails.push(index);
        } else {
            tails[length] = index;
        }
    }
    let mut kept = BTreeSet::new();
    let mut next = tails.last().copied();
    while let Some(index) = next {
        kept.insert(standing[index].1);
        next = before[index];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(present: &str, wanted: &str) -> (String, usize) {
        let ranks = order::spread(None, None, present.len()).unwrap();
        let present: Vec<_> = present.chars().zip(&ranks).collect();
        let own = order::spread(None, None, wanted.len()).unwrap();
        let wanted: Vec<_> = wanted.chars().zip(&own).collect();
        let new = arrange(&present, &wanted).unwrap();
        let count = new.len();
        let mut all: BTreeMap<char, Rank> = present
            .iter()
            .map(|(c, rank)| (*c, (*rank).clone()))
            .collect();
        all.extend(new);
        let mut sorted: Vec<_> = all.into_iter().map(|(c, rank)| (rank, c)).collect();
        sorted.sort();
        (sorted.into_iter().map(|(_, c)| c).collect(), count)
    }

    #[test]
    fn what_stands_in_order_keeps_its_rank() {
        assert_eq!(arranged("abc", "abc"), ("abc".into(), 0));
        assert_eq!(arranged("aXbYc", "abc"), ("aXbYc".into(), 0));
    }

    #[test]
    fn one_moved_thing_gets_one_new_rank() {
        assert_eq!(arranged("abcde", "eabcd"), ("eabcd".into(), 1));
        assert_eq!(arranged("abcde", "acdbe"), ("acdbe".into(), 1));
    }

    #[test]
    fn new_things_follow_the_one_before_them() {
        assert_eq!(arranged("abc", "a1b23c4"), ("a1b23c4".into(), 4));
        assert_eq!(arranged("XaY", "1a2"), ("X1a2Y".into(), 2));
        assert_eq!(arranged("XY", "12"), ("XY12".into(), 2));
        assert_eq!(arranged("", "12"), ("12".into(), 2));
    }

    #[test]
    fn a_gap_without_room_ranks_everything_anew() {
        let low: Rank = "V".parse().unwrap();
        let high: Rank = format!("V{}1", "0".repeat(30)).parse().unwrap();
        let own = order::spread(None, None, 3).unwrap();
        let wanted = [('a', &own[0]), ('n', &own[1]), ('b', &own[2])];
        let new = arrange(&[('a', &low), ('b', &high)], &wanted).unwrap();
        let rank = |id: char| new.get(&id).cloned();
        assert!(rank('a').unwrap_or(low) < rank('n').unwrap());
        assert!(rank('n').unwrap() < rank('b').unwrap());
        assert!(
            new.values()
                .all(|rank| rank.as_str().len() <= SOFT_RANK_BYTES)
        );
    }
}
