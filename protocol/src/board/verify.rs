//! Whether a board that did not grow by commands keeps the rules that commands keep.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::decide::check;
use super::decide::details::check_weight;
use super::decide::tags::{check_field, check_label, check_sprint};
use super::{
    Board, Card, CardField, Checklist, Detail, DetailMark, FieldKind, FieldValue, Rejection, View,
};
use crate::ids::CardId;
use crate::limits::{
    CARD_ASSIGNEES_MAX, CARD_ATTACHMENTS_MAX, CARD_BLOCKERS_MAX, CARD_CHECKLISTS_MAX,
    CARD_COMMENTS_MAX, CARD_LABELS_MAX, CARDS_MAX, CHECKLIST_ITEMS_MAX, COLUMNS_MAX, FIELDS_MAX,
    LABELS_MAX, MEMBERS_MAX, SPRINTS_MAX,
};

/// A rule that a board breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {hint}")]
pub struct Fault {
    /// Where, as in an export: `columns[2].cards[5].labels`, counted from 0.
    pub path: String,
    /// What is wrong and what would be right.
    pub hint: String,
}

impl Fault {
    pub(super) fn new(path: impl Display, hint: impl Display) -> Self {
        Self {
            path: path.to_string(),
            hint: hint.to_string(),
        }
    }
}

fn at<T>(path: impl Display, result: Result<T, Rejection>) -> Result<T, Fault> {
    result.map_err(|rejection| Fault::new(path, rejection.hint))
}

fn at_most(path: impl Display, count: usize, max: usize) -> Result<(), Fault> {
    if count > max {
        return Err(Fault::new(
            path,
            format_args!("there are {count}; at most {max} are allowed"),
        ));
    }
    Ok(())
}

impl Board {
    /// Checks every limit, every reference and every order of the board.
    ///
    /// # Errors
    /// The first fault, by its place in an export.
    pub fn verify(&self) -> Result<(), Fault> {
        let view = self.view();
        at("title", check::title("title", &view.title))?;
        if let Some(background) = &view.background {
            at("background", check::name("background", background))?;
        }
        verify_tags(view)?;
        self.verify_columns()?;
        let mut numbers = BTreeSet::new();
        for (c, column) in self.columns().into_iter().enumerate() {
            for (k, card) in self.lane(column.id).enumerate() {
                let path = format!("columns[{c}].cards[{k}]");
                if card.number == 0 || !numbers.insert(card.number) {
                    let hint = format!("the number {} is 0 or stands twice", card.number);
                    return Err(Fault::new(format_args!("{path}.number"), hint));
                }
                self.verify_card(card, &path)?;
            }
        }
        if numbers.last().is_some_and(|last| view.next_number <= *last) {
            let hint = format!("it is {}, but a card has that or more", view.next_number);
            return Err(Fault::new("next_number", hint));
        }
        self.verify_no_cycles()
    }

    fn verify_columns(&self) -> Result<(), Fault> {
        let view = self.view();
        at_most("columns", view.columns.len(), COLUMNS_MAX)?;
        at_most("cards", view.cards.len(), CARDS_MAX)?;
        let columns = self.columns();
        for (c, column) in columns.iter().enumerate() {
            at(
                format_args!("columns[{c}].title"),
                check::title("title", &column.title),
            )?;
            at(format_args!("columns[{c}].wip"), check::wip(column.wip))?;
            if c > 0 && columns[c - 1].rank == column.rank {
                return Err(Fault::new(
                    format_args!("columns[{c}].rank"),
                    "two columns have this rank",
                ));
            }
        }
        for card in view.cards.values() {
            if !view.columns.contains_key(&card.column) {
                let hint = format!("there is no column {}", card.column);
                return Err(Fault::new(format_args!("card {}", card.id), hint));
            }
        }
        let placed: usize = columns
            .iter()
            .map(|column| self.lane(column.id).count())
            .sum();
        if placed != view.cards.len() {
            return Err(Fault::new("columns", "two cards of a column have one rank"));
        }
        Ok(())
    }

