use boardcast_protocol::event::Event;
use boardcast_protocol::ids::CardId;

use super::*;

const ANN: u32 = 40;
const BEN: u32 = 41;

/// An action of a second, on card 9.
fn action(second: u32, kind: &str, more: &Value) -> Value {
    let mut data = json!({"card": {"id": id(9), "idShort": 7, "name": "now"}});
    for (key, value) in more.as_object().unwrap() {
        match (key.as_str(), value.as_object()) {
            ("card", Some(fields)) => {
                let card = data["card"].as_object_mut().unwrap();
                card.extend(fields.clone());
            }
            _ => data[key] = value.clone(),
        }
    }
    json!({
        "id": id(1_000 + second), "type": kind, "idMemberCreator": id(ANN), "data": data,
        "date": format!("2020-01-01T00:00:{second:02}.000Z"),
    })
}

/// The history of a board with card 9, which has `more`; actions come the newest first.
fn history(more: Value, actions: &[Value]) -> Vec<Past> {
    let newest_first: Vec<_> = actions.iter().rev().collect();
    let members = json!([{"id": id(ANN), "fullName": "Ann"}, {"id": id(BEN), "fullName": "Ben"}]);
    let file = small(json!({
        "cards": [card(9, more)], "members": members, "actions": newest_first
    }));
    let file = read_value(&file).unwrap();
    file.board.verify().unwrap();
    file.history
}

fn user(number: u32) -> String {
    UserId::from_u128(id_bits(&id(number))).to_string()
}

/// What happened, as JSON, and what would undo it.
fn told(past: &Past) -> (Value, Value) {
    assert_eq!(past.events.len(), past.was.len());
    (json!(past.events), json!(past.was))
}

#[test]
fn a_card_has_its_history_with_authors_and_times_oldest_first() {
    let changed = |second, old: Value, now: Value| {
        action(second, "updateCard", &json!({"old": old, "card": now}))
    };
    let past = history(
        json!({"idMembers": [id(BEN)], "desc": "Long"}),
        &[
            action(
                1,
                "createCard",
                &json!({"card": {"name": "first"}, "list": {"id": id(3)}}),
            ),
            changed(2, json!({"name": "first"}), json!({"name": "second"})),
            changed(3, json!({"idList": id(3)}), json!({"idList": id(2)})),
            changed(
                4,
                json!({"closed": false, "due": null}),
                json!({"closed": true, "due": "2020-02-01T00:00:00.000Z"}),
            ),
            changed(5, json!({"desc": ""}), json!({"desc": "Long"})),
            action(6, "addMemberToCard", &json!({"idMember": id(ANN)})),
            action(7, "addMemberToCard", &json!({"member": {"id": id(BEN)}})),
            action(8, "removeMemberFromCard", &json!({"idMember": id(ANN)})),
            action(9, "commentCard", &json!({"text": "One"})),
            action(10, "commentCard", &json!({"text": "Two"})),
        ],
    );
    let card = CardId::from_u128(id_bits(&id(9)));
    let times: Vec<u64> = past.iter().map(|past| past.at.0 % 60_000 / 1_000).collect();
    assert_eq!(times, (1..=10).collect::<Vec<u64>>());
    assert!(past.iter().all(|past| past.by.to_string() == user(ANN)));
    let Event::CardPut { card: made, .. } = &past[0].events[0] else {
        panic!("{:?}", past[0]);
    };
    assert_eq!(
        (made.title.as_str(), made.number, made.assignees.len()),
        ("first", 1, 0)
    );
    assert_eq!(made.created.at, past[0].at);
    assert_eq!(
        told(&past[0]).1,
        json!([{"type": "card.removed", "card": card}])
    );

    let column = |number| ColumnId::from_u128(id_bits(&id(number)));
    let set = |fields: Value| json!([{"type": "card.set", "card": card, "set": fields}]);
    for (at, now, was) in [
        (1, json!({"title": "second"}), json!({"title": "first"})),
        (
            2,
            json!({"column": column(2)}),
            json!({"column": column(3)}),
        ),
        (
            3,
            json!({"archived": true, "due": 1_580_515_200_000_u64}),
            json!({"archived": false, "due": null}),
        ),
        (
            5,
            json!({"assignees": [user(ANN)]}),
            json!({"assignees": []}),
        ),
        (7, json!({"assignees": [user(BEN)]}), {
            let mut both = [user(ANN), user(BEN)];
            both.sort();
            json!({"assignees": both})
        }),
    ] {
        assert_eq!(told(&past[at]), (set(now), set(was)), "{at}");
    }
    let described =
        |text| json!([{"type": "card.described", "card": card, "text": text, "digest": ""}]);
    assert_eq!(told(&past[4]), (described("Long"), described("")));
    for (at, text, count) in [(8, "One", 1), (9, "Two", 2)] {
        let (now, was) = told(&past[at]);
        assert_eq!(
            (&now[0]["comment"]["text"], &now[0]["comments"]),
            (&json!(text), &json!(count))
        );
        assert_eq!(
            (&was[0]["type"], &was[0]["comments"]),
            (&json!("comment.removed"), &json!(count - 1))
        );
    }
}

