//! What a board holds before anybody works on it.

use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{CardId, ChecklistId, ColumnId, LabelId, UserId};
use boardcast_protocol::position::Timestamp;
use rand::RngExt;

use super::Workload;

/// Columns of a board, where nothing else is said.
pub const FILL_COLUMNS: usize = TITLES.len();

const TITLES: [&str; 5] = ["Ideas", "Ready", "Doing", "Review", "Done"];

impl Workload {
    /// The commands that fill an empty board: `count` columns, at least one, labels, and `cards` cards
    /// among `members`.
    pub fn fill(
        &mut self,
        count: usize,
        cards: usize,
        members: &[UserId],
        now: Timestamp,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        let mut columns = Vec::new();
        for at in 0..count.max(1) {
            let column = ColumnId::from_u128(self.rng.random());
            let title = TITLES
                .get(at)
                .map_or_else(|| format!("Column {}", at + 1), |title| (*title).to_owned());
            columns.push(column);
            commands.push(Command::ColumnCreate {
                column,
                done: title == "Done",
                title,
                wip: None,
                place: Place::default(),
            });
        }
        let mut labels = Vec::new();
        for (name, color) in [
            ("area/backend", "blue"),
            ("area/web", "sky"),
            ("kind/bug", "red"),
            ("kind/idea", "green"),
            ("", "purple"),
        ] {
            let label = LabelId::from_u128(self.rng.random());
            labels.push(label);
            commands.push(Command::LabelCreate {
                label,
                name: name.into(),
                color: Some(color.into()),
            });
        }
        for _ in 0..cards {
            self.fill_card(&columns, &labels, members, now, &mut commands);
        }
        commands
    }

    fn fill_card(
        &mut self,
        columns: &[ColumnId],
        labels: &[LabelId],
        members: &[UserId],
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let card = CardId::from_u128(self.rng.random());
        let column = columns[self.rng.random_range(0..columns.len())];
        let description = self.rng.random_bool(0.3).then(|| self.words(30));
        let due = self.rng.random_bool(0.3).then(|| Some(self.day(now)));
        let set = CardChange {
            description,
            due,
            ..CardChange::default()
        };
        let label = labels[self.rng.random_range(0..labels.len())];
        let assignees = (!members.is_empty() && self.rng.random_bool(0.5))
            .then(|| members[self.rng.random_range(0..members.len())]);
        commands.push(Command::CardCreate {
            card,
            column,
            title: self.words(4),
            place: Place::default(),
            set: Box::new(set),
            labels: vec![label],
            assignees: assignees.into_iter().collect(),
        });
        if self.rng.random_bool(0.2) {
            let checklist = ChecklistId::from_u128(self.rng.random());
            commands.push(self.checklist(card, checklist));
            for _ in 0..3 {
                commands.push(self.item(card, checklist));
            }
        }
    }
}
