//! Where a thing goes among its neighbours: right after `after`, else right before `before`, else at
//! the end; a neighbour that is not there any more is passed over. Only the server makes ranks.

use serde::{Deserialize, Serialize};

/// Between which neighbours a thing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place<Id> {
    /// The neighbour right before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Id>,
    /// The neighbour right behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Id>,
}

impl<Id> Default for Place<Id> {
    fn default() -> Self {
        Self {
            after: None,
            before: None,
        }
    }
}

impl<Id> Place<Id> {
    /// Right after a neighbour.
    pub fn after(id: Id) -> Self {
        Self {
            after: Some(id),
            before: None,
        }
    }

    /// Right before a neighbour.
    pub fn before(id: Id) -> Self {
        Self {
            after: None,
            before: Some(id),
        }
    }

    pub(super) fn is_end(&self) -> bool {
        self.after.is_none() && self.before.is_none()
    }
}
