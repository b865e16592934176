//! The cards of a board as CSV: what a spreadsheet reads is what is on the board, and nothing runs.

use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{Answer, User};

/// The cells of CSV, as RFC 4180 says how to read it.
fn read(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(char) = chars.next() {
        match (char, is_quoted) {
            ('"', true) if chars.next_if_eq(&'"').is_some() => cell.push('"'),
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => line.push(std::mem::take(&mut cell)),
            ('\r', false) => {
                assert_eq!(chars.next(), Some('\n'), "lines end with CR LF");
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            (char, _) => cell.push(char),
        }
    }
    assert!(!is_quoted && cell.is_empty() && line.is_empty());
    lines
}

struct Table(Vec<Vec<String>>);

impl Table {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let media_type = answer.header("content-type");
        assert_eq!(media_type, Some("text/csv; charset=utf-8; header=present"));
        let lines = read(answer.text());
        assert!(lines.iter().all(|line| line.len() == lines[0].len()));
        Self(lines)
    }

    /// A column by its name, without it.
    fn column(&self, name: &str) -> Vec<&str> {
        let at = self.0[0].iter().position(|known| known == name);
        let at = at.unwrap_or_else(|| panic!("no {name}: {:?}", self.0[0]));
        self.0[1..].iter().map(|line| line[at].as_str()).collect()
    }
}

async fn get(user: &User, board: &str) -> Answer {
    user.get(&format!("{board}/cards.csv")).await
}

#[tokio::test]
async fn each_card_is_a_line_with_what_it_shows_in_the_order_of_the_board() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let made = ann
        .commands(
            &board,
            json!([
                {"type": "column.create", "column": "done", "title": "Done, all"},
                {"type": "member.add", "user": "bob", "name": "Bob \"the\" Builder", "role": "editor"},
                {"type": "label.create", "label": "a", "name": "area/web"},
                {"type": "label.create", "label": "b", "color": "red"},
                {"type": "field.create", "field": "f1", "name": "Cost", "kind": "number"},
                {"type": "field.create", "field": "f2", "name": "Size", "kind": "list",
                 "options": [{"id": "s", "name": "Small"}]},
                {"type": "sprint.create", "sprint": "s1", "title": "Sprint 1"},
                {"type": "card.create", "card": "k1", "column": "done", "title": "One"},
                {"type": "card.create", "card": "k2", "column": "todo", "title": "北京 Two",
                 "labels": ["a", "b"], "assignees": ["bob", "ann"],
                 "set": {"description": "Line one\nline \"two\"", "priority": "high",
                         "start": 1_700_000_000_000_u64, "due": 1_709_164_800_000_u64,
                         "complete": true, "estimate": 5, "sprint": "s1", "parent": "k1"}},
                {"type": "card.block", "card": "k2", "by": "k1", "on": true},
                {"type": "card.field", "card": "k2", "field": "f1", "value": {"number": "-1.5"}},
                {"type": "card.field", "card": "k2", "field": "f2", "value": {"option": "s"}},
                {"type": "checklist.create", "card": "k2", "checklist": "c", "title": "Steps"},
                {"type": "item.create", "card": "k2", "checklist": "c", "item": "i1", "text": "x"},
                {"type": "item.create", "card": "k2", "checklist": "c", "item": "i2", "text": "y"},
                {"type": "item.set", "card": "k2", "checklist": "c", "item": "i1", "done": true},
                {"type": "comment.create", "card": "k2", "comment": "m", "text": "Hm"},
                {"type": "card.create", "card": "k3", "column": "todo", "title": "Three"},
                {"type": "card.archive", "card": "k3", "archived": true},
                {"type": "column.set", "column": "done", "archived": true},
            ]),
        )
        .await;
    assert_eq!(made.status, 200, "{made:?}");

    let answer = get(&ann, &board).await;
    let id = board.rsplit('/').next().expect("an id");
    let name = format!("attachment; filename=\"{id}.csv\"");
    assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
    assert!(!answer.text().starts_with('\u{feff}'));
    let table = Table::of(&answer);
    for (column, cells) in [
        ("number", ["2", "3", "1"]),
        ("id", ["k2", "k3", "k1"]),
        ("title", ["北京 Two", "Three", "One"]),
        ("column", ["To do", "To do", "Done, all"]),
        ("labels", ["area/web; red", "", ""]),
        ("assignees", ["ann; Bob \"the\" Builder", "", ""]),
        ("priority", ["high", "", ""]),
        ("start", ["2023-11-14T22:13:20Z", "", ""]),
        ("due", ["2024-02-29T00:00:00Z", "", ""]),
        ("complete", ["true", "false", "false"]),
        ("estimate", ["5", "", ""]),
        ("sprint", ["Sprint 1", "", ""]),
        ("parent", ["1", "", ""]),
        ("blocked_by", ["1", "", ""]),
        ("description", ["Line one\nline \"two\"", "", ""]),
        ("checklist_items", ["2", "0", "0"]),
        ("checklist_items_done", ["1", "0", "0"]),
        ("comments", ["1", "0", "0"]),
        ("attachments", ["0", "0", "0"]),
        ("archived", ["false", "true", "true"]),
        ("created_by", ["ann", "ann", "ann"]),
        ("changed_by", ["ann", "ann", "ann"]),
        ("Cost", ["-1.5", "", ""]),
        ("Size", ["Small", "", ""]),
    ] {
        assert_eq!(table.column(column), cells, "{column}");
    }
    for column in ["created", "changed"] {
        assert!(
            table
                .column(column)
                .iter()
                .all(|at| at.ends_with('Z') && at.len() == 20)
        );
    }
}

