//! The cards of a board as a table for spreadsheets: CSV as RFC 4180 has it, in UTF-8.

use boardcast_protocol::board::{Board, Card, Field, FieldKind, FieldValue, Priority, View};
use boardcast_protocol::ids::{OptionId, UserId};
use boardcast_protocol::position::Timestamp;

use crate::calendar;

/// The largest table, in bytes. Texts of 20,000 cards could fill memory otherwise.
pub const CSV_MAX_BYTES: usize = 64 * 1_024 * 1_024;
/// Units of UTF-16 of a cell: spreadsheets take no more, and cut it or shift what follows.
const CELL_MAX_UNITS: usize = 32_767;
/// Between several values in one cell.
const BETWEEN: &str = "; ";

/// The columns that every board has; its custom fields follow.
const COLUMNS: [&str; 24] = [
    "number",
    "id",
    "title",
    "column",
    "labels",
    "assignees",
    "priority",
    "start",
    "due",
    "complete",
    "estimate",
    "sprint",
    "parent",
    "blocked_by",
    "description",
    "checklist_items",
    "checklist_items_done",
    "comments",
    "attachments",
    "archived",
    "created",
    "created_by",
    "changed",
    "changed_by",
];

/// The cards of a board, a line each, in the order of the board; archived ones are marked. `None`
/// where that has more than [`CSV_MAX_BYTES`].
pub(super) fn table(board: &Board) -> Option<Vec<u8>> {
    within(board, CSV_MAX_BYTES)
}

fn within(board: &Board, max_bytes: usize) -> Option<Vec<u8>> {
    let view = board.view();
    let mut table = Table::default();
    for name in COLUMNS {
        table.plain(name);
    }
    for field in view.fields.values() {
        table.text(&field.name);
    }
    table.end_line();
    for column in board.columns() {
        for card in board.lane(column.id) {
            line(&mut table, board, card, (&column.title, column.archived));
            if table.text.len() > max_bytes {
                return None;
            }
        }
    }
    Some(table.text.into_bytes())
}

fn line(table: &mut Table, board: &Board, card: &Card, (column, is_hidden): (&str, bool)) {
    let view = board.view();
    let detail = board.detail(card.id);
    let numbers = |cards: &mut dyn Iterator<Item = &boardcast_protocol::ids::CardId>| {
        let cards = cards.filter_map(|card| view.cards.get(card));
        joined(cards.map(|card| card.number.to_string()))
    };
    let labels = card.labels.iter().filter_map(|id| view.labels.get(id));
    let labels = labels.map(|label| match label.name.as_str() {
        "" => label.color.clone().unwrap_or_default(),
        name => name.to_owned(),
    });
    let sprint = card.sprint.and_then(|sprint| view.sprints.get(&sprint));
    let items = || {
        card.checklists
            .values()
            .flat_map(|list| list.items.values())
    };
    table.plain(&card.number.to_string());
    table.text(card.id.as_str());
    table.text(&card.title);
    table.text(column);
    table.text(&joined(labels));
    table.text(&joined(
        card.assignees.iter().map(|user| name_of(view, *user)),
    ));
    table.plain(priority(card.priority));
    table.moment(card.start);
    table.moment(card.due);
    table.flag(card.complete);
    table.plain(
        &card
            .estimate
            .map_or(String::new(), |points| points.to_string()),
    );
    table.text(sprint.map_or("", |sprint| &sprint.title));
    table.plain(&numbers(&mut card.parent.iter()));
    table.plain(&numbers(&mut card.blocked_by.iter()));
    table.text(detail.map_or("", |detail| &detail.description));
    table.plain(&items().count().to_string());
    table.plain(&items().filter(|item| item.done).count().to_string());
    table.plain(&card.detail.comments.to_string());
    table.plain(&card.attachments.len().to_string());
    table.flag(card.archived || is_hidden);
    for stamp in [card.created, card.changed] {
        table.moment(Some(stamp.at));
        table.text(&name_of(view, stamp.by));
    }
    for field in view.fields.values() {
        let value = card.fields.iter().find(|value| value.id == field.id);
        match value.map(|value| &value.value) {
            None => table.plain(""),
            Some(FieldValue::Text(text)) => table.text(text),
            Some(FieldValue::Number(number)) => table.plain(number),
            Some(FieldValue::Checkbox(is_set)) => table.flag(*is_set),
            Some(FieldValue::Date(at)) => table.moment(Some(*at)),
            Some(FieldValue::Option(option)) => table.text(option_of(field, *option)),
        }
    }
    table.end_line();
}

fn joined(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(BETWEEN)
}

