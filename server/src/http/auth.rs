//! Who a request is from: its bearer token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};

use super::App;
use super::problem::Problem;
use crate::auth::{Identity, TokenError};
use crate::clock;

impl FromRequestParts<App> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        refuse_token_in_query(&parts.uri)?;
        let identity = bearer(&parts.headers, app)?.ok_or(TokenError::Missing)?;
        Ok(identity)
    }
}

/// Who the `Authorization` header speaks for; `None` if there is none.
///
/// # Errors
/// 401: the header is there, but there is no valid token in it.
pub(super) fn bearer(headers: &HeaderMap, app: &App) -> Result<Option<Identity>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::unauthorized(
            "there are two `Authorization` headers; send one",
        ));
    }
    let token = (value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Problem::unauthorized("`Authorization` must be `Bearer TOKEN`"))?;
    Ok(Some(app.services.tokens.verify(token, clock::now())?))
}

/// A token in a URL ends up in logs and histories, so it is not accepted there.
///
/// # Errors
/// 401: there is one.
pub(super) fn refuse_token_in_query(uri: &Uri) -> Result<(), Problem> {
    let names = ["token", "access_token", "jwt", "bearer"];
    let has_token = pairs(uri).any(|(name, _)| names.contains(&name));
    if has_token {
        return Err(Problem::unauthorized(
            "a token in the URL is not accepted; send `Authorization: Bearer TOKEN`, or use a \
             ticket of POST /api/v1/tickets",
        ));
    }
    Ok(())
}

/// The parameters of a query as they stand, without decoding: tickets need none.
pub(super) fn pairs(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
}
