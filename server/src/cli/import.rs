//! `boardcast import`.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::Failure;
use super::place::{Offline, Place, PlaceArgs, offline};
use crate::clock;
use crate::import::{FileFormat, ImportAnswer, Importer, Source, import};
use crate::storage::{AuditAct, AuditEntry};

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// What the files are
    format: FileFormat,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
    /// Print the report as JSON, a line for each file
    #[arg(long)]
    json: bool,
}

/// A line of the report.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a Path,
    #[serde(flatten)]
    answer: ImportAnswer,
}

pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let mut failures = 0;
    match args.place.place()? {
        Place::Server(server) => {
            for path in &args.files {
                let imported = open(path).and_then(|(mut file, bar)| {
                    let answer = server.import(args.format, &mut bar.wrap_read(&mut file));
                    bar.finish_and_clear();
                    answer
                });
                failures += report(args, path, imported)?;
            }
        }
        Place::Directory(dir) => offline(&dir, async |place| {
            for path in &args.files {
                let imported = import_file(&place, args.format, path).await;
                failures += report(args, path, imported)?;
            }
            Ok(())
        })?,
    }
    match failures {
        0 => Ok(()),
        1 => Err(Failure::failed(
            "one file was not imported; nothing of it was taken over",
        )),
        more => Err(Failure::failed(format!(
            "{more} files were not imported; nothing of them was taken over"
        ))),
    }
}

async fn import_file(
    place: &Offline,
    format: FileFormat,
    path: &Path,
) -> Result<ImportAnswer, String> {
    let (file, bar) = open(path)?;
    let importer = Importer::offline();
    let user = importer.actor.user;
    let reading = bar.clone();
    let read = spawn_blocking(move || {
        let source = Source::new(file).with_progress(move |bytes| reading.set_position(bytes));
        format.read(source, user)
    });
    let read = read.await.map_err(|error| error.to_string())?;
    bar.finish_and_clear();
    let read = read.map_err(|error| error.to_string())?;
    let imported = import(&place.rooms, &place.storage, &importer, read, clock::now()).await;
    let answer = imported.map_err(|error| error.to_string())?;
    place.storage.audit(AuditEntry {
        board: Some(answer.board),
        detail: json!({"format": format.name(), "outcome": answer.outcome}),
        ..AuditEntry::new(AuditAct::Imported, clock::now())
    });
    Ok(answer)
}

/// The file with a bar of its progress, which shows only on a terminal.
fn open(path: &Path) -> Result<(impl Read + Send + use<>, ProgressBar), String> {
    let failed = |error| format!("failed to read the file: {error}");
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err("it is a directory; name a file".into());
    }
    let bar = ProgressBar::new(metadata.len());
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(path.display().to_string());
    Ok((file, bar))
}

/// Tells what became of a file; returns the count of failures, 0 or 1.
fn report(
    args: &ImportArgs,
    path: &Path,
    imported: Result<ImportAnswer, String>,
) -> Result<usize, Failure> {
    let answer = match imported {
        Ok(answer) => answer,
        Err(why) => {
            eprintln!("boardcast: {}: {why}", path.display());
            return Ok(1);
        }
    };
    let text = if args.json {
        let line = Line { file: path, answer };
        serde_json::to_string(&line).map_err(Failure::failed)?
    } else {
        for_people(path, &answer)
    };
    writeln!(std::io::stdout(), "{text}").map_err(Failure::failed)?;
    Ok(0)
}

fn for_people(path: &Path, answer: &ImportAnswer) -> String {
    use std::fmt::Write as _;
    let counts = &answer.counts;
    let outcome = format!("{:?}", answer.outcome).to_lowercase();
    let mut text = format!(
        "{}: board {} {outcome}\n  {} columns ({} archived), {} cards ({} archived), {} labels, \
         {} checklists with {} items, {} comments, {} attachments, {} members",
        path.display(),
        answer.board,
        counts.columns.open + counts.columns.archived,
        counts.columns.archived,
        counts.cards.open + counts.cards.archived,
        counts.cards.archived,
        counts.labels,
        counts.checklists,
        counts.check_items,
        counts.comments,
        counts.attachments,
        counts.members,
    );
    for skipped in &answer.skipped {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n  {} {}: {}",
            skipped.count, skipped.what, skipped.why
        );
    }
    text
}
