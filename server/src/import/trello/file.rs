//! What is read of a Trello export. Unknown keys are skipped, missing ones and `null` are empty.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use boardcast_protocol::limits::{CARDS_MAX, COLUMNS_MAX, FIELDS_MAX, LABELS_MAX, MEMBERS_MAX};

/// Checklists of a file: five on each card of the largest board.
const CHECKLISTS_MAX: usize = 5 * CARDS_MAX;
/// Comments of a file; a real export holds at most 1,000.
const COMMENTS_MAX: usize = 100_000;
/// Things of a card, and items of a checklist, that are looked at.
const PARTS_MAX: usize = 10_000;

#[derive(Debug, Deserialize)]
pub(super) struct TrelloFile {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) desc: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) closed: bool,
    #[serde(default, deserialize_with = "loose")]
    pub(super) prefs: Prefs,
    #[serde(default)]
    pub(super) lists: Option<Few<List, COLUMNS_MAX>>,
    #[serde(default)]
    pub(super) cards: Option<Few<Card, CARDS_MAX>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: Few<Label, LABELS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) members: Few<Member, MEMBERS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) memberships: Few<Membership, MEMBERS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) checklists: Few<Checklist, CHECKLISTS_MAX>,
    #[serde(default, rename = "customFields", deserialize_with = "or_empty")]
    pub(super) custom_fields: Few<CustomField, FIELDS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) actions: Actions,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Prefs {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) background: LooseText,
}

#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) closed: bool,
    #[serde(default)]
    pub(super) pos: Position,
    #[serde(default, rename = "softLimit")]
    pub(super) soft_limit: Position,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_list: String,
    #[serde(default)]
    pub(super) id_short: Position,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) desc: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) closed: bool,
    #[serde(default)]
    pub(super) pos: Position,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) due: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) start: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) due_complete: bool,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) date_last_activity: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_members: Few<LooseText, PARTS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_labels: Few<LooseText, PARTS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: Few<Label, PARTS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_attachment_cover: LooseText,
    #[serde(default, deserialize_with = "loose")]
    pub(super) cover: Cover,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) checklists: Few<Checklist, PARTS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) attachments: Few<Attachment, PARTS_MAX>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) custom_field_items: Few<FieldItem, PARTS_MAX>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cover {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) color: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_attachment: LooseText,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Label {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) color: LooseText,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Member {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) full_name: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) username: LooseText,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Membership {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_member: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) member_type: LooseText,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checklist {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_card: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) pos: Position,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) check_items: Few<CheckItem, PARTS_MAX>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckItem {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) pos: Position,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) state: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_member: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) due: LooseText,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) url: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) mime_type: LooseText,
    #[serde(default)]
    pub(super) bytes: Position,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) date: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_member: LooseText,
}

#[derive(Debug, Deserialize)]
pub(super) struct CustomField {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) name: String,
    #[serde(default, rename = "type", deserialize_with = "or_empty")]
    pub(super) kind: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) options: Few<FieldOption, PARTS_MAX>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FieldOption {
    pub(super) id: String,
    #[serde(default, deserialize_with = "loose")]
    pub(super) value: FieldValue,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) color: LooseText,
    #[serde(default)]
    pub(super) pos: Position,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldItem {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_custom_field: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id_value: LooseText,
    #[serde(default, deserialize_with = "loose")]
    pub(super) value: FieldValue,
}

/// One of its fields is set, by the kind of the custom field.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FieldValue {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) text: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) number: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) checked: LooseText,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) date: LooseText,
}

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

/// An array that stops to be read at the first element over the limit.
#[derive(Debug)]
pub(super) struct Few<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for Few<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn over<E: Error>(max: usize) -> E {
    E::custom(format_args!(
        "there are more than {max}, which is more than a board takes"
    ))
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Few<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FewVisitor<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for FewVisitor<T, MAX> {
            type Value = Few<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an array of at most {MAX}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut things: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(thing) = things.next_element()? {
                    if read.len() == MAX {
                        return Err(over(MAX));
                    }
                    read.push(thing);
                }
                Ok(Few(read))
            }
        }

        deserializer.deserialize_seq(FewVisitor::<T, MAX>(PhantomData))
    }
}

/// Reads `null` as empty.
fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads what is not an object as empty.
fn loose<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    struct LooseVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for LooseVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(T::default())
        }

        fn visit_unit<E: Error>(self) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<T, E> {
            Ok(T::default())
        }
    }

    deserializer.deserialize_any(LooseVisitor(PhantomData))
}

/// Text, or empty for what is not text; numbers and truth values as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LooseText(pub(super) String);

impl LooseText {
    fn or(self, other: Self) -> Self {
        if self.0.is_empty() { other } else { self }
    }
}

/// A number, also one that is written as text; `None` for anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Position(pub(super) Option<f64>);

macro_rules! scalar {
    ($type:ident, |$text:ident| $from_text:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Scalar;

                impl<'de> Visitor<'de> for Scalar {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a text or a number")
                    }

                    fn visit_str<E: Error>(self, $text: &str) -> Result<$type, E> {
                        Ok($from_text)
                    }

                    fn visit_bool<E: Error>(self, value: bool) -> Result<$type, E> {
                        self.visit_str(if value { "true" } else { "false" })
                    }

                    fn visit_f64<E: Error>(self, value: f64) -> Result<$type, E> {
                        self.visit_str(&value.to_string())
                    }

                    fn visit_i64<E: Error>(self, value: i64) -> Result<$type, E> {
                        self.visit_str(&value.to_string())
                    }

                    fn visit_u64<E: Error>(self, value: u64) -> Result<$type, E> {
                        self.visit_str(&value.to_string())
                    }

                    fn visit_unit<E: Error>(self) -> Result<$type, E> {
                        Ok($type::default())
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<$type, A::Error> {
                        while seq.next_element::<IgnoredAny>()?.is_some() {}
                        Ok($type::default())
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$type, A::Error> {
                        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                        Ok($type::default())
                    }
                }

                deserializer.deserialize_any(Scalar)
            }
        }
    };
}

scalar!(LooseText, |text| LooseText(text.to_owned()));
scalar!(Position, |text| Position(
    text.parse().ok().filter(|n: &f64| n.is_finite())
));
