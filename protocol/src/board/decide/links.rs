//! Links from card to card: blockers and parents. They never lead back to their own card.

use std::collections::BTreeSet;

use super::super::{Card, Reason, Rejection};
use super::cards::at_most;
use super::{CardPatch, Deciding, Decision, set, toggled};
use crate::ids::CardId;
use crate::limits::{CARD_BLOCKERS_MAX, LINKED_CARDS_MAX};

impl Deciding<'_> {
    pub(super) fn card_block(&self, id: CardId, by: CardId, on: bool) -> Decision {
        let card = self.card(id)?;
        self.card(by)?;
        if on {
            self.check_no_cycle(id, by, |card| card.blocked_by.iter())?;
        }
        let blockers = toggled(&card.blocked_by, by, on);
        let count = blockers.as_ref().map_or(0, Vec::len);
        at_most("blockers of a card", count, CARD_BLOCKERS_MAX)?;
        Ok(blockers
            .map(|cards| {
                set(
                    id,
                    CardPatch {
                        blocked_by: Some(cards),
                        ..CardPatch::default()
                    },
                )
            })
            .into_iter()
            .collect())
    }

    /// Whether following `links` from `start` never comes to `card`.
    pub(in crate::board) fn check_no_cycle<'b, I>(
        &'b self,
        card: CardId,
        start: CardId,
        links: impl Fn(&'b Card) -> I,
    ) -> Result<(), Rejection>
    where
        I: Iterator<Item = &'b CardId>,
    {
        let mut visited = BTreeSet::new();
        let mut open = vec![start];
        while let Some(next) = open.pop() {
            if next == card {
                let hint = "the link would lead back to the card itself";
                return Err(Rejection::new(Reason::Cycle, hint));
            }
            if visited.len() > LINKED_CARDS_MAX {
                return Err(Rejection::limit(
                    "cards in a row of links",
                    LINKED_CARDS_MAX,
                ));
            }
            if visited.insert(next)
                && let Some(found) = self.board.view().cards.get(&next)
            {
                open.extend(links(found).copied());
            }
        }
        Ok(())
    }
}
