//! The cards of a Trello board.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{Card, Detail, DetailMark, Omissions, Priority, View};
use boardcast_protocol::ids::{AttachmentId, CardId, ColumnId, UserId};
use boardcast_protocol::limits::{CARD_ASSIGNEES_MAX, CARD_LABELS_MAX};
use boardcast_protocol::order::Rank;
use boardcast_protocol::position::Timestamp;

use super::details::{Parts, attachments};
use super::tags::Tags;
use super::values::{Texts, id_bits, made_at, time};
use super::{file, ranked, stamp, twice, whole};
use crate::import::FileError;

/// Numbers up to here are taken over: more cards than that were never made on one board.
const NUMBER_MAX: u32 = 1_000_000_000;

/// What the file says about cards, and what is needed to read it.
pub(super) struct Sources {
    pub(super) cards: Vec<file::Card>,
    pub(super) columns: BTreeMap<String, ColumnId>,
    pub(super) tags: Tags,
    pub(super) parts: Parts,
    pub(super) importer: UserId,
}

/// Puts the cards on the board; returns their details.
pub(super) fn put(
    view: &mut View,
    sources: Sources,
    omissions: &mut Omissions,
) -> Result<BTreeMap<CardId, Detail>, FileError> {
    let mut lanes: BTreeMap<ColumnId, Vec<file::Card>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for card in sources.cards {
        if !ids.insert(id_bits(&card.id)) {
            return Err(twice("card", &card.id));
        }
        match sources.columns.get(&card.id_list) {
            Some(column) => lanes.entry(*column).or_default().push(card),
            None => omissions.add("card", "its list is not in the file"),
        }
    }
    let mut reading = Reading {
        view,
        tags: sources.tags,
        parts: sources.parts,
        importer: sources.importer,
        omissions,
        details: BTreeMap::new(),
    };
    for (column, cards) in lanes {
        for (card, rank) in ranked(cards, |card| card.pos) {
            reading.put_card(card, column, rank);
        }
    }
    let details = reading.details;
    give_numbers(view);
    Ok(details)
}

struct Reading<'a> {
    view: &'a mut View,
    tags: Tags,
    parts: Parts,
    importer: UserId,
    omissions: &'a mut Omissions,
    details: BTreeMap<CardId, Detail>,
}

impl Reading<'_> {
    fn put_card(&mut self, card: file::Card, column: ColumnId, rank: Rank) {
        let id = CardId::from_u128(id_bits(&card.id));
        let omissions = &mut *self.omissions;
        let mut labels = self.tags.labels(&card, omissions);
        let mut assignees = self.tags.assignees(&card, omissions);
        shorten(&mut labels, CARD_LABELS_MAX, "label on a card", omissions);
        shorten(&mut assignees, CARD_ASSIGNEES_MAX, "assignee", omissions);
        let cover = cover(&card);
        let items = card.custom_field_items.0;
        let fields = self.tags.values(self.view, items, omissions);
        let lists = card.checklists.0;
        let checklists = self
            .parts
            .checklists(&card.id, lists, &self.tags, omissions);
        let attachments = attachments(card.attachments.0, self.importer, omissions);
        let detail = self
            .parts
            .detail(&card.id, card.desc, self.view, self.importer, omissions);
        let due = moment(&card.due.0, "due date", omissions);
        let start = moment(&card.start.0, "start date", omissions);
        let touched = time(&card.date_last_activity.0);
        let made = made_at(&card.id).or(touched);
        let cover = cover.filter(|cover| match cover {
            Cover::Color(_) => true,
            Cover::Attachment(id) => attachments.contains_key(id),
        });
        let here = Card {
            id,
            number: card
                .id_short
                .0
                .map_or(0, |number| whole(number, NUMBER_MAX)),
            title: Texts(omissions).title(&card.name, "card"),
            column,
            rank,
            labels,
            assignees,
            priority: Priority::None,
            start,
            due,
            complete: card.due_complete,
            estimate: None,
            parent: None,
            sprint: None,
            cover: cover.and_then(|cover| cover.text(omissions)),
            blocked_by: Vec::new(),
            fields,
            checklists,
            attachments,
            archived: card.closed,
            created: stamp("", self.importer, made),
            changed: stamp("", self.importer, touched.or(made)),
            detail: DetailMark::of(&detail),
            revs: BTreeMap::new(),
        };
        self.view.cards.insert(id, here);
        if !detail.is_empty() {
            self.details.insert(id, detail);
        }
    }
}

fn moment(text: &str, what: &'static str, omissions: &mut Omissions) -> Option<Timestamp> {
    let moment = time(text);
    if moment.is_none() && !text.is_empty() {
        omissions.add(what, "it is not a time such as 2024-01-31T12:00:00.000Z");
    }
    moment
}

fn shorten<T>(ids: &mut Vec<T>, max: usize, what: &'static str, omissions: &mut Omissions) {
    omissions.add_many(
        what,
        ids.len().saturating_sub(max),
        "a card takes at most 50",
    );
    ids.truncate(max);
}

enum Cover {
    Color(String),
    Attachment(AttachmentId),
}

impl Cover {
    fn text(self, omissions: &mut Omissions) -> Option<String> {
        match self {
            Self::Color(color) => Texts(omissions).name(&color, "cover"),
            Self::Attachment(id) => Some(id.to_string()),
        }
    }
}

fn cover(card: &file::Card) -> Option<Cover> {
    let ids = [&card.cover.id_attachment.0, &card.id_attachment_cover.0];
    let attachment = ids.into_iter().find(|id| !id.is_empty());
    let attachment = attachment.map(|id| Cover::Attachment(AttachmentId::from_u128(id_bits(id))));
    let color = Some(&card.cover.color.0).filter(|color| !color.is_empty());
    attachment.or_else(|| color.cloned().map(Cover::Color))
}

/// Gives a number to each card that has none or the number of another.
fn give_numbers(view: &mut View) {
    let last = view.cards.values().map(|card| card.number).max();
    let mut next = last.unwrap_or(0) + 1;
    let mut used = BTreeSet::new();
    for card in view.cards.values_mut() {
        if card.number == 0 || !used.insert(card.number) {
            card.number = next;
            next += 1;
        }
    }
    view.next_number = next;
}
