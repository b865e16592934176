//! The whole database as a file, for admins of the server.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde_json::json;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::App;
use super::problem::Problem;
use super::trail::Trail;
use crate::auth::Identity;
use crate::storage::{AuditAct, AuditEntry, Backup, BackupError};

/// What a backup is sent as: never compressed, so that its length is told.
pub(super) const MEDIA_TYPE: &str = "application/vnd.sqlite3";
const CHUNK_BYTES: usize = 64 * 1_024;
/// A client that takes nothing for so long gets no more: its backup blocks all others.
const STALL: Duration = Duration::from_secs(30);
/// When to try again after 503, in seconds.
const RETRY_S: u32 = 30;

/// Everything that is durable at this moment.
pub(super) async fn backup(
    State(app): State<App>,
    identity: Identity,
    trail: Trail,
) -> Result<Response, Problem> {
    require_admin(&identity)?;
    let backup = app.services.storage.backup().await?;
    tracing::info!(user = %identity.actor.user, bytes = backup.bytes, "a backup was taken");
    trail.note(AuditEntry {
        by: Some(identity.actor.user),
        detail: json!({"bytes": backup.bytes}),
        ..trail.entry(AuditAct::BackupTaken)
    });
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE.to_owned()),
        (header::CONTENT_LENGTH, backup.bytes.to_string()),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"boardcast.backup.db\"".to_owned(),
        ),
    ];
    Ok((headers, streamed(backup)).into_response())
}

pub(super) fn require_admin(identity: &Identity) -> Result<(), Problem> {
    if identity.actor.admin {
        return Ok(());
    }
    let hint = "only an admin of the server may; get a token with `boardcast token --role admin`";
    Err(Problem::new(StatusCode::FORBIDDEN, hint))
}

/// The file as a body. Other backups wait until all of it was read, or its reader stalls.
fn streamed(backup: Backup) -> Body {
    let Backup { file, bytes, place } = backup;
    let (chunks, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut place = Some(place);
        let mut file = File::from_std(file);
        let mut left = bytes;
        while left > 0 {
            let chunk = read(&mut file).await;
            let count = chunk.as_ref().map_or(left, |chunk| chunk.len() as u64);
            left = left.saturating_sub(count);
            if left == 0 {
                place.take();
            }
            match timeout(STALL, chunks.send(chunk)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    tracing::warn!("a backup was given up: its reader took nothing for 30 s");
                    return;
                }
            }
        }
    });
    // Where it ends early, the announced length tells the client that it was cut off.
    let told = stream::unfold(taken, async |mut taken| {
        taken.recv().await.map(|chunk| (chunk, taken))
    });
    // Whoever reads a body may ask again behind its end.
    Body::from_stream(told.fuse())
}

async fn read(file: &mut File) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    let read = file
        .take(CHUNK_BYTES as u64)
        .read_to_end(&mut chunk)
        .await?;
    match read {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(chunk.into()),
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let hint = format!("failed to {error}");
        match error {
            BackupError::Running => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S)
            }
            BackupError::NoSpace { .. } => {
                tracing::error!(%error, "there is no room for a backup");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, hint)
            }
            BackupError::Storage(_)
            | BackupError::File { .. }
            | BackupError::Snapshot(_)
            | BackupError::Files(_)
            | BackupError::NotWhole { .. }
            | BackupError::Empty(_) => {
                tracing::error!(%error, "a backup failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, hint)
            }
        }
    }
}
