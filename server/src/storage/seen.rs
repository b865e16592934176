//! What of a version people see in the history of a board.

use boardcast_protocol::event::{CardPatch, Event};

/// Whether a version belongs to the history that people read. Only order is left out: new ranks that
/// made room for a neighbour, and a card that was moved inside its column. `was` holds for each event
/// the one that would undo it; where it is missing the version is seen.
pub(super) fn is_seen(events: &[Event], was: &[Option<Event>]) -> bool {
    let undo = was
        .iter()
        .map(Option::as_ref)
        .chain(std::iter::repeat(None));
    events
        .iter()
        .zip(undo)
        .any(|(event, was)| !is_order_alone(event, was))
}

fn is_order_alone(event: &Event, was: Option<&Event>) -> bool {
    match (event, was) {
        (Event::CardRanked { .. }, _) => true,
        (Event::CardSet { set, .. }, Some(Event::CardSet { set: old, .. })) => {
            let place = CardPatch {
                column: set.column,
                rank: set.rank.clone(),
                ..CardPatch::default()
            };
            **set == place && set.column == old.column
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn seen(events: &Value, was: &Value) -> bool {
        let events: Vec<Event> = serde_json::from_value(events.clone()).unwrap();
        let was: Vec<Option<Event>> = serde_json::from_value(was.clone()).unwrap();
        is_seen(&events, &was)
    }

    fn set(patch: &Value) -> Value {
        json!({"type": "card.set", "card": "c1", "set": patch})
    }

    fn ranked(rank: &str) -> Value {
        json!({"type": "card.ranked", "card": "c2", "rank": rank})
    }

    #[test]
    fn a_move_inside_a_column_is_not_seen() {
        let to = set(&json!({"column": "todo", "rank": "k"}));
        let from = set(&json!({"column": "todo", "rank": "m"}));
        assert!(!seen(&json!([to]), &json!([from])));
        assert!(!seen(
            &json!([ranked("h"), to]),
            &json!([ranked("g"), from])
        ));
        assert!(!seen(
            &json!([set(&json!({"rank": "k"}))]),
            &json!([set(&json!({"rank": "m"}))])
        ));
    }

    #[test]
    fn a_move_to_another_column_is_seen() {
        let to = set(&json!({"column": "done", "rank": "k"}));
        let from = set(&json!({"column": "todo", "rank": "m"}));
        assert!(seen(&json!([to]), &json!([from])));
        assert!(seen(&json!([ranked("h"), to]), &json!([ranked("g"), from])));
    }

    #[test]
    fn a_change_that_comes_with_a_new_rank_is_seen() {
        let to = set(&json!({"column": "todo", "rank": "k", "title": "New"}));
        let from = set(&json!({"column": "todo", "rank": "m", "title": "Old"}));
        assert!(seen(&json!([to]), &json!([from])));
        let removed = json!({"type": "card.removed", "card": "c1"});
        assert!(seen(
            &json!([ranked("h"), removed]),
            &json!([ranked("g"), null])
        ));
    }

    #[test]
    fn what_cannot_be_told_is_seen() {
        let to = set(&json!({"column": "todo", "rank": "k"}));
        assert!(seen(&json!([to]), &json!([])));
        assert!(seen(&json!([to]), &json!([null])));
    }
}
