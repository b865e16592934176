//! Rules about single source files.

use crate::files::{Tracked, Violation};
use crate::masking::{Mask, closing, mask, shipped, without_items, words};

const LINES_MAX: usize = 500;

/// Rust files have at most [`LINES_MAX`] lines.
pub(crate) fn length(files: &[Tracked]) -> Vec<Violation> {
    let rust = files
        .iter()
        .filter(|file| file.ships() || file.is_rust() && file.path.starts_with("tests/"));
    rust.filter(|file| file.text.lines().count() > LINES_MAX)
        .map(|file| {
            let lines = file.text.lines().count();
            Violation::new(
                file,
                0,
                format!("{lines} lines, more than {LINES_MAX}: split it by its nouns"),
            )
        })
        .collect()
}

/// No unfinished code, no debugging output, no notes for later.
pub(crate) fn left_overs(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| is_source(file)) {
        if file.is_rust() {
            let code = mask(&file.text, Mask::LiteralsAndComments);
            for name in ["todo", "unimplemented", "dbg"] {
                let calls =
                    words(&code, name).filter(|at| code[at + name.len()..].starts_with('!'));
                violations.extend(
                    calls.map(|at| Violation::new(file, at, format!("`{name}!` is left over"))),
                );
            }
        }
        let text = if file.is_rust() {
            mask(&file.text, Mask::Literals)
        } else {
            file.text.clone()
        };
        for name in [concat!("TO", "DO"), concat!("FIX", "ME")] {
            let notes = words(&text, name);
            violations
                .extend(notes.map(|at| {
                    Violation::new(file, at, format!("{name}: do it, or file an issue"))
                }));
        }
    }
    violations
}

fn is_source(file: &Tracked) -> bool {
    let endings = [
        ".rs", ".ts", ".tsx", ".js", ".css", ".sql", ".sh", ".toml", ".ci/run", "Makefile",
    ];
    endings.iter().any(|ending| file.path.ends_with(ending))
}

/// No file whose name would fit anything.
pub(crate) fn names(files: &[Tracked]) -> Vec<Violation> {
    let vague = ["utils.rs", "helpers.rs", "common.rs", "state.rs"];
    let violations = files.iter().filter(|file| vague.contains(&file.name()));
    violations
        .map(|file| Violation::new(file, 0, "a file has one noun; name it after that"))
        .collect()
}

/// No `unwrap` or `expect` in code that ships, but where an `#[expect]` of the lint says why.
pub(crate) fn unwraps(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.ships() && !file.is_test_module())
    {
        let code = without_items(&shipped(&file.text), |attribute| {
            let lints = ["unwrap_used", "expect_used"];
            attribute.starts_with("[expect(")
                && lints
                    .iter()
                    .any(|lint| words(attribute, lint).next().is_some())
        });
        for call in [".unwrap()", ".expect("] {
            let calls = code.match_indices(call);
            let what = format!("`{call}` outside tests: return an error");
            violations.extend(calls.map(|(at, _)| Violation::new(file, at, what.as_str())));
        }
    }
    violations
}

/// Every `allow` and `expect` of a lint says why.
pub(crate) fn exceptions(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let code = mask(&file.text, Mask::LiteralsAndComments);
        let attributes = code.match_indices("#[").map(|(at, _)| at + 1);
        let inner_attributes = code.match_indices("#![").map(|(at, _)| at + 2);
        for open in attributes.chain(inner_attributes) {
            let attribute = &code[open..closing(&code, open)];
            for name in ["allow", "expect"] {
                for at in words(attribute, name).map(|at| at + name.len()) {
                    let is_list = attribute[at..].starts_with('(');
                    if is_list
                        && words(&attribute[at..closing(attribute, at)], "reason")
                            .next()
                            .is_none()
                    {
                        let what = format!("`{name}` of a lint without `reason = \"...\"`");
                        violations.push(Violation::new(file, open, what));
                    }
                }
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&[Tracked]) -> Vec<Violation>, path: &str, text: &str) -> usize {
        rule(&[Tracked::new(path, text)]).len()
    }

    #[test]
    fn a_long_file_is_found() {
        let long = "\n".repeat(LINES_MAX + 1);
        assert_eq!(found(length, "server/src/room/core.rs", &long), 1);
        assert_eq!(found(length, "tests/tests/resume.rs", &long), 1);
        assert_eq!(found(length, "server/src/room/core.rs", &long[1..]), 0);
        assert_eq!(found(length, "docs/protocol.md", &long), 0);
    }

    #[test]
    fn left_overs_are_found() {
        assert_eq!(found(left_overs, "a.rs", "fn a() { todo!() }"), 1);
        assert_eq!(
            found(left_overs, "a.rs", "fn a() { unimplemented!(); dbg!(1) }"),
            2
        );
        assert_eq!(found(left_overs, "a.rs", concat!("// FIX", "ME later")), 1);
        assert_eq!(
            found(left_overs, "web/app/main.ts", concat!("// TO", "DO: later")),
            1
        );
        assert_eq!(
            found(
                left_overs,
                "a.rs",
                r#"fn a() { b("todo!()"); not_todo!() }"#
            ),
            0
        );
    }

    #[test]
    fn vague_names_are_found() {
        assert_eq!(found(names, "server/src/room/state.rs", ""), 1);
        assert_eq!(found(names, "server/src/utils.rs", ""), 1);
        assert_eq!(found(names, "server/src/room/recent.rs", ""), 0);
    }

    #[test]
    fn unwraps_are_found() {
        let source = "fn a() { b.unwrap(); c\n.expect(\"d\"); }\n#[cfg(test)]\nmod tests { fn e() { f.unwrap() } }";
        assert_eq!(found(unwraps, "server/src/lib.rs", source), 2);
        assert_eq!(found(unwraps, "server/src/room/tests.rs", source), 0);
        assert_eq!(found(unwraps, "tests/tests/resume.rs", source), 0);
        assert_eq!(
            found(
                unwraps,
                "protocol/src/ids.rs",
                "// a.unwrap()\n#[expect(x)] fn b() {}"
            ),
            0
        );
    }

    #[test]
    fn an_excused_expect_is_not_found() {
        let excused = "fn a() {
            #[expect(
                clippy::expect_used, reason = \"b\")]
            c(d, { e }).expect(\"f\");
            g
        }";
        assert_eq!(found(unwraps, "server/src/lib.rs", excused), 0);
        let next = excused.replace('g', "g.unwrap()");
        assert_eq!(found(unwraps, "server/src/lib.rs", &next), 1);
        let other = excused.replace("expect_used", "dead_code");
        assert_eq!(found(unwraps, "server/src/lib.rs", &other), 1);
    }

    #[test]
    fn exceptions_without_a_reason_are_found() {
        assert_eq!(
            found(exceptions, "a.rs", "#[allow(dead_code)] fn a() {}"),
            1
        );
        assert_eq!(found(exceptions, "a.rs", "#![expect(clippy::todo)]"), 1);
        assert_eq!(
            found(
                exceptions,
                "a.rs",
                "#[cfg_attr(test, allow(dead_code))] fn a() {}"
            ),
            1
        );
        assert_eq!(
            found(
                exceptions,
                "a.rs",
                "#[expect(\n  dead_code,\n  reason = \"b\"\n)] fn a() { b.expect(c) }"
            ),
            0
        );
    }
}