#[test]
fn checklists_attachments_and_deletions_are_in_it() {
    let list = json!({"id": id(50), "name": "Steps"});
    let item = json!({"id": id(51), "name": "One", "state": "complete"});
    let file = json!({"id": id(52), "name": "a.png", "url": "https://example.org/a.png"});
    let past = history(
        json!({}),
        &[
            action(1, "addChecklistToCard", &json!({"checklist": list})),
            action(
                2,
                "updateCheckItemStateOnCard",
                &json!({"checklist": list, "checkItem": item}),
            ),
            action(3, "removeChecklistFromCard", &json!({"checklist": list})),
            action(4, "addAttachmentToCard", &json!({"attachment": file})),
            action(5, "deleteAttachmentFromCard", &json!({"attachment": file})),
            action(6, "deleteCard", &json!({"card": {"id": id(99)}})),
        ],
    );
    let types: Vec<_> = past
        .iter()
        .map(|past| told(past).0[0]["type"].clone())
        .collect();
    let expected = [
        "checklist.put",
        "item.put",
        "checklist.removed",
        "attachment.put",
        "attachment.removed",
        "card.removed",
    ];
    assert_eq!(types, expected);
    let (now, was) = told(&past[1]);
    assert_eq!(
        (&now[0]["item"]["done"], &was[0]["item"].get("done")),
        (&json!(true), &None)
    );
    assert_eq!(
        told(&past[3]).0[0]["attachment"]["url"],
        "https://example.org/a.png"
    );
    assert_eq!(
        told(&past[5]).1,
        json!([null]),
        "what the card was is not known"
    );
}

#[test]
fn what_changed_only_the_order_or_no_card_is_left_out_and_counted() {
    let actions = [
        action(
            1,
            "updateCard",
            &json!({"old": {"pos": 1}, "card": {"pos": 2}}),
        ),
        action(
            2,
            "updateCard",
            &json!({"old": {"idMembers": []}, "card": {"idMembers": [id(ANN)]}}),
        ),
        action(3, "updateCard", &json!({"old": {"name": 5}})),
        json!({"id": "no time", "type": "deleteCard", "data": {"card": {"id": id(9)}}}),
        json!({"id": id(60), "type": "createList", "data": {"list": {"id": id(3)}}}),
        json!({"id": id(61), "type": "updateCard", "data": [1, 2]}),
        json!({"id": id(62), "type": "deleteCard", "data": {"card": {"id": id(9)}}}),
    ];
    let file = read_value(&small(
        json!({"cards": [card(9, json!({}))], "actions": actions}),
    ))
    .unwrap();
    assert_eq!(
        file.history.len(),
        2,
        "its id tells when it was: {:?}",
        file.history
    );
    assert_eq!(file.history[0].at, Timestamp(0x5a15_32fe * 1_000));
    let actions: usize = (file.omissions.into_list().iter())
        .filter(|skipped| skipped.what == "action")
        .map(|skipped| skipped.count)
        .sum();
    assert_eq!(actions, 5);
}

#[test]
fn more_than_is_kept_leaves_the_oldest_out() {
    let renamed = |n: usize| {
        let change =
            json!({"old": {"name": "x".repeat(1_000)}, "card": {"name": "y".repeat(1_000)}});
        let mut action = action(1, "updateCard", &change);
        action["id"] = json!(id(u32::try_from(n).unwrap()));
        action
    };
    // Titles are cut at 2 KiB; the newest come first.
    let actions: Vec<_> = (0..super::super::actions::DEEDS_MAX + 10)
        .map(renamed)
        .collect();
    let file = read_value(&small(
        json!({"cards": [card(9, json!({}))], "actions": actions}),
    ))
    .unwrap();
    assert_eq!(file.history.len(), 5_000);
    let left_out: Vec<_> = file
        .omissions
        .into_list()
        .into_iter()
        .map(|s| (s.what, s.count))
        .collect();
    assert_eq!(left_out, [("action".to_owned(), 10)]);

    let long = |n: usize| {
        let texts =
            json!({"old": {"desc": "x".repeat(40_000)}, "card": {"desc": "y".repeat(40_000)}});
        let mut action = action(1, "updateCard", &texts);
        action["id"] = json!(id(u32::try_from(n).unwrap()));
        action
    };
    let actions: Vec<_> = (0..300).map(long).collect();
    let file = read_value(&small(
        json!({"cards": [card(9, json!({}))], "actions": actions}),
    ))
    .unwrap();
    assert_eq!(
        file.history.len(),
        16 * 1_024 * 1_024 / 80_000,
        "16 MiB of texts"
    );
}
