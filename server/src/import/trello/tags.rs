//! What the cards of a Trello board are sorted by: labels, members, custom fields.

use std::collections::BTreeMap;

use boardcast_protocol::board::{
    CardField, Field, FieldKind, FieldOption, FieldValue, Label, Member, Omissions, Role, View,
};
use boardcast_protocol::ids::{FieldId, LabelId, OptionId, UserId};
use boardcast_protocol::limits::{LABELS_MAX, OPTIONS_MAX};

use super::file;
use super::values::{Texts, id_bits, time};

/// What the file says about them.
pub(super) struct Sources {
    pub(super) labels: Vec<file::Label>,
    pub(super) members: Vec<file::Member>,
    pub(super) memberships: Vec<file::Membership>,
    pub(super) fields: Vec<file::CustomField>,
}

/// The ids under which they stand on the board.
pub(super) struct Tags {
    labels: BTreeMap<String, LabelId>,
    members: BTreeMap<String, UserId>,
    fields: BTreeMap<String, (FieldId, FieldKind)>,
}

const STANDS_TWICE: &str = "its id stands twice in the file: the first one was taken";

impl Tags {
    /// Puts labels, members and custom fields on the board.
    pub(super) fn read(
        view: &mut View,
        sources: Sources,
        cards: &[file::Card],
        omissions: &mut Omissions,
    ) -> Self {
        let mut tags = Self {
            labels: BTreeMap::new(),
            members: BTreeMap::new(),
            fields: BTreeMap::new(),
        };
        for label in sources.labels {
            if tags.labels.contains_key(&label_key(&label)) {
                omissions.add("label", STANDS_TWICE);
            } else {
                tags.put_label(view, &label, omissions);
            }
        }
        for label in cards.iter().flat_map(|card| &card.labels.0) {
            if !tags.labels.contains_key(&label_key(label)) {
                tags.put_label(view, label, omissions);
            }
        }
        let mut roles: BTreeMap<String, Role> = BTreeMap::new();
        for membership in sources.memberships {
            let role = role_of(&membership.member_type.0);
            roles.insert(membership.id_member.0, role);
        }
        for member in sources.members {
            tags.put_member(view, member, &roles, omissions);
        }
        for field in sources.fields {
            tags.put_field(view, field, omissions);
        }
        tags
    }

    fn put_label(&mut self, view: &mut View, label: &file::Label, omissions: &mut Omissions) {
        if view.labels.len() >= LABELS_MAX {
            omissions.add("label", "a board takes at most 1,000 labels");
            return;
        }
        let key = label_key(label);
        let id = LabelId::from_u128(id_bits(&key));
        let name = Texts(omissions).optional_title(&label.name, "label");
        let color = Texts(omissions).name(&label.color.0, "label");
        view.labels.insert(id, Label { id, name, color });
        self.labels.insert(key, id);
    }

    fn put_member(
        &mut self,
        view: &mut View,
        member: file::Member,
        roles: &BTreeMap<String, Role>,
        omissions: &mut Omissions,
    ) {
        if self.members.contains_key(&member.id) {
            omissions.add("member", STANDS_TWICE);
            return;
        }
        let id = UserId::from_u128(id_bits(&member.id));
        let mut texts = Texts(omissions);
        let name = texts.name(&member.full_name.0, "member");
        let name = name.or_else(|| texts.name(&member.username.0, "member"));
        let role = roles.get(&member.id).copied().unwrap_or(Role::Editor);
        let member_here = Member {
            id,
            name: name.unwrap_or_else(|| id.to_string()),
            role,
        };
        view.members.insert(id, member_here);
        self.members.insert(member.id, id);
    }

    fn put_field(&mut self, view: &mut View, field: file::CustomField, omissions: &mut Omissions) {
        if self.fields.contains_key(&field.id) {
            omissions.add("custom field", STANDS_TWICE);
            return;
        }
        let Some(kind) = kind_of(&field.kind.0) else {
            omissions.add(
                "custom field",
                "its type is not text, number, checkbox, date or list",
            );
            return;
        };
        let id = FieldId::from_u128(id_bits(&field.id));
        let mut options: Vec<FieldOption> = Vec::new();
        let ranked = super::ranked(field.options.0, |option| option.pos);
        for (option, _) in ranked.into_iter().filter(|_| kind == FieldKind::List) {
            let id = OptionId::from_u128(id_bits(&option.id));
            if options.len() == OPTIONS_MAX {
                omissions.add(
                    "option of a custom field",
                    "a field takes at most 200 options",
                );
            } else if options.iter().any(|other| other.id == id) {
                omissions.add("option of a custom field", STANDS_TWICE);
            } else {
                let what = "option of a custom field";
                let name = Texts(omissions).title(&option.value.text.0, what);
                let color = Some(option.color.0).filter(|color| color != "none");
                let color = color.and_then(|color| Texts(omissions).name(&color, what));
                options.push(FieldOption { id, name, color });
            }
        }
        let name = Texts(omissions).title(&field.name, "custom field");
        view.fields.insert(
            id,
            Field {
                id,
                name,
                kind,
                options,
            },
        );
        self.fields.insert(field.id, (id, kind));
    }

