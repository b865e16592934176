//! The HTTP layer, the only one that knows axum.
//!
//! In reading order: [`listen`] accepts sockets, the router below says what is where, `websocket`
//! turns a request into a connection, the other modules answer the rest.

pub mod admin;
mod asyncapi;
mod auth;
mod backup;
pub mod base;
mod boards;
pub mod cookie;
mod health;
mod linger;
pub mod listen;
mod openapi;
pub mod origin;
mod page;
pub mod peer;
pub mod problem;
mod quota;
mod rest;
mod restore;
mod seen;
mod sent;
mod sessions;
mod sharing;
mod tickets;
pub mod tls;
mod tokens;
mod trail;
pub mod upgrade;
mod upload;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};

use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use self::base::Base;
pub use self::boards::ImportRules;
use self::cookie::SessionCookie;
use self::origin::Origin;
pub use self::page::has_browser_client;
use self::problem::Problem;
pub use self::restore::RestoreRules;
pub(crate) use self::seen::{Forwarded, Seen};
pub use self::upload::Bounds;
use crate::accounts::Accounts;
use crate::attachments::Attachments;
use crate::backups::BackupReport;
use crate::config::InForce;
use crate::connection::Services;
use crate::sharing::Sharing;

/// What a handler may reach.
#[derive(Clone, Debug)]
pub struct App {
    /// What all connections share.
    pub services: Arc<Services>,
    /// The accounts of people.
    pub accounts: Arc<Accounts>,
    /// Invitations and public links.
    pub sharing: Sharing,
    /// Files on cards.
    pub attachments: Arc<Attachments>,
    /// How the cookie of a session looks.
    pub cookie: SessionCookie,
    /// Where people open the server, without a slash at its end.
    pub public_url: Option<Arc<str>>,
    /// Its path.
    pub base: Base,
    /// Origins of pages that may connect, besides the server's own.
    pub allowed_origins: Arc<[Origin]>,
    /// What has become of scheduled backups.
    pub backups: BackupReport,
    /// What imports are held to.
    pub imports: ImportRules,
    /// What restores are held to.
    pub restores: RestoreRules,
    /// The settings in force.
    pub settings: Arc<[InForce]>,
}

/// All routes.
pub fn router(app: App) -> Router {
    let base = app.base.clone();
    let router = Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/ws", admin::counting_refusals(get(websocket::open), &app))
        .route("/api/v1/tickets", post(tickets::issue))
        .route("/api/v1/import", post(boards::import_file))
        .route("/api/v1/boards/{board}/export", get(boards::export_board))
        .route(
            "/api/v1/boards/{board}/cards.csv",
            get(boards::export_cards),
        )
        .route("/api/v1/backup", get(backup::backup))
        .route("/api/v1/restore", post(restore::restore))
        .merge(admin::routes())
        .merge(seen::routes())
        .merge(sessions::routes())
        .merge(tokens::routes())
        .merge(sharing::routes())
        .merge(page::routes(&base))
        .merge(openapi::routes(&base))
        .merge(asyncapi::routes(&base))
        .merge(rest::routes())
        // Routes of a module of their own are merged here, before the fallbacks.
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), quota::hold))
        .layer(map_response(secure))
        .layer(CompressionLayer::new().compress_when(compressed()))
        .with_state(app);
    base.over(router)
}

/// Answers below this size are sent as they are, in bytes.
const COMPRESS_FROM_BYTES: u64 = 1_024;

/// What is compressed where the client takes it: not events, which would wait for others, and not
/// backups, which gain little for much work.
fn compressed() -> impl Predicate {
    SizeAbove::new(COMPRESS_FROM_BYTES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new(backup::MEDIA_TYPE))
}

async fn not_found() -> Problem {
    let hint = "there is nothing here; /api/ says what there is";
    Problem::new(StatusCode::NOT_FOUND, hint)
}

async fn method_not_allowed() -> Problem {
    let hint = "this is not answered to this method; `Allow` names those that are";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, hint)
}

/// What every response says to browsers: run nothing from elsewhere, guess no types, tell nobody.
const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(value);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
