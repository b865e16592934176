//! What the index holds of a card.

use sha2::{Digest, Sha256};

use boardcast_protocol::board::{Card, Detail, Priority};
use boardcast_protocol::ids::{LabelId, UserId};
use boardcast_protocol::search::normalized;

/// Stands for every card.
pub(super) const ANY: &str = "card";
/// The card itself is archived.
pub(super) const ARCHIVED: &str = "archived";
pub(super) const BLOCKED: &str = "blocked";
pub(super) const DUE: &str = "due";
pub(super) const LABELLED: &str = "labelled";
pub(super) const ASSIGNED: &str = "assigned";

pub(super) fn label_term(label: LabelId) -> String {
    format!("l-{label}")
}

pub(super) fn user_term(user: UserId) -> String {
    format!("u-{user}")
}

pub(super) fn priority_term(priority: Priority) -> &'static str {
    match priority {
        Priority::None => "p-none",
        Priority::Low => "p-low",
        Priority::Medium => "p-medium",
        Priority::High => "p-high",
        Priority::Urgent => "p-urgent",
    }
}

/// What the index holds of a card: one text of tokens for each of its columns.
#[derive(Debug)]
pub(in crate::storage) struct Entry {
    pub(super) columns: [String; 5],
}

impl Entry {
    pub(in crate::storage) fn of(card: &Card, detail: Option<&Detail>) -> Self {
        let description = detail.map_or(String::new(), |detail| normalized(&detail.description));
        let comments = detail
            .into_iter()
            .flat_map(|detail| detail.comments.values());
        Self {
            columns: [
                normalized(&card.title),
                joined(checklists(card).map(normalized)),
                description,
                joined(comments.map(|comment| normalized(&comment.text))),
                terms(card),
            ],
        }
    }

    /// Calls `see` with each token, as the index spells it, with its column and its place there.
    pub(in crate::storage) fn each_token(&self, mut see: impl FnMut(&str, usize, i64)) {
        for (column, text) in self.columns.iter().enumerate() {
            // The index has its own idea of case, which is that of ASCII; only ids are not lower already.
            let text = text.to_ascii_lowercase();
            let tokens = text.split(' ').filter(|token| !token.is_empty());
            for (token, place) in tokens.zip(0..) {
                see(token, column, place);
            }
        }
    }
}

fn checklists(card: &Card) -> impl Iterator<Item = &str> {
    card.checklists.values().flat_map(|list| {
        let items = list.items.values().map(|item| item.text.as_str());
        std::iter::once(list.title.as_str()).chain(items)
    })
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(" ")
}

fn terms(card: &Card) -> String {
    let mut terms = vec![ANY.to_owned(), priority_term(card.priority).to_owned()];
    for (holds, term) in [
        (card.archived, ARCHIVED),
        (!card.blocked_by.is_empty(), BLOCKED),
        (card.due.is_some(), DUE),
        (!card.labels.is_empty(), LABELLED),
        (!card.assignees.is_empty(), ASSIGNED),
    ] {
        terms.extend(holds.then(|| term.to_owned()));
    }
    terms.extend(card.labels.iter().copied().map(label_term));
    terms.extend(card.assignees.iter().copied().map(user_term));
    terms.join(" ")
}

/// Tells whether what the index holds of a card has changed. Its detail counts by the digest that the
/// card bears of it.
pub(in crate::storage) fn digest(card: &Card) -> i64 {
    let mut hasher = Sha256::new();
    let terms = terms(card);
    let fixed = [card.title.as_str(), &card.detail.digest, &terms];
    for text in fixed.into_iter().chain(checklists(card)) {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    i64::from_le_bytes(first)
}