    pub(super) fn verify_card(&self, card: &Card, path: &str) -> Result<(), Fault> {
        let view = self.view();
        at(
            format_args!("{path}.title"),
            check::title("title", &card.title),
        )?;
        ascending(&card.labels, format_args!("{path}.labels"), "label", |id| {
            view.labels.contains_key(id)
        })?;
        ascending(
            &card.assignees,
            format_args!("{path}.assignees"),
            "member",
            |id| view.members.contains_key(id),
        )?;
        ascending(
            &card.blocked_by,
            format_args!("{path}.blocked_by"),
            "card",
            |id| view.cards.contains_key(id),
        )?;
        at_most(
            format_args!("{path}.labels"),
            card.labels.len(),
            CARD_LABELS_MAX,
        )?;
        at_most(
            format_args!("{path}.assignees"),
            card.assignees.len(),
            CARD_ASSIGNEES_MAX,
        )?;
        at_most(
            format_args!("{path}.blocked_by"),
            card.blocked_by.len(),
            CARD_BLOCKERS_MAX,
        )?;
        if let Some(parent) = card.parent.filter(|id| !view.cards.contains_key(id)) {
            let hint = format!("there is no card {parent}");
            return Err(Fault::new(format_args!("{path}.parent"), hint));
        }
        if let Some(sprint) = card.sprint.filter(|id| !view.sprints.contains_key(id)) {
            let hint = format!("there is no sprint {sprint}");
            return Err(Fault::new(format_args!("{path}.sprint"), hint));
        }
        if let Some(points) = card.estimate {
            at(format_args!("{path}.estimate"), check::estimate(points))?;
        }
        if let Some(cover) = &card.cover {
            at(format_args!("{path}.cover"), check::name("cover", cover))?;
        }
        self.verify_values(card, path)?;
        self.verify_checklists(card, path)?;
        self.verify_attachments(card, path)?;
        self.verify_detail(card, path)
    }

    fn verify_values(&self, card: &Card, path: &str) -> Result<(), Fault> {
        for (f, CardField { id, value }) in card.fields.iter().enumerate() {
            let path = format!("{path}.fields[{f}]");
            if f > 0 && card.fields[f - 1].id >= *id {
                return Err(Fault::new(path, "values stand sorted by field, each once"));
            }
            let Some(field) = self.view().fields.get(id) else {
                return Err(Fault::new(path, format_args!("there is no field {id}")));
            };
            let fits = match (field.kind, value) {
                (FieldKind::Text, FieldValue::Text(text)) => {
                    at(&path, check::text("value", text))?;
                    true
                }
                (FieldKind::Number, FieldValue::Number(number)) => {
                    at(&path, check::decimal(number))?;
                    true
                }
                (FieldKind::List, FieldValue::Option(id)) => {
                    field.options.iter().any(|option| option.id == *id)
                }
                (FieldKind::Checkbox, FieldValue::Checkbox(_))
                | (FieldKind::Date, FieldValue::Date(_)) => true,
                (
                    FieldKind::Text
                    | FieldKind::Number
                    | FieldKind::List
                    | FieldKind::Checkbox
                    | FieldKind::Date,
                    _,
                ) => false,
            };
            if !fits {
                let hint = format!("the value does not fit the field {:?}", field.name);
                return Err(Fault::new(path, hint));
            }
        }
        Ok(())
    }

    fn verify_checklists(&self, card: &Card, path: &str) -> Result<(), Fault> {
        let lists = &card.checklists;
        at_most(
            format_args!("{path}.checklists"),
            lists.len(),
            CARD_CHECKLISTS_MAX,
        )?;
        let ranks: BTreeSet<_> = lists.values().map(|list| &list.rank).collect();
        if ranks.len() != lists.len() {
            let hint = "two checklists have one rank";
            return Err(Fault::new(format_args!("{path}.checklists"), hint));
        }
        for (l, list) in lists.values().enumerate() {
            self.verify_checklist(list, &format!("{path}.checklists[{l}]"))?;
        }
        Ok(())
    }

    fn verify_checklist(&self, list: &Checklist, path: &str) -> Result<(), Fault> {
        at(
            format_args!("{path}.title"),
            check::title("title", &list.title),
        )?;
        at_most(
            format_args!("{path}.items"),
            list.items.len(),
            CHECKLIST_ITEMS_MAX,
        )?;
        let ranks: BTreeSet<_> = list.items.values().map(|item| &item.rank).collect();
        if ranks.len() != list.items.len() {
            let hint = "two items have one rank";
            return Err(Fault::new(format_args!("{path}.items"), hint));
        }
        for (i, item) in list.items.values().enumerate() {
            at(
                format_args!("{path}.items[{i}].text"),
                check::title("text", &item.text),
            )?;
            if let Some(user) = item.assignee
                && !self.view().members.contains_key(&user)
            {
                let hint = format!("there is no member {user}");
                return Err(Fault::new(format_args!("{path}.items[{i}].assignee"), hint));
            }
        }
        Ok(())
    }

