//! Commands about what cards are sorted by: labels, custom fields, sprints.

use super::super::{Field, FieldKind, FieldOption, FieldValue, Label, Reason, Rejection, Sprint};
use super::{CardPatch, Deciding, Decision, check, exists, set, toggled};
use crate::event::Event;
use crate::ids::{FieldId, LabelId, SprintId};
use crate::limits::{FIELDS_MAX, LABELS_MAX, OPTIONS_MAX, SPRINTS_MAX};
use crate::position::Timestamp;

impl Deciding<'_> {
    pub(super) fn label_create(&self, id: LabelId, name: &str, color: Option<&str>) -> Decision {
        let labels = &self.board.view().labels;
        if labels.contains_key(&id) {
            return Err(exists("label", id));
        }
        self.check_unused(id)?;
        if labels.len() >= LABELS_MAX {
            return Err(Rejection::limit("labels", LABELS_MAX));
        }
        let label = Label {
            id,
            name: name.to_owned(),
            color: color.map(str::to_owned),
        };
        check_label(&label)?;
        Ok(vec![Event::LabelPut { label }])
    }

    pub(super) fn label_set(
        &self,
        id: LabelId,
        name: Option<&str>,
        color: Option<&Option<String>>,
    ) -> Decision {
        let old = self.label(id)?;
        let mut label = old.clone();
        if let Some(name) = name {
            name.clone_into(&mut label.name);
        }
        if let Some(color) = color {
            label.color.clone_from(color);
        }
        check_label(&label)?;
        if label == *old {
            return Ok(Vec::new());
        }
        Ok(vec![Event::LabelPut { label }])
    }

    pub(super) fn label_remove(&self, id: LabelId) -> Decision {
        self.label(id)?;
        self.check_grave()?;
        let cards = self.board.view().cards.values();
        let mut events: Vec<_> = cards
            .filter_map(|card| {
                let labels = Some(toggled(&card.labels, id, false)?);
                Some(set(
                    card.id,
                    CardPatch {
                        labels,
                        ..CardPatch::default()
                    },
                ))
            })
            .collect();
        events.push(Event::LabelRemoved { label: id });
        Ok(events)
    }

    pub(super) fn label(&self, id: LabelId) -> Result<&Label, Rejection> {
        self.board
            .view()
            .labels
            .get(&id)
            .ok_or_else(|| Rejection::not_found("label", id))
    }

    pub(super) fn field_create(
        &self,
        id: FieldId,
        name: &str,
        kind: FieldKind,
        options: &[FieldOption],
    ) -> Decision {
        let fields = &self.board.view().fields;
        if fields.contains_key(&id) {
            return Err(exists("field", id));
        }
        self.check_unused(id)?;
        if fields.len() >= FIELDS_MAX {
            return Err(Rejection::limit("custom fields", FIELDS_MAX));
        }
        let field = Field {
            id,
            name: name.to_owned(),
            kind,
            options: options.to_vec(),
        };
        check_field(&field)?;
        Ok(vec![Event::FieldPut { field }])
    }

    pub(super) fn field_set(
        &self,
        id: FieldId,
        name: Option<&str>,
        options: Option<&[FieldOption]>,
    ) -> Decision {
        let old = self.field(id)?;
        let mut field = old.clone();
        if let Some(name) = name {
            name.clone_into(&mut field.name);
        }
        if let Some(options) = options {
            field.options = options.to_vec();
        }
        check_field(&field)?;
        let gone = |value: &FieldValue| matches!(value, FieldValue::Option(id) if field.options.iter().all(|o| o.id != *id));
        for card in self.board.view().cards.values() {
            if card
                .fields
                .iter()
                .any(|value| value.id == id && gone(&value.value))
            {
                let hint = format!("card #{} has an option that would be gone", card.number);
                return Err(Rejection::new(Reason::NotEmpty, hint));
            }
        }
        if field == *old {
            return Ok(Vec::new());
        }
        Ok(vec![Event::FieldPut { field }])
    }

    pub(super) fn field_remove(&self, id: FieldId) -> Decision {
        self.field(id)?;
        self.check_grave()?;
        let mut events = Vec::new();
        for card in self.board.view().cards.values() {
            if card.fields.iter().any(|value| value.id == id) {
                let fields = card
                    .fields
                    .iter()
                    .filter(|value| value.id != id)
                    .cloned()
                    .collect();
                let patch = CardPatch {
                    fields: Some(fields),
                    ..CardPatch::default()
                };
                events.push(set(card.id, patch));
            }
        }
        events.push(Event::FieldRemoved { field: id });
        Ok(events)
    }

    pub(super) fn field(&self, id: FieldId) -> Result<&Field, Rejection> {
        self.board
            .view()
            .fields
            .get(&id)
            .ok_or_else(|| Rejection::not_found("custom field", id))
    }

    pub(super) fn sprint_create(
        &self,
        id: SprintId,
        title: &str,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Decision {
        let sprints = &self.board.view().sprints;
        if sprints.contains_key(&id) {
            return Err(exists("sprint", id));
        }
        self.check_unused(id)?;
        if sprints.len() >= SPRINTS_MAX {
            return Err(Rejection::limit("sprints", SPRINTS_MAX));
        }
        let sprint = Sprint {
            id,
            title: title.to_owned(),
            start,
            end,
        };
        check_sprint(&sprint)?;
        Ok(vec![Event::SprintPut { sprint }])
    }

    pub(super) fn sprint_set(
        &self,
        id: SprintId,
        title: Option<&str>,
        start: Option<Option<Timestamp>>,
        end: Option<Option<Timestamp>>,
    ) -> Decision {
        let old = self.sprint(id)?;
        let mut sprint = old.clone();
        if let Some(title) = title {
            title.clone_into(&mut sprint.title);
        }
        sprint.start = start.unwrap_or(sprint.start);
        sprint.end = end.unwrap_or(sprint.end);
        check_sprint(&sprint)?;
        if sprint == *old {
            return Ok(Vec::new());
        }
        Ok(vec![Event::SprintPut { sprint }])
    }

    pub(super) fn sprint_remove(&self, id: SprintId) -> Decision {
        self.sprint(id)?;
        self.check_grave()?;
        let cards = self
            .board
            .view()
            .cards
            .values()
            .filter(|card| card.sprint == Some(id));
        let out = CardPatch {
            sprint: Some(None),
            ..CardPatch::default()
        };
        let mut events: Vec<_> = cards.map(|card| set(card.id, out.clone())).collect();
        events.push(Event::SprintRemoved { sprint: id });
        Ok(events)
    }

    pub(super) fn sprint(&self, id: SprintId) -> Result<&Sprint, Rejection> {
        self.board
            .view()
            .sprints
            .get(&id)
            .ok_or_else(|| Rejection::not_found("sprint", id))
    }
}

