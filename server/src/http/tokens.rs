//! Tokens for programs: those of one's own, and those of bots for administrators.

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use boardcast_protocol::board::Scope;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::App;
use super::auth::Own;
use super::problem::Problem;
use super::sent::{SENT_MAX_BYTES, Sent};
use super::trail::Trail;
use crate::accounts::{AccountError, NewToken, PersonName};
use crate::clock;
use crate::storage::{AuditAct, AuditEntry, StoredToken, TokenId};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/tokens", get(list).post(make))
        .route("/api/v1/tokens/{id}", delete(revoke))
        .layer(DefaultBodyLimit::max(SENT_MAX_BYTES))
}

/// A token that is to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
    scope: Scope,
    boards: Option<Vec<BoardId>>,
    expires: Option<Timestamp>,
}

impl TryFrom<Wanted> for NewToken {
    type Error = AccountError;

    fn try_from(wanted: Wanted) -> Result<Self, AccountError> {
        Ok(Self {
            name: PersonName::new(&wanted.name)?,
            scope: wanted.scope,
            boards: wanted.boards,
            expires: wanted.expires,
        })
    }
}

/// A token as its owner sees it. Times are milliseconds since 1970.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    id: String,
    user: UserId,
    name: String,
    scope: Scope,
    boards: Option<Vec<BoardId>>,
    created: Timestamp,
    expires: Timestamp,
    used: Option<Timestamp>,
}

impl From<StoredToken> for Entry {
    fn from(token: StoredToken) -> Self {
        Self {
            id: token.id.to_string(),
            user: token.user,
            name: token.name,
            scope: token.scope,
            boards: token.boards,
            created: token.created,
            expires: token.expires,
            used: token.used,
        }
    }
}

/// The tokens of a user: at most 50.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    tokens: Vec<Entry>,
}

/// A token that was made, with its text: it is shown once.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    token: String,
    #[serde(flatten)]
    entry: Entry,
}

/// The tokens of whoever asks.
async fn list(State(app): State<App>, Own(identity): Own) -> Result<Json<Listed>, Problem> {
    list_of(&app, identity.actor.user).await
}

/// Makes a token of whoever asks.
async fn make(
    State(app): State<App>,
    Own(identity): Own,
    trail: Trail,
    Sent(wanted): Sent<Wanted>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let user = identity.actor.user;
    let made = app
        .accounts
        .make_token(user, wanted.try_into()?, clock::now());
    Ok(made_answer(made.await?, user, &trail))
}

/// Revokes a token of whoever asks, and closes its sockets.
async fn revoke(
    State(app): State<App>,
    Own(identity): Own,
    Path(id): Path<String>,
    trail: Trail,
) -> Result<StatusCode, Problem> {
    let user = identity.actor.user;
    revoke_of(&app, (user, &id), user, &trail).await
}

pub(super) async fn list_of(app: &App, user: UserId) -> Result<Json<Listed>, Problem> {
    let tokens = app.accounts.tokens(user, clock::now()).await?;
    let tokens = tokens.into_iter().map(Entry::from).collect();
    Ok(Json(Listed { tokens }))
}

pub(super) fn made_answer(
    (token, stored): (String, StoredToken),
    by: UserId,
    trail: &Trail,
) -> (StatusCode, Json<Made>) {
    let scope = stored.scope.name();
    tracing::info!(user = %stored.user, token = %stored.id, scope, "a token was made");
    let id = stored.id.to_string();
    trail.note(AuditEntry {
        by: Some(by),
        about: Some(stored.user),
        detail: json!({"token": id, "scope": scope, "boards": stored.boards}),
        ..trail.entry(AuditAct::TokenMade)
    });
    let entry = stored.into();
    (StatusCode::CREATED, Json(Made { token, entry }))
}

pub(super) async fn revoke_of(
    app: &App,
    (user, id): (UserId, &str),
    by: UserId,
    trail: &Trail,
) -> Result<StatusCode, Problem> {
    let id: TokenId = id.parse().map_err(|_| AccountError::NoSuchToken)?;
    app.accounts.revoke_token(user, id).await?;
    app.services.close_revoked_token(user, id);
    tracing::info!(%user, token = %id, "a token was revoked");
    trail.note(AuditEntry {
        by: Some(by),
        about: Some(user),
        detail: json!({"token": id.to_string()}),
        ..trail.entry(AuditAct::TokenRevoked)
    });
    Ok(StatusCode::NO_CONTENT)
}
