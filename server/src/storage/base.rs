//! The board from which the log is replayed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use boardcast_protocol::board::{Board, Detail, View};
use boardcast_protocol::ids::{AnyId, CardId};

/// A whole board as text: `bases.doc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    pub(super) view: View,
    pub(super) details: BTreeMap<CardId, Detail>,
    pub(super) buried: BTreeSet<AnyId>,
}

impl From<&Board> for Base {
    fn from(board: &Board) -> Self {
        Self {
            view: board.view().clone(),
            details: board.details().clone(),
            buried: board.buried().clone(),
        }
    }
}

impl From<Base> for Board {
    fn from(base: Base) -> Self {
        Self::new(base.view, base.details, base.buried)
    }
}
