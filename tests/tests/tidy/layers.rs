//! Rules about who may know whom.

use crate::files::{Tracked, Violation};
use crate::masking::{closing, shipped, words};

/// The layers of the server, upper ones first. A layer may use those behind it.
const LAYERS: [&str; 4] = ["http", "connection", "room", "storage"];

/// A library, where code that ships may use it, and why not elsewhere.
const LIBRARIES: [(&str, &[&str], &str); 2] = [
    (
        "axum",
        &[
            "server/src/http.rs",
            "server/src/http/",
            "server/src/main.rs",
            "server/src/lib.rs",
        ],
        "only `http` knows axum",
    ),
    (
        "sqlx",
        &["server/src/storage.rs", "server/src/storage/"],
        "only `storage` knows SQL",
    ),
];

/// Inside the server imports run `http -> connection -> room -> storage`.
pub(crate) fn server(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.ships() && !file.is_test_module())
    {
        let module = module_of(file);
        let Some(layer) = module.first().and_then(|first| rank(first)) else {
            continue;
        };
        for (at, used) in used_modules(&shipped(&file.text), module.len()) {
            if rank(&used).is_some_and(|used| used < layer) {
                let what = format!("`{}` uses `{used}`, which is above it", LAYERS[layer]);
                violations.push(Violation::new(file, at, what));
            }
        }
    }
    violations
}

/// Each library of [`LIBRARIES`] is used in its places only.
pub(crate) fn libraries(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.ships() && !file.is_test_module())
    {
        let code = shipped(&file.text);
        for (library, places, why) in LIBRARIES {
            if !places.iter().any(|place| file.path.starts_with(place)) {
                violations.extend(words(&code, library).map(|at| Violation::new(file, at, why)));
            }
        }
    }
    violations
}

/// The simulator judges the server from outside, so it does not depend on its crate.
pub(crate) fn simulator(files: &[Tracked]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path == "client-sim/Cargo.toml")
    {
        let mut at = 0;
        for line in file.text.split_inclusive('\n') {
            let key = line.split(['.', '=', ']', ' ']).next().unwrap_or(line);
            let is_table = line.starts_with('[') && line.contains("dependencies.boardcast]");
            let renamed = line.contains("package = \"boardcast\"");
            if key == "boardcast" || is_table || renamed {
                violations.push(Violation::new(
                    file,
                    at,
                    "the simulator depends on the server",
                ));
            }
            at += line.len();
        }
    }
    violations
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// The path of a file's module below the root of the server's crate; empty for other crates.
fn module_of(file: &Tracked) -> Vec<String> {
    let inside = file.path.strip_prefix("server/src/").unwrap_or_default();
    let parts = inside.trim_end_matches(".rs").split('/');
    parts
        .filter(|part| !matches!(*part, "" | "mod" | "lib" | "main"))
        .map(str::to_owned)
        .collect()
}

/// The modules at the root of the crate that paths in `code` start with, `depth` modules below it.
fn used_modules(code: &str, depth: usize) -> Vec<(usize, String)> {
    let from_root = words(code, "crate").map(|at| (at, at + "crate".len()));
    let from_above = words(code, "super").filter_map(|at| {
        let supers = code[at..]
            .split("::")
            .take_while(|part| *part == "super")
            .count();
        let starts_path = !code[..at].ends_with("::");
        (starts_path && supers == depth).then(|| (at, at + supers * "super::".len() - "::".len()))
    });
    let mut used = Vec::new();
    for (at, end) in from_root.chain(from_above) {
        let Some(path) = code[end..].strip_prefix("::") else {
            continue;
        };
        if path.starts_with('{') {
            let group = &path[..closing(path, 0)];
            used.extend(heads(group).map(|head| (at, head)));
        } else {
            used.push((at, identifier(path)));
        }
    }
    used
}

/// The first identifier of each path in a group such as `{a::b, c::{d, e}}`.
fn heads(group: &str) -> impl Iterator<Item = String> {
    let mut depth = 0_usize;
    let mut starts = Vec::new();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 1 && matches!(c, '{' | ',') {
            starts.push(at + 1);
        }
    }
    starts
        .into_iter()
        .map(|at| identifier(group[at..].trim_start()))
}

fn identifier(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&[Tracked]) -> Vec<Violation>, path: &str, text: &str) -> usize {
        rule(&[Tracked::new(path, text)]).len()
    }

    #[test]
    fn an_import_from_above_is_found() {
        let cases = [
            ("server/src/room/task.rs", "use crate::http::Router;", 1),
            (
                "server/src/room/task.rs",
                "use crate::{\n    storage::Journal,\n    connection::{Session, http},\n};",
                1,
            ),
            (
                "server/src/room/task.rs",
                "fn a() { crate::connection::b() }",
                1,
            ),
            ("server/src/room/task.rs", "use super::super::http;", 1),
            ("server/src/room/task.rs", "use super::http;", 0),
            (
                "server/src/room/mod.rs",
                "use super::{connection, storage};",
                1,
            ),
            ("server/src/room/mod.rs", "use crate::storage::Journal;", 0),
            (
                "server/src/storage.rs",
                "pub(crate) use crate::room::Room;",
                1,
            ),
            (
                "server/src/connection/mod.rs",
                "use crate::{room, storage};",
                0,
            ),
            (
                "server/src/http/auth.rs",
                "use crate::connection::Session;",
                0,
            ),
            ("server/src/shutdown.rs", "use crate::http;", 0),
            (
                "server/src/room/task.rs",
                "/// See [`crate::http`].\n#[cfg(test)]\nuse crate::http;",
                0,
            ),
        ];
        for (path, text, violations) in cases {
            assert_eq!(found(server, path, text), violations, "{path}: {text}");
        }
    }

    #[test]
    fn a_library_outside_its_layer_is_found() {
        assert_eq!(
            found(libraries, "server/src/room/task.rs", "use axum::Router;"),
            1
        );
        assert_eq!(
            found(libraries, "server/src/http/auth.rs", "sqlx::query(a)"),
            1
        );
        assert_eq!(
            found(libraries, "server/src/http/router.rs", "use axum::Router;"),
            0
        );
        assert_eq!(
            found(libraries, "server/src/storage/load.rs", "sqlx::query(a)"),
            0
        );
        assert_eq!(
            found(libraries, "tests/tests/resume.rs", "use sqlx::Row;"),
            0
        );
    }

    #[test]
    fn a_simulator_that_knows_the_server_is_found() {
        let path = "client-sim/Cargo.toml";
        assert_eq!(
            found(
                simulator,
                path,
                "[dependencies]\nboardcast.workspace = true\n"
            ),
            1
        );
        assert_eq!(
            found(
                simulator,
                path,
                "[dev-dependencies]\nboardcast = { path = \"../server\" }\n"
            ),
            1
        );
        assert_eq!(found(simulator, path, "[dependencies.boardcast]\n"), 1);
        assert_eq!(
            found(
                simulator,
                path,
                "server = { package = \"boardcast\", path = \"../server\" }"
            ),
            1
        );
        assert_eq!(
            found(
                simulator,
                path,
                "name = \"boardcast-sim\"\nboardcast-protocol.workspace = true\n"
            ),
            0
        );
    }
}
