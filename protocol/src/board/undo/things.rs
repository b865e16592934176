//! What was done to the board itself, its members, columns, labels, fields and sprints.

use super::super::{Column, Rejection, Sprint};
use super::{Step, Undoing, absent, back, free, room, there, unchanged};
use crate::command::Command;
use crate::event::Event;
use crate::ids::ColumnId;
use crate::limits::{COLUMNS_MAX, FIELDS_MAX, LABELS_MAX, SPRINTS_MAX};
use crate::order::Rank;

impl Undoing<'_> {
    pub(super) fn board_set(&self, did: &Event, was: &Event) -> Step {
        let view = self.board.view();
        let (
            Event::BoardSet {
                title,
                background,
                archived,
            },
            Event::BoardSet {
                title: old_title,
                background: old_background,
                archived: was_archived,
            },
        ) = (did, was)
        else {
            return Err(self.not_undone());
        };
        fn part<T: Clone + PartialEq>(
            what: &str,
            (did, was, now): (&Option<T>, &Option<T>, &T),
        ) -> Result<Option<T>, Rejection> {
            let (Some(did), Some(was)) = (did, was) else {
                return Ok(None);
            };
            back(what, (did, was, now))
        }
        let title = part("title of the board", (title, old_title, &view.title))?;
        let background = part("background", (background, old_background, &view.background))?;
        let archived = part("archived board", (archived, was_archived, &view.archived))?;
        if title.is_none() && background.is_none() && archived.is_none() {
            return Ok(Vec::new());
        }
        if view.archived && archived.is_none() {
            return Err(Rejection::archived());
        }
        Ok(vec![Event::BoardSet {
            title,
            background,
            archived,
        }])
    }

    pub(super) fn member(&self, did: &Event, was: &Event) -> Step {
        let members = &self.board.view().members;
        let command = match (did, was) {
            (Event::MemberPut { member }, Event::MemberRemoved { user }) => {
                unchanged("member", member, members.get(user))?;
                return self.take_away(&Command::MemberRemove { user: *user }, &member.name);
            }
            (Event::MemberPut { member }, Event::MemberPut { member: old }) => {
                let now = there("member", members.get(&old.id))?;
                let name = back("name of the member", (&member.name, &old.name, &now.name))?;
                let role = back("role of the member", (&member.role, &old.role, &now.role))?;
                Command::MemberAdd {
                    user: old.id,
                    name,
                    role: role.unwrap_or(now.role),
                }
            }
            (Event::MemberRemoved { .. }, Event::MemberPut { member: old }) => {
                absent("member", members.get(&old.id))?;
                Command::MemberAdd {
                    user: old.id,
                    name: Some(old.name.clone()),
                    role: old.role,
                }
            }
            _ => return Err(self.not_undone()),
        };
        super::decide(self.board, self.actor, &command, self.now)
    }

    pub(super) fn column(&self, did: &Event, was: &Event) -> Step {
        let columns = &self.board.view().columns;
        let column = match (did, was) {
            (Event::ColumnPut { column }, Event::ColumnRemoved { column: id }) => {
                unchanged("column", column, columns.get(id))?;
                return self.take_away(&Command::ColumnRemove { column: *id }, &column.title);
            }
            (Event::ColumnPut { column: did }, Event::ColumnPut { column: was }) => {
                let now = there("column", columns.get(&was.id))?;
                let rank = match back("place of the column", (&did.rank, &was.rank, &now.rank))? {
                    Some(rank) => self.free_among_columns(was.id, &rank)?,
                    None => now.rank.clone(),
                };
                let title = back("title of the column", (&did.title, &was.title, &now.title))?;
                let wip = back("limit of the column", (&did.wip, &was.wip, &now.wip))?;
                let done = back("done column", (&did.done, &was.done, &now.done))?;
                let archived = (&did.archived, &was.archived, &now.archived);
                let archived = back("archived column", archived)?;
                let column = Column {
                    id: now.id,
                    title: title.unwrap_or_else(|| now.title.clone()),
                    rank,
                    wip: wip.unwrap_or(now.wip),
                    done: done.unwrap_or(now.done),
                    archived: archived.unwrap_or(now.archived),
                };
                if column == *now {
                    return Ok(Vec::new());
                }
                column
            }
            (Event::ColumnRemoved { .. }, Event::ColumnPut { column: was }) => {
                absent("column", columns.get(&was.id))?;
                room("columns", columns.len(), COLUMNS_MAX)?;
                Column {
                    rank: self.free_among_columns(was.id, &was.rank)?,
                    ..was.clone()
                }
            }
            _ => return Err(self.not_undone()),
        };
        Ok(vec![Event::ColumnPut { column }])
    }

    fn free_among_columns(&self, id: ColumnId, wanted: &Rank) -> Result<Rank, Rejection> {
        let columns = self.board.view().columns.values();
        free(
            wanted,
            columns
                .filter(|other| other.id != id)
                .map(|other| &other.rank),
        )
    }

    pub(super) fn label(&self, did: &Event, was: &Event) -> Step {
        let labels = &self.board.view().labels;
        match (did, was) {
            (Event::LabelPut { label }, Event::LabelRemoved { label: id }) => {
                unchanged("label", label, labels.get(id))?;
                self.take_away(&Command::LabelRemove { label: *id }, &label.name)
            }
            (Event::LabelPut { label: did }, Event::LabelPut { label: was }) => {
                let now = there("label", labels.get(&was.id))?;
                let command = Command::LabelSet {
                    label: was.id,
                    name: back("name of the label", (&did.name, &was.name, &now.name))?,
                    color: back("colour of the label", (&did.color, &was.color, &now.color))?,
                };
                super::decide(self.board, self.actor, &command, self.now)
            }
            (Event::LabelRemoved { .. }, Event::LabelPut { label: was }) => {
                absent("label", labels.get(&was.id))?;
                room("labels", labels.len(), LABELS_MAX)?;
                Ok(vec![Event::LabelPut { label: was.clone() }])
            }
            _ => Err(self.not_undone()),
        }
    }

    pub(super) fn field(&self, did: &Event, was: &Event) -> Step {
        let fields = &self.board.view().fields;
        match (did, was) {
            (Event::FieldPut { field }, Event::FieldRemoved { field: id }) => {
                unchanged("custom field", field, fields.get(id))?;
                self.take_away(&Command::FieldRemove { field: *id }, &field.name)
            }
            (Event::FieldPut { field: did }, Event::FieldPut { field: was }) => {
                let now = there("custom field", fields.get(&was.id))?;
                let command = Command::FieldSet {
                    field: was.id,
                    name: back("name of the field", (&did.name, &was.name, &now.name))?,
                    options: back("options", (&did.options, &was.options, &now.options))?,
                };
                super::decide(self.board, self.actor, &command, self.now)
            }
            (Event::FieldRemoved { .. }, Event::FieldPut { field: was }) => {
                absent("custom field", fields.get(&was.id))?;
                room("custom fields", fields.len(), FIELDS_MAX)?;
                Ok(vec![Event::FieldPut { field: was.clone() }])
            }
            _ => Err(self.not_undone()),
        }
    }

    pub(super) fn sprint(&self, did: &Event, was: &Event) -> Step {
        let sprints = &self.board.view().sprints;
        match (did, was) {
            (Event::SprintPut { sprint }, Event::SprintRemoved { sprint: id }) => {
                unchanged("sprint", sprint, sprints.get(id))?;
                self.take_away(&Command::SprintRemove { sprint: *id }, &sprint.title)
            }
            (Event::SprintPut { sprint: did }, Event::SprintPut { sprint: was }) => {
                let now: &Sprint = there("sprint", sprints.get(&was.id))?;
                let command = Command::SprintSet {
                    sprint: was.id,
                    title: back("title of the sprint", (&did.title, &was.title, &now.title))?,
                    start: back("start of the sprint", (&did.start, &was.start, &now.start))?,
                    end: back("end of the sprint", (&did.end, &was.end, &now.end))?,
                };
                super::decide(self.board, self.actor, &command, self.now)
            }
            (Event::SprintRemoved { .. }, Event::SprintPut { sprint: was }) => {
                absent("sprint", sprints.get(&was.id))?;
                room("sprints", sprints.len(), SPRINTS_MAX)?;
                Ok(vec![Event::SprintPut {
                    sprint: was.clone(),
                }])
            }
            _ => Err(self.not_undone()),
        }
    }
}
