//! What a query says.

use super::text::{Phrase, each_token};
use crate::board::Priority;
use crate::position::Timestamp;

/// What cards are looked for: all that every term wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Its terms, at most [`QUERY_TERMS_MAX`](crate::limits::QUERY_TERMS_MAX).
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not hold.
    pub negated: bool,
    /// What must hold.
    pub what: What,
}

/// What a term is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It stands in the title, the description, a checklist or a comment.
    Words(Phrase),
    /// The card has such a label; `None`: it has none.
    Label(Option<Named>),
    /// Such a member is assigned; `None`: nobody is.
    Assignee(Option<Named>),
    /// Whoever asks is assigned.
    AssignedToMe,
    /// When it is due.
    Due(Due),
    /// How it stands.
    Is(Is),
    /// It is in such a column.
    Column(Named),
    /// It is on such a board.
    Board(Named),
    /// How urgent it is.
    Priority(Priority),
}

/// What names a thing: its id, or words of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    text: String,
    words: Option<Phrase>,
}

/// How a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// The card, its column or its board is archived.
    Archived,
    /// None of them is.
    Open,
    /// It was due before now and is not complete.
    Overdue,
    /// Other cards block it.
    Blocked,
}

/// When a card is due, by days of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At no time.
    Never,
    /// From the first moment on, and before the second one.
    Within(Option<Timestamp>, Option<Timestamp>),
}

impl Query {
    /// The phrases that must be in a card.
    pub fn phrases(&self) -> impl Iterator<Item = &Phrase> {
        let wanted = self.terms.iter().filter(|term| !term.negated);
        wanted.filter_map(|term| term.what.words())
    }

    /// Whether a card that is archived may match.
    pub(super) fn wants_archived(&self) -> bool {
        let archived = |term: &Term| term.what == What::Is(Is::Archived) && !term.negated;
        self.terms.iter().any(archived)
    }
}

impl What {
    /// The phrase, where it is about words.
    pub fn words(&self) -> Option<&Phrase> {
        let Self::Words(phrase) = self else {
            return None;
        };
        Some(phrase)
    }
}

impl Named {
    /// What names a thing by this text.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            words: Phrase::new(text, false),
        }
    }

    /// Whether it names the thing with this id and this name: it is the id, or its words stand in the
    /// name one after another. Where it has no words it is the name itself.
    pub fn is(&self, id: &str, name: &str) -> bool {
        self.text == id
            || match &self.words {
                Some(words) => words.is_in(name),
                None => self.text.trim() == name.trim(),
            }
    }
}

impl Due {
    /// Whether a card that is due then, or never, is meant.
    pub fn has(self, due: Option<Timestamp>) -> bool {
        match (self, due) {
            (Self::Never, due) => due.is_none(),
            (Self::Within(from, before), Some(due)) => {
                from.is_none_or(|from| due >= from) && before.is_none_or(|before| due < before)
            }
            (Self::Within(..), None) => false,
        }
    }
}

/// Whether a text has a token.
pub(super) fn has_token(text: &str) -> bool {
    let mut found = false;
    each_token(text, |_, _| {
        found = true;
        std::ops::ControlFlow::Break(())
    });
    found
}
