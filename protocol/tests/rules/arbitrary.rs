//! Random commands: most of them name things that are there, some are garbage.

use boardcast_protocol::board::{
    Actor, Board, FieldKind, FieldOption, FieldValue, Priority, Role, Wip, WipKind,
};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{CardId, ChecklistId, ColumnId, UserId};
use boardcast_protocol::position::{ByteSize, Timestamp};

/// A stream of numbers that depends on its seed only (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(2).then(|| make(self))
    }

    /// An id that is among `present` more often than not.
    fn id<Id: Copy + std::str::FromStr>(
        &mut self,
        present: impl ExactSizeIterator<Item = Id>,
    ) -> Id {
        let count = present.len();
        if count > 0 && !self.one_in(6) {
            let nth = self.below(count);
            if let Some(id) = present.into_iter().nth(nth) {
                return id;
            }
        }
        self.new_id()
    }

    /// An id of a small pool that all kinds of things share.
    fn new_id<Id: std::str::FromStr>(&mut self) -> Id {
        let id = format!("n{}", self.below(400));
        id.parse().ok().expect("an id of the pool is well formed")
    }

    fn text(&mut self) -> String {
        let plain = ["Plan", "Write", "Ship it", "a/b", "Größe ✓", "x"];
        match self.below(40) {
            0 => String::new(),
            1 => "  ".into(),
            2 => "two\nlines".into(),
            3 => "\u{0}\u{1f}\u{7f}".into(),
            4 => "y".repeat(70_000),
            5 => "z".repeat(3_000),
            6 => "\u{2028}\u{202e}\u{feff}🎉".into(),
            _ => format!("{} {}", self.pick(&plain), self.below(20)),
        }
    }

    fn time(&mut self) -> Timestamp {
        Timestamp(self.next() % 2_000_000_000_000)
    }
}

pub(crate) const USERS: [&str; 6] = ["ann", "bob", "cid", "dot", "eve", "fox"];

pub(crate) fn user(dice: &mut Dice) -> UserId {
    dice.pick(&USERS).parse().expect("names are ids")
}

/// Mostly the server's admin, so that most commands are allowed; else one of the users.
pub(crate) fn actor(dice: &mut Dice) -> Actor {
    Actor::new(user(dice), !dice.one_in(4))
}

fn place<Id>(dice: &mut Dice, mut id: impl FnMut(&mut Dice) -> Id) -> Place<Id> {
    Place {
        after: dice.maybe(&mut id),
        before: dice.maybe(&mut id),
    }
}

fn card(dice: &mut Dice, board: &Board) -> CardId {
    dice.id(board.view().cards.keys().copied())
}

fn column(dice: &mut Dice, board: &Board) -> ColumnId {
    dice.id(board.view().columns.keys().copied())
}

fn checklist(dice: &mut Dice, board: &Board, card: CardId) -> ChecklistId {
    match board.view().cards.get(&card) {
        Some(card) => dice.id(card.checklists.keys().copied()),
        None => dice.new_id(),
    }
}

fn wip(dice: &mut Dice) -> Wip {
    Wip {
        limit: dice.below(8) as u32,
        kind: dice.pick(&[WipKind::Soft, WipKind::Hard]),
    }
}

fn options(dice: &mut Dice) -> Vec<FieldOption> {
    let count = dice.below(4);
    (0..count)
        .map(|_| FieldOption {
            id: format!("o{}", dice.below(4)).parse().expect("an id"),
            name: dice.text(),
            color: dice.maybe(Dice::text),
        })
        .collect()
}

fn value(dice: &mut Dice) -> FieldValue {
    match dice.below(6) {
        0 => FieldValue::Text(dice.text()),
        1 => FieldValue::Number(dice.pick(&["1", "-12.5", "1e9", "", "."]).into()),
        2 => FieldValue::Checkbox(dice.one_in(2)),
        3 => FieldValue::Date(dice.time()),
        _ => FieldValue::Option(format!("o{}", dice.below(4)).parse().expect("an id")),
    }
}

fn change(dice: &mut Dice, board: &Board) -> CardChange {
    let view = board.view();
    CardChange {
        title: dice.maybe(Dice::text),
        description: dice.maybe(Dice::text),
        priority: dice.maybe(|dice| dice.pick(&[Priority::None, Priority::Low, Priority::Urgent])),
        start: dice.maybe(|dice| dice.maybe(Dice::time)),
        due: dice.maybe(|dice| dice.maybe(Dice::time)),
        complete: dice.maybe(|dice| dice.one_in(2)),
        estimate: dice.maybe(|dice| dice.maybe(|dice| dice.below(1_001_000) as u32)),
        parent: dice.maybe(|dice| dice.maybe(|dice| card(dice, board))),
        sprint: dice.maybe(|dice| dice.maybe(|dice| dice.id(view.sprints.keys().copied()))),
        cover: dice.maybe(|dice| dice.maybe(Dice::text)),
    }
}

