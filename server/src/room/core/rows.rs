//! The parts of the board that are to be written behind.

use bytes::Bytes;
use serde::Serialize;

use boardcast_protocol::event::Entity;
use boardcast_protocol::position::{Timestamp, Version};

use super::Room;
use crate::planted::{Bug, planted};
use crate::storage::Rows;

impl Room {
    /// Whether something was changed that is not handed over as rows.
    pub(in crate::room) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || !self.buried.is_empty() || self.clients.is_dirty()
    }

    /// The parts that were changed since the last time, as they stand at the last version. To be
    /// called when every version was handed to the journal.
    pub(in crate::room) fn take_rows(&mut self) -> Option<Rows> {
        if !self.is_dirty() {
            return None;
        }
        let parts = std::mem::take(&mut self.dirty)
            .into_iter()
            .map(|entity| (entity, self.part(entity)))
            .collect();
        Some(Rows {
            version: if planted(Bug::RowsNewerThanClaimed) {
                Version(self.feed.version().0.saturating_sub(1))
            } else {
                self.feed.version()
            },
            parts,
            touched: std::mem::take(&mut self.touched).into_iter().collect(),
            buried: std::mem::take(&mut self.buried),
            clients: self.clients.take_dirty(),
        })
    }

    /// Pairs of card and version that the next rows hold.
    pub(in crate::room) fn touched(&self) -> usize {
        self.touched.len()
    }

    /// All rows that were handed over are on the disk.
    pub(in crate::room) fn rows_are_written(&mut self) {
        self.clients.written();
    }

    /// The journal had no place for the rows.
    pub(in crate::room) fn give_back(&mut self, rows: Rows) {
        self.dirty
            .extend(rows.parts.into_iter().map(|(entity, _)| entity));
        self.touched.extend(rows.touched);
        let newer = std::mem::replace(&mut self.buried, rows.buried);
        self.buried.extend(newer);
        self.clients.give_back(&rows.clients);
    }

    /// Lets go of what is only kept for joiners and for those who come back, once it is old.
    pub(in crate::room) fn rest(&mut self, now: Timestamp) {
        let time = Timestamp(now.0.saturating_sub(self.limits.recent_ms));
        self.feed.rest(self.flushed, time);
        self.deeds.rest();
        self.rest_shown();
    }

    fn part(&self, entity: Entity) -> Option<Bytes> {
        let view = self.board.view();
        match entity {
            Entity::Board => json(Some(&view.head())),
            Entity::Member(id) => json(view.members.get(&id)),
            Entity::Column(id) => json(view.columns.get(&id)),
            Entity::Label(id) => json(view.labels.get(&id)),
            Entity::Field(id) => json(view.fields.get(&id)),
            Entity::Sprint(id) => json(view.sprints.get(&id)),
            Entity::Card(id) => json(view.cards.get(&id)),
            Entity::Detail(id) => json(self.board.detail(id)),
        }
    }
}

fn json<T: Serialize>(part: Option<&T>) -> Option<Bytes> {
    // The model holds no map with keys that are not strings, the only case that fails.
    part.and_then(|part| serde_json::to_vec(part).ok())
        .map(Bytes::from)
}
