//! A backup in the place of the database, for admins of the server.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::fs::File;
use tokio_util::sync::CancellationToken;

use super::App;
use super::backup::require_admin;
use super::problem::Problem;
use super::trail::Trail;
use super::upload::{self, Bounds};
use crate::auth::Identity;
use crate::storage::{AuditAct, AuditEntry, BackupError, unfinished};

/// What restores over HTTP are held to.
#[derive(Clone, Debug)]
pub struct RestoreRules {
    /// Where bodies wait: beside the database.
    pub dir: PathBuf,
    /// What a backup is held to; beyond it the answer is 413 or 408.
    pub bounds: Bounds,
    /// Cancelled when a backup is staged: the server stops, and starts again with it.
    pub restart: CancellationToken,
    /// What the audit log of the backup is to say of it, once it is in place.
    pub restored: Arc<OnceLock<AuditEntry>>,
}

/// Stages the body; 202 says that it is certain to be in place after the restart.
pub(super) async fn restore(
    State(app): State<App>,
    identity: Identity,
    trail: Trail,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    require_admin(&identity)?;
    if !upload::has_media_type(&headers, "application/octet-stream") {
        let hint = "send the backup as it is, with `Content-Type: application/octet-stream`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, hint));
    }
    let rules = &app.restores;
    let storage = app.services.storage.clone();
    let place = storage.restore_place()?;
    let received = unfinished(&rules.dir)?;
    let file = received.reopen();
    let file = file.map_err(|error| upload::not_stored(&error))?;
    upload::receive(&headers, body, rules.bounds, &mut File::from_std(file)).await?;
    let user = identity.actor.user;
    let (restart, restored) = (rules.restart.clone(), Arc::clone(&rules.restored));
    let entry = AuditEntry {
        by: Some(user),
        ..trail.entry(AuditAct::Restored)
    };
    // A client that goes away now does not leave a staged backup behind a server that goes on.
    let staged = tokio::spawn(async move {
        storage.stage(place, received.path()).await?;
        tracing::warn!(%user, "a backup was staged; the server restarts with it");
        // A second one that comes before the restart changes nothing about who began it.
        let _ = restored.set(entry);
        restart.cancel();
        Ok::<_, BackupError>(())
    });
    match staged.await {
        Ok(Ok(())) => Ok((StatusCode::ACCEPTED, Json(json!({"staged": true})))),
        Ok(Err(error @ (BackupError::NotWhole { .. } | BackupError::Empty(_))))
        | Ok(Err(error @ BackupError::Storage(_))) => {
            let hint = format!("the file is not restored: failed to {error}");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint))
        }
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(upload::not_stored(&error.into())),
    }
}
