//! One example of each message.

use std::collections::BTreeMap;

use boardcast_protocol::board::{
    CardKey, Column, Conflict, Field, FieldKind, Label, Member, Reason, Role, View,
};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::event::{CardPatch, Event};
use boardcast_protocol::message::*;
use boardcast_protocol::position::{Epoch, Position, Seq, Timestamp, Version};

use super::events::{card, detail};
use super::id;

const EPOCH: Epoch = Epoch(0x05d1_7e7a_90c4_21bf);

fn at() -> Position {
    Position {
        epoch: EPOCH,
        version: Version(41),
    }
}

pub(crate) fn client_messages() -> Vec<ClientMessage> {
    let board = id("2VfUX");
    vec![
        ClientMessage::Hello(Hello {
            v: 1,
            client: id("7Qd2mLr9"),
            token: Some("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl".into()),
            agent: Some("example/0.1".into()),
            boards: vec![HelloBoard {
                board,
                at: Some(at()),
            }],
        }),
        ClientMessage::Subscribe(Subscribe {
            req: 1,
            board,
            at: Some(at()),
        }),
        ClientMessage::Unsubscribe(Unsubscribe { req: 2, board }),
        ClientMessage::Submit(Submit {
            board,
            seq: Seq(17),
            cmds: vec![Command::CardMove {
                card: id("k1"),
                column: id("doing"),
                place: Place::after(id("k0")),
            }],
            seen: BTreeMap::new(),
        }),
        ClientMessage::Submit(Submit {
            board,
            seq: Seq(18),
            cmds: vec![Command::CardSet {
                card: id("k1"),
                set: Box::new(CardChange {
                    title: Some("Write the pages".into()),
                    ..CardChange::default()
                }),
            }],
            seen: BTreeMap::from([(CardKey::Title, Version(9))]),
        }),
        ClientMessage::Presence(PresenceUpdate {
            board,
            at: Some(Whereabouts {
                doing: Activity::Typing,
                card: Some(id("k1")),
                column: None,
            }),
        }),
        ClientMessage::CardOpen(CardOpen {
            req: 3,
            board,
            card: id("k1"),
        }),
        ClientMessage::Activity(ActivityQuery {
            req: 4,
            board,
            card: Some(id("k1")),
            before: Some(Version(40)),
            limit: 50,
        }),
        ClientMessage::BoardCreate(BoardCreate {
            req: 5,
            title: "Release 2".into(),
        }),
        ClientMessage::BoardsList(BoardsList {
            req: 6,
            after: Some(board),
            archived: true,
        }),
        ClientMessage::Ping(Ping {
            t: Timestamp(1_700_000_000_000),
        }),
    ]
}

pub(crate) fn server_messages() -> Vec<ServerMessage> {
    let mut messages = answers();
    messages.splice(3..3, board_messages());
    messages
}

/// A small board with one card that has every field.
pub(crate) fn view() -> View {
    let card = card();
    let mut view = View::new(id("2VfUX"), "Release 1".into());
    view.background = Some("ocean".into());
    view.next_number = 8;
    for (user, role) in [("ann", Role::Admin), ("bob", Role::Viewer)] {
        let member = Member {
            id: id(user),
            name: user.into(),
            role,
        };
        view.members.insert(member.id, member);
    }
    let column = Column {
        id: id("todo"),
        title: "To do".into(),
        rank: id("V"),
        wip: None,
        done: false,
        archived: false,
    };
    view.columns.insert(column.id, column);
    for label in ["bug", "docs"] {
        let label = Label {
            id: id(label),
            name: label.into(),
            color: None,
        };
        view.labels.insert(label.id, label);
    }
    let field = Field {
        id: id("cost"),
        name: "Cost".into(),
        kind: FieldKind::Number,
        options: Vec::new(),
    };
    view.fields.insert(field.id, field);
    view.cards.insert(card.id, card);
    view
}

fn moved() -> VersionEntry {
    VersionEntry {
        n: Version(42),
        client: Some(id("7Qd2mLr9")),
        seq: Some(Seq(17)),
        by: id("ann"),
        at: Timestamp(1_700_000_000_000),
        ev: vec![Event::CardSet {
            card: id("k1"),
            set: Box::new(CardPatch {
                column: Some(id("doing")),
                rank: Some(id("V001")),
                ..CardPatch::default()
            }),
        }],
    }
}

/// A version of no client, such as an import makes.
fn renamed() -> VersionEntry {
    VersionEntry {
        n: Version(43),
        client: None,
        seq: None,
        ev: vec![Event::BoardSet {
            title: Some("Release 2".into()),
            background: None,
            archived: None,
        }],
        ..moved()
    }
}

