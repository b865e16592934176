//! What is kept of a Trello board's actions: comments, and what was done to cards.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::loose::{LooseText, Position, loose, or_empty, over};

/// Comments of a file; a real export holds at most 1,000.
const COMMENTS_MAX: usize = 100_000;
/// What was done to cards, of which a real export holds the newest 1,000 at most, newest first.
pub(super) const DEEDS_MAX: usize = 5_000;

/// A comment, from the action that wrote it.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) id: String,
    pub(super) card: String,
    pub(super) member: String,
    pub(super) author: String,
    pub(super) date: String,
    pub(super) edited: String,
    pub(super) text: String,
}

/// What an action did to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Made,
    Changed,
    Deleted,
    Assigned,
    Unassigned,
    Commented,
    Attached,
    Detached,
    ListAdded,
    ListGone,
    Ticked,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "createCard"
            | "copyCard"
            | "emailCard"
            | "convertToCardFromCheckItem"
            | "moveCardToBoard" => Self::Made,
            "updateCard" => Self::Changed,
            "deleteCard" | "moveCardFromBoard" => Self::Deleted,
            "addMemberToCard" => Self::Assigned,
            "removeMemberFromCard" => Self::Unassigned,
            "commentCard" | "copyCommentCard" => Self::Commented,
            "addAttachmentToCard" => Self::Attached,
            "deleteAttachmentFromCard" => Self::Detached,
            "addChecklistToCard" => Self::ListAdded,
            "removeChecklistFromCard" => Self::ListGone,
            "updateCheckItemStateOnCard" => Self::Ticked,
            _ => return None,
        })
    }
}

/// An action on a card.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) date: String,
    pub(super) member: String,
    pub(super) data: Box<ActionData>,
}

impl Deed {
    /// The texts that are kept of it.
    pub(super) fn bytes(&self) -> usize {
        let ActionData { card, old, .. } = &*self.data;
        let words = [card, old].map(|words| words.bytes());
        self.data.text.0.len() + words.iter().sum::<usize>()
    }
}

/// What is kept of the actions, and how many are of no card.
#[derive(Debug, Default)]
pub(super) struct Actions {
    pub(super) comments: Vec<Comment>,
    pub(super) deeds: Vec<Deed>,
    /// Deeds beyond those that are kept.
    pub(super) surplus: usize,
    pub(super) others: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(default, deserialize_with = "or_empty")]
    id: LooseText,
    #[serde(default, rename = "type", deserialize_with = "or_empty")]
    kind: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    date: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    id_member_creator: LooseText,
    #[serde(default, deserialize_with = "loose")]
    member_creator: Creator,
    #[serde(default, deserialize_with = "loose")]
    data: ActionData,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Creator {
    #[serde(default, deserialize_with = "or_empty")]
    id: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    full_name: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    username: LooseText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionData {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) text: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) date_last_edited: LooseText,
    #[serde(default, deserialize_with = "loose")]
    pub(super) card: CardWords,
    #[serde(default, deserialize_with = "loose")]
    pub(super) old: CardWords,
    #[serde(default, deserialize_with = "loose")]
    pub(super) list: Thing,
    #[serde(default, deserialize_with = "or_empty")]
    id_member: LooseText,
    #[serde(default, deserialize_with = "loose")]
    member: Thing,
    #[serde(default, deserialize_with = "loose")]
    pub(super) attachment: Thing,
    #[serde(default, deserialize_with = "loose")]
    pub(super) checklist: Thing,
    #[serde(default, deserialize_with = "loose")]
    pub(super) check_item: Thing,
}

impl ActionData {
    /// The id of who was assigned.
    pub(super) fn member(&self) -> String {
        self.id_member.clone().or(self.member.id.clone()).0
    }
}

/// What an action says of its card. Fields that it does not name are `None`; `null` is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardWords {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id: LooseText,
    #[serde(default)]
    pub(super) id_short: Position,
    #[serde(default, deserialize_with = "named")]
    pub(super) name: Option<LooseText>,
    #[serde(default, deserialize_with = "named")]
    pub(super) desc: Option<LooseText>,
    #[serde(default, deserialize_with = "named")]
    pub(super) id_list: Option<LooseText>,
    #[serde(default, deserialize_with = "named")]
    pub(super) closed: Option<LooseText>,
    #[serde(default, deserialize_with = "named")]
    pub(super) due: Option<LooseText>,
    #[serde(default, deserialize_with = "named")]
    pub(super) due_complete: Option<LooseText>,
}

impl CardWords {
    fn bytes(&self) -> usize {
        let texts = [&self.name, &self.desc];
        texts
            .iter()
            .filter_map(|text| Some(text.as_ref()?.0.len()))
            .sum()
    }
}

/// Something that an action names.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Thing {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) url: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) state: LooseText,
}

fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LooseText>, D::Error> {
    LooseText::deserialize(deserializer).map(Some)
}

impl Action {
    fn comment(&self) -> Comment {
        let creator = &self.member_creator;
        Comment {
            id: self.id.0.clone(),
            card: self.data.card.id.0.clone(),
            member: self.author(),
            author: creator.full_name.clone().or(creator.username.clone()).0,
            date: self.date.0.clone(),
            edited: self.data.date_last_edited.0.clone(),
            text: self.data.text.0.clone(),
        }
    }

    fn author(&self) -> String {
        let creator = &self.member_creator;
        self.id_member_creator.clone().or(creator.id.clone()).0
    }

    fn into_deed(self, kind: Kind) -> Deed {
        Deed {
            kind,
            member: self.author(),
            id: self.id.0,
            date: self.date.0,
            data: Box::new(self.data),
        }
    }
}

impl<'de> Deserialize<'de> for Actions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ActionsVisitor;

        impl<'de> Visitor<'de> for ActionsVisitor {
            type Value = Actions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of actions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut actions: A) -> Result<Actions, A::Error> {
                let mut read = Actions::default();
                while let Some(action) = actions.next_element::<Action>()? {
                    let Some(kind) = Kind::of(&action.kind.0) else {
                        read.others += 1;
                        continue;
                    };
                    if kind == Kind::Commented {
                        if read.comments.len() == COMMENTS_MAX {
                            return Err(over(COMMENTS_MAX));
                        }
                        read.comments.push(action.comment());
                    }
                    if read.deeds.len() == DEEDS_MAX {
                        read.surplus += 1;
                    } else {
                        read.deeds.push(action.into_deed(kind));
                    }
                }
                Ok(read)
            }
        }

        deserializer.deserialize_seq(ActionsVisitor)
    }
}
