//! What has happened becomes what is: assignments, nothing else (rule R14).

use super::{Board, Card, CardKey, Checklist, ColumnId, Detail, Rank, Stamp, View};
use crate::event::{CardPatch, Entity, Event};
use crate::ids::{CardId, ChecklistId};
use crate::position::Version;

/// The head of a version: what its events do not repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The version.
    pub version: Version,
    /// Its author and time.
    pub stamp: Stamp,
}

/// An event that does not fit the board: it comes from another history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event changes {0:?}, which is not on the board")]
pub struct ApplyError(pub Entity);

impl View {
    /// Assigns what the event states.
    ///
    /// # Errors
    /// The event changes a thing that is not there; the view is as before.
    pub fn apply(&mut self, moment: Moment, event: &Event) -> Result<(), ApplyError> {
        match event {
            Event::BoardSet {
                title,
                background,
                archived,
            } => {
                assign(&mut self.title, title);
                assign(&mut self.background, background);
                assign(&mut self.archived, archived);
            }
            Event::MemberPut { member } => {
                self.members.insert(member.id, member.clone());
            }
            Event::MemberRemoved { user } => {
                self.members
                    .remove(user)
                    .ok_or(ApplyError(Entity::Member(*user)))?;
            }
            Event::ColumnPut { column } => {
                self.columns.insert(column.id, column.clone());
            }
            Event::ColumnRemoved { column } => {
                self.columns
                    .remove(column)
                    .ok_or(ApplyError(Entity::Column(*column)))?;
            }
            Event::LabelPut { label } => {
                self.labels.insert(label.id, label.clone());
            }
            Event::LabelRemoved { label } => {
                self.labels
                    .remove(label)
                    .ok_or(ApplyError(Entity::Label(*label)))?;
            }
            Event::FieldPut { field } => {
                self.fields.insert(field.id, field.clone());
            }
            Event::FieldRemoved { field } => {
                self.fields
                    .remove(field)
                    .ok_or(ApplyError(Entity::Field(*field)))?;
            }
            Event::SprintPut { sprint } => {
                self.sprints.insert(sprint.id, sprint.clone());
            }
            Event::SprintRemoved { sprint } => {
                self.sprints
                    .remove(sprint)
                    .ok_or(ApplyError(Entity::Sprint(*sprint)))?;
            }
            Event::CardPut {
                card, next_number, ..
            } => {
                self.cards.insert(card.id, Card::clone(card));
                self.next_number = *next_number;
            }
            Event::CardRemoved { card } => {
                self.cards
                    .remove(card)
                    .ok_or(ApplyError(Entity::Card(*card)))?;
            }
            Event::CardRanked { card, rank } => self.card_mut(*card)?.rank = rank.clone(),
            Event::CardSet { .. }
            | Event::CardDescribed { .. }
            | Event::CommentPut { .. }
            | Event::CommentRemoved { .. }
            | Event::ChecklistPut { .. }
            | Event::ChecklistSet { .. }
            | Event::ChecklistRemoved { .. }
            | Event::ItemPut { .. }
            | Event::ItemRemoved { .. }
            | Event::AttachmentPut { .. }
            | Event::AttachmentRemoved { .. } => self.apply_to_card(moment, event)?,
        }
        Ok(())
    }

    fn card_mut(&mut self, card: CardId) -> Result<&mut Card, ApplyError> {
        self.cards
            .get_mut(&card)
            .ok_or(ApplyError(Entity::Card(card)))
    }

    fn apply_to_card(&mut self, moment: Moment, event: &Event) -> Result<(), ApplyError> {
        let Some(id) = event.card() else {
            return Ok(());
        };
        let card = self.card_mut(id)?;
        let missing = ApplyError(Entity::Card(id));
        match event {
            Event::CardSet { set, .. } => set_card(card, moment.version, set),
            Event::CardDescribed { text, digest, .. } => {
                card.detail.described = !text.is_empty();
                card.detail.digest.clone_from(digest);
                card.detail.rev = moment.version;
                card.revs.insert(CardKey::Description, moment.version);
            }
            Event::CommentPut {
                comments, digest, ..
            }
            | Event::CommentRemoved {
                comments, digest, ..
            } => {
                card.detail.comments = *comments;
                card.detail.digest.clone_from(digest);
                card.detail.rev = moment.version;
            }
            Event::ChecklistPut { checklist, .. } => {
                card.checklists.insert(checklist.id, checklist.clone());
            }
            Event::ChecklistSet {
                checklist,
                title,
                rank,
                ..
            } => {
                let checklist = list_mut(card, *checklist)?;
                assign(&mut checklist.title, title);
                assign(&mut checklist.rank, rank);
            }
            Event::ChecklistRemoved { checklist, .. } => {
                card.checklists.remove(checklist).ok_or(missing)?;
            }
            Event::ItemPut {
                checklist, item, ..
            } => {
                list_mut(card, *checklist)?
                    .items
                    .insert(item.id, item.clone());
            }
            Event::ItemRemoved {
                checklist, item, ..
            } => {
                list_mut(card, *checklist)?
                    .items
                    .remove(item)
                    .ok_or(missing)?;
            }
            Event::AttachmentPut { attachment, .. } => {
                card.attachments.insert(attachment.id, attachment.clone());
            }
            Event::AttachmentRemoved { attachment, .. } => {
                card.attachments.remove(attachment).ok_or(missing)?;
            }
            Event::BoardSet { .. }
            | Event::MemberPut { .. }
            | Event::MemberRemoved { .. }
            | Event::ColumnPut { .. }
            | Event::ColumnRemoved { .. }
            | Event::LabelPut { .. }
            | Event::LabelRemoved { .. }
            | Event::FieldPut { .. }
            | Event::FieldRemoved { .. }
            | Event::SprintPut { .. }
            | Event::SprintRemoved { .. }
            | Event::CardPut { .. }
            | Event::CardRanked { .. }
            | Event::CardRemoved { .. } => {}
        }
        card.changed = moment.stamp;
        Ok(())
    }
}

