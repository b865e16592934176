//! The files that the rules are about.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the project.
pub(crate) struct Tracked {
    /// From the top level, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tracked {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether this is code of a crate that ships.
    pub(crate) fn ships(&self) -> bool {
        self.is_rust()
            && ["protocol/src/", "server/src/", "client-sim/src/"]
                .iter()
                .any(|folder| self.path.starts_with(folder))
    }

    /// Whether the whole file is a test module.
    pub(crate) fn is_test_module(&self) -> bool {
        matches!(self.name(), "tests.rs" | "testing.rs")
            || self.path.contains("/tests/")
            || self.path.contains("/simulation/")
    }
}

/// A line that breaks a rule, and what to do instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    what: String,
}

impl Violation {
    /// `at` is a byte offset into the text of `file`.
    pub(crate) fn new(file: &Tracked, at: usize, what: impl Into<String>) -> Self {
        let before = file.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Self {
            path: file.path.clone(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Every file that is tracked, or would be if it were added. What is not UTF-8 in them is replaced.
pub(crate) fn tracked() -> Vec<Tracked> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let paths = listed_by_git(&top).unwrap_or_else(|| walked(&top));
    let files: Vec<Tracked> = paths
        .into_iter()
        .filter_map(|path| {
            let bytes = fs::read(top.join(&path)).ok()?;
            Some(Tracked {
                path,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            })
        })
        .collect();
    assert!(
        files.iter().any(|file| file.path == "Cargo.toml"),
        "no files found in {}",
        top.display()
    );
    files
}

fn listed_by_git(top: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(top)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let paths = String::from_utf8(output.stdout).ok()?;
    Some(paths.split_terminator('\0').map(str::to_owned).collect())
}

fn walked(top: &Path) -> Vec<String> {
    let mut folders = vec![PathBuf::new()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(top.join(&folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name();
            let path = folder.join(&name);
            if entry.path().is_dir() {
                let ignored = [".git", "target", "node_modules"]
                    .iter()
                    .any(|folder| name == **folder);
                if !ignored {
                    folders.push(path);
                }
            } else {
                paths.push(path.to_string_lossy().into_owned());
            }
        }
    }
    paths
}

#[test]
fn git_and_the_walk_find_this_file() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let this = "tests/tests/tidy/files.rs".to_owned();
    assert!(walked(&top).contains(&this));
    assert!(listed_by_git(&top).is_none_or(|paths| paths.contains(&this)));
}

#[test]
fn a_violation_names_its_line() {
    let file = Tracked::new("a.rs", "one\ntwo\nthree");
    assert_eq!(Violation::new(&file, 5, "no").to_string(), "a.rs:2: no");
}
