//! Who a request is from: its bearer token, or the cookie of a session.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};

use boardcast_protocol::board::Action;

use super::App;
use super::origin::{OriginVerdict, origin_allowed};
use super::peer::Peer;
use super::problem::Problem;
use crate::accounts::AccountError;
use crate::auth::{Identity, TokenError, is_api_token};
use crate::clock;

impl FromRequestParts<App> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        refuse_token_in_query(&parts.uri)?;
        if let Some(identity) = bearer(&parts.headers, app).await? {
            if !parts.method.is_safe() && !identity.grant.may_write() {
                let hint = "these credentials are for reading; a change needs a token with the scope `write`";
                return Err(Problem::new(StatusCode::FORBIDDEN, hint));
            }
            return Ok(identity);
        }
        let peer = Peer::from_request_parts(parts, app).await?;
        let Some(identity) = signed_in(&parts.headers, peer, app).await? else {
            return Err(TokenError::Missing.into());
        };
        if !parts.method.is_safe() {
            require_origin(&parts.headers, peer, app)?;
        }
        Ok(identity)
    }
}

/// A person, or who speaks for all of one: what is one's own is out of reach of tokens for programs.
pub(super) struct Own(pub(super) Identity);

impl FromRequestParts<App> for Own {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let identity = Identity::from_request_parts(parts, app).await?;
        require(&identity, Action::OwnAccount)?;
        Ok(Self(identity))
    }
}

/// Credentials that are good for less than the user may.
///
/// # Errors
/// 403: they are not good for this action.
pub(super) fn require(identity: &Identity, action: Action) -> Result<(), Problem> {
    if identity.grant.may(action) {
        return Ok(());
    }
    let words = action.words();
    let hint = format!("this token is not good for it: {words}; docs/rights.md says what is");
    Err(Problem::new(StatusCode::FORBIDDEN, hint))
}

/// Who the `Authorization` header speaks for; `None` if there is none.
///
/// # Errors
/// 401: the header is there, but there is no valid token in it. 503: it cannot be looked up.
pub(super) async fn bearer(headers: &HeaderMap, app: &App) -> Result<Option<Identity>, Problem> {
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
    let now = clock::now();
    Ok(Some(match is_api_token(token) {
        true => app.services.api_tokens.identify(token, now).await?,
        false => app.services.tokens.identify(token, now).await?,
    }))
}

/// Who the cookie of a session speaks for; `None` if there is none, or if its session has ended.
///
/// # Errors
/// 503: sessions cannot be read.
pub(super) async fn signed_in(
    headers: &HeaderMap,
    peer: Peer,
    app: &App,
) -> Result<Option<Identity>, Problem> {
    let Some(secret) = app.cookie.for_peer(peer).of(headers) else {
        return Ok(None);
    };
    let identity = app.accounts.identify(secret, clock::now()).await;
    Ok(identity.map_err(AccountError::from)?)
}

/// A browser sends the cookie whatever page asks, so a change needs the `Origin` of a page of ours.
///
/// # Errors
/// 403: it is absent or another.
fn require_origin(headers: &HeaderMap, peer: Peer, app: &App) -> Result<(), Problem> {
    match origin_of(headers, peer, app)? {
        OriginVerdict::Allowed => Ok(()),
        OriginVerdict::Absent | OriginVerdict::Refused => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a change by a cookie needs the `Origin` of a page of this server",
        )),
    }
}

/// A page of somebody else is not to sign anybody in; programs name no origin.
///
/// # Errors
/// 403: the request comes from such a page.
pub(super) fn refuse_foreign_page(
    headers: &HeaderMap,
    peer: Peer,
    app: &App,
) -> Result<(), Problem> {
    match origin_of(headers, peer, app)? {
        OriginVerdict::Allowed | OriginVerdict::Absent => Ok(()),
        OriginVerdict::Refused => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "pages of this origin may not sign in; `--allowed-origins` lists those that may",
        )),
    }
}

/// Where a request comes from.
///
/// # Errors
/// 403: it says so twice.
pub(super) fn origin_of(
    headers: &HeaderMap,
    peer: Peer,
    app: &App,
) -> Result<OriginVerdict, Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = origins.next();
    if origins.next().is_some() {
        let hint = "there are two `Origin` headers";
        return Err(Problem::new(StatusCode::FORBIDDEN, hint));
    }
    let host = headers.get(header::HOST);
    let allowed = &app.allowed_origins;
    Ok(origin_allowed(origin, host, peer.is_over_tls, allowed))
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
