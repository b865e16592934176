//! `docs/operations.md` and `packaging/`: what they name is there, and the backup script works.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use boardcast_tests::process::{Serving, binary, run, stderr, stdout};

use super::{failed, succeeded};

/// What tells an administrator which commands, flags and variables to use.
const FILES: [&str; 7] = [
    "docs/operations.md",
    "packaging/boardcast.service",
    "packaging/boardcast-backup",
    "packaging/boardcast-backup.service",
    "packaging/boardcast-backup.timer",
    "packaging/Containerfile",
    "README.md",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn help(command: &[&str]) -> String {
    let output = run(&[command, &["--help"]].concat());
    assert_eq!(output.status.code(), Some(0), "{command:?}");
    stdout(&output)
}

/// The commands of a text: the words behind each `boardcast `, up to the end of the line or of the code.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let lines = text
        .lines()
        .flat_map(|line| line.split("boardcast ").skip(1));
    let commands = lines.map(|rest| {
        let end = rest.find(['`', '#', ')', '|', '\n']).unwrap_or(rest.len());
        rest[..end].split_whitespace().collect::<Vec<_>>()
    });
    let known = help(&[]);
    let is_known = |word: &&str| {
        known
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{word} ")))
    };
    commands
        .filter(|words| words.first().is_some_and(is_known))
        .collect()
}

/// Whether the help has the word, and not only one that begins with it.
fn names(help: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    help.split(|c| !is_part(c)).any(|other| other == word)
}

#[test]
fn commands_flags_and_variables_that_are_named_are_there() {
    let (mut commands_seen, mut flags_seen) = (BTreeSet::new(), 0);
    let settings = help(&["serve"]);
    for file in FILES {
        let text = fs::read_to_string(path(file)).expect(file);
        for words in commands(&text) {
            let has_more = ["user", "key"].contains(&words[0]) && words.len() > 1;
            let command = &words[..=usize::from(has_more)];
            let help = help(command);
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(names(&help, flag), "{file}: {command:?} has no {flag}");
                flags_seen += 1;
            }
            commands_seen.insert(command.join(" "));
        }
        let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
        for name in text
            .split(|c| !is_part(c))
            .filter(|name| name.starts_with("BOARDCAST_"))
        {
            let known = names(&settings, name) || ["BOARDCAST_TOKEN"].contains(&name);
            assert!(known, "{file}: no command reads {name}");
        }
    }
    for command in [
        "serve",
        "config",
        "backup",
        "check",
        "restore",
        "token",
        "user reset",
        "doctor",
        "key rotate",
    ] {
        assert!(
            commands_seen.contains(command),
            "{command}: {commands_seen:?}"
        );
    }
    assert!(flags_seen >= 15, "{flags_seen}");
    // Flags of the prose, which stand alone.
    let page = fs::read_to_string(path("docs/operations.md")).expect("the page");
    let alone = page.split("`--").skip(1);
    for flag in alone.filter_map(|rest| rest.split(['`', ' ']).next()) {
        assert!(
            names(&settings, &format!("--{flag}")),
            "no setting --{flag}"
        );
    }
}

#[test]
fn files_that_the_page_names_are_there_and_it_names_all_of_them() {
    let page = fs::read_to_string(path("docs/operations.md")).expect("the page");
    for entry in fs::read_dir(path("packaging")).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = format!("packaging/{}", name.to_string_lossy());
        assert!(FILES.contains(&name.as_str()), "{name} is not tested");
        assert!(page.contains(&name), "{name} is not in the page");
    }
}

/// A server, and a folder for backups in which there are an old one and something else that is old.
struct Backups {
    dir: tempfile::TempDir,
    server: Serving,
}

impl Backups {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let backups = dir.path().join("backups");
        fs::create_dir(&backups).expect("a folder");
        let now = SystemTime::now();
        for (name, days) in [
            ("boards-old.db", 20),
            ("boards-new.db", 10),
            ("notes.txt", 20),
        ] {
            let file = File::create(backups.join(name)).expect("a file");
            let then = now - Duration::from_secs(days * 24 * 60 * 60);
            file.set_modified(then).expect("a time");
        }
        let server = Serving::start(&dir.path().join("data"));
        Self { dir, server }
    }

    fn take(&self, server: &str) -> Output {
        let programs = binary().parent().expect("a folder").display();
        let search = std::env::var("PATH").expect("PATH");
        Command::new(path("packaging/boardcast-backup"))
            .env("PATH", format!("{programs}:{search}"))
            .env("DATA_DIR", self.dir.path().join("data"))
            .env("BACKUP_DIR", self.dir.path().join("backups"))
            .env("SERVER", server)
            .env("KEEP_DAYS", "14")
            .output()
            .expect("the script runs")
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.dir.path().join("backups")).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }
}

#[test]
fn the_backup_script_takes_a_backup_and_removes_old_ones() {
    let backups = Backups::new();
    let output = backups.take(&backups.server.url(""));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let names = backups.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!names.contains("boards-old.db"), "{names:?}");
    let kept = ["boards-new.db", "notes.txt"];
    let mut taken = names.iter().filter(|name| !kept.contains(&name.as_str()));
    let taken = backups
        .dir
        .path()
        .join("backups")
        .join(taken.next().expect("a backup"));
    let taken = taken.to_str().expect("a path");
    let restored = backups.dir.path().join("restored");
    let restored = restored.to_str().expect("a path");
    succeeded(&run(&["restore", taken, "--data-dir", restored]));
}

#[test]
fn the_backup_script_removes_nothing_where_there_is_no_new_backup() {
    let backups = Backups::new();
    let before = backups.names();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let said = failed(&backups.take(&format!("http://{address}")));
    assert!(said.contains("failed to"), "{said}");
    assert_eq!(backups.names(), before);
}
