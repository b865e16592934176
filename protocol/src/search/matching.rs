//! Which cards a query matches.

use std::ops::ControlFlow;

use serde::Serialize;

use super::query::{Is, Query, Term, What};
use super::snippet::Snippet;
use super::text::{Phrase, scan};
use crate::board::{Card, Detail, View};
use crate::ids::UserId;
use crate::position::Timestamp;

/// Whoever asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// Who `me` is.
    pub user: UserId,
    /// When it is now, for `is:overdue`.
    pub now: Timestamp,
}

/// What of a card holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TextField {
    /// The title.
    Title,
    /// The description.
    Description,
    /// The title of a checklist, or an item.
    Checklist,
    /// A comment.
    Comment,
}

/// Where the words of a query stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// What of the card holds the text.
    pub field: TextField,
    /// The part of it around the words.
    #[serde(flatten)]
    pub snippet: Snippet,
}

/// Calls `see` with each text of a card, until that breaks.
pub(super) fn each_text<'a>(
    card: &'a Card,
    detail: Option<&'a Detail>,
    mut see: impl FnMut(TextField, &'a str) -> ControlFlow<()>,
) -> ControlFlow<()> {
    see(TextField::Title, &card.title)?;
    if let Some(detail) = detail {
        see(TextField::Description, &detail.description)?;
    }
    for list in card.checklists.values() {
        see(TextField::Checklist, &list.title)?;
        for item in list.items.values() {
            see(TextField::Checklist, &item.text)?;
        }
    }
    let comments = detail
        .into_iter()
        .flat_map(|detail| detail.comments.values());
    for comment in comments {
        see(TextField::Comment, &comment.text)?;
    }
    ControlFlow::Continue(())
}

impl Query {
    /// Whether a card matches. Its column, its labels and the members that are assigned are taken from
    /// `view`, which is its board; an archived card matches only where the query says `is:archived`.
    pub fn matches(
        &self,
        view: &View,
        card: &Card,
        detail: Option<&Detail>,
        asker: &Asker,
    ) -> bool {
        let holds = |term: &Term| term.holds(view, card, asker) != Some(term.negated);
        let is_shown = self.wants_archived() || !is_archived(view, card);
        is_shown && self.terms.iter().all(holds) && self.words_match(card, detail)
    }

    /// Whether a card matches as far as its texts are not needed.
    pub fn may_match(&self, view: &View, card: &Card, asker: &Asker) -> bool {
        let holds = |term: &Term| term.holds(view, card, asker) != Some(term.negated);
        (self.wants_archived() || !is_archived(view, card)) && self.terms.iter().all(holds)
    }

    /// Whether it asks for the texts of cards.
    pub fn has_words(&self) -> bool {
        let is_words = |term: &Term| term.what.words().is_some();
        self.terms.iter().any(is_words)
    }

    /// Bytes of the texts of a card, which [`Query::matches`] looks through for words.
    pub fn text_bytes(card: &Card, detail: Option<&Detail>) -> usize {
        let mut bytes = 0;
        let _ = each_text(card, detail, |_, text| {
            bytes += text.len();
            ControlFlow::Continue(())
        });
        bytes
    }

    /// Whether the same cards match for another asker, or at another time, only by chance.
    pub fn depends_on_asker(&self) -> bool {
        let depends = |term: &Term| matches!(term.what, What::AssignedToMe | What::Is(Is::Overdue));
        self.terms.iter().any(depends)
    }

    fn words_match(&self, card: &Card, detail: Option<&Detail>) -> bool {
        let words = self.terms.iter().filter_map(|term| {
            let phrase = term.what.words()?;
            Some((phrase.clone(), term.negated))
        });
        let (phrases, negated): (Vec<Phrase>, Vec<bool>) = words.unzip();
        let mut found = vec![false; phrases.len()];
        let mut wanted = negated.iter().filter(|negated| !**negated).count();
        let is_last = !negated.contains(&true);
        let mut is_refused = false;
        let _ = each_text(card, detail, |_, text| {
            if is_refused || (is_last && wanted == 0) {
                return ControlFlow::Break(());
            }
            scan(text, &phrases, |number, _| {
                if negated[number] {
                    is_refused = true;
                    return ControlFlow::Break(());
                }
                wanted -= usize::from(!std::mem::replace(&mut found[number], true));
                ControlFlow::Continue(())
            });
            ControlFlow::Continue(())
        });
        wanted == 0 && !is_refused
    }

    /// Where its words stand in a card that matches: in the text that holds most of them, the first of
    /// several. `None` for a query without words.
    pub fn find(&self, card: &Card, detail: Option<&Detail>) -> Option<Found> {
        let phrases: Vec<Phrase> = self.phrases().cloned().collect();
        let mut best: Option<(usize, TextField, &str)> = None;
        let _ = each_text(card, detail, |field, text| {
            let mut found = vec![false; phrases.len()];
            scan(text, &phrases, |number, _| {
                found[number] = true;
                ControlFlow::Continue(())
            });
            let count = found.iter().filter(|found| **found).count();
            if count > best.map_or(0, |(most, ..)| most) {
                best = Some((count, field, text));
            }
            if count == phrases.len() && count > 0 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        let (_, field, text) = best?;
        let snippet = Snippet::of(text, &phrases);
        Some(Found { field, snippet })
    }
}

impl Term {
    /// Whether the filter holds; `None` for words.
    fn holds(&self, view: &View, card: &Card, asker: &Asker) -> Option<bool> {
        Some(match &self.what {
            What::Words(_) => return None,
            What::Label(None) => card.labels.is_empty(),
            What::Label(Some(named)) => card.labels.iter().any(|id| {
                let label = view.labels.get(id);
                named.is(id.as_str(), label.map_or("", |label| &label.name))
            }),
            What::Assignee(None) => card.assignees.is_empty(),
            What::Assignee(Some(named)) => card.assignees.iter().any(|id| {
                let member = view.members.get(id);
                named.is(id.as_str(), member.map_or("", |member| &member.name))
            }),
            What::AssignedToMe => card.assignees.contains(&asker.user),
            What::Due(due) => due.has(card.due),
            What::Is(Is::Archived) => is_archived(view, card),
            What::Is(Is::Open) => !is_archived(view, card),
            What::Is(Is::Overdue) => !card.complete && card.due.is_some_and(|due| due < asker.now),
            What::Is(Is::Blocked) => !card.blocked_by.is_empty(),
            What::Column(named) => {
                let column = view.columns.get(&card.column);
                named.is(
                    card.column.as_str(),
                    column.map_or("", |column| &column.title),
                )
            }
            What::Board(named) => named.is(view.id.as_str(), &view.title),
            What::Priority(priority) => card.priority == *priority,
        })
    }
}

fn is_archived(view: &View, card: &Card) -> bool {
    let column = view.columns.get(&card.column);
    card.archived || view.archived || column.is_some_and(|column| column.archived)
}
