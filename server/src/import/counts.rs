//! How much a file holds.

use serde::{Deserialize, Serialize};

use boardcast_protocol::board::Board;

/// Things of which some are archived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Those that are not.
    pub open: usize,
    /// Those that are.
    pub archived: usize,
}

impl Tally {
    fn count(archived: impl Iterator<Item = bool>) -> Self {
        archived.fold(Self::default(), |mut sum, archived| {
            if archived {
                sum.archived += 1;
            } else {
                sum.open += 1;
            }
            sum
        })
    }
}

/// Counts of what a board holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Its columns.
    pub columns: Tally,
    /// Its cards; one is archived when it is marked so itself, whatever its column is.
    pub cards: Tally,
    /// Its labels.
    pub labels: usize,
    /// The checklists of all cards.
    pub checklists: usize,
    /// The items of all checklists.
    pub check_items: usize,
    /// The comments on all cards.
    pub comments: usize,
    /// The attachments of all cards.
    pub attachments: usize,
    /// Its members.
    pub members: usize,
}

impl Counts {
    /// Counts what the board holds.
    pub fn of(board: &Board) -> Self {
        let view = board.view();
        let cards = view.cards.values();
        let lists = cards.clone().flat_map(|card| card.checklists.values());
        Self {
            columns: Tally::count(view.columns.values().map(|column| column.archived)),
            cards: Tally::count(cards.clone().map(|card| card.archived)),
            labels: view.labels.len(),
            checklists: lists.clone().count(),
            check_items: lists.map(|list| list.items.len()).sum(),
            comments: board.details().values().map(|d| d.comments.len()).sum(),
            attachments: cards.map(|card| card.attachments.len()).sum(),
            members: view.members.len(),
        }
    }
}
