//! What an importer meets in the wild.

use boardcast_protocol::board::{FieldValue, Role};

use super::*;

#[test]
fn things_stand_by_position_and_equal_ones_as_in_the_file() {
    let cards = json!([
        card(10, json!({"pos": 1.4e14})),
        card(11, json!({"pos": 0.75})),
        card(12, json!({"pos": 65_535})),
        card(13, json!({"pos": 65_535, "closed": true})),
        card(14, json!({"pos": "65535"})),
        card(15, json!({})),
        card(16, json!({"pos": null, "idList": id(2)})),
    ]);
    let file = read_value(&small(json!({ "cards": cards }))).unwrap();
    assert_eq!(
        titles(&file.board),
        [
            vec![
                "card 11", "card 12", "card 13", "card 14", "card 10", "card 15"
            ],
            vec!["card 16"]
        ]
    );
    let columns = file.board.columns();
    assert_eq!(
        (columns[0].title.as_str(), columns[0].archived),
        ("First", false)
    );
    assert!(
        columns[1].archived,
        "an open card may stand in a closed list"
    );
    let counts = Counts::of(&file.board);
    assert_eq!((counts.cards.open, counts.cards.archived), (6, 1));
}

#[test]
fn keys_come_in_any_order_and_unknown_ones_are_skipped() {
    let text = format!(
        "\u{feff}// 2024-01-31\n{{\"actions\": [{}, {}, {}], \"limits\": {{\"a\": [[{{}}]]}},
          \"checklists\": [{}], \"cards\": [{}], \"lists\": null, \"lists2\": 1e300, \"lists\": []}}",
        json!({"type": "commentCard", "id": id(30), "date": "2020-01-02T03:04:05.006Z",
               "idMemberCreator": id(40), "memberCreator": {"fullName": "Ann"},
               "data": {"text": "hello", "card": {"id": id(9)}}}),
        json!({"type": "somethingNew", "data": [1, 2]}),
        json!({"type": "commentCard", "id": id(31), "data": {"text": "x", "card": {"id": id(99)}}}),
        json!({"id": id(50), "idCard": id(9), "name": "L", "checkItems": null}),
        card(9, json!({"idList": id(3), "previews": {"deep": [[[]]]}})),
    );
    assert!(
        read_text(&text)
            .unwrap_err()
            .contains("duplicate field `lists`")
    );
    let lists = format!("\"lists\": [{{\"id\": \"{}\"}}]}}", id(3));
    let text = text
        .replace("\"lists\": null, ", "")
        .replace("\"lists\": []}", &lists);
    let file = read_text(&text).unwrap();
    let comment = detail(&file.board).comments.into_values().next().unwrap();
    assert_eq!(
        (comment.text.as_str(), comment.author.as_deref()),
        ("hello", Some("Ann"))
    );
    assert_eq!(comment.written.at, Timestamp(1_577_934_245_006));
    assert_eq!(only_card(&file.board).checklists.len(), 1);
    assert_eq!(
        skipped(file),
        [
            ("action".into(), 1),
            ("board".into(), 1),
            ("comment".into(), 1),
            ("list".into(), 1)
        ]
    );
}

#[test]
fn labels_come_from_the_cards_when_the_board_defines_none() {
    let label = json!({"id": id(60), "name": "", "color": "green"});
    let old = json!({"name": "old", "color": null});
    let file = one_card(json!({"idLabels": [id(60), id(61)], "labels": [label, old]}));
    let card = only_card(&file.board);
    assert_eq!(card.labels.len(), 2);
    let labels: Vec<_> = file.board.view().labels.values().collect();
    assert!(
        labels
            .iter()
            .any(|label| label.name.is_empty() && label.color.as_deref() == Some("green"))
    );
    assert_eq!(skipped(file), [("label on a card".into(), 1)]);
}

