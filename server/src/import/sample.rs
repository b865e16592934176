//! The sample board of the repository: made for it, with every feature in use.

use boardcast_protocol::board::{Board, FieldKind, Priority, Role, WipKind};

use super::{Counts, Source, json};

fn sample() -> Board {
    let text = include_bytes!("../../assets/sample-board.json");
    match json::read(Source::new(&text[..])) {
        Ok(file) => file.board,
        Err(error) => panic!("the sample board: {error}"),
    }
}

#[test]
fn the_sample_board_has_every_feature_in_use() {
    let board = sample();
    let view = board.view();
    let counts = Counts::of(&board);
    assert!((110..=130).contains(&(counts.cards.open + counts.cards.archived)));
    assert!(counts.cards.archived > 5 && counts.columns.archived == 1);
    assert!(counts.check_items > 15 && counts.comments > 10 && counts.attachments > 5);
    let roles: Vec<_> = view.members.values().map(|member| member.role).collect();
    for role in [Role::Admin, Role::Editor, Role::Commenter, Role::Viewer] {
        assert!(roles.contains(&role), "{role:?}");
    }
    let limits = || view.columns.values().filter_map(|column| column.wip);
    assert!(limits().any(|wip| wip.kind == WipKind::Hard));
    assert!(limits().any(|wip| wip.kind == WipKind::Soft));
    assert!(view.columns.values().any(|column| column.done));
    assert!(view.labels.values().any(|label| label.name.contains('/')));
    assert!(view.labels.values().any(|label| label.name.is_empty()));
    let kinds: Vec<_> = view.fields.values().map(|field| field.kind).collect();
    let cards = || view.cards.values();
    for kind in [
        FieldKind::Text,
        FieldKind::Number,
        FieldKind::Checkbox,
        FieldKind::Date,
        FieldKind::List,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    for field in view.fields.keys() {
        assert!(cards().any(|card| card.fields.iter().any(|value| value.id == *field)));
    }
    for priority in [
        Priority::Low,
        Priority::Medium,
        Priority::High,
        Priority::Urgent,
    ] {
        assert!(
            cards().any(|card| card.priority == priority),
            "{priority:?}"
        );
    }
    assert!(cards().any(|card| card.due.is_some() && card.start.is_some()));
    assert!(cards().any(|card| card.complete) && cards().any(|card| card.estimate.is_some()));
    assert!(cards().any(|card| card.parent.is_some()));
    assert!(cards().any(|card| card.blocked_by.len() > 1));
    let covers: Vec<_> = cards().filter_map(|card| card.cover.as_deref()).collect();
    assert!(covers.contains(&"blue") && covers.iter().any(|cover| cover.starts_with('#')));
    let is_attachment = |card: &boardcast_protocol::board::Card| {
        let cover = card.cover.as_deref();
        card.attachments.keys().any(|id| Some(id.as_str()) == cover)
    };
    assert!(cards().any(is_attachment));
    for sprint in view.sprints.keys() {
        assert!(cards().any(|card| card.sprint == Some(*sprint)));
    }
    assert!(
        board
            .details()
            .values()
            .any(|detail| detail.description.len() > 500)
    );
    let items = || cards().flat_map(|card| card.checklists.values());
    let items = || items().flat_map(|list| list.items.values());
    assert!(items().any(|item| item.done) && items().any(|item| item.assignee.is_some()));
    assert!(items().any(|item| item.due.is_some()));
}
