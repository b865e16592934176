//! Bots, and the tokens of all users, as administrators see and change them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use boardcast_protocol::ids::UserId;

use super::Admin;
use super::users::{Person, named};
use crate::accounts::PersonName;
use crate::clock;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::sent::Sent;
use crate::http::tokens::{Listed, Made, Wanted, list_of, made_answer, revoke_of};
use crate::http::trail::Trail;
use crate::storage::{AuditAct, AuditEntry};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Add {
    user: Option<UserId>,
    name: String,
    #[serde(default)]
    admin: bool,
}

/// Makes the account of a program.
pub(super) async fn add(
    State(app): State<App>,
    Admin(admin): Admin,
    trail: Trail,
    Sent(sent): Sent<Add>,
) -> Result<(StatusCode, Json<Person>), Problem> {
    let name = PersonName::new(&sent.name)?;
    let added = app
        .accounts
        .add_bot(sent.user, name, sent.admin, clock::now());
    let account = added.await?;
    tracing::info!(user = %account.user, by = %admin.actor.user, "a bot was made");
    trail.note(AuditEntry {
        by: Some(admin.actor.user),
        about: Some(account.user),
        detail: json!({"admin": account.admin, "bot": true}),
        ..trail.entry(AuditAct::AccountMade)
    });
    Ok((StatusCode::CREATED, Json(account.into())))
}

/// The tokens of a user.
pub(super) async fn tokens(
    State(app): State<App>,
    _: Admin,
    Path(user): Path<String>,
) -> Result<Json<Listed>, Problem> {
    list_of(&app, named(&user)?).await
}

/// Makes a token of a bot.
pub(super) async fn make_token(
    State(app): State<App>,
    Admin(admin): Admin,
    Path(user): Path<String>,
    trail: Trail,
    Sent(wanted): Sent<Wanted>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let user = named(&user)?;
    let made = app
        .accounts
        .make_bot_token(user, wanted.try_into()?, clock::now());
    Ok(made_answer(made.await?, admin.actor.user, &trail))
}

/// Revokes a token of a user, and closes its sockets.
pub(super) async fn revoke_token(
    State(app): State<App>,
    Admin(admin): Admin,
    Path((user, id)): Path<(String, String)>,
    trail: Trail,
) -> Result<StatusCode, Problem> {
    revoke_of(&app, (named(&user)?, &id), admin.actor.user, &trail).await
}