#[test]
fn a_cards_posting_address_is_never_kept() {
    let file = one_card(json!({"email": "secret+1@boards.trello.com", "desc": "text"}));
    let document = boardcast_protocol::board::BoardDocument::from_board(&file.board);
    let text = serde_json::to_string(&document).unwrap();
    assert!(
        text.contains("card 9") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn everything_of_a_card_is_taken_over() {
    let file = read_value(&small(json!({
        "members": [
            {"id": id(40), "fullName": "Ann", "memberType": "normal"},
            {"id": id(41), "fullName": "", "username": "bob"}, {"id": id(42)}
        ],
        "memberships": [
            {"idMember": id(40), "memberType": "admin"}, {"idMember": id(41), "memberType": "observer"}
        ],
        "customFields": [
            {"id": id(70), "name": "T", "type": "text"}, {"id": id(71), "name": "N", "type": "number"},
            {"id": id(72), "name": "C", "type": "checkbox"}, {"id": id(73), "name": "D", "type": "date"},
            {"id": id(74), "name": "L", "type": "list", "options": [
                {"id": id(75), "value": {"text": "two"}, "color": "none", "pos": 2},
                {"id": id(76), "value": {"text": "one"}, "color": "red", "pos": 1}]},
            {"id": id(77), "name": "?", "type": "button"}
        ],
        "cards": [card(9, json!({
            "idShort": 7, "desc": "# D", "due": "2024-01-31T12:00:00.000Z", "dueComplete": true,
            "start": "2024-01-01", "idMembers": [id(41), id(40), id(41), id(49)],
            "cover": {"color": "green", "idAttachment": null}, "idAttachmentCover": id(80),
            "dateLastActivity": "2024-02-01T00:00:00.000Z",
            "attachments": [
                {"id": id(80), "name": "a.png", "mimeType": "image/png", "bytes": 12, "isUpload": true,
                 "url": "https://trello.com/a.png", "date": "2024-01-02T00:00:00.000Z", "idMember": id(41)},
                {"id": id(81), "name": null, "url": "javascript:alert(1)", "bytes": null}],
            "customFieldItems": [
                {"idCustomField": id(70), "value": {"text": "v"}},
                {"idCustomField": id(71), "value": {"number": "-1.5"}},
                {"idCustomField": id(72), "value": {"checked": "true"}},
                {"idCustomField": id(73), "value": {"date": "2021-01-07T10:00:00.000Z"}},
                {"idCustomField": id(74), "idValue": id(76), "value": null},
                {"idCustomField": id(77), "value": {"text": "x"}}],
        }))],
        "checklists": [{"id": id(50), "idCard": id(9), "name": "L", "pos": 1, "checkItems": [
            {"id": id(51), "name": "b", "pos": 9, "state": "complete", "idMember": id(40), "due": "2024-01-31T12:00:00.000Z"},
            {"id": id(52), "name": "a", "pos": 8, "state": "incomplete"}]}]
    })))
    .unwrap();
    let view = file.board.view();
    let roles: Vec<_> = view
        .members
        .values()
        .map(|m| (m.name.as_str(), m.role))
        .collect();
    assert!(
        roles.contains(&("Ann", Role::Admin)) && roles.contains(&("bob", Role::Viewer)),
        "{roles:?}"
    );
    assert_eq!(roles.len(), 3);
    let card = only_card(&file.board);
    assert_eq!((card.number, view.next_number), (7, 8));
    assert_eq!(
        (card.due, card.complete),
        (Some(Timestamp(1_706_702_400_000)), true)
    );
    assert_eq!(card.start, Some(Timestamp(1_704_067_200_000)));
    assert_eq!(card.created.at, Timestamp(1_511_338_750_000));
    assert_eq!(card.created.by.as_str(), "importer");
    assert_eq!(card.assignees.len(), 2);
    let attachments: Vec<_> = card.attachments.values().collect();
    assert_eq!(card.cover.as_deref(), Some(attachments[0].id.as_str()));
    assert_eq!(
        (attachments[1].name.as_str(), attachments[1].url.as_deref()),
        ("javascript:alert(1)", None)
    );
    let values: Vec<_> = card.fields.iter().map(|field| &field.value).collect();
    assert!(values.contains(&&FieldValue::Number("-1.5".into())));
    assert!(values.contains(&&FieldValue::Checkbox(true)));
    assert!(
        values
            .iter()
            .any(|value| matches!(value, FieldValue::Option(_)))
    );
    assert_eq!(values.len(), 5);
    let list = card.checklists.values().next().unwrap();
    let mut items: Vec<_> = list.items.values().collect();
    items.sort_by(|a, b| a.rank.cmp(&b.rank));
    assert_eq!((items[0].text.as_str(), items[1].text.as_str()), ("a", "b"));
    assert!(items[1].done && items[1].assignee.is_some() && items[1].due.is_some());
    assert_eq!(
        skipped(file),
        [
            ("assignee".into(), 1),
            ("custom field".into(), 1),
            ("link of an attachment".into(), 1),
            ("value of a custom field".into(), 1)
        ]
    );
}

#[test]
fn names_are_kept_as_strange_as_they_are() {
    let names = [
        "\u{200e}",
        "---",
        "\u{1f984} \u{202e}abc",
        "\u{200b}",
        "dup",
        "dup",
    ];
    let cards: Vec<_> = (0..)
        .zip(names)
        .map(|(n, name)| card(10 + n, json!({"name": name})))
        .collect();
    let file = read_value(&small(json!({ "cards": cards }))).unwrap();
    assert_eq!(titles(&file.board)[0], names);
    assert_eq!(skipped(file), []);
}

#[test]
fn numbers_that_are_missing_or_double_are_given_anew() {
    let cards = json!([
        card(10, json!({"idShort": 3})),
        card(11, json!({"idShort": 3})),
        card(12, json!({})),
        card(13, json!({"idShort": -5})),
        card(14, json!({"idShort": 1e300}))
    ]);
    let file = read_value(&small(json!({ "cards": cards }))).unwrap();
    let mut numbers: Vec<_> = file
        .board
        .view()
        .cards
        .values()
        .map(|card| card.number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(
        numbers,
        [
            3,
            1_000_000_000,
            1_000_000_001,
            1_000_000_002,
            1_000_000_003
        ]
    );
}

#[test]
fn what_is_too_long_is_cut_and_told() {
    let file = one_card(json!({"name": "x".repeat(5_000), "desc": "y".repeat(70_000)}));
    assert_eq!(only_card(&file.board).title.len(), 2_048);
    assert_eq!(detail(&file.board).description.len(), 65_536);
    assert_eq!(
        skipped(file),
        [("card".into(), 1), ("description".into(), 1)]
    );
}

#[test]
fn ids_that_stand_twice_are_refused_or_told() {
    let cards = json!([card(9, json!({})), card(9, json!({}))]);
    let error = read_value(&small(json!({ "cards": cards }))).unwrap_err();
    assert_eq!(
        error,
        format!("the id {:?} stands on two cards of the file", id(9))
    );
    let lists = json!([{"id": id(2)}, {"id": id(2)}]);
    let error = read_value(&small(json!({ "lists": lists }))).unwrap_err();
    assert!(error.contains("on two lists"), "{error}");
    let labels = json!([{"id": id(60), "name": "a"}, {"id": id(60), "name": "b"}]);
    let file = read_value(&small(json!({ "labels": labels }))).unwrap();
    assert_eq!(file.board.view().labels.values().next().unwrap().name, "a");
    assert_eq!(skipped(file), [("label".into(), 1)]);
}

#[test]
fn what_is_no_board_is_refused() {
    assert!(
        read_text("{}")
            .unwrap_err()
            .contains("neither `lists` nor `cards`")
    );
    assert!(read_text("[]").unwrap_err().contains("neither"));
    assert!(
        read_text("Issue key,Summary\n")
            .unwrap_err()
            .contains("line 1, column 1")
    );
    assert!(
        read_text("7")
            .unwrap_err()
            .contains("invalid type: integer")
    );
    let deep = format!("{{\"cards\": {}", "[".repeat(1_000_000));
    assert!(
        read_text(&deep)
            .unwrap_err()
            .contains("invalid type: sequence")
    );
    let deep = format!("{{\"lists\": [], \"other\": {}", "[".repeat(1_000_000));
    assert!(read_text(&deep).unwrap_err().contains("cut off"));
}

#[test]
fn a_million_cards_are_refused_before_they_fill_the_memory() {
    let one = card(9, json!({})).to_string();
    let text = format!(
        "{{\"lists\": [], \"cards\": [{one}{}]}}",
        format!(",{one}").repeat(1_000_000)
    );
    let error = read_text(&text).unwrap_err();
    assert!(error.contains("there are more than 20000"), "{error}");
}
