//! `docs/cli.md` names every command and flag that there is, and no other.

use std::collections::BTreeSet;
use std::path::Path;

use boardcast::config::Settings;
use boardcast_tests::process::{run, simulate, stdout};

/// The commands of both binaries, as the page's headings name them.
const COMMANDS: [&str; 23] = [
    "boardcast serve",
    "boardcast config",
    "boardcast token",
    "boardcast import",
    "boardcast export",
    "boardcast backup",
    "boardcast restore",
    "boardcast check",
    "boardcast reindex",
    "boardcast stats",
    "boardcast doctor",
    "boardcast key rotate",
    "boardcast key retire",
    "boardcast link",
    "boardcast user add",
    "boardcast user list",
    "boardcast user disable",
    "boardcast user enable",
    "boardcast user reset",
    "boardcast-sim run",
    "boardcast-sim replay",
    "boardcast-sim scenario",
    "boardcast-sim compare",
];

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    std::fs::read_to_string(path).expect("docs/cli.md")
}

fn help(command: &str) -> String {
    let mut words = command.split(' ').chain(["--help"]);
    let binary = words.next().expect("a binary");
    let args: Vec<_> = words.collect();
    let output = if binary == "boardcast" {
        run(&args)
    } else {
        simulate(&args)
    };
    assert_eq!(output.status.code(), Some(0), "{command}");
    stdout(&output)
}

/// All words of the text that begin with `--`.
fn flags(text: &str) -> BTreeSet<String> {
    let is_outside = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    text.split(is_outside)
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|flag| flag.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// The flags that begin a line of the help: those that the command takes.
fn flags_of_help(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start);
    let options = lines.filter(|line| line.starts_with('-'));
    options
        .flat_map(|line| flags(line.split("  ").next().unwrap_or_default()))
        .filter(|flag| flag != "help")
        .collect()
}

/// The flags that begin a row of a table in the section.
fn flags_of_section(section: &str) -> BTreeSet<String> {
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `--"));
    rows.filter_map(|row| row.split([' ', '`']).next())
        .map(str::to_owned)
        .collect()
}

/// The section under the heading that begins with the command.
fn section<'a>(page: &'a str, command: &str) -> &'a str {
    let heading = format!("\n### `{command}");
    let (_, rest) = page
        .split_once(&heading)
        .unwrap_or_else(|| panic!("no section about {command}"));
    rest.split("\n#").next().unwrap_or_default()
}

#[test]
fn the_page_names_the_flags_of_each_command_and_no_others() {
    let page = page();
    let mut all = BTreeSet::from(["help".to_owned(), "version".to_owned()]);
    let settings = flags_of_help(&help("boardcast serve"));
    for command in COMMANDS {
        let mut taken = flags_of_help(&help(command));
        assert!(!taken.is_empty(), "{command}");
        if command == "boardcast config" {
            // Its section says that it takes those of the server.
            assert!(taken.is_superset(&settings), "{command}");
            taken.retain(|flag| !settings.contains(flag));
        }
        assert_eq!(
            flags_of_section(section(&page, command)),
            taken,
            "{command}"
        );
        all.extend(taken);
    }
    all.insert("plant-fault".to_owned());
    assert_eq!(flags(&page), all, "no flag is made up, none is missing");
}

#[test]
fn the_page_names_all_commands() {
    for binary in ["boardcast", "boardcast-sim"] {
        let help = help(binary);
        let (_, commands) = help.split_once("Commands:").expect("a list of commands");
        let (commands, _) = commands.split_once("Options:").expect("options");
        let names = commands
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let found: BTreeSet<_> = names
            .filter(|name| *name != "help")
            .map(|name| format!("{binary} {name}"))
            .collect();
        let without_further = |command: &&str| {
            let words: Vec<_> = command.split(' ').take(2).collect();
            words.join(" ")
        };
        let known = COMMANDS.iter().map(without_further);
        let prefix = format!("{binary} ");
        assert_eq!(found, known.filter(|c| c.starts_with(&prefix)).collect());
    }
}

#[test]
fn the_page_names_the_variables_and_defaults_of_all_settings() {
    let page = page();
    let serve = section(&page, "boardcast serve");
    let help = help("boardcast serve");
    for option in help.split("\n      --").skip(1) {
        let name = option.split(' ').next().expect("a name");
        let row = format!("| `--{name} ");
        let row = serve.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("no row for --{name}"));
        for (mark, what) in [("[env: ", "variable"), ("[default: ", "default")] {
            for (at, _) in option.match_indices(mark) {
                let value = &option[at + mark.len()..];
                let value = value.split([']', '=']).next().expect("a value");
                assert!(
                    row.contains(&format!("`{value}`")),
                    "{what} {value} of --{name}: {row}"
                );
            }
        }
    }
}

#[test]
fn the_example_of_a_file_holds_every_setting_with_its_default() {
    let page = page();
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let serve = section(&page, "boardcast serve");
    let mut settings = flags_of_help(&help("boardcast serve"));
    settings.remove("config");
    for (key, value) in example.lines().filter_map(|line| line.split_once(" = ")) {
        let flag = key.replace('_', "-");
        assert!(
            settings.remove(&flag),
            "{key} is no setting, or stands twice"
        );
        let row = serve
            .lines()
            .find(|line| line.starts_with(&format!("| `--{flag} ")));
        let value = value
            .split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches('"');
        let shown = if matches!(value, "" | "[]") {
            "none"
        } else {
            value
        };
        let shown = [format!("`{shown}`"), format!("| {shown} |")];
        let row = row.expect("a row");
        assert!(
            shown.iter().any(|shown| row.contains(shown)),
            "{value}: {row}"
        );
    }
    assert_eq!(settings, BTreeSet::new(), "settings that the example lacks");

    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("boardcast.toml");
    std::fs::write(&file, example).expect("a file");
    let settings = Settings::from_file(&file).expect("the example is right");
    let config = settings.into_config().expect("all values are allowed");
    let default = Settings::default().into_config().expect("defaults");
    assert_eq!(format!("{config:#?}"), format!("{default:#?}"));
}
