//! What belongs to single cards of a Trello board: checklists, attachments, comments.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{Attachment, Checklist, Comment, Detail, Item, Omissions, View};
use boardcast_protocol::ids::{AttachmentId, ChecklistId, CommentId, ItemId, UserId};
use boardcast_protocol::limits::{
    CARD_ATTACHMENTS_MAX, CARD_CHECKLISTS_MAX, CARD_COMMENTS_MAX, CHECKLIST_ITEMS_MAX,
    DETAIL_MAX_BYTES,
};
use boardcast_protocol::position::{ByteSize, MAX_SAFE_INTEGER};

use super::tags::Tags;
use super::values::{Texts, id_bits, made_at, time, web_link};
use super::{actions, file};
use super::{ranked, stamp};

const STANDS_TWICE: &str = "its id stands twice in the file: the first one was taken";

/// Checklists and comments by the ids of their cards.
pub(super) struct Parts {
    checklists: BTreeMap<String, Vec<file::Checklist>>,
    comments: BTreeMap<String, Vec<actions::Comment>>,
}

impl Parts {
    /// Sorts them, without those of cards that are not in the file.
    pub(super) fn sort(
        checklists: Vec<file::Checklist>,
        comments: Vec<actions::Comment>,
        cards: &[file::Card],
        omissions: &mut Omissions,
    ) -> Self {
        let mut parts = Self {
            checklists: BTreeMap::new(),
            comments: BTreeMap::new(),
        };
        let cards: BTreeSet<_> = cards.iter().map(|card| card.id.as_str()).collect();
        for checklist in checklists {
            if cards.contains(checklist.id_card.as_str()) {
                let of_card = parts.checklists.entry(checklist.id_card.clone());
                of_card.or_default().push(checklist);
            } else {
                omissions.add("checklist", "its card is not in the file");
            }
        }
        for comment in comments {
            if cards.contains(comment.card.as_str()) {
                let of_card = parts.comments.entry(comment.card.clone());
                of_card.or_default().push(comment);
            } else {
                omissions.add("comment", "its card is not in the file");
            }
        }
        parts
    }

    /// The checklists of a card: those of the board's list, and those that stand on the card.
    pub(super) fn checklists(
        &mut self,
        card: &str,
        own: Vec<file::Checklist>,
        tags: &Tags,
        omissions: &mut Omissions,
    ) -> BTreeMap<ChecklistId, Checklist> {
        let mut lists = self.checklists.remove(card).unwrap_or_default();
        // Some exports hold each checklist in both places.
        let named: BTreeSet<_> = lists.iter().map(|list| list.id.clone()).collect();
        lists.extend(own.into_iter().filter(|list| !named.contains(&list.id)));
        let mut checklists = BTreeMap::new();
        for (list, rank) in ranked(lists, |list| list.pos) {
            let id = ChecklistId::from_u128(id_bits(&list.id));
            if checklists.len() == CARD_CHECKLISTS_MAX {
                omissions.add("checklist", "a card takes at most 50 checklists");
                continue;
            }
            let Entry::Vacant(place) = checklists.entry(id) else {
                omissions.add("checklist", STANDS_TWICE);
                continue;
            };
            let checklist = Checklist {
                id,
                title: Texts(omissions).title(&list.name, "checklist"),
                rank,
                items: items(list.check_items.0, tags, omissions),
            };
            place.insert(checklist);
        }
        checklists
    }

    /// Description and comments of a card.
    pub(super) fn detail(
        &mut self,
        card: &str,
        description: String,
        view: &View,
        importer: UserId,
        omissions: &mut Omissions,
    ) -> Detail {
        let description = Texts(omissions).text(description, "description");
        let mut room = DETAIL_MAX_BYTES - description.len();
        let mut detail = Detail {
            description,
            comments: BTreeMap::new(),
        };
        // An export has the newest first: when there is too much, the oldest are left out.
        for comment in self.comments.remove(card).unwrap_or_default() {
            let id = CommentId::from_u128(id_bits(&comment.id));
            if detail.comments.contains_key(&id) {
                omissions.add("comment", STANDS_TWICE);
                continue;
            }
            let comment = comment_of(id, comment, view, importer, omissions);
            if detail.comments.len() == CARD_COMMENTS_MAX || comment.text.len() > room {
                let why = "a card takes at most 2,000 comments and 1 MiB of text";
                omissions.add("comment", why);
                continue;
            }
            room -= comment.text.len();
            detail.comments.insert(id, comment);
        }
        detail
    }
}

