//! Rules about files that are not code: pages and migrations.

use std::collections::HashSet;

use crate::files::{Tracked, Violation};

/// Relative links in `README.md` and `docs/` lead to files or folders of the project.
pub(crate) fn links(files: &[Tracked]) -> Vec<Violation> {
    let mut present = HashSet::new();
    for file in files {
        let folders = file
            .path
            .match_indices('/')
            .map(|(end, _)| &file.path[..end]);
        present.extend(folders.chain([file.path.as_str()]));
    }
    let mut violations = Vec::new();
    let pages = files
        .iter()
        .filter(|file| file.path == "README.md" || file.path.starts_with("docs/"));
    for page in pages.filter(|file| file.path.ends_with(".md")) {
        for (at, target) in targets(&page.text) {
            let leads_outside = target.contains("://") || target.starts_with("mailto:");
            let file = target.split('#').next().unwrap_or(target);
            if leads_outside || file.is_empty() {
                continue;
            }
            if resolve(&page.path, file)
                .is_none_or(|path| !path.is_empty() && !present.contains(path.as_str()))
            {
                violations.push(Violation::new(
                    page,
                    at,
                    format!("the link to {target} leads nowhere"),
                ));
            }
        }
    }
    violations
}

/// Pages that name the tests of what they say.
const PAGES_WITH_TESTS: [&str; 3] = ["docs/durability.md", "docs/limits.md", ATTACKS];
/// The page of which each row of a table ends with the tests of what it says.
const ATTACKS: &str = "docs/security.md";

/// Each test that these pages name exists: a name in backquotes with three underscores or more is
/// one, or a setting.
pub(crate) fn named_tests(files: &[Tracked]) -> Vec<Violation> {
    let code = files.iter().filter(|file| file.path.ends_with(".rs"));
    let code: Vec<&str> = code.map(|file| file.text.as_str()).collect();
    let mut violations = Vec::new();
    let pages = files.iter();
    for page in pages.filter(|file| PAGES_WITH_TESTS.contains(&file.path.as_str())) {
        let quoted = page.text.split('`').skip(1).step_by(2);
        let is_test = |name: &&str| name.matches('_').count() > 2 && !name.contains(' ');
        for name in quoted.filter(is_test) {
            let (test, setting) = (format!("fn {name}("), format!("pub {name}: Option<"));
            let is_there = |text: &&str| text.contains(&test) || text.contains(&setting);
            if !code.iter().any(is_there) {
                let at = page.text.find(name).unwrap_or_default();
                violations.push(Violation::new(page, at, format!("there is no test {name}")));
            }
        }
    }
    violations
}

/// Each row of the page of attacks ends with names in backquotes, and each of them is a test: a
/// function of Rust, or the sentence of a test in TypeScript.
pub(crate) fn rows_with_tests(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for page in files.iter().filter(|file| file.path == ATTACKS) {
        let mut at = 0;
        for line in page.text.split_inclusive('\n') {
            let begin = at;
            at += line.len();
            let cells = line.trim_end().strip_prefix("| ");
            let Some((_, last)) = cells.and_then(|cells| cells.rsplit_once(" | ")) else {
                continue;
            };
            if last == "tests |" {
                continue;
            }
            let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            if names.is_empty() {
                let what = "the row names no test in its last column";
                violations.push(Violation::new(page, begin, what));
            }
            let missing = names.iter().filter(|name| !is_test(files, name));
            violations.extend(
                missing
                    .map(|name| Violation::new(page, begin, format!("there is no test `{name}`"))),
            );
        }
    }
    violations
}

/// Whether a test of this name stands anywhere.
fn is_test(files: &[Tracked], name: &str) -> bool {
    let (function, sentence) = (format!("fn {name}("), format!("test(\"{name}\""));
    files.iter().any(|file| {
        if file.path.ends_with(".test.ts") {
            return file.text.contains(&sentence);
        }
        let is_marked = |(at, _): (usize, &str)| {
            let above = file.text[..at].rsplit('\n').skip(1).map(str::trim_start);
            let is_of_it = |line: &&str| line.starts_with("#[") || line.starts_with("//");
            let mut attributes = above.take_while(is_of_it);
            attributes.any(|line| line.contains("test]") || line.contains("test("))
        };
        file.is_rust() && file.text.match_indices(&function).any(is_marked)
    })
}

/// Migrations are named `NNNN_verb_noun.sql`, from 0001 without a gap.
pub(crate) fn migrations(files: &[Tracked]) -> Vec<Violation> {
    let mut migrations: Vec<&Tracked> = files
        .iter()
        .filter(|file| file.path.starts_with("migrations/"))
        .collect();
    migrations.sort_by_key(|file| &file.path);
    let mut violations = Vec::new();
    for (index, file) in migrations.into_iter().enumerate() {
        let number = format!("{:04}", index + 1);
        let words = file
            .name()
            .strip_suffix(".sql")
            .and_then(|name| name.strip_prefix(&number));
        let words = words
            .and_then(|words| words.strip_prefix('_'))
            .unwrap_or_default();
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if words.split('_').count() < 2 || !words.split('_').all(is_word) {
            violations.push(Violation::new(
                file,
                0,
                format!("expected a name like {number}_verb_noun.sql"),
            ));
        }
    }
    violations
}

