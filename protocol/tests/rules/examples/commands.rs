//! One example of each command; they fit the board of the scenarios, one after the other.

use boardcast_protocol::board::{FieldKind, FieldOption, FieldValue, Priority, Role, Wip, WipKind};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::position::{ByteSize, Timestamp, Version};

use super::id;

pub(crate) fn commands() -> Vec<Command> {
    [about_board(), about_tags(), about_card(), about_parts()].concat()
}

fn about_board() -> Vec<Command> {
    vec![
        Command::BoardSet {
            title: Some("Release 2".into()),
            background: Some(None),
            archived: None,
        },
        Command::MemberAdd {
            user: id("bob"),
            name: Some("Bob Marsh".into()),
            role: Role::Editor,
        },
        Command::MemberRemove { user: id("bob") },
        Command::ColumnCreate {
            column: id("doing"),
            title: "Doing".into(),
            wip: Some(Wip {
                limit: 3,
                kind: WipKind::Hard,
            }),
            done: false,
            place: Place::after(id("todo")),
        },
        Command::ColumnSet {
            column: id("doing"),
            title: Some("In progress".into()),
            wip: Some(None),
            done: Some(false),
            archived: Some(false),
        },
        Command::ColumnMove {
            column: id("doing"),
            place: Place::before(id("todo")),
        },
        Command::ColumnRemove {
            column: id("doing"),
        },
    ]
}

fn about_tags() -> Vec<Command> {
    vec![
        Command::LabelCreate {
            label: id("bug"),
            name: "kind/bug".into(),
            color: Some("red".into()),
        },
        Command::LabelSet {
            label: id("bug"),
            name: Some("kind/defect".into()),
            color: Some(None),
        },
        Command::LabelRemove { label: id("bug") },
        Command::FieldCreate {
            field: id("risk"),
            name: "Risk".into(),
            kind: FieldKind::List,
            options: vec![FieldOption {
                id: id("high"),
                name: "High".into(),
                color: Some("#ff0000".into()),
            }],
        },
        Command::FieldSet {
            field: id("risk"),
            name: Some("Risk of delay".into()),
            options: None,
        },
        Command::FieldRemove { field: id("risk") },
        Command::SprintCreate {
            sprint: id("s1"),
            title: "Sprint 1".into(),
            start: Some(Timestamp(1_700_000_000_000)),
            end: Some(Timestamp(1_701_209_600_000)),
        },
        Command::SprintSet {
            sprint: id("s1"),
            title: Some("Sprint one".into()),
            start: None,
            end: Some(None),
        },
        Command::SprintRemove { sprint: id("s1") },
    ]
}

fn about_card() -> Vec<Command> {
    let card = id("k1");
    vec![
        Command::CardCreate {
            card,
            column: id("todo"),
            title: "Write the page".into(),
            place: Place::before(id("k0")),
            set: Box::new(CardChange {
                description: Some("In *Markdown*.".into()),
                due: Some(Some(Timestamp(1_700_500_000_000))),
                estimate: Some(Some(3)),
                ..CardChange::default()
            }),
            labels: vec![id("docs")],
            assignees: vec![id("ann")],
        },
        Command::CardSet {
            card,
            set: Box::new(CardChange {
                title: Some("Write the pages".into()),
                priority: Some(Priority::High),
                due: Some(None),
                complete: Some(true),
                ..CardChange::default()
            }),
        },
        Command::CardMove {
            card,
            column: id("todo"),
            place: Place::after(id("k0")),
        },
        Command::CardArchive {
            card,
            archived: true,
        },
        Command::CardRemove { card },
        Command::CardLabel {
            card: id("k0"),
            label: id("docs"),
            on: true,
        },
        Command::CardAssign {
            card: id("k0"),
            user: id("ann"),
            on: true,
        },
        Command::CardBlock {
            card: id("k0"),
            by: id("k2"),
            on: true,
        },
        Command::CardField {
            card: id("k0"),
            field: id("cost"),
            value: Some(FieldValue::Number("12.50".into())),
        },
    ]
}

fn about_parts() -> Vec<Command> {
    let (card, checklist, item) = (id("k0"), id("list"), id("i1"));
    let (comment, attachment) = (id("m1"), id("a1"));
    vec![
        Command::ChecklistCreate {
            card,
            checklist,
            title: "Before the release".into(),
            place: Place::default(),
        },
        Command::ChecklistSet {
            card,
            checklist,
            title: "Before release".into(),
        },
        Command::ChecklistMove {
            card,
            checklist,
            place: Place::before(id("steps")),
        },
        Command::ChecklistRemove { card, checklist },
        Command::ItemCreate {
            card,
            checklist: id("steps"),
            item,
            text: "Tag the commit".into(),
            place: Place::default(),
        },
        Command::ItemSet {
            card,
            checklist: id("steps"),
            item,
            text: None,
            done: Some(true),
            assignee: Some(Some(id("ann"))),
            due: Some(Some(Timestamp(1_700_600_000_000))),
        },
        Command::ItemMove {
            card,
            checklist: id("steps"),
            item,
            place: Place::before(id("i0")),
        },
        Command::ItemRemove {
            card,
            checklist: id("steps"),
            item,
        },
        Command::CommentCreate {
            card,
            comment,
            text: "Looks good.".into(),
        },
        Command::CommentSet {
            card,
            comment,
            text: "Looks very good.".into(),
        },
        Command::CommentRemove { card, comment },
        Command::AttachmentAdd {
            card,
            attachment,
            name: "plan.pdf".into(),
            mime: Some("application/pdf".into()),
            size: Some(ByteSize(48_213)),
            url: Some("https://example.org/plan.pdf".into()),
        },
        Command::AttachmentSet {
            card,
            attachment,
            name: "plan-2.pdf".into(),
        },
        Command::AttachmentRemove { card, attachment },
        Command::VersionUndo {
            version: Version(41),
        },
    ]
}
