//! Actions about custom fields.

use boardcast_protocol::board::{FieldKind, FieldOption, FieldValue};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{FieldId, OptionId};
use serde_json::Value;

use super::super::trace::parse_moment;
use super::{NAMELESS, Outcome, Translator, bits, id, string, text, title};

impl Translator {
    /// The custom field that an action names, made where it is not there.
    pub(super) fn field(&mut self, data: &Value) -> Result<FieldId, &'static str> {
        let field = data.get("customField").ok_or(NAMELESS)?;
        let found = FieldId::from_u128(id(field)?);
        if self.fields.contains_key(&found) {
            return Ok(found);
        }
        // Where it is created, Trello does not tell its kind: the state at the end does.
        let known = string(field, "id").and_then(|id| self.known.get(id));
        let kind = string(field, "type").or(known.and_then(|known| known.kind.as_deref()));
        let kind = match kind.ok_or("the kind of the field is not told")? {
            "number" => FieldKind::Number,
            "checkbox" => FieldKind::Checkbox,
            "date" => FieldKind::Date,
            "list" => FieldKind::List,
            _ => FieldKind::Text,
        };
        let options = known
            .and_then(|known| known.options.as_deref())
            .unwrap_or_default();
        self.cmds.push(Command::FieldCreate {
            field: found,
            name: title(string(field, "name").unwrap_or_default()),
            kind,
            options: options.iter().filter_map(option).collect(),
        });
        self.fields.insert(found, kind);
        Ok(found)
    }

    pub(super) fn update_field(&mut self, data: &Value) -> Outcome {
        let field = self.field(data)?;
        let named = data.get("customField").ok_or(NAMELESS)?;
        let changed = |key: &str| data.get("old").is_some_and(|old| old.get(key).is_some());
        if changed("display") || changed("pos") {
            return Err("where a field is shown is not part of a board");
        }
        // Options are given when the field is made; one that is taken away later stays.
        self.cmds.push(Command::FieldSet {
            field,
            name: Some(title(string(named, "name").unwrap_or_default())),
            options: None,
        });
        Ok(())
    }

    pub(super) fn fill_field(&mut self, data: &Value) -> Outcome {
        let card = self.card(data)?;
        let field = self.field(data)?;
        let item = data.get("customFieldItem").ok_or(NAMELESS)?;
        let value = item.get("value");
        let part = |key: &str| value.and_then(|value| value.get(key)?.as_str());
        let kind = self.fields.get(&field).copied().unwrap_or(FieldKind::Text);
        let value = match kind {
            FieldKind::Text => part("text").map(|found| FieldValue::Text(text(found))),
            FieldKind::Number => part("number").map(|number| FieldValue::Number(number.into())),
            FieldKind::Checkbox => part("checked").map(|on| FieldValue::Checkbox(on == "true")),
            FieldKind::Date => part("date").and_then(parse_moment).map(FieldValue::Date),
            FieldKind::List => string(item, "idValue")
                .and_then(bits)
                .map(|bits| FieldValue::Option(OptionId::from_u128(bits))),
        };
        self.cmds.push(Command::CardField { card, field, value });
        Ok(())
    }
}

fn option(option: &Value) -> Option<FieldOption> {
    let name = option
        .get("value")
        .and_then(|value| value.get("text")?.as_str());
    let color = string(option, "color").filter(|color| *color != "none");
    Some(FieldOption {
        id: OptionId::from_u128(id(option).ok()?),
        name: title(name.unwrap_or_default()),
        color: color.map(str::to_owned),
    })
}