/// The name of a member; the id of who is none any more.
fn name_of(view: &View, user: UserId) -> String {
    let member = view.members.get(&user);
    member.map_or_else(|| user.to_string(), |member| member.name.clone())
}

fn option_of(field: &Field, option: OptionId) -> &str {
    debug_assert!(field.kind == FieldKind::List);
    let found = field.options.iter().find(|known| known.id == option);
    found.map_or("", |found| &found.name)
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::None => "",
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

/// Lines under way.
#[derive(Default)]
struct Table {
    text: String,
    is_behind_cell: bool,
}

impl Table {
    /// A cell of words or numbers of the program's own.
    fn plain(&mut self, cell: &str) {
        if std::mem::replace(&mut self.is_behind_cell, true) {
            self.text.push(',');
        }
        self.text.push_str(cell);
    }

    /// A cell of what somebody has written. Where a spreadsheet would take it for a formula, an
    /// apostrophe stands before it, which makes it text.
    fn text(&mut self, cell: &str) {
        self.plain("");
        let guard = if may_be_formula(cell) { "'" } else { "" };
        let cell = cut(cell, CELL_MAX_UNITS - guard.len());
        if !cell.contains(['"', ',', '\r', '\n']) && cell.trim() == cell {
            self.text.push_str(guard);
            return self.text.push_str(cell);
        }
        self.text.push('"');
        self.text.push_str(guard);
        self.text.push_str(&cell.replace('"', "\"\""));
        self.text.push('"');
    }

    fn flag(&mut self, is_set: bool) {
        self.plain(if is_set { "true" } else { "false" });
    }

    fn moment(&mut self, at: Option<Timestamp>) {
        self.plain(&at.map_or(String::new(), written));
    }

    fn end_line(&mut self) {
        self.text.push_str("\r\n");
        self.is_behind_cell = false;
    }
}

/// As much of a text as has so many units of UTF-16.
fn cut(text: &str, max_units: usize) -> &str {
    let mut units = 0;
    let end = text.char_indices().find_map(|(at, char)| {
        units += char.len_utf16();
        (units > max_units).then_some(at)
    });
    &text[..end.unwrap_or(text.len())]
}

/// Whether a spreadsheet may take a text for a formula: the wide forms count in some countries.
fn may_be_formula(cell: &str) -> bool {
    cell.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ])
}

/// A moment as ISO 8601 writes it, in UTC and to the second.
fn written(at: Timestamp) -> String {
    let seconds = at.0 / 1_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = calendar::date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use boardcast_protocol::board::BoardDocument;
    use serde_json::{Value, json};

    use super::*;

    /// A board with one card.
    fn board(card: &Value) -> Board {
        let mut card = card.clone();
        let made = json!({"by": "ann", "at": 0});
        for (key, value) in [
            ("id", json!("k")),
            ("number", json!(1)),
            ("rank", json!("V")),
        ] {
            card[key] = value;
        }
        (card["created"], card["changed"]) = (made.clone(), made);
        let document: BoardDocument = serde_json::from_value(json!({
            "format": "boardcast.board", "version": 1, "id": "b1", "title": "Plans",
            "next_number": 2,
            "columns": [{"id": "todo", "title": "To do", "rank": "V", "cards": [card]}],
        }))
        .unwrap();
        document.into_board().unwrap()
    }

    #[test]
    fn a_table_above_its_bound_is_none_and_a_text_is_cut_at_the_end_of_a_cell() {
        let text = "\u{1f600}".repeat(13_000) + "=1";
        let small = board(&json!({"title": "One", "description": text}));
        let whole = table(&small).unwrap();
        assert!(within(&small, whole.len()).is_some());
        assert!(within(&small, whole.len() - 1).is_none());
        assert!(String::from_utf8(whole).unwrap().contains(&text));
        let long = board(&json!({"title": "One", "description": "=".repeat(60_000)}));
        let told = String::from_utf8(table(&long).unwrap()).unwrap();
        let cell = told.split(',').find(|cell| cell.starts_with("'=")).unwrap();
        assert_eq!(cell.len(), CELL_MAX_UNITS);
        // What has two units in UTF-16 counts twice.
        let wide = board(&json!({"title": "One", "description": "\u{1f600}".repeat(16_384)}));
        let told = String::from_utf8(table(&wide).unwrap()).unwrap();
        let cell = told.split(',').find(|cell| cell.starts_with('\u{1f600}'));
        assert_eq!(cell.unwrap().encode_utf16().count(), CELL_MAX_UNITS - 1);
    }

    #[test]
    fn a_moment_is_that_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (1_700_000_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(written(Timestamp(ms)), text);
        }
    }
}
