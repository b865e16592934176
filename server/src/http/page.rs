//! The pages that show a board live and sign people in, compiled into the binary.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(index))
        .route("/first-start", get(account))
        .route("/password", get(account))
        .route("/sign-in", get(account))
        .route("/account.js", get(account_script))
        .route("/app.js", get(script))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
}

async fn index() -> impl IntoResponse {
    asset(
        "text/html; charset=utf-8",
        include_str!("../../assets/index.html"),
    )
}

async fn account() -> impl IntoResponse {
    asset(
        "text/html; charset=utf-8",
        include_str!("../../assets/account.html"),
    )
}

async fn account_script() -> impl IntoResponse {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../../assets/account.js"),
    )
}

async fn script() -> impl IntoResponse {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../../assets/app.js"),
    )
}

async fn style() -> impl IntoResponse {
    asset(
        "text/css; charset=utf-8",
        include_str!("../../assets/style.css"),
    )
}

async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../../assets/icon.svg"))
}

/// Asked for anew each time, so that a page and a server of different versions do not meet.
fn asset(media_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
