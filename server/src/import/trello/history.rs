//! What happened to the cards of a Trello board before the export, as far as its actions tell.
//!
//! The actions say what was changed from what to what. Who was assigned, and how many comments there
//! were, is told by going back from the board as it stands.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{
    Attachment, Card, Checklist, Comment, Detail, DetailMark, Item, Omissions, Priority, Stamp,
    View,
};
use boardcast_protocol::event::{CardPatch, Event};
use boardcast_protocol::ids::{
    AttachmentId, CardId, ChecklistId, ColumnId, CommentId, ItemId, UserId,
};
use boardcast_protocol::order::{self, Rank};

use super::actions::{CardWords, Deed, Kind, Thing};
use super::values::{Texts, id_bits, made_at, time, web_link};
use super::{stamp, whole};
use crate::import::Past;

/// Texts of the history that are kept, in bytes: it is written in one transaction.
const HISTORY_MAX_BYTES: usize = 16 * 1_024 * 1_024;
/// Numbers of cards up to here are taken over.
const NUMBER_MAX: u32 = 1_000_000_000;

/// The history of the cards, oldest first.
pub(super) fn read(
    mut deeds: Vec<Deed>,
    view: &View,
    details: &BTreeMap<CardId, Detail>,
    importer: UserId,
    omissions: &mut Omissions,
) -> Vec<Past> {
    let moment = |deed: &Deed| time(&deed.date).or_else(|| made_at(&deed.id));
    deeds.sort_by_cached_key(|deed| (moment(deed), deed.id.clone()));
    let Some(mut back) = Back::new(view, details) else {
        return Vec::new();
    };
    let (mut past, mut bytes) = (Vec::new(), 0);
    for deed in deeds.into_iter().rev() {
        let Some(at) = moment(&deed) else {
            omissions.add("action", "it has no time");
            continue;
        };
        let by = stamp(&deed.member, importer, Some(at));
        let size = deed.bytes();
        let changes = back.changes(deed, by);
        if changes.is_empty() {
            omissions.add("action", "it changed nothing that is kept here");
            continue;
        }
        bytes += size;
        if bytes > HISTORY_MAX_BYTES {
            omissions.add("action", "the newest 16 MiB of the history are taken over");
            continue;
        }
        let (events, was) = changes.into_iter().unzip();
        past.push(Past {
            by: by.by,
            at,
            events,
            was,
        });
    }
    past.reverse();
    past
}

/// A change, and the one that would undo it, where that is known.
type Change = (Event, Option<Event>);

/// The cards at a moment that goes back from action to action.
struct Back<'a> {
    view: &'a View,
    assignees: BTreeMap<CardId, BTreeSet<UserId>>,
    comments: BTreeMap<CardId, u32>,
    rank: Rank,
}

impl<'a> Back<'a> {
    fn new(view: &'a View, details: &BTreeMap<CardId, Detail>) -> Option<Self> {
        let cards = view.cards.values();
        let assignees = cards.map(|card| (card.id, card.assignees.iter().copied().collect()));
        let count = |detail: &Detail| u32::try_from(detail.comments.len()).unwrap_or(u32::MAX);
        Some(Self {
            view,
            assignees: assignees.collect(),
            comments: details
                .iter()
                .map(|(card, detail)| (*card, count(detail)))
                .collect(),
            rank: order::between(None, None)?,
        })
    }

    /// What an action did; nothing for one that changed only the order, or what is not kept.
    fn changes(&mut self, deed: Deed, by: Stamp) -> Vec<Change> {
        let Deed { id, kind, data, .. } = deed;
        let data = *data;
        if data.card.id.0.is_empty() {
            return Vec::new();
        }
        let card = CardId::from_u128(id_bits(&data.card.id.0));
        match kind {
            Kind::Made => vec![self.made(card, &data.card, &data.list, by)],
            Kind::Changed => self.changed(card, &data.card, &data.old),
            Kind::Deleted => vec![(Event::CardRemoved { card }, None)],
            Kind::Assigned => self.assigned(card, &data.member(), true),
            Kind::Unassigned => self.assigned(card, &data.member(), false),
            Kind::Commented => vec![self.commented(card, &id, data.text.0, by)],
            Kind::Attached => vec![attached(card, &data.attachment, by)],
            Kind::Detached => {
                let attachment = AttachmentId::from_u128(id_bits(&data.attachment.id.0));
                vec![(Event::AttachmentRemoved { card, attachment }, None)]
            }
            Kind::ListAdded => vec![self.list_added(card, &data.checklist)],
            Kind::ListGone => {
                let checklist = ChecklistId::from_u128(id_bits(&data.checklist.id.0));
                vec![(Event::ChecklistRemoved { card, checklist }, None)]
            }
            Kind::Ticked => vec![self.ticked(card, &data.checklist, &data.check_item)],
        }
    }

    fn made(&self, id: CardId, words: &CardWords, list: &Thing, by: Stamp) -> Change {
        let here = self.view.cards.get(&id);
        let number = words
            .id_short
            .0
            .map_or(0, |number| whole(number, NUMBER_MAX));
        let number = here.map_or(number, |card| card.number);
        let assignees = self.assignees.get(&id).into_iter().flatten().copied();
        let card = Card {
            id,
            number,
            title: title(&words.name.clone().unwrap_or_default().0, "card"),
            column: ColumnId::from_u128(id_bits(&list.id.0)),
            rank: here.map_or_else(|| self.rank.clone(), |card| card.rank.clone()),
            labels: Vec::new(),
            assignees: assignees.collect(),
            priority: Priority::None,
            start: None,
            due: None,
            complete: false,
            estimate: None,
            parent: None,
            sprint: None,
            cover: None,
            blocked_by: Vec::new(),
            fields: Vec::new(),
            checklists: BTreeMap::new(),
            attachments: BTreeMap::new(),
            archived: false,
            created: by,
            changed: by,
            detail: DetailMark::default(),
            revs: BTreeMap::new(),
        };
        let put = Event::CardPut {
            card: Box::new(card),
            detail: Some(Box::default()),
            next_number: number.saturating_add(1),
        };
        (put, Some(Event::CardRemoved { card: id }))
    }

