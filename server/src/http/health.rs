//! Whether the server lives, and whether it is ready for work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::App;
use crate::storage;

#[derive(Debug, Serialize)]
pub(super) struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// 200 as long as the process answers.
pub(super) async fn live() -> Json<Health> {
    Json(Health {
        status: "ok",
        reason: None,
    })
}

/// 200 when work is accepted, 503 with the reason when the server stops or cannot write.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let (code, status, reason) = if app.services.is_draining() {
        let reason = Some("the server is stopping".to_owned());
        (StatusCode::SERVICE_UNAVAILABLE, "draining", reason)
    } else {
        match app.services.storage.status().health {
            storage::Health::Healthy => (StatusCode::OK, "ready", None),
            storage::Health::Closed => {
                let reason = Some("the database is closed".to_owned());
                (StatusCode::SERVICE_UNAVAILABLE, "draining", reason)
            }
            storage::Health::Degraded { reason } => {
                (StatusCode::SERVICE_UNAVAILABLE, "degraded", Some(reason))
            }
            storage::Health::Stopped { reason } => {
                let reason = Some(format!(
                    "{reason}; nothing is written before the next start: restart the server"
                ));
                (StatusCode::SERVICE_UNAVAILABLE, "stopped", reason)
            }
        }
    };
    (code, Json(Health { status, reason }))
}