    fn verify_attachments(&self, card: &Card, path: &str) -> Result<(), Fault> {
        let attachments = &card.attachments;
        at_most(
            format_args!("{path}.attachments"),
            attachments.len(),
            CARD_ATTACHMENTS_MAX,
        )?;
        for (a, attachment) in attachments.values().enumerate() {
            let path = format!("{path}.attachments[{a}]");
            at(
                format_args!("{path}.name"),
                check::title("name", &attachment.name),
            )?;
            if let Some(url) = &attachment.url {
                at(format_args!("{path}.url"), check::url(url))?;
            }
            if let Some(mime) = &attachment.mime {
                at(format_args!("{path}.mime"), check::name("media type", mime))?;
            }
        }
        Ok(())
    }

    fn verify_detail(&self, card: &Card, path: &str) -> Result<(), Fault> {
        let none = Detail::default();
        let detail = self.detail(card.id).unwrap_or(&none);
        let mark = DetailMark {
            rev: card.detail.rev,
            ..DetailMark::of(detail)
        };
        if card.detail != mark {
            let hint = "the mark of the detail does not fit the detail";
            return Err(Fault::new(format_args!("{path}.detail"), hint));
        }
        at(
            format_args!("{path}.description"),
            check::text("description", &detail.description),
        )?;
        at_most(
            format_args!("{path}.comments"),
            detail.comments.len(),
            CARD_COMMENTS_MAX,
        )?;
        for (c, comment) in detail.comments.values().enumerate() {
            let path = format!("{path}.comments[{c}]");
            at(
                format_args!("{path}.text"),
                check::text("comment", &comment.text),
            )?;
            if let Some(author) = &comment.author {
                at(format_args!("{path}.author"), check::name("name", author))?;
            }
        }
        at(path, check_weight(detail))
    }

    fn verify_no_cycles(&self) -> Result<(), Fault> {
        let cards = &self.view().cards;
        for (what, links) in [
            ("parent", parents as fn(&Card) -> Vec<CardId>),
            ("blocked_by", blockers),
        ] {
            if let Some(card) = cycle(cards, links) {
                let number = cards.get(&card).map_or(0, |card| card.number);
                let hint = format!("the links of card #{number} lead back to the card itself");
                return Err(Fault::new(what, hint));
            }
        }
        Ok(())
    }
}

fn parents(card: &Card) -> Vec<CardId> {
    card.parent.into_iter().collect()
}

fn blockers(card: &Card) -> Vec<CardId> {
    card.blocked_by.clone()
}

/// A card on a circle of links, found with a stack of its own: chains may be as long as the board.
fn cycle(cards: &BTreeMap<CardId, Card>, links: fn(&Card) -> Vec<CardId>) -> Option<CardId> {
    let mut done = BTreeSet::new();
    for start in cards.keys() {
        let mut open = BTreeSet::new();
        let mut stack = vec![(*start, false)];
        while let Some((id, left)) = stack.pop() {
            if left {
                open.remove(&id);
                done.insert(id);
                continue;
            }
            if open.contains(&id) {
                return Some(id);
            }
            if done.contains(&id) {
                continue;
            }
            open.insert(id);
            stack.push((id, true));
            let next = cards.get(&id).map(links).unwrap_or_default();
            stack.extend(next.into_iter().map(|next| (next, false)));
        }
    }
    None
}

fn ascending<Id: Ord + Display>(
    ids: &[Id],
    path: impl Display,
    what: &str,
    exists: impl Fn(&Id) -> bool,
) -> Result<(), Fault> {
    if ids.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Fault::new(path, "ids stand sorted, each once"));
    }
    match ids.iter().find(|id| !exists(id)) {
        Some(id) => Err(Fault::new(path, format_args!("there is no {what} {id}"))),
        None => Ok(()),
    }
}

fn verify_tags(view: &View) -> Result<(), Fault> {
    at_most("members", view.members.len(), MEMBERS_MAX)?;
    at_most("labels", view.labels.len(), LABELS_MAX)?;
    at_most("fields", view.fields.len(), FIELDS_MAX)?;
    at_most("sprints", view.sprints.len(), SPRINTS_MAX)?;
    for (m, member) in view.members.values().enumerate() {
        at(
            format_args!("members[{m}].name"),
            check::name("name", &member.name),
        )?;
    }
    for (l, label) in view.labels.values().enumerate() {
        at(format_args!("labels[{l}]"), check_label(label))?;
    }
    for (f, field) in view.fields.values().enumerate() {
        at(format_args!("fields[{f}]"), check_field(field))?;
    }
    for (s, sprint) in view.sprints.values().enumerate() {
        at(format_args!("sprints[{s}]"), check_sprint(sprint))?;
    }
    Ok(())
}