pub(in crate::board) fn check_label(label: &Label) -> Result<(), Rejection> {
    check::optional_title("label", &label.name)?;
    label
        .color
        .as_deref()
        .map_or(Ok(()), |color| check::name("colour", color))
}

pub(in crate::board) fn check_field(field: &Field) -> Result<(), Rejection> {
    check::title("name", &field.name)?;
    if field.options.len() > OPTIONS_MAX {
        return Err(Rejection::limit("options of a field", OPTIONS_MAX));
    }
    if field.kind != FieldKind::List && !field.options.is_empty() {
        let hint = "only a field of kind list has options";
        return Err(Rejection::new(Reason::Invalid, hint));
    }
    for (index, option) in field.options.iter().enumerate() {
        check::title("name", &option.name)?;
        option
            .color
            .as_deref()
            .map_or(Ok(()), |color| check::name("colour", color))?;
        if field
            .options
            .iter()
            .take(index)
            .any(|other| other.id == option.id)
        {
            return Err(exists("option", option.id));
        }
    }
    Ok(())
}

pub(in crate::board) fn check_sprint(sprint: &Sprint) -> Result<(), Rejection> {
    check::title("title", &sprint.title)?;
    if let (Some(start), Some(end)) = (sprint.start, sprint.end)
        && end < start
    {
        return Err(Rejection::new(
            Reason::Invalid,
            "a sprint ends after it has started",
        ));
    }
    Ok(())
}
