//! What undoing and archiving must come to, judged by what the board shows before and after, and not
//! by what was stored beside the versions.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::Board;
use boardcast_protocol::event::Event;
use boardcast_protocol::position::Version;
use serde_json::Value;

use super::replay;
use crate::storage::Append;

/// What a board shows, by where it stands.
type Shown = BTreeMap<String, Value>;

/// What an undoing may leave otherwise: places, of which another one may have been taken meanwhile,
/// and what tells that something has changed.
const ASIDE: [&str; 6] = ["rank", "revs", "changed", "next_number", "detail", "edited"];

/// Versions that undo others, each with the one that it undoes; what is wrong with them.
pub(in crate::simulation) fn undone(
    first: &Board,
    log: &BTreeMap<Version, Append>,
    undoings: &BTreeMap<Version, Version>,
) -> Option<String> {
    let mut wanted = BTreeSet::new();
    for (undoing, version) in undoings {
        for end in [version, undoing] {
            wanted.extend([Version(end.0.saturating_sub(1)), *end]);
        }
    }
    let mut board = first.clone();
    let start = log.keys().next().map_or(0, |version| version.0 - 1);
    let mut stands = BTreeMap::from([(Version(start), shown(&board))]);
    for entry in log.values() {
        replay(&mut board, entry).ok()?;
        if wanted.contains(&entry.version) {
            stands.insert(entry.version, shown(&board));
        }
    }
    undoings.iter().find_map(|(undoing, version)| {
        let broken = broken(log, &stands, (*undoing, *version))?;
        Some(format!("{undoing} was to undo {version}: {broken}"))
    })
}

fn broken(
    log: &BTreeMap<Version, Append>,
    stands: &BTreeMap<Version, Shown>,
    (undoing, version): (Version, Version),
) -> Option<String> {
    let Some(deed) = log.get(&version).filter(|_| version < undoing) else {
        return Some("there was no such version".to_owned());
    };
    if deed.by != log[&undoing].by {
        return Some("it is somebody else's".to_owned());
    }
    let before = |version: Version| &stands[&Version(version.0 - 1)];
    let (was, did) = (before(version), &stands[&version]);
    let (meanwhile, now) = (before(undoing), &stands[&undoing]);
    let changed = differences(was, did);
    for place in &changed {
        let (was, did) = (was.get(place), did.get(place));
        let (meanwhile, now) = (meanwhile.get(place), now.get(place));
        if now != was {
            return Some(format!("{place} is {now:?}, and was {was:?}"));
        }
        if meanwhile != did && meanwhile != was {
            return Some(format!("{place} was {meanwhile:?} by then, not {did:?}"));
        }
    }
    let more = differences(meanwhile, now);
    let other = more.difference(&changed).next()?;
    Some(format!("{other} has changed as well"))
}

fn differences(one: &Shown, other: &Shown) -> BTreeSet<String> {
    let places = one.keys().chain(other.keys());
    let differ = places.filter(|place| one.get(*place) != other.get(*place));
    differ.cloned().collect()
}

fn shown(board: &Board) -> Shown {
    let mut shown = Shown::new();
    let view = serde_json::to_value(board.view()).unwrap();
    flatten("", &view, &mut shown);
    for (card, detail) in board.details() {
        let detail = serde_json::to_value(detail).unwrap();
        flatten(&format!("details/{card}"), &detail, &mut shown);
    }
    shown
}

fn flatten(place: &str, value: &Value, shown: &mut Shown) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !ASIDE.contains(&name.as_str()))
            {
                flatten(&format!("{place}/{name}"), value, shown);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.get("id").is_some()) => {
            for item in items {
                let id = item["id"].as_str().unwrap();
                flatten(&format!("{place}/{id}"), item, shown);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            shown.insert(place.to_owned(), value.clone());
        }
    }
}

/// What a version did to a board that was archived: only its members change, and it is restored.
pub(in crate::simulation) fn spoiled(board: &Board, entry: &Append) -> Option<String> {
    if !board.view().archived {
        return None;
    }
    let events: Vec<Event> = serde_json::from_slice(&entry.events).unwrap();
    let may = |event: &Event| {
        let restored = Some(false);
        matches!(event, Event::MemberPut { .. } | Event::MemberRemoved { .. })
            || matches!(event, Event::BoardSet { archived, .. } if *archived == restored)
    };
    // What follows from the end of a membership is of the same version.
    if events.iter().any(may) {
        return None;
    }
    Some(format!("{events:?}"))
}