/// The targets of inline links, `[a](target "title")`, and of definitions, `[a]: target`.
fn targets(page: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut at, mut fenced) = (0, false);
    for line in page.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        if !fenced && !is_fence {
            let ends = line
                .match_indices("](")
                .filter(|(end, _)| !in_code(line, *end));
            let inline = ends.map(|(end, _)| end + 2);
            let definition = line.find("]:").filter(|_| line.starts_with('['));
            for start in inline.chain(definition.map(|end| end + 2)) {
                let target = line[start..]
                    .trim_start()
                    .split([')', ' ', '\n'])
                    .next()
                    .unwrap_or_default();
                found.push((at + start, target.trim_matches(['<', '>'])));
            }
        }
        at += line.len();
    }
    found
}

fn in_code(line: &str, at: usize) -> bool {
    line[..at].matches('`').count() % 2 == 1
}

/// The path from the top level of what `page` calls `target`; `None` if that is outside.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead_links(page: &str, text: &str) -> usize {
        let others = [
            "docs/protocol.md",
            "docs/decisions/0001-one-writer.md",
            "web/app/logo.svg",
        ];
        let mut files: Vec<Tracked> = others.iter().map(|path| Tracked::new(path, "")).collect();
        files.push(Tracked::new(page, text));
        links(&files).len()
    }

    #[test]
    fn a_dead_link_is_found() {
        assert_eq!(dead_links("README.md", "See [a](docs/nowhere.md)."), 1);
        assert_eq!(dead_links("README.md", "[a]: docs/nowhere.md\n"), 1);
        assert_eq!(dead_links("docs/operations.md", "[a](docs/protocol.md)"), 1);
        assert_eq!(
            dead_links("docs/operations.md", "[a](../../protocol.md)"),
            1
        );
    }

    #[test]
    fn a_good_link_is_not_found() {
        assert_eq!(
            dead_links(
                "README.md",
                "[a](docs/protocol.md#hello) ![b](web/app/logo.svg \"c\")"
            ),
            0
        );
        assert_eq!(
            dead_links(
                "README.md",
                "[a](docs/decisions/) [b](https://x.org) [c](#d)"
            ),
            0
        );
        assert_eq!(
            dead_links("docs/operations.md", "[a](../README.md) [b](./protocol.md)"),
            1
        );
        assert_eq!(
            dead_links("docs/operations.md", "[b](./protocol.md) [c](..)"),
            0
        );
        assert_eq!(
            dead_links("README.md", "```\n[a](nowhere)\n```\n`[b](nowhere)`"),
            0
        );
    }

    #[test]
    fn a_row_without_a_test_that_exists_is_found() {
        let found = |last: &str| {
            let page = format!("| attack | tests |\n|---|---|\n| `a_b_c_d` | {last} |\n\nText.\n");
            let files = [
                Tracked::new(ATTACKS, &page),
                Tracked::new(
                    "tests/a.rs",
                    "#[test]\nfn it_holds() {}\n\nfn no_test() {}\n",
                ),
                Tracked::new(
                    "tests/b.rs",
                    "#[tokio::test(start_paused = true)]\nasync fn it_waits() {}",
                ),
                Tracked::new("web/a.test.ts", "test(\"it is shown\", async () => {});"),
            ];
            rows_with_tests(&files).len()
        };
        assert_eq!(found("`it_holds`, `it_waits`, `it is shown`"), 0);
        assert_eq!(found(""), 1);
        assert_eq!(found("it holds"), 1);
        assert_eq!(found("`it_holds`, `it_fails`"), 1);
        assert_eq!(found("`no_test`"), 1);
        assert_eq!(found("`it is not shown`"), 1);
    }

    #[test]
    fn a_bad_migration_is_found() {
        let found = |names: &[&str]| {
            let paths = names
                .iter()
                .map(|name| Tracked::new(&format!("migrations/{name}"), ""));
            migrations(&paths.collect::<Vec<_>>()).len()
        };
        assert_eq!(
            found(&["0001_create_boards.sql", "0002_add_card_index.sql"]),
            0
        );
        assert_eq!(found(&["0001_create_boards.sql", "0003_add_index.sql"]), 1);
        assert_eq!(found(&["0000_create_boards.sql"]), 1);
        assert_eq!(found(&["0001_boards.sql"]), 1);
        assert_eq!(found(&["0001_Create_boards.sql"]), 1);
        assert_eq!(found(&["1_create_boards.sql"]), 1);
        assert_eq!(found(&["0001_create_boards.txt"]), 1);
    }
}