fn board_messages() -> Vec<ServerMessage> {
    let board = id("2VfUX");
    vec![
        ServerMessage::Snapshot(Snapshot {
            board,
            epoch: EPOCH,
            version: Version(41),
            view: Box::new(view()),
        }),
        ServerMessage::Outcome(outcome(17, OutcomeResult::NoChange)),
        ServerMessage::Outcome(Outcome {
            version: Some(Version(42)),
            ..outcome(17, OutcomeResult::Accepted)
        }),
        ServerMessage::Outcome(Outcome {
            reason: Some(Reason::Conflict),
            hint: Some("the title of card #7 was changed meanwhile".into()),
            conflict: Some(Box::new(Conflict {
                field: CardKey::Title,
                mine: "Write the pages".into(),
                theirs: "Write the page today".into(),
            })),
            ..outcome(18, OutcomeResult::Rejected)
        }),
        ServerMessage::Outcome(Outcome {
            retry_ms: Some(250),
            ..outcome(19, OutcomeResult::Busy)
        }),
        ServerMessage::Outcome(Outcome {
            retry_ms: Some(2_000),
            ..outcome(19, OutcomeResult::Unavailable)
        }),
        ServerMessage::Outcome(outcome(3, OutcomeResult::Forgotten)),
        ServerMessage::Durable(Durable {
            board,
            epoch: EPOCH,
            version: Version(42),
        }),
        ServerMessage::Presence(Presence {
            board,
            count: 2,
            people: vec![
                Person {
                    user: id("ann"),
                    at: Some(Whereabouts {
                        doing: Activity::Dragging,
                        card: Some(id("k1")),
                        column: Some(id("doing")),
                    }),
                },
                Person {
                    user: id("bob"),
                    at: None,
                },
            ],
        }),
        ServerMessage::Role(RoleChange { board, role: None }),
        ServerMessage::Card(CardDetail {
            req: 3,
            board,
            card: id("k1"),
            version: Version(41),
            detail: detail(),
        }),
        ServerMessage::Activity(ActivityPage {
            req: 4,
            board,
            entries: vec![ActivityEntry {
                n: Version(42),
                by: id("ann"),
                at: Timestamp(1_700_000_000_000),
                ev: serde_json::to_value(moved().ev).expect("events are JSON"),
                was: serde_json::json!([
                    {"type": "card.set", "card": "k1", "set": {"column": "todo", "rank": "V"}}
                ]),
            }],
            more: true,
        }),
    ]
}

fn outcome(seq: u64, result: OutcomeResult) -> Outcome {
    Outcome {
        board: id("2VfUX"),
        seq: Seq(seq),
        result,
        version: None,
        reason: None,
        hint: None,
        conflict: None,
        retry_ms: None,
    }
}

fn answers() -> Vec<ServerMessage> {
    let board = id("2VfUX");
    vec![
        ServerMessage::Welcome(Welcome {
            v: 1,
            user: id("ann"),
            conn: 42,
            limits: WireLimits {
                message_bytes: 524_288,
                submit_commands: 100,
                boards: 100,
            },
            ping_ms: 25_000,
            server_time: Timestamp(1_700_000_000_000),
        }),
        ServerMessage::Subscribed(Subscribed {
            req: Some(1),
            board,
            role: Role::Admin,
            epoch: EPOCH,
            version: Version(41),
            durable: Version(41),
            last_seq: Seq(16),
            mode: Mode::Events,
        }),
        ServerMessage::Unsubscribed(Unsubscribed { req: 2, board }),
        ServerMessage::BoardCreated(BoardCreated { req: 5, board }),
        ServerMessage::Boards(Boards {
            req: 6,
            boards: vec![BoardSummary {
                board,
                title: "Release 1".into(),
                role: Role::Admin,
                archived: true,
            }],
            more: false,
        }),
        ServerMessage::Error(ErrorMessage {
            req: Some(1),
            board: Some(board),
            seq: None,
            code: ErrorCode::NoSuchBoard,
            hint: "there is no such board, or it is not yours".into(),
        }),
        ServerMessage::Goodbye(Goodbye {
            code: 1012,
            retry_ms: 4_213,
        }),
        ServerMessage::Pong(Ping {
            t: Timestamp(1_700_000_000_000),
        }),
        ServerMessage::Batch(Batch {
            board,
            from: Version(41),
            durable: Version(41),
            v: vec![moved()],
        }),
        ServerMessage::Batch(Batch {
            board,
            from: Version(42),
            durable: Version(41),
            v: vec![
                renamed(),
                VersionEntry {
                    n: Version(44),
                    seq: Some(Seq(18)),
                    ..moved()
                },
            ],
        }),
    ]
}
