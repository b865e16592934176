//! What is read of a Trello export. Unknown keys are skipped, missing ones and `null` are empty.

use serde::Deserialize;

use boardcast_protocol::limits::{CARDS_MAX, COLUMNS_MAX, FIELDS_MAX, LABELS_MAX, MEMBERS_MAX};

use super::actions::Actions;
use super::loose::{Few, LooseText, Position, loose, or_empty};

/// Checklists of a file: five on each card of the largest board.
const CHECKLISTS_MAX: usize = 5 * CARDS_MAX;
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
