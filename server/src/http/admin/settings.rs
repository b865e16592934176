//! The settings of the server, as administrators see them.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Admin;
use crate::config::InForce;
use crate::http::App;

/// Every setting, its value in force, and where it comes from; by name.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    settings: Vec<InForce>,
}

/// Lists the settings. None of them holds a secret.
pub(super) async fn list(State(app): State<App>, _: Admin) -> Json<Listed> {
    let settings = app.settings.to_vec();
    Json(Listed { settings })
}
