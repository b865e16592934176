//! What is kept of a Trello board's actions.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::loose::{LooseText, loose, or_empty, over};

/// Comments of a file; a real export holds at most 1,000.
const COMMENTS_MAX: usize = 100_000;

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

/// What is kept of the actions: comments. The others are history.
#[derive(Debug, Default)]
pub(super) struct Actions {
    pub(super) comments: Vec<Comment>,
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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionData {
    #[serde(default, deserialize_with = "or_empty")]
    text: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    date_last_edited: LooseText,
    #[serde(default, deserialize_with = "loose")]
    card: ActionCard,
}

#[derive(Default, Deserialize)]
struct ActionCard {
    #[serde(default, deserialize_with = "or_empty")]
    id: LooseText,
}

impl Action {
    fn into_comment(self) -> Option<Comment> {
        if !matches!(self.kind.0.as_str(), "commentCard" | "copyCommentCard") {
            return None;
        }
        let creator = self.member_creator;
        Some(Comment {
            id: self.id.0,
            card: self.data.card.id.0,
            member: self.id_member_creator.or(creator.id).0,
            author: creator.full_name.or(creator.username).0,
            date: self.date.0,
            edited: self.data.date_last_edited.0,
            text: self.data.text.0,
        })
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
                    match action.into_comment() {
                        Some(_) if read.comments.len() == COMMENTS_MAX => {
                            return Err(over(COMMENTS_MAX));
                        }
                        Some(comment) => read.comments.push(comment),
                        None => read.others += 1,
                    }
                }
                Ok(read)
            }
        }

        deserializer.deserialize_seq(ActionsVisitor)
    }
}
