//! What administrators see and do: every connection, numbers of the whole, metrics.
//!
//! Looking at all connections takes milliseconds when there are thousands, so it is done on a thread
//! of its own, and by few at a time: others wait for their turn.

mod audit;
mod bots;
mod connections;
mod exposition;
mod metrics;
mod scrape;
mod settings;
mod stats;
mod users;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::map_response_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, patch, post};
use axum::{Extension, Router};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub use self::connections::{ConnectionEntry, ConnectionsPage, Flow};
pub use self::stats::{BoardStats, Stats};
pub use self::users::{Added, PasswordLink, PeoplePage, Person};
use super::App;
use super::backup::require_admin;
use super::problem::Problem;
use super::sent::SENT_MAX_BYTES;
use crate::auth::Identity;
use crate::connection::tally::REFUSAL_STATUSES;

/// Who looks at all connections or boards at a time; others wait.
const LOOKS_MAX: usize = 2;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/admin/connections", get(connections::list))
        .route("/api/v1/admin/connections/{id}", delete(connections::close))
        .route("/api/v1/admin/stats", get(stats::stats))
        .route("/api/v1/admin/settings", get(settings::list))
        .route("/api/v1/admin/users", get(users::list).post(users::add))
        .route("/api/v1/admin/users/{user}", patch(users::change))
        .route("/api/v1/admin/users/{user}/links", post(users::reset))
        .route("/api/v1/admin/audit", get(audit::list))
        .route("/api/v1/admin/bots", post(bots::add))
        .route(
            "/api/v1/admin/users/{user}/tokens",
            get(bots::tokens).post(bots::make_token),
        )
        .route(
            "/api/v1/admin/users/{user}/tokens/{id}",
            delete(bots::revoke_token),
        )
        .route("/metrics", get(metrics::metrics))
        .layer(DefaultBodyLimit::max(SENT_MAX_BYTES))
        .layer(Extension(Looks(Arc::new(Semaphore::new(LOOKS_MAX)))))
}

/// Counts the upgrades of a route that are refused.
pub(super) fn counting_refusals(route: MethodRouter<App>, app: &App) -> MethodRouter<App> {
    route.layer(map_response_with_state(app.clone(), count_refusal))
}

async fn count_refusal(State(app): State<App>, response: Response) -> Response {
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let known = REFUSAL_STATUSES.iter().position(|s| *s == status.as_u16());
        let place = known.unwrap_or(REFUSAL_STATUSES.len());
        let tally = &app.services.connections.tally;
        tally.upgrades_refused.of(place).add(1);
    }
    response
}

/// An admin of the server, by the token or the session of the request.
struct Admin(Identity);

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let identity = Identity::from_request_parts(parts, app).await?;
        require_admin(&identity)?;
        Ok(Self(identity))
    }
}

/// Turns to look at everything.
#[derive(Clone)]
struct Looks(Arc<Semaphore>);

impl Looks {
    /// Looks on a thread of its own, when it is this one's turn.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        // It is never closed.
        let turn = Arc::clone(&self.0).acquire_owned().await.ok();
        let looked = spawn_blocking(move || {
            let seen = look();
            drop(turn);
            seen
        });
        looked.await.map_err(|error| {
            tracing::error!(%error, "failed to look at the connections");
            let hint = "this cannot be told at the moment";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, hint)
        })
    }
}
