//! Boards as files: import and export.

use std::io::{Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::fs::{File, OpenOptions, remove_file};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use boardcast_protocol::board::{Action, Reason};
use boardcast_protocol::ids::BoardId;

use super::App;
use super::auth::require;
use super::problem::Problem;
use super::trail::Trail;
use super::upload::{self, Bounds};
use crate::auth::Identity;
use crate::clock;
use crate::import::{
    ExportFormat, FileError, FileFormat, ImportAnswer, ImportError, Importer, Outcome, Source,
    export, import,
};
use crate::room::OpenError;
use crate::storage::{AuditAct, AuditEntry};

/// Imports that are read at the same time; above it the answer is 503. Each may fill memory with a
/// whole board.
const IMPORTS_MAX: usize = 2;
/// When to try again after 503, in seconds.
const RETRY_S: u32 = 5;

/// What imports over HTTP are held to.
#[derive(Clone, Debug)]
pub struct ImportRules {
    /// Where bodies wait to be read: a place with room for large files.
    pub dir: PathBuf,
    /// What a body is held to; beyond it the answer is 413 or 408.
    pub bounds: Bounds,
    places: Arc<Semaphore>,
}

impl ImportRules {
    /// At most two imports at a time, by way of files in `dir`.
    pub fn new(dir: PathBuf, bounds: Bounds) -> Self {
        Self {
            dir,
            bounds,
            places: Arc::new(Semaphore::new(IMPORTS_MAX)),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ImportQuery {
    format: FileFormat,
}

/// Imports the body.
pub(super) async fn import_file(
    State(app): State<App>,
    identity: Identity,
    trail: Trail,
    query: Result<Query<ImportQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ImportAnswer>), Problem> {
    let Query(ImportQuery { format }) = query.map_err(|_| {
        let hint = "say what the body is: `?format=trello` or `?format=json`";
        Problem::new(StatusCode::BAD_REQUEST, hint)
    })?;
    check_media_type(&headers)?;
    let rules = &app.imports;
    let Ok(_place) = rules.places.try_acquire() else {
        let hint = "other imports are being read at the moment; try again";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S));
    };
    let file = receive(rules, &headers, body).await?;
    require(&identity, Action::CreateBoard)?;
    let importer = Importer::user(identity.actor, &identity.name);
    let user = identity.actor.user;
    let read = spawn_blocking(move || format.read(Source::new(file), user));
    let read = read
        .await
        .map_err(|_| internal("the file could not be read"))??;
    let services = &app.services;
    let (rooms, storage) = (&services.rooms, &services.storage);
    let answer = import(rooms, storage, &importer, read, clock::now()).await?;
    tracing::info!(
        board = %answer.board, user = %user, format = format.name(), outcome = ?answer.outcome,
        "a board was imported"
    );
    trail.note(AuditEntry {
        by: Some(user),
        board: Some(answer.board),
        detail: json!({"format": format.name(), "outcome": answer.outcome}),
        ..trail.entry(AuditAct::Imported)
    });
    let status = match answer.outcome {
        Outcome::Created => StatusCode::CREATED,
        Outcome::Updated | Outcome::Unchanged => StatusCode::OK,
    };
    Ok((status, Json(answer)))
}

/// The board as a file.
pub(super) async fn export_board(
    State(app): State<App>,
    identity: Identity,
    Path(board): Path<String>,
) -> Result<Response, Problem> {
    exported(&app, &identity, &board, ExportFormat::Json).await
}

/// Its cards as a table.
pub(super) async fn export_cards(
    State(app): State<App>,
    identity: Identity,
    Path(board): Path<String>,
) -> Result<Response, Problem> {
    exported(&app, &identity, &board, ExportFormat::Csv).await
}

async fn exported(
    app: &App,
    identity: &Identity,
    board: &str,
    format: ExportFormat,
) -> Result<Response, Problem> {
    let board: BoardId = board.parse().map_err(|_| no_such_board())?;
    let text = export(&app.services.rooms, identity.on(board), board, format).await?;
    let ending = match format {
        ExportFormat::Json => "json",
        ExportFormat::Csv => "csv",
    };
    let name = format!("attachment; filename=\"{board}.{ending}\"");
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    if upload::has_media_type(headers, "application/json") {
        return Ok(());
    }
    let hint = "send the file as it is, with `Content-Type: application/json`";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, hint))
}

/// Writes the body to a file that has no name any more: it goes when it is closed.
async fn receive(
    rules: &ImportRules,
    headers: &HeaderMap,
    body: Body,
) -> Result<std::fs::File, Problem> {
    let file = nameless_file(rules).await;
    let mut file = file.map_err(|error| upload::not_stored(&error))?;
    upload::receive(headers, body, rules.bounds, &mut file).await?;
    let mut file = file.into_std().await;
    file.seek(SeekFrom::Start(0))
        .map_err(|error| upload::not_stored(&error))?;
    Ok(file)
}

async fn nameless_file(rules: &ImportRules) -> std::io::Result<File> {
    let path = rules
        .dir
        .join(format!("import-{:016x}.part", rand::random::<u64>()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    let file = options.open(&path).await?;
    remove_file(&path).await?;
    Ok(file)
}

fn internal(hint: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, hint)
}

fn no_such_board() -> Problem {
    let hint = "there is no such board, or you are not a member of it";
    Problem::new(StatusCode::NOT_FOUND, hint)
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => {
                tracing::error!(%error, "a file that was received could not be read");
                internal("the file could not be read")
            }
            FileError::Json { .. } | FileError::Format(_) | FileError::Fault(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NoSuchBoard(_) => no_such_board(),
            ImportError::Rejected(rejection) if rejection.reason == Reason::Forbidden => {
                Self::new(StatusCode::FORBIDDEN, rejection.hint)
            }
            ImportError::Rejected(rejection) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, rejection.hint)
            }
            ImportError::TableTooLarge => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            ImportError::Stopping
            | ImportError::Refused(_)
            | ImportError::Open(OpenError::Busy { .. } | OpenError::Stopping) => {
                let hint = error.to_string();
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S)
            }
            ImportError::Open(OpenError::Storage(ref source)) => {
                tracing::error!(%source, "a board could not be opened");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after_s(RETRY_S)
            }
            ImportError::Storage(source) => {
                tracing::error!(%source, "an import could not be written");
                let hint = "the board cannot be read or written at the moment";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S)
            }
        }
    }
}

#[cfg(test)]
mod tests;
