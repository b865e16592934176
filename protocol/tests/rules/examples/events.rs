//! One example of each event.

use std::collections::BTreeMap;

use boardcast_protocol::board::{
    Attachment, Card, CardField, CardKey, Checklist, Column, Comment, Detail, DetailMark, Field,
    FieldKind, FieldOption, FieldValue, Item, Label, Member, Priority, Role, Sprint, Stamp, Wip,
    WipKind, detail_digest,
};
use boardcast_protocol::event::{CardPatch, Event};
use boardcast_protocol::position::{ByteSize, Timestamp, Version};

use super::id;

pub(crate) fn events() -> Vec<Event> {
    [about_board(), about_card(), about_detail(), about_parts()].concat()
}

pub(crate) fn stamp() -> Stamp {
    Stamp {
        by: id("ann"),
        at: Timestamp(1_700_000_000_000),
    }
}

pub(crate) fn detail() -> Detail {
    let comment = comment();
    Detail {
        description: "In *Markdown*.".into(),
        comments: BTreeMap::from([(comment.id, comment)]),
    }
}

fn comment() -> Comment {
    Comment {
        id: id("m1"),
        written: stamp(),
        author: None,
        text: "Looks very good.".into(),
        edited: Some(Timestamp(1_700_000_060_000)),
    }
}

fn item() -> Item {
    Item {
        id: id("i1"),
        text: "Tag the commit".into(),
        rank: id("V"),
        done: true,
        assignee: Some(id("ann")),
        due: Some(Timestamp(1_700_600_000_000)),
    }
}

fn checklist() -> Checklist {
    let item = item();
    Checklist {
        id: id("steps"),
        title: "Steps".into(),
        rank: id("V"),
        items: BTreeMap::from([(item.id, item)]),
    }
}

fn attachment() -> Attachment {
    Attachment {
        id: id("a1"),
        name: "plan.pdf".into(),
        mime: Some("application/pdf".into()),
        size: Some(ByteSize(48_213)),
        url: Some("https://example.org/plan.pdf".into()),
        added: stamp(),
    }
}

/// A card that has every field.
pub(crate) fn card() -> Card {
    let (checklist, attachment) = (checklist(), attachment());
    Card {
        id: id("k1"),
        number: 7,
        title: "Write the page".into(),
        column: id("todo"),
        rank: id("V001"),
        labels: vec![id("bug"), id("docs")],
        assignees: vec![id("ann")],
        priority: Priority::High,
        start: Some(Timestamp(1_700_000_000_000)),
        due: Some(Timestamp(1_700_500_000_000)),
        complete: true,
        estimate: Some(3),
        parent: Some(id("k0")),
        sprint: Some(id("s1")),
        cover: Some("blue".into()),
        blocked_by: vec![id("k2"), id("k3")],
        fields: vec![CardField {
            id: id("cost"),
            value: FieldValue::Number("12.50".into()),
        }],
        checklists: BTreeMap::from([(checklist.id, checklist)]),
        attachments: BTreeMap::from([(attachment.id, attachment)]),
        archived: true,
        created: stamp(),
        changed: stamp(),
        detail: DetailMark {
            rev: Version(11),
            digest: detail_digest(&detail()),
            described: true,
            comments: 1,
        },
        revs: BTreeMap::from([(CardKey::Title, Version(9)), (CardKey::Place, Version(12))]),
    }
}

fn about_board() -> Vec<Event> {
    vec![
        Event::BoardSet {
            title: Some("Release 2".into()),
            background: Some(None),
            archived: None,
        },
        Event::MemberPut {
            member: Member {
                id: id("bob"),
                name: "Bob Marsh".into(),
                role: Role::Editor,
            },
        },
        Event::MemberRemoved { user: id("bob") },
        Event::ColumnPut {
            column: Column {
                id: id("doing"),
                title: "Doing".into(),
                rank: id("V001"),
                wip: Some(Wip {
                    limit: 3,
                    kind: WipKind::Hard,
                }),
                done: false,
                archived: false,
            },
        },
        Event::ColumnRemoved {
            column: id("doing"),
        },
        Event::LabelPut {
            label: Label {
                id: id("bug"),
                name: "kind/bug".into(),
                color: Some("red".into()),
            },
        },
        Event::LabelRemoved { label: id("bug") },
        Event::FieldPut {
            field: Field {
                id: id("risk"),
                name: "Risk".into(),
                kind: FieldKind::List,
                options: vec![FieldOption {
                    id: id("high"),
                    name: "High".into(),
                    color: None,
                }],
            },
        },
        Event::FieldRemoved { field: id("risk") },
        Event::SprintPut {
            sprint: Sprint {
                id: id("s1"),
                title: "Sprint 1".into(),
                start: Some(Timestamp(1_700_000_000_000)),
                end: None,
            },
        },
        Event::SprintRemoved { sprint: id("s1") },
    ]
}

fn about_card() -> Vec<Event> {
    let full = card();
    vec![
        Event::CardPut {
            card: Box::new(full.clone()),
            detail: Some(Box::new(detail())),
            next_number: 8,
        },
        Event::CardSet {
            card: full.id,
            set: Box::new(CardPatch {
                title: Some("Write the pages".into()),
                column: Some(id("doing")),
                rank: Some(id("V002")),
                labels: Some(Vec::new()),
                assignees: Some(vec![id("ann"), id("bob")]),
                priority: Some(Priority::None),
                start: Some(None),
                due: Some(Some(Timestamp(1_700_700_000_000))),
                complete: Some(false),
                estimate: Some(None),
                parent: Some(None),
                sprint: Some(None),
                cover: Some(None),
                blocked_by: Some(Vec::new()),
                fields: Some(Vec::new()),
                archived: Some(false),
            }),
        },
        Event::CardRanked {
            card: full.id,
            rank: id("V0000V"),
        },
        Event::CardRemoved { card: full.id },
    ]
}

fn about_detail() -> Vec<Event> {
    let (card, digest) = (id("k1"), detail_digest(&detail()));
    vec![
        Event::CardDescribed {
            card,
            text: "In *Markdown*.".into(),
            digest: digest.clone(),
        },
        Event::CommentPut {
            card,
            comment: comment(),
            comments: 1,
            digest: digest.clone(),
        },
        Event::CommentRemoved {
            card,
            comment: id("m1"),
            comments: 0,
            digest,
        },
    ]
}

fn about_parts() -> Vec<Event> {
    let (card, steps) = (id("k1"), id("steps"));
    vec![
        Event::ChecklistPut {
            card,
            checklist: checklist(),
        },
        Event::ChecklistSet {
            card,
            checklist: steps,
            title: Some("Steps to take".into()),
            rank: Some(id("V001")),
        },
        Event::ChecklistRemoved {
            card,
            checklist: steps,
        },
        Event::ItemPut {
            card,
            checklist: steps,
            item: item(),
        },
        Event::ItemRemoved {
            card,
            checklist: steps,
            item: id("i1"),
        },
        Event::AttachmentPut {
            card,
            attachment: attachment(),
        },
        Event::AttachmentRemoved {
            card,
            attachment: id("a1"),
        },
    ]
}