#[tokio::test]
async fn what_a_spreadsheet_would_run_is_text() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let field = json!({"type": "field.create", "field": "f", "name": "=1+1", "kind": "text"});
    assert_eq!(ann.commands(&board, json!([field])).await.status, 200);
    let harmful = [
        "=cmd|' /C calc'!A0",
        "=HYPERLINK(\"https://evil.example\",\"x\")",
        "+1",
        "-2+3",
        "@SUM(A1)",
        "\u{ff1d}1+1",
    ];
    let harmless = ["a=1", "1-2", "'quoted", "x, y", "\"=1\"", "ann@example.org"];
    let mut commands = Vec::new();
    for (number, text) in harmful.iter().chain(&harmless).enumerate() {
        let (card, label) = (format!("k{number}"), format!("l{number}"));
        commands.extend([
            json!({"type": "label.create", "label": label, "name": text}),
            json!({"type": "card.create", "card": card, "column": "todo", "title": text,
                   "labels": [label], "set": {"description": text}}),
            json!({"type": "card.field", "card": card, "field": "f", "value": {"text": text}}),
        ]);
    }
    // Only a description keeps a tab or a line break at its beginning.
    for (number, text) in ["\t=1", "\n=1", "\r=1"].iter().enumerate() {
        let card = format!("m{number}");
        commands.push(
            json!({"type": "card.create", "card": card, "column": "todo", "title": card,
                             "set": {"description": text}}),
        );
    }
    let made = ann.commands(&board, Value::from(commands)).await;
    assert_eq!(made.status, 200, "{made:?}");
    let table = Table::of(&get(&ann, &board).await);
    let expected: Vec<String> = (harmful.iter().map(|text| format!("'{text}")))
        .chain(harmless.iter().map(|text| (*text).to_owned()))
        .collect();
    for column in ["title", "labels", "description", "'=1+1"] {
        let cells = table.column(column);
        assert_eq!(cells[..expected.len()], expected, "{column}");
        for cell in cells {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                "{cell:?}"
            );
        }
    }
    let last = &table.column("description")[expected.len()..];
    assert!(last.iter().all(|text| text.starts_with('\'')), "{last:?}");
}

#[tokio::test]
async fn whoever_sees_the_board_gets_its_cards_and_nobody_else() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    ann.add(&board, "bob", "viewer").await;
    let made = ann.post(&format!("{board}/links"), &json!({})).await.json();
    let guest = User {
        token: made["link"].as_str().expect("a link").to_owned(),
        ..ann.clone()
    };
    for user in [&User::of(&server, "bob"), &guest] {
        assert_eq!(
            Table::of(&get(user, &board).await).0.len(),
            1,
            "the names alone"
        );
    }
    let stranger = get(&User::of(&server, "eve"), &board).await;
    assert_eq!(
        (stranger.status, stranger.problem()),
        (404, "not-found".to_owned())
    );
    let nowhere = get(&ann, "/api/v1/boards/nowhere").await;
    assert_eq!(nowhere.status, 404);
    let other = ann
        .send("POST", &format!("{board}/cards.csv"), &[], None)
        .await;
    assert_eq!(other.status, 405);
}
