//! Small bodies of JSON.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::App;
use super::problem::Problem;

/// Largest body of a request about accounts; above it 413.
pub(super) const SENT_MAX_BYTES: usize = 16 * 1_024;
/// Time for all of it; then 408.
const WITHIN: Duration = Duration::from_secs(10);

/// What was sent as `application/json`. Not so: 415, 400 or 422, with what is wrong.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let read = timeout(WITHIN, Json::<T>::from_request(request, app));
        let read = read.await.map_err(|_| {
            let hint = "the body did not come within 10 s; send it again";
            Problem::new(StatusCode::REQUEST_TIMEOUT, hint)
        })?;
        let Json(sent) =
            read.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
        Ok(Self(sent))
    }
}
