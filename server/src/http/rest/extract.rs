//! What handlers take from a request.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::room::no_such_board;
use crate::http::App;
use crate::http::problem::Problem;

/// Longest list of tags, in bytes.
pub(crate) const TAGS_MAX_BYTES: usize = 1_024;

/// The ids of the path. What is not an id names nothing: 404.
pub(super) struct Ids<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Ids<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let ids = Path::from_request_parts(parts, app).await;
        ids.map(|Path(ids)| Self(ids)).map_err(|_| no_such_board())
    }
}

/// The parameters of the query. Others than are known, or twice, or out of their bounds: 400.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let asked = Query::from_request_parts(parts, app).await;
        asked
            .map(|Query(asked)| Self(asked))
            .map_err(|rejection| Problem::new(StatusCode::BAD_REQUEST, rejection.body_text()))
    }
}

/// The tags of `If-None-Match`.
pub(super) struct IfNoneMatch(Option<String>);

impl FromRequestParts<App> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(text(&parts.headers, &header::IF_NONE_MATCH)?))
    }
}

impl IfNoneMatch {
    /// Whether one of them is `tag`; those of a weak comparison count.
    pub(super) fn has(&self, tag: &str) -> bool {
        let listed = self.0.as_deref().unwrap_or_default();
        tags(listed).any(|known| known.trim_start_matches("W/") == tag)
    }

    /// Nothing is known: for answers that the tag does not tell apart.
    pub(super) fn nothing() -> Self {
        Self(None)
    }

    /// The only one, without its quotes.
    pub(super) fn only(&self) -> Option<&str> {
        self.0.as_deref()?.strip_prefix('"')?.strip_suffix('"')
    }
}

/// The tags of `If-Match`: the write is made only where one of them is that of the thing.
#[derive(Clone, Debug)]
pub(super) struct IfMatch(Option<String>);

impl FromRequestParts<App> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(text(&parts.headers, &header::IF_MATCH)?))
    }
}

impl IfMatch {
    /// Whether there are any.
    pub(super) fn is_asked(&self) -> bool {
        self.0.is_some()
    }

    /// Whether one of them is `tag`, or there are none. A strong comparison.
    pub(super) fn holds(&self, tag: &str) -> bool {
        let Some(listed) = &self.0 else { return true };
        listed.trim() == "*" || tags(listed).any(|known| known == tag)
    }
}

fn tags(listed: &str) -> impl Iterator<Item = &str> {
    listed.split(',').map(str::trim)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut lines = Vec::new();
    for value in headers.get_all(name) {
        let line = value.to_str().ok().filter(|line| !line.contains('\t'));
        let line = line.ok_or_else(|| {
            let hint = format!("`{name}` holds something else than ASCII and spaces");
            Problem::new(StatusCode::BAD_REQUEST, hint)
        })?;
        lines.push(line);
    }
    let listed = (!lines.is_empty()).then(|| lines.join(","));
    if listed
        .as_ref()
        .is_some_and(|tags| tags.len() > TAGS_MAX_BYTES)
    {
        let hint = format!("`{name}` is longer than {TAGS_MAX_BYTES} bytes");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    if listed.as_ref().is_some_and(|tags| tags.trim().is_empty()) {
        let hint = format!("`{name}` is empty; name a tag, or leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    Ok(listed)
}

/// Reads a field of a patch that may be kept (absent), cleared (`null`) or set.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
