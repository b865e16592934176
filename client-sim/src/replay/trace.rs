//! Files with the history of a board: Trello exports, and traces with an action a line.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use boardcast_protocol::position::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What somebody did.
#[derive(Clone, Debug, Deserialize)]
pub struct Action {
    /// Its id, 24 hexadecimal digits.
    #[serde(default)]
    pub id: String,
    /// What was done, like `updateCard`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    #[serde(rename = "date", deserialize_with = "moment")]
    pub at: Timestamp,
    /// Who.
    #[serde(default, rename = "idMemberCreator")]
    pub actor: String,
    /// To what.
    #[serde(default)]
    pub data: Value,
}

impl Action {
    /// Whether it is about a card, a list or something on a card.
    pub fn is_about_cards_or_lists(&self) -> bool {
        ["card", "list", "checklist"]
            .iter()
            .any(|key| self.data.get(key).is_some_and(Value::is_object))
    }

    /// The member whom it is about besides its actor.
    pub fn member(&self) -> Option<&str> {
        let data = &self.data;
        let member = data
            .get("idMember")
            .or_else(|| data.get("member")?.get("id"));
        member?.as_str()
    }
}

/// A list as it stands at the end of the history.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its position.
    #[serde(default)]
    pub pos: Value,
}

/// A card as it stands at the end of the history.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its description.
    #[serde(default)]
    pub desc: Option<String>,
    /// Its list.
    #[serde(default)]
    pub id_list: Option<String>,
    /// Its position.
    #[serde(default)]
    pub pos: Value,
    /// Its labels.
    #[serde(default)]
    pub id_labels: Option<Vec<String>>,
}

/// A label.
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its colour.
    #[serde(default)]
    pub color: Option<String>,
}

/// A custom field, as it stands at the end of the history.
#[derive(Clone, Debug, Deserialize)]
pub struct Field {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its kind.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Its options.
    #[serde(default)]
    pub options: Option<Vec<Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Export {
    name: Option<String>,
    actions: Vec<Action>,
    lists: Vec<List>,
    cards: Vec<Card>,
    labels: Option<Vec<Label>>,
    custom_fields: Option<Vec<Field>>,
}

/// The history of a board, oldest action first.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The board's name.
    pub name: String,
    /// What was done.
    pub actions: Vec<Action>,
    /// Lists at the end; none in a JSONL trace.
    pub lists: Vec<List>,
    /// Cards at the end; none in a JSONL trace.
    pub at_end: Vec<Card>,
    /// Labels.
    pub labels: Vec<Label>,
    /// Custom fields.
    pub fields: Vec<Field>,
}

impl Trace {
    /// The people who did something, in the order of their first action.
    pub fn actors(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let actors = self.actions.iter().map(|action| &action.actor);
        actors
            .filter(|actor| seen.insert(actor.as_str()))
            .cloned()
            .collect()
    }

    /// The people who are only named.
    pub fn others(&self) -> Vec<String> {
        let actors: BTreeSet<String> = self.actors().into_iter().collect();
        let named: BTreeSet<String> = self
            .actions
            .iter()
            .filter_map(Action::member)
            .map(str::to_owned)
            .collect();
        named.difference(&actors).cloned().collect()
    }

    /// Count of cards that are named anywhere.
    pub fn cards(&self) -> usize {
        let id = |action: &Action| {
            let id = action.data.get("card")?.get("id")?;
            Some(id.as_str()?.to_owned())
        };
        let mut cards: BTreeSet<String> = self.actions.iter().filter_map(id).collect();
        cards.extend(self.at_end.iter().map(|card| card.id.clone()));
        cards.len()
    }
}

/// Reads a `.jsonl` trace, or anything else as a Trello export.
///
/// # Errors
/// The file cannot be read or is neither.
pub fn read(path: &Path) -> anyhow::Result<Trace> {
    let name = || path.display().to_string();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("failed to read {}", name()))?;
    let lines = path
        .extension()
        .is_some_and(|extension| extension == "jsonl");
    let trace = if lines {
        read_lines(&text)
    } else {
        read_export(&text)
    };
    let trace = trace.with_context(|| format!("{} holds no history of a board", name()))?;
    if trace.actions.is_empty() {
        bail!("{} holds no action", name());
    }
    Ok(trace)
}

fn read_export(text: &str) -> anyhow::Result<Trace> {
    // Exports of browser extensions begin with comment lines.
    let start = text.trim_start_matches('\u{feff}');
    let mut rest = start.trim_start();
    while rest.starts_with("//") {
        rest = rest
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    let mut export: Export = serde_json::from_str(rest)?;
    export.actions.reverse();
    Ok(Trace {
        name: export.name.unwrap_or_default(),
        actions: export.actions,
        lists: export.lists,
        at_end: export.cards,
        labels: export.labels.unwrap_or_default(),
        fields: export.custom_fields.unwrap_or_default(),
    })
}

fn read_lines(text: &str) -> anyhow::Result<Trace> {
    let lines = text.lines().enumerate();
    let actions: Vec<Action> = lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line).with_context(|| format!("line {} is no action", index + 1))
        })
        .collect::<anyhow::Result<_>>()?;
    let board = actions.first().and_then(|action| action.data.get("board"));
    let name = board.and_then(|board| board.get("name")?.as_str());
    Ok(Trace {
        name: name.unwrap_or("Replayed board").to_owned(),
        actions,
        lists: Vec::new(),
        at_end: Vec::new(),
        labels: Vec::new(),
        fields: Vec::new(),
    })
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_moment(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no time in UTC")))
}

/// Reads `2017-11-22T08:19:10.146Z`.
pub(super) fn parse_moment(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    if text.len() < 20 || !text.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let millis = if text.len() >= 24 { number(20..23)? } else { 0 };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970 in the proleptic Gregorian calendar, with years that begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let in_era = year.rem_euclid(400);
    let in_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    u64::try_from(seconds * 1_000 + millis).ok().map(Timestamp)
}