fn assign<T: Clone>(target: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        target.clone_from(value);
    }
}

fn list_mut(card: &mut Card, checklist: ChecklistId) -> Result<&mut Checklist, ApplyError> {
    let missing = ApplyError(Entity::Card(card.id));
    card.checklists.get_mut(&checklist).ok_or(missing)
}

fn set_card(card: &mut Card, version: Version, set: &CardPatch) {
    assign(&mut card.title, &set.title);
    assign(&mut card.column, &set.column);
    assign(&mut card.rank, &set.rank);
    assign(&mut card.labels, &set.labels);
    assign(&mut card.assignees, &set.assignees);
    assign(&mut card.priority, &set.priority);
    assign(&mut card.start, &set.start);
    assign(&mut card.due, &set.due);
    assign(&mut card.complete, &set.complete);
    assign(&mut card.estimate, &set.estimate);
    assign(&mut card.parent, &set.parent);
    assign(&mut card.sprint, &set.sprint);
    assign(&mut card.cover, &set.cover);
    assign(&mut card.blocked_by, &set.blocked_by);
    assign(&mut card.fields, &set.fields);
    assign(&mut card.archived, &set.archived);
    card.revs.extend(set.keys().map(|key| (key, version)));
}

impl Detail {
    /// Assigns what the event states about this card's detail; other events change nothing.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others leave the detail alone"
    )]
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::CardPut {
                detail: Some(detail),
                ..
            } => self.clone_from(detail),
            Event::CardDescribed { text, .. } => self.description.clone_from(text),
            Event::CommentPut { comment, .. } => {
                self.comments.insert(comment.id, comment.clone());
            }
            Event::CommentRemoved { comment, .. } => {
                self.comments.remove(comment);
            }
            _ => {}
        }
    }
}

impl Board {
    /// Assigns what the event states, in the view, the details and the order of cards.
    ///
    /// # Errors
    /// The event changes a thing that is not there; the board is as before.
    pub fn apply(&mut self, moment: Moment, event: &Event) -> Result<(), ApplyError> {
        let card = event.card();
        let place_of = |view: &View| {
            let card = view.cards.get(&card?)?;
            Some((card.column, card.rank.clone()))
        };
        let before = place_of(&self.view);
        self.view.apply(moment, event)?;
        let after = place_of(&self.view);
        if before != after {
            self.relocate(card, before, after);
        }
        self.apply_detail(event);
        self.buried.extend(event.buries());
        Ok(())
    }

    pub(super) fn relocate(
        &mut self,
        card: Option<CardId>,
        before: Option<(ColumnId, Rank)>,
        after: Option<(ColumnId, Rank)>,
    ) {
        let Some(card) = card else { return };
        if let Some((column, rank)) = before
            && let Some(lane) = self.lanes.get_mut(&column)
        {
            lane.remove(&(rank, card));
            if lane.is_empty() {
                self.lanes.remove(&column);
            }
        }
        if let Some((column, rank)) = after {
            self.lanes.entry(column).or_default().insert((rank, card));
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others leave the detail alone"
    )]
    fn apply_detail(&mut self, event: &Event) {
        let Some(card) = event.card() else { return };
        match event {
            Event::CardRemoved { .. } => {
                self.details.remove(&card);
            }
            Event::CardPut {
                detail: Some(_), ..
            }
            | Event::CardDescribed { .. }
            | Event::CommentPut { .. }
            | Event::CommentRemoved { .. } => {
                let detail = self.details.entry(card).or_default();
                detail.apply(event);
                if detail.is_empty() {
                    self.details.remove(&card);
                }
            }
            _ => {}
        }
    }

    /// Applies the versions that were stored after the rows of this board were.
    ///
    /// # Errors
    /// An event does not fit the board.
    pub fn replay<'a>(
        &mut self,
        versions: impl IntoIterator<Item = (Moment, &'a [Event])>,
    ) -> Result<(), ApplyError> {
        for (moment, events) in versions {
            for event in events {
                self.apply(moment, event)?;
            }
        }
        Ok(())
    }
}
