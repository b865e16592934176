//! What programs can ask over HTTP, as an OpenAPI 3.1 document and as a page that shows it.
//!
//! The document is made once, from tables of operations and from the types that handlers read and
//! write. A test compares it with the routes.

mod bounds;
mod closed;
mod files;
mod names;
mod operation;
mod operations;
mod others;
mod schemas;
mod sharing;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Value, json};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder};

use self::operation::Operation;
use super::App;
use super::base::Base;
use super::problem::KINDS;

/// The page and the document say where the server is found, below `base`.
pub(super) fn routes(base: &Base) -> Router<App> {
    let text = include_str!("../../../assets/reference.html");
    let page = served("text/html; charset=utf-8", base.place(text.as_bytes()));
    let base = base.clone();
    let document = Arc::new(LazyLock::new(move || document(&base)));
    Router::new()
        .route("/api/", get(move || async move { page }))
        .route("/api/reference.js", get(script))
        .route("/api/reference.css", get(style))
        .route(
            "/api/openapi.json",
            get(move || async move { served("application/json", Bytes::clone(&document)) }),
        )
}

/// The document as JSON. Paths begin at the host unless `servers` says otherwise.
fn document(base: &Base) -> Bytes {
    let mut document = compose();
    if !base.path().is_empty() {
        document["servers"] = json!([{"url": base.path()}]);
    }
    // A value has no keys that are not strings, the only case that fails.
    serde_json::to_vec(&document).unwrap_or_default().into()
}

async fn script() -> impl IntoResponse {
    let text = include_str!("../../../assets/reference.js");
    served(
        "text/javascript; charset=utf-8",
        Bytes::from_static(text.as_bytes()),
    )
}

async fn style() -> impl IntoResponse {
    let text = include_str!("../../../assets/reference.css");
    served(
        "text/css; charset=utf-8",
        Bytes::from_static(text.as_bytes()),
    )
}

fn served(media_type: &'static str, body: Bytes) -> impl IntoResponse + Clone {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body)
}

fn compose() -> Value {
    let info = InfoBuilder::new()
        .title("Boardcast")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Boards, columns and cards, accounts and administration. Everything that changes a \
             board is seen live by whoever is on it, and answered when it is on disk.",
        ));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token, such as `boardcast token` makes."))
        .build();
    let components =
        ComponentsBuilder::new().security_scheme("bearer", SecurityScheme::Http(bearer));
    let mut paths = PathsBuilder::new();
    for operation in all() {
        let (path, item) = operation.describe();
        paths = paths.path(path, item);
    }
    let document = OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components.build()))
        .build();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    for operation in all() {
        let links = operation.links(all());
        if !links.is_empty() {
            let method = operation.method.to_lowercase();
            let answers = &mut document["paths"][operation.path][method]["responses"];
            answers[operation.answer.0.to_string()]["links"] = Value::Object(links);
        }
    }
    let mut schemas = schemas::all();
    let sent = all().filter_map(|operation| operation.body.schema());
    let answered = all().filter_map(|operation| operation.answer.1.schema());
    closed::close(&mut schemas, sent, answered);
    document["components"]["schemas"] = Value::Object(schemas);
    bounds::refine(&mut document);
    let kinds = KINDS.iter().map(|(kind, status, text)| {
        let told = json!({"status": status, "description": text});
        ((*kind).to_owned(), told)
    });
    document["x-problems"] = Value::Object(kinds.collect());
    document
}

fn all() -> impl Iterator<Item = &'static Operation> {
    (operations::BOARDS.iter())
        .chain(files::FILES)
        .chain(others::OTHERS)
        .chain(sharing::SHARING)
}