/// One field of a change, so that not every change is refused for another of its fields.
fn small_change(dice: &mut Dice, board: &Board) -> CardChange {
    let full = change(dice, board);
    match dice.below(7) {
        0 => CardChange {
            title: full.title,
            ..CardChange::default()
        },
        1 => CardChange {
            description: full.description,
            ..CardChange::default()
        },
        2 => CardChange {
            parent: full.parent,
            ..CardChange::default()
        },
        3 => CardChange {
            sprint: full.sprint,
            ..CardChange::default()
        },
        4 => CardChange {
            cover: full.cover,
            priority: full.priority,
            ..CardChange::default()
        },
        5 => CardChange {
            due: full.due,
            start: full.start,
            complete: full.complete,
            ..CardChange::default()
        },
        _ => full,
    }
}

/// Any command; creations are more frequent than removals, so boards grow.
pub(crate) fn command(dice: &mut Dice, board: &Board) -> Command {
    match dice.below(10) {
        0 => about_board(dice, board),
        1 | 2 => about_tags(dice, board),
        3..=6 => about_card(dice, board),
        7 | 8 => about_checklist(dice, board),
        _ => about_detail(dice, board),
    }
}

fn about_board(dice: &mut Dice, board: &Board) -> Command {
    match dice.below(12) {
        0 => Command::BoardSet {
            title: dice.maybe(Dice::text),
            background: dice.maybe(|dice| dice.maybe(Dice::text)),
            archived: (dice.one_in(4) || board.view().archived).then(|| dice.one_in(6)),
        },
        1..=3 => Command::MemberAdd {
            user: user(dice),
            name: dice.maybe(Dice::text),
            role: dice.pick(&[Role::Viewer, Role::Commenter, Role::Editor, Role::Admin]),
        },
        4 => Command::MemberRemove { user: user(dice) },
        5..=7 => Command::ColumnCreate {
            column: dice.new_id(),
            title: dice.text(),
            wip: dice.one_in(4).then(|| wip(dice)),
            done: dice.one_in(3),
            place: place(dice, |dice| column(dice, board)),
        },
        8 => Command::ColumnSet {
            column: column(dice, board),
            title: dice.maybe(Dice::text),
            wip: dice.maybe(|dice| dice.maybe(wip)),
            done: dice.maybe(|dice| dice.one_in(2)),
            archived: dice.maybe(|dice| dice.one_in(4)),
        },
        9 | 10 => Command::ColumnMove {
            column: column(dice, board),
            place: place(dice, |dice| column(dice, board)),
        },
        _ => Command::ColumnRemove {
            column: column(dice, board),
        },
    }
}

fn about_tags(dice: &mut Dice, board: &Board) -> Command {
    let view = board.view();
    let label = dice.id(view.labels.keys().copied());
    let field = dice.id(view.fields.keys().copied());
    let sprint = dice.id(view.sprints.keys().copied());
    let kinds = [
        FieldKind::Text,
        FieldKind::Number,
        FieldKind::Checkbox,
        FieldKind::Date,
        FieldKind::List,
        FieldKind::List,
    ];
    match dice.below(12) {
        0 | 1 => Command::LabelCreate {
            label: dice.new_id(),
            name: dice.text(),
            color: dice.maybe(Dice::text),
        },
        2 => Command::LabelSet {
            label,
            name: dice.maybe(Dice::text),
            color: dice.maybe(|dice| dice.maybe(Dice::text)),
        },
        3 => Command::LabelRemove { label },
        4 | 5 => {
            let kind = dice.pick(&kinds);
            let options = options(dice);
            Command::FieldCreate {
                field: dice.new_id(),
                name: dice.text(),
                kind,
                options: if kind == FieldKind::List || dice.one_in(9) {
                    options
                } else {
                    Vec::new()
                },
            }
        }
        6 => Command::FieldSet {
            field,
            name: dice.maybe(Dice::text),
            options: dice.maybe(options),
        },
        7 => Command::FieldRemove { field },
        8 | 9 => Command::SprintCreate {
            sprint: dice.new_id(),
            title: dice.text(),
            start: dice.maybe(Dice::time),
            end: dice.maybe(Dice::time),
        },
        10 => Command::SprintSet {
            sprint,
            title: dice.maybe(Dice::text),
            start: dice.maybe(|dice| dice.maybe(Dice::time)),
            end: dice.maybe(|dice| dice.maybe(Dice::time)),
        },
        _ => Command::SprintRemove { sprint },
    }
}

