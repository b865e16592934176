//! docs/rights.md shows the table of the code. `UPDATE_RIGHTS=1` writes it anew.

use std::fs;
use std::path::{Path, PathBuf};

use boardcast::storage::AuditAct;
use boardcast_protocol::board::{Action, Scope, Who};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rights.md")
}

pub(crate) fn name(who: Who) -> String {
    match who {
        Who::Nobody => "nobody".to_owned(),
        Who::Link => "link".to_owned(),
        Who::Stranger => "stranger".to_owned(),
        Who::Member(role) => role.to_string(),
        Who::Administrator => "administrator".to_owned(),
    }
}

fn table(heads: &[String], may: impl Fn(Action, usize) -> bool) -> String {
    let mut text = format!("| what | {} |\n|---|", heads.join(" | "));
    text.push_str(&"---|".repeat(heads.len()));
    for action in Action::ALL {
        text.push_str(&format!("\n| {} |", action.words()));
        for column in 0..heads.len() {
            text.push_str(if may(action, column) { " yes |" } else { " |" });
        }
    }
    text
}

/// Puts a table between its marks.
fn put(page: &str, mark: &str, table: &str) -> String {
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = page.split_once(&open).expect("the mark");
    let (_, after) = rest.split_once(&close).expect("the mark of its end");
    format!("{before}{open}{table}\n{close}{after}")
}

#[test]
fn the_acts_of_the_audit_log_are_those_of_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/admin.md");
    let page = fs::read_to_string(page).expect("the page");
    let (_, list) = page.split_once("The acts are ").expect("the list");
    let (list, _) = list.split_once(". ").expect("its end");
    let found: Vec<_> = list.split('`').skip(1).step_by(2).collect();
    let expected: Vec<_> = AuditAct::ALL.iter().map(|act| act.name()).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_page_shows_the_table_of_the_code() {
    let heads: Vec<_> = Who::ALL.map(name).into();
    let rights = table(&heads, |action, column| Who::ALL[column].may(action));
    let heads: Vec<_> = Scope::ALL.map(|scope| format!("`{}`", scope.name())).into();
    let scopes = table(&heads, |action, column| Scope::ALL[column].may(action));
    let found = fs::read_to_string(page()).expect("the page");
    let expected = put(&put(&found, "rights", &rights), "scopes", &scopes);
    if std::env::var_os("UPDATE_RIGHTS").is_some() {
        fs::write(page(), expected).expect("the page is written");
        return;
    }
    assert_eq!(found, expected, "write it anew with UPDATE_RIGHTS=1");
}
