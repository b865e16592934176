//! `boardcast check`.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use tokio::runtime::Runtime;
use tokio::signal::ctrl_c;

use super::Failure;
use super::files::FilesArgs;
use crate::storage::{
    CheckError, CheckReport, CheckTarget, StorageError, Violation, check as check_storage,
};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The data directory, while no server uses it
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "file",
        required_unless_present = "file"
    )]
    data_dir: Option<PathBuf>,
    /// A database file that nobody uses, such as a backup
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    files: FilesArgs,
    /// What clients were told is durable, as they wrote it down; may be given several times
    #[arg(long, value_name = "FILE")]
    ledger: Vec<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let target = match (&args.data_dir, &args.file) {
        (Some(dir), _) => CheckTarget::Directory(dir.clone(), args.files.place()?),
        (None, Some(file)) => CheckTarget::File(file.clone()),
        (None, None) => {
            return Err(Failure::usage(
                "say what: `--data-dir DIR` or `--file FILE`",
            ));
        }
    };
    let report = Runtime::new()
        .map_err(Failure::failed)?
        .block_on(checked(&target, &args.ledger))
        .map_err(|error| failure(&error))?;
    let text = if args.json {
        serde_json::to_string(&report).map_err(Failure::failed)?
    } else {
        for_people(&report)
    };
    writeln!(std::io::stdout(), "{text}").map_err(Failure::failed)?;
    match report.total {
        0 => Ok(()),
        1 => Err(Failure::failed("one invariant is broken in one place")),
        total => Err(Failure::failed(format!("{total} violations"))),
    }
}

fn failure(error: &CheckError) -> Failure {
    if let CheckError::Storage(StorageError::InUse(dir)) = error {
        return Failure::failed(format!(
            "failed to check {}: a server uses it; stop it, or take a backup with \
             `boardcast backup FILE --server URL --token TOKEN` and check that with --file FILE",
            dir.display()
        ));
    }
    Failure::failed(format!("failed to {error}"))
}

async fn checked(target: &CheckTarget, ledgers: &[PathBuf]) -> Result<CheckReport, CheckError> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let interrupt = tokio::spawn(async move {
        if ctrl_c().await.is_ok() {
            stopped.store(true, Ordering::Relaxed);
        }
    });
    // Shows only on a terminal.
    let bar = ProgressBar::new_spinner();
    let report = check_storage(target, ledgers, &|boards, versions| {
        bar.set_message(format!("board {boards}, {versions} versions"));
        bar.tick();
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .await;
    bar.finish_and_clear();
    interrupt.abort();
    report
}

fn for_people(report: &CheckReport) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{} boards, {} versions", report.boards, report.versions);
    let ledger = &report.ledger;
    // Writing to a String cannot fail.
    if ledger.lines + ledger.cut > 0 {
        let _ = write!(
            text,
            "\n{} lines of ledgers ({} repeated, {} cut off): {} found, {} trimmed and proven, \
             {} trimmed and forgotten, {} lost, {} doubled, {} misplaced",
            ledger.lines,
            ledger.repeated,
            ledger.cut,
            ledger.found,
            ledger.proven,
            ledger.forgotten,
            ledger.lost,
            ledger.doubled,
            ledger.misplaced,
        );
    }
    let mut hints = Vec::new();
    for Violation {
        invariant,
        board,
        found,
        expected,
        hint,
    } in &report.violations
    {
        let board = board.as_ref().map(|board| format!(" board {board}:"));
        let board = board.unwrap_or_default();
        let _ = write!(text, "\n{invariant}:{board} {found}; expected: {expected}");
        if !hints.contains(hint) {
            hints.push(*hint);
        }
    }
    let listed = report.violations.len() as u64;
    if report.total > listed {
        let _ = write!(text, "\n... and {} more", report.total - listed);
    }
    for hint in hints {
        let _ = write!(text, "\nhint: {hint}");
    }
    if report.total == 0 {
        text.push_str("\nno violations");
    }
    text
}
