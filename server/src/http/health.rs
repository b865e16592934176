//! Whether the server lives, and whether it is ready for work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::App;

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
    } else if let Some(reason) = app.services.storage.degraded() {
        (StatusCode::SERVICE_UNAVAILABLE, "degraded", Some(reason))
    } else {
        (StatusCode::OK, "ready", None)
    };
    (code, Json(Health { status, reason }))
}