fn about_card(dice: &mut Dice, board: &Board) -> Command {
    let view = board.view();
    let card_id = card(dice, board);
    match dice.below(20) {
        0..=5 => Command::CardCreate {
            card: dice.new_id(),
            column: column(dice, board),
            title: dice.text(),
            place: place(dice, |dice| card(dice, board)),
            set: Box::new(small_change(dice, board)),
            labels: (0..dice.below(3))
                .map(|_| dice.id(view.labels.keys().copied()))
                .collect(),
            assignees: (0..dice.below(2)).map(|_| user(dice)).collect(),
        },
        6 | 7 => Command::CardSet {
            card: card_id,
            set: Box::new(small_change(dice, board)),
        },
        8..=11 => Command::CardMove {
            card: card_id,
            column: column(dice, board),
            place: place(dice, |dice| card(dice, board)),
        },
        12 => Command::CardArchive {
            card: card_id,
            archived: dice.one_in(2),
        },
        13 => Command::CardRemove { card: card_id },
        14 | 15 => Command::CardLabel {
            card: card_id,
            label: dice.id(view.labels.keys().copied()),
            on: !dice.one_in(3),
        },
        16 => Command::CardAssign {
            card: card_id,
            user: user(dice),
            on: !dice.one_in(3),
        },
        17 => Command::CardBlock {
            card: card_id,
            by: card(dice, board),
            on: !dice.one_in(3),
        },
        _ => Command::CardField {
            card: card_id,
            field: dice.id(view.fields.keys().copied()),
            value: (!dice.one_in(4)).then(|| value(dice)),
        },
    }
}

fn about_checklist(dice: &mut Dice, board: &Board) -> Command {
    let card = card(dice, board);
    let checklist_id = checklist(dice, board, card);
    let found = board
        .view()
        .cards
        .get(&card)
        .and_then(|card| card.checklists.get(&checklist_id));
    let item = |dice: &mut Dice| match found {
        Some(list) => dice.id(list.items.keys().copied()),
        None => dice.new_id(),
    };
    let checklist = checklist_id;
    match dice.below(12) {
        0..=2 => Command::ChecklistCreate {
            card,
            checklist: dice.new_id(),
            title: dice.text(),
            place: place(dice, |dice| self::checklist(dice, board, card)),
        },
        3 => Command::ChecklistSet {
            card,
            checklist,
            title: dice.text(),
        },
        4 => Command::ChecklistMove {
            card,
            checklist,
            place: place(dice, |dice| self::checklist(dice, board, card)),
        },
        5 => Command::ChecklistRemove { card, checklist },
        6..=8 => Command::ItemCreate {
            card,
            checklist,
            item: dice.new_id(),
            text: dice.text(),
            place: place(dice, item),
        },
        9 => Command::ItemSet {
            card,
            checklist,
            item: item(dice),
            text: dice.maybe(Dice::text),
            done: dice.maybe(|dice| dice.one_in(2)),
            assignee: dice.maybe(|dice| dice.maybe(user)),
            due: dice.maybe(|dice| dice.maybe(Dice::time)),
        },
        10 => Command::ItemMove {
            card,
            checklist,
            item: item(dice),
            place: place(dice, item),
        },
        _ => Command::ItemRemove {
            card,
            checklist,
            item: item(dice),
        },
    }
}

fn about_detail(dice: &mut Dice, board: &Board) -> Command {
    let card = card(dice, board);
    let comment = match board.detail(card) {
        Some(detail) => dice.id(detail.comments.keys().copied()),
        None => dice.new_id(),
    };
    let attachment = match board.view().cards.get(&card) {
        Some(card) => dice.id(card.attachments.keys().copied()),
        None => dice.new_id(),
    };
    match dice.below(9) {
        0..=2 => Command::CommentCreate {
            card,
            comment: dice.new_id(),
            text: dice.text(),
        },
        3 => Command::CommentSet {
            card,
            comment,
            text: dice.text(),
        },
        4 => Command::CommentRemove { card, comment },
        5 | 6 => Command::AttachmentAdd {
            card,
            attachment: dice.new_id(),
            name: dice.text(),
            mime: dice.maybe(Dice::text),
            size: dice.maybe(|dice| ByteSize(dice.next() % 1_000_000)),
            url: dice.maybe(|dice| {
                dice.pick(&["https://example.org/a", "javascript:alert(1)", "HTTP://x"])
                    .into()
            }),
        },
        7 => Command::AttachmentSet {
            card,
            attachment,
            name: dice.text(),
        },
        _ => Command::AttachmentRemove { card, attachment },
    }
}