    /// The member with this id at Trello.
    pub(super) fn member(&self, id: &str) -> Option<UserId> {
        self.members.get(id).copied()
    }

    /// The members of a card, sorted.
    pub(super) fn assignees(&self, card: &file::Card, omissions: &mut Omissions) -> Vec<UserId> {
        let ids = card.id_members.0.iter().map(|id| self.member(&id.0));
        known(ids, "assignee", "the file has no such member", omissions)
    }

    /// The labels of a card, sorted.
    pub(super) fn labels(&self, card: &file::Card, omissions: &mut Omissions) -> Vec<LabelId> {
        let own: Vec<_> = card.labels.0.iter().map(label_key).collect();
        let ids = card.id_labels.0.iter().map(|id| &id.0);
        let named = ids.chain(&own).map(|key| self.labels.get(key).copied());
        known(
            named,
            "label on a card",
            "nothing in the file defines it",
            omissions,
        )
    }

    /// The values of custom fields of a card, sorted by field.
    pub(super) fn values(
        &self,
        view: &View,
        items: Vec<file::FieldItem>,
        omissions: &mut Omissions,
    ) -> Vec<CardField> {
        let mut values = BTreeMap::new();
        for item in items {
            let Some((id, kind)) = self.fields.get(&item.id_custom_field).copied() else {
                omissions.add(
                    "value of a custom field",
                    "the file does not define the field",
                );
                continue;
            };
            let field = view.fields.get(&id);
            match field.and_then(|field| value_of(field, kind, item, omissions)) {
                Some(value) => {
                    values.insert(id, CardField { id, value });
                }
                None => omissions.add("value of a custom field", "it does not fit the field"),
            }
        }
        values.into_values().collect()
    }
}

fn known<Id: Ord>(
    ids: impl Iterator<Item = Option<Id>>,
    what: &'static str,
    why: &'static str,
    omissions: &mut Omissions,
) -> Vec<Id> {
    let mut found = Vec::new();
    for id in ids {
        match id {
            Some(id) => found.push(id),
            None => omissions.add(what, why),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The id of a label; old files have labels without one, which are known by colour and name.
fn label_key(label: &file::Label) -> String {
    if label.id.is_empty() {
        return format!("label:{}:{}", label.color.0, label.name);
    }
    label.id.clone()
}

fn role_of(kind: &str) -> Role {
    match kind {
        "admin" => Role::Admin,
        "observer" => Role::Viewer,
        _ => Role::Editor,
    }
}

fn kind_of(kind: &str) -> Option<FieldKind> {
    match kind {
        "text" => Some(FieldKind::Text),
        "number" => Some(FieldKind::Number),
        "checkbox" => Some(FieldKind::Checkbox),
        "date" => Some(FieldKind::Date),
        "list" => Some(FieldKind::List),
        _ => None,
    }
}

fn value_of(
    field: &Field,
    kind: FieldKind,
    item: file::FieldItem,
    omissions: &mut Omissions,
) -> Option<FieldValue> {
    match kind {
        FieldKind::Text => {
            let text = Texts(omissions).text(item.value.text.0, "value of a custom field");
            Some(FieldValue::Text(text))
        }
        FieldKind::Number => {
            is_decimal(&item.value.number.0).then_some(FieldValue::Number(item.value.number.0))
        }
        FieldKind::Checkbox => match item.value.checked.0.as_str() {
            "true" => Some(FieldValue::Checkbox(true)),
            "false" => Some(FieldValue::Checkbox(false)),
            _ => None,
        },
        FieldKind::Date => time(&item.value.date.0).map(FieldValue::Date),
        FieldKind::List => {
            let id = OptionId::from_u128(id_bits(&item.id_value.0));
            let exists = field.options.iter().any(|option| option.id == id);
            exists.then_some(FieldValue::Option(id))
        }
    }
}

/// Whether the text is a number such as `-12.5`, of at most 40 characters.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    text.len() <= 40 && plain(whole) && plain(fraction)
}
