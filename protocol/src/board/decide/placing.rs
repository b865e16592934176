//! Finds the rank for a thing that is placed among its neighbours.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use super::super::{Reason, Rejection};
use super::Deciding;
use crate::command::Place;
use crate::event::Event;
use crate::ids::{CardId, ColumnId};
use crate::order::{self, Rank, SOFT_RANK_BYTES};

/// A rank for one thing and, rarely, new ranks of its neighbours.
pub(super) struct Placed<Id> {
    pub(super) rank: Rank,
    pub(super) moved: Vec<(Id, Rank)>,
}

fn no_room() -> Rejection {
    Rejection::new(
        Reason::Limit,
        "there is no room between these neighbours; place it elsewhere",
    )
}

/// Places `moving` among `items`, which are in order; `None` when it stands there already.
pub(super) fn among<Id: Copy + PartialEq>(
    items: &[(Id, &Rank)],
    moving: Option<Id>,
    place: Place<Id>,
) -> Result<Option<Placed<Id>>, Rejection> {
    let others: Vec<_> = items.iter().filter(|(id, _)| Some(*id) != moving).collect();
    let find = |id: Option<Id>| others.iter().position(|(other, _)| Some(*other) == id);
    let index = find(place.after)
        .map(|i| i + 1)
        .or_else(|| find(place.before));
    let index = index.unwrap_or(others.len());
    if let Some(old) = items.iter().position(|(id, _)| Some(*id) == moving)
        && old == index
    {
        return Ok(None);
    }
    let ranks: Vec<_> = others.iter().map(|(_, rank)| *rank).collect();
    let placement = order::place(&ranks, index).ok_or_else(no_room)?;
    let moved = placement
        .moved
        .into_iter()
        .map(|(i, rank)| (others[i].0, rank))
        .collect();
    Ok(Some(Placed {
        rank: placement.rank,
        moved,
    }))
}

impl Deciding<'_> {
    /// Places a card in a column; `None` when it stands there already. Looks at two neighbours only,
    /// unless their ranks leave too little room.
    pub(super) fn in_lane(
        &self,
        column: ColumnId,
        moving: CardId,
        place: Place<CardId>,
    ) -> Result<Option<Placed<CardId>>, Rejection> {
        let empty = BTreeSet::new();
        let lane = self.board.lanes.get(&column).unwrap_or(&empty);
        let cards = &self.board.view().cards;
        let key_of = |id: Option<CardId>| {
            let card = cards.get(&id?)?;
            (card.column == column && card.id != moving).then(|| (card.rank.clone(), card.id))
        };
        let next = |key: &(Rank, CardId)| {
            let mut above = lane.range((Excluded(key), Unbounded));
            above.find(|(_, id)| *id != moving).cloned()
        };
        let last = |key: Option<&(Rank, CardId)>| {
            let mut below = lane.range((Unbounded, key.map_or(Unbounded, Excluded)));
            below.rfind(|(_, id)| *id != moving).cloned()
        };
        let (low, high) = match (key_of(place.after), key_of(place.before)) {
            (Some(after), _) => (Some(after.clone()), next(&after)),
            (None, Some(before)) => (last(Some(&before)), Some(before)),
            (None, None) => (last(None), None),
        };
        if let Some(card) = cards.get(&moving).filter(|card| card.column == column) {
            let key = (card.rank.clone(), card.id);
            if low.as_ref().is_none_or(|low| *low < key)
                && high.as_ref().is_none_or(|high| key < *high)
            {
                return Ok(None);
            }
        }
        let rank = |key: &Option<(Rank, CardId)>| key.as_ref().map(|(rank, _)| rank.clone());
        if let Some(rank) = order::between(rank(&low).as_ref(), rank(&high).as_ref())
            && rank.as_str().len() <= SOFT_RANK_BYTES
        {
            let moved = Vec::new();
            return Ok(Some(Placed { rank, moved }));
        }
        let others: Vec<_> = lane.iter().filter(|(_, id)| *id != moving).collect();
        let index = others.iter().position(|key| Some(*key) == high.as_ref());
        let ranks: Vec<_> = others.iter().map(|(rank, _)| rank).collect();
        let index = index.unwrap_or(ranks.len());
        let placement = order::place(&ranks, index).ok_or_else(no_room)?;
        let moved = placement.moved.into_iter();
        let moved = moved.map(|(i, rank)| (others[i].1, rank)).collect();
        Ok(Some(Placed {
            rank: placement.rank,
            moved,
        }))
    }
}

/// Events that give neighbours their new ranks.
pub(super) fn ranked(moved: Vec<(CardId, Rank)>) -> impl Iterator<Item = Event> {
    moved
        .into_iter()
        .map(|(card, rank)| Event::CardRanked { card, rank })
}
