//! The statements in the sources of storage: none is forgotten where plans are looked at.

use std::fs;
use std::path::Path;

use super::plans::served;

/// Sources whose statements may read whole tables, and why.
const WHOLE_TABLES: [(&str, &str); 8] = [
    ("check/", "reads everything, while no server uses it"),
    (
        "connect.rs",
        "looks at the schema and at settings, at the start",
    ),
    ("backup.rs", "copies everything"),
    (
        "packed.rs",
        "moves the files of a backup, in a database that nobody else uses",
    ),
    ("restore.rs", "marks all boards, before a server uses them"),
    ("checkpoint.rs", "writes the write-ahead log back"),
    ("fault.rs", "begins and ends transactions"),
    ("planted.rs", "is not in the program that ships"),
];
/// Statements that make the index anew, before a server uses it.
const REINDEX: [&str; 3] = [
    "INSERT INTO card_index (card_index) VALUES ('delete-all')",
    "DELETE FROM indexed_cards",
    "DELETE FROM indexed_boards",
];
const VERBS: [&str; 13] = [
    "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "REPLACE ", "WITH ", "CREATE ", "DROP ", "ALTER ",
    "PRAGMA ", "VACUUM ", "ATTACH ", "ANALYZE",
];

/// The string literals of a source up to its tests, as the compiler reads them.
fn literals(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let (before, here) = rest.split_at(at);
        if let Some(comment) = here.strip_prefix("//") {
            rest = &comment[comment.find('\n').unwrap_or(comment.len())..];
        } else if let Some(inside) = here.strip_prefix('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let is_raw = before[..before.len() - hashes].ends_with('r');
            let mut end = String::from("\"");
            end.push_str(&"#".repeat(hashes));
            let mut close = inside.find(&end).unwrap();
            while !is_raw && backslashes(&inside[..close]) % 2 == 1 {
                close += 1 + inside[close + 1..].find('"').unwrap();
            }
            let text = &inside[..close];
            found.push(if is_raw {
                text.to_owned()
            } else {
                unescaped(text)
            });
            rest = &inside[close + end.len()..];
        } else if here.starts_with("'\"'") || here.starts_with("'\\\"'") {
            rest = &here[here[1..].find("'").unwrap() + 2..];
        } else {
            rest = &here[1..];
        }
    }
    found
}

fn backslashes(text: &str) -> usize {
    text.len() - text.trim_end_matches('\\').len()
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\\n");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| whole.push_str(part.trim_start()));
    whole.replace("\\\"", "\"").replace("\\n", "\n")
}

fn each_source(dir: &Path, see: &mut impl FnMut(&str, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage");
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if path.is_dir() && name != "tests" && name != "simulation" {
            each_source(&path, see);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            see(&name, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_statement_is_planned_or_may_read_a_whole_table() {
    let served = served();
    let (mut statements, mut excused, mut forgotten) = (0, 0, Vec::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage");
    each_source(&root, &mut |name, source| {
        let is_excused = WHOLE_TABLES
            .iter()
            .any(|(place, _)| name.starts_with(place));
        for literal in literals(source) {
            let text = literal.trim();
            if !VERBS.iter().any(|verb| text.starts_with(verb)) {
                continue;
            }
            statements += 1;
            excused += usize::from(is_excused);
            // A head that is filled in stands in a statement with what it is filled with.
            let mut parts = text.split("{}");
            let head = parts.next().unwrap_or_default();
            let tail = parts.last().unwrap_or_default();
            let is_served = (served.iter()).any(|sql| sql.contains(head) && sql.contains(tail));
            if !is_served && !is_excused && !REINDEX.contains(&text) {
                forgotten.push(format!("{name}: {text}"));
            }
        }
        // Statements that a macro completes are not seen as literals: each is known by its name.
        let plans = include_str!("plans.rs");
        for item in source.split("const ").skip(1) {
            let Some((constant, value)) = item.split_once(": &str =") else {
                continue;
            };
            let value = value.trim_start();
            let is_macro = value.split(['(', '"', ' ']).next().unwrap().ends_with('!');
            let is_text = value.starts_with("concat!") || value.starts_with("env!");
            if is_macro && !is_text && !plans.contains(&format!("::{constant},")) {
                forgotten.push(format!("{name}: {constant}"));
            }
        }
    });
    assert!(
        forgotten.is_empty(),
        "no plan is looked at:\n{}",
        forgotten.join("\n")
    );
    assert!(
        statements > 100 && excused < statements / 2,
        "{statements} {excused}"
    );
}

#[test]
fn literals_are_read_as_the_compiler_reads_them() {
    let source = "const A: &str = \"SELECT 1 \\\n    FROM a\"; // \"no\"\nlet b = '\"'; \
         f(r#\"x \"y\" z\"#, \"say \\\"hi\\\"\", \"end\\\\\");\n#[cfg(test)]\nmod tests { \"not\" }";
    assert_eq!(
        literals(source),
        ["SELECT 1 FROM a", "x \"y\" z", "say \"hi\"", "end\\\\"]
    );
}
