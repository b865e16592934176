//! The language of queries, by the examples of docs/schema/search-vectors.json.

use std::collections::BTreeMap;

use boardcast_protocol::board::{Detail, View};
use boardcast_protocol::ids::{CardId, UserId};
use boardcast_protocol::position::Timestamp;
use boardcast_protocol::search::{Asker, Query, normalized};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    tokens: Vec<Tokens>,
    errors: Vec<Wrong>,
    user: UserId,
    now: Timestamp,
    view: View,
    details: BTreeMap<CardId, Detail>,
    cases: Vec<Case>,
    found: Vec<Shown>,
}

#[derive(Deserialize)]
struct Tokens {
    text: String,
    tokens: Vec<String>,
}

#[derive(Deserialize)]
struct Wrong {
    q: String,
    at: usize,
}

#[derive(Deserialize)]
struct Case {
    q: String,
    cards: Vec<CardId>,
}

#[derive(Deserialize)]
struct Shown {
    q: String,
    card: CardId,
    field: Value,
    text: String,
    marks: Value,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../docs/schema/search-vectors.json")).unwrap()
}

fn query(text: &str) -> Query {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn texts_are_taken_apart_into_these_tokens() {
    for Tokens { text, tokens } in vectors().tokens {
        assert_eq!(normalized(&text), tokens.join(" "), "{text}");
    }
}

#[test]
fn a_faulty_query_is_refused_with_the_place_and_a_hint() {
    for Wrong { q, at } in vectors().errors {
        let error = q.parse::<Query>().unwrap_err();
        assert_eq!(error.at, at, "{q}: {error}");
        assert!(
            error.hint.contains('`') || error.hint.contains(';'),
            "{error}"
        );
    }
}

#[test]
fn queries_match_these_cards() {
    let vectors = vectors();
    let asker = Asker {
        user: vectors.user,
        now: vectors.now,
    };
    for Case { q, cards } in &vectors.cases {
        let query = query(q);
        let (view, details) = (&vectors.view, &vectors.details);
        let found = view.cards.values().filter(|card| {
            let matches = query.matches(view, card, details.get(&card.id), &asker);
            let may = query.may_match(view, card, &asker);
            assert!(may || !matches, "{q}: what matches may match");
            matches
        });
        let found: Vec<_> = found.map(|card| card.id).collect();
        assert_eq!(&found, cards, "{q}");
    }
}

#[test]
fn what_was_found_is_shown_with_its_words_marked() {
    let vectors = vectors();
    for shown in &vectors.found {
        let card = &vectors.view.cards[&shown.card];
        let found = query(&shown.q).find(card, vectors.details.get(&card.id));
        let expected = json!({"field": shown.field, "text": shown.text, "marks": shown.marks});
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            expected,
            "{}",
            shown.q
        );
    }
    let card = &vectors.view.cards.values().next().unwrap();
    assert_eq!(
        query("is:open").find(card, None),
        None,
        "there are no words"
    );
}