fn comment_of(
    id: CommentId,
    comment: actions::Comment,
    view: &View,
    importer: UserId,
    omissions: &mut Omissions,
) -> Comment {
    let at = time(&comment.date).or_else(|| made_at(&comment.id));
    let written = stamp(&comment.member, importer, at);
    let author = Texts(omissions).name(&comment.author, "author of a comment");
    let member = view.members.get(&written.by).map(|member| &member.name);
    Comment {
        id,
        written,
        author: author.filter(|author| Some(author) != member),
        text: Texts(omissions).text(comment.text, "comment"),
        edited: time(&comment.edited),
    }
}

fn items(
    items: Vec<file::CheckItem>,
    tags: &Tags,
    omissions: &mut Omissions,
) -> BTreeMap<ItemId, Item> {
    let mut read = BTreeMap::new();
    for (item, rank) in ranked(items, |item| item.pos) {
        let id = ItemId::from_u128(id_bits(&item.id));
        if read.len() == CHECKLIST_ITEMS_MAX {
            omissions.add("check item", "a checklist takes at most 300 items");
            continue;
        }
        let Entry::Vacant(place) = read.entry(id) else {
            omissions.add("check item", STANDS_TWICE);
            continue;
        };
        let assignee = tags.member(&item.id_member.0);
        if assignee.is_none() && !item.id_member.0.is_empty() {
            omissions.add("assignee of a check item", "the file has no such member");
        }
        let item = Item {
            id,
            text: Texts(omissions).title(&item.name, "check item"),
            rank,
            done: item.state.0 == "complete",
            assignee,
            due: time(&item.due.0),
        };
        place.insert(item);
    }
    read
}

/// The attachments of a card, as metadata.
pub(super) fn attachments(
    attachments: Vec<file::Attachment>,
    importer: UserId,
    omissions: &mut Omissions,
) -> BTreeMap<AttachmentId, Attachment> {
    let mut read = BTreeMap::new();
    for attachment in attachments {
        let id = AttachmentId::from_u128(id_bits(&attachment.id));
        if read.len() == CARD_ATTACHMENTS_MAX {
            omissions.add("attachment", "a card takes at most 200 attachments");
            continue;
        }
        let Entry::Vacant(place) = read.entry(id) else {
            omissions.add("attachment", STANDS_TWICE);
            continue;
        };
        let at = time(&attachment.date.0).or_else(|| made_at(&attachment.id));
        let added = stamp(&attachment.id_member.0, importer, at);
        place.insert(attachment_of(id, &attachment, added, omissions));
    }
    read
}

fn attachment_of(
    id: AttachmentId,
    attachment: &file::Attachment,
    added: boardcast_protocol::board::Stamp,
    omissions: &mut Omissions,
) -> Attachment {
    let url = web_link(&attachment.url.0);
    if url.is_none() && !attachment.url.0.is_empty() {
        omissions.add(
            "link of an attachment",
            "it does not begin with http: or https:",
        );
    }
    let name = if attachment.name.0.is_empty() {
        &attachment.url.0
    } else {
        &attachment.name.0
    };
    let name = Texts(omissions).title(name, "attachment");
    let size = attachment.bytes.0.filter(|size| *size >= 0.0);
    Attachment {
        id,
        name,
        mime: Texts(omissions).name(&attachment.mime_type.0, "media type"),
        // Above 2^53 a float is no longer exact, and no file is as large.
        size: size
            .filter(|size| *size < MAX_SAFE_INTEGER as f64)
            .map(|size| ByteSize(size as u64)),
        url,
        added,
    }
}