    fn changed(&self, card: CardId, now: &CardWords, old: &CardWords) -> Vec<Change> {
        let patch = |words: &CardWords| CardPatch {
            title: both(&old.name, &now.name, &words.name, |name| {
                title(name, "card")
            }),
            column: both(&old.id_list, &now.id_list, &words.id_list, |list| {
                ColumnId::from_u128(id_bits(list))
            })
            .filter(|column| self.view.columns.contains_key(column)),
            archived: both(&old.closed, &now.closed, &words.closed, |flag| {
                flag == "true"
            }),
            due: both(&old.due, &now.due, &words.due, time),
            complete: both(
                &old.due_complete,
                &now.due_complete,
                &words.due_complete,
                |flag| flag == "true",
            ),
            ..CardPatch::default()
        };
        let mut changes = Vec::new();
        let (mut set, mut was) = (patch(now), patch(old));
        if set.column.is_none() || was.column.is_none() {
            (set.column, was.column) = (None, None);
        }
        if !set.is_empty() && set != was {
            let event = |set| Event::CardSet {
                card,
                set: Box::new(set),
            };
            changes.push((event(set), Some(event(was))));
        }
        if let (Some(now), Some(old)) = (&now.desc, &old.desc)
            && now != old
        {
            let event = |words: &str| Event::CardDescribed {
                card,
                text: text(words.to_owned(), "description"),
                digest: String::new(),
            };
            changes.push((event(&now.0), Some(event(&old.0))));
        }
        changes
    }

    fn assigned(&mut self, card: CardId, member: &str, on: bool) -> Vec<Change> {
        if member.is_empty() {
            return Vec::new();
        }
        let user = UserId::from_u128(id_bits(member));
        let now = self.assignees.entry(card).or_default();
        let mut with = now.clone();
        with.insert(user);
        let mut without = now.clone();
        without.remove(&user);
        let (after, before) = if on { (with, without) } else { (without, with) };
        now.clone_from(&before);
        let event = |assignees: BTreeSet<UserId>| Event::CardSet {
            card,
            set: Box::new(CardPatch {
                assignees: Some(assignees.into_iter().collect()),
                ..CardPatch::default()
            }),
        };
        vec![(event(after), Some(event(before)))]
    }

    fn commented(&mut self, card: CardId, id: &str, words: String, by: Stamp) -> Change {
        let count = self.comments.entry(card).or_insert(1);
        let comments = (*count).max(1);
        *count = comments - 1;
        let comment = Comment {
            id: CommentId::from_u128(id_bits(id)),
            written: by,
            author: None,
            text: text(words, "comment"),
            edited: None,
        };
        let removed = Event::CommentRemoved {
            card,
            comment: comment.id,
            comments: comments - 1,
            digest: String::new(),
        };
        let put = Event::CommentPut {
            card,
            comment,
            comments,
            digest: String::new(),
        };
        (put, Some(removed))
    }

    fn list_added(&self, card: CardId, list: &Thing) -> Change {
        let checklist = Checklist {
            id: ChecklistId::from_u128(id_bits(&list.id.0)),
            title: title(&list.name.0, "checklist"),
            rank: self.rank.clone(),
            items: BTreeMap::new(),
        };
        let removed = Event::ChecklistRemoved {
            card,
            checklist: checklist.id,
        };
        (Event::ChecklistPut { card, checklist }, Some(removed))
    }

    fn ticked(&self, card: CardId, list: &Thing, item: &Thing) -> Change {
        let checklist = ChecklistId::from_u128(id_bits(&list.id.0));
        let is_done = item.state.0 == "complete";
        let event = |done| Event::ItemPut {
            card,
            checklist,
            item: Item {
                id: ItemId::from_u128(id_bits(&item.id.0)),
                text: title(&item.name.0, "check item"),
                rank: self.rank.clone(),
                done,
                assignee: None,
                due: None,
            },
        };
        (event(is_done), Some(event(!is_done)))
    }
}

fn attached(card: CardId, thing: &Thing, by: Stamp) -> Change {
    let attachment = Attachment {
        id: AttachmentId::from_u128(id_bits(&thing.id.0)),
        name: title(&thing.name.0, "attachment"),
        mime: None,
        size: None,
        url: web_link(&thing.url.0),
        added: by,
    };
    let removed = Event::AttachmentRemoved {
        card,
        attachment: attachment.id,
    };
    (Event::AttachmentPut { card, attachment }, Some(removed))
}

/// A field that the action changed: named by what was and by what is.
fn both<W, T>(
    old: &Option<W>,
    now: &Option<W>,
    words: &Option<W>,
    read: impl FnOnce(&str) -> T,
) -> Option<T>
where
    W: AsRef<str> + PartialEq,
{
    (old.is_some() && now.is_some() && old != now)
        .then(|| words.as_ref().map(|words| read(words.as_ref())))
        .flatten()
}

/// Texts that had to be cut are told where the cards are read; here they are history.
fn title(words: &str, what: &'static str) -> String {
    Texts(&mut Omissions::default()).title(words, what)
}

fn text(words: String, what: &'static str) -> String {
    Texts(&mut Omissions::default()).text(words, what)
}
