//! Commands about columns.

use super::super::{Column, Reason, Rejection, Wip, WipKind};
use super::placing::among;
use super::{Deciding, Decision, check, exists};
use crate::command::Place;
use crate::event::Event;
use crate::ids::ColumnId;
use crate::limits::COLUMNS_MAX;
use crate::order::Rank;

impl Deciding<'_> {
    pub(super) fn column(&self, column: ColumnId) -> Result<&Column, Rejection> {
        let found = self.board.view().columns.get(&column);
        found.ok_or_else(|| Rejection::not_found("column", column))
    }

    pub(super) fn column_create(
        &self,
        id: ColumnId,
        title: &str,
        wip: Option<Wip>,
        done: bool,
        place: Place<ColumnId>,
    ) -> Decision {
        let columns = &self.board.view().columns;
        if columns.contains_key(&id) {
            return Err(exists("column", id));
        }
        self.check_unused(id)?;
        check::title("title", title)?;
        check::wip(wip)?;
        if columns.len() >= COLUMNS_MAX {
            return Err(Rejection::limit("columns", COLUMNS_MAX));
        }
        let title = title.to_owned();
        let make = |rank| Column {
            id,
            title,
            rank,
            wip,
            done,
            archived: false,
        };
        self.place_column(None, place, make)
    }

    pub(super) fn column_set(
        &self,
        id: ColumnId,
        title: Option<&str>,
        wip: Option<Option<Wip>>,
        done: Option<bool>,
        archived: Option<bool>,
    ) -> Decision {
        let old = self.column(id)?;
        let mut column = old.clone();
        if let Some(title) = title {
            check::title("title", title)?;
            title.clone_into(&mut column.title);
        }
        if let Some(wip) = wip {
            check::wip(wip)?;
            column.wip = wip;
        }
        column.done = done.unwrap_or(column.done);
        column.archived = archived.unwrap_or(column.archived);
        if column == *old {
            return Ok(Vec::new());
        }
        Ok(vec![Event::ColumnPut { column }])
    }

    pub(super) fn column_move(&self, id: ColumnId, place: Place<ColumnId>) -> Decision {
        let column = self.column(id)?.clone();
        self.place_column(Some(id), place, |rank| Column { rank, ..column })
    }

    fn place_column(
        &self,
        moving: Option<ColumnId>,
        place: Place<ColumnId>,
        make: impl FnOnce(Rank) -> Column,
    ) -> Decision {
        let columns = self.board.columns();
        let items: Vec<_> = columns
            .iter()
            .map(|column| (column.id, &column.rank))
            .collect();
        let Some(placed) = among(&items, moving, place)? else {
            return Ok(Vec::new());
        };
        let mut events = Vec::new();
        for (id, rank) in placed.moved {
            events.push(Event::ColumnPut {
                column: Column {
                    rank,
                    ..self.column(id)?.clone()
                },
            });
        }
        events.push(Event::ColumnPut {
            column: make(placed.rank),
        });
        Ok(events)
    }

    pub(super) fn column_remove(&self, id: ColumnId) -> Decision {
        self.column(id)?;
        self.check_grave()?;
        let held = self.board.lane(id).count();
        if held > 0 {
            let hint = format!(
                "the column still holds {held} cards, archived ones included; move or delete them, \
                 or archive the column"
            );
            return Err(Rejection::new(Reason::NotEmpty, hint));
        }
        Ok(vec![Event::ColumnRemoved { column: id }])
    }

    /// Whether one more open card may come into the column.
    pub(in crate::board) fn check_takes_card(&self, id: ColumnId) -> Result<(), Rejection> {
        let column = self.column(id)?;
        if column.archived {
            let hint = "the column is archived; restore it first";
            return Err(Rejection::new(Reason::Invalid, hint));
        }
        if let Some(Wip {
            limit,
            kind: WipKind::Hard,
        }) = column.wip
        {
            let open = self.board.lane(id).filter(|card| !card.archived).count();
            if open >= limit as usize {
                let hint = format!("the column takes at most {limit} open cards and has {open}");
                return Err(Rejection::new(Reason::WipLimit, hint));
            }
        }
        Ok(())
    }
}
