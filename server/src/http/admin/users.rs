//! Accounts, as administrators see and change them.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::Admin;
use crate::accounts::{AccountError, Email, NewPerson, OneTimeLink, PersonName};
use crate::clock;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::sent::Sent;
use crate::http::trail::Trail;
use crate::storage::{Account, AuditAct, AuditEntry};

/// Accounts of a page, unless told otherwise.
const PAGE: usize = 50;
/// Most accounts of a page.
const PAGE_MAX: usize = 200;

/// An account, without its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The user, as boards know it.
    pub user: UserId,
    /// The name that people see.
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    /// Whether it administers the server.
    pub admin: bool,
    /// Whether nobody may sign in as it.
    pub disabled: bool,
    /// Whether it is a program, which has no address.
    pub bot: bool,
    /// Whether it has set a password.
    pub has_password: bool,
    /// When it was made, in milliseconds since 1970.
    pub created: Timestamp,
}

impl From<Account> for Person {
    fn from(account: Account) -> Self {
        Self {
            user: account.user,
            name: account.name,
            email: account.email,
            admin: account.admin,
            disabled: account.disabled,
            bot: account.bot,
            has_password: account.password.is_some(),
            created: account.created,
        }
    }
}

/// A page of accounts, by user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeoplePage {
    /// At most 200.
    pub users: Vec<Person>,
    /// What `after` of the next page is; none where this is the last.
    pub next: Option<UserId>,
}

/// A link that is handed to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordLink {
    /// The path of the page that sets the password, with the secret in its fragment.
    pub link: String,
    /// The whole of it, where the server knows where people open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Until when it works, in milliseconds since 1970.
    pub expires: Timestamp,
}

impl PasswordLink {
    /// The link on a server that people open at `public_url`.
    fn at(link: OneTimeLink, public_url: Option<&str>) -> Self {
        let link = Self::from(link);
        let url = public_url.map(|url| format!("{url}{}", link.link));
        Self { url, ..link }
    }
}

impl From<OneTimeLink> for PasswordLink {
    fn from(link: OneTimeLink) -> Self {
        Self {
            link: link.path(),
            url: None,
            expires: link.expires,
        }
    }
}

/// An account that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The account.
    #[serde(flatten)]
    pub person: Person,
    /// How it gets a password.
    #[serde(flatten)]
    pub link: PasswordLink,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    after: Option<UserId>,
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    PAGE
}

/// Lists accounts.
pub(super) async fn list(
    State(app): State<App>,
    _: Admin,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<PeoplePage>, Problem> {
    let Query(ListQuery { after, limit }) = query.map_err(|rejection| {
        let hint = format!("known are `after` and `limit`: {}", rejection.body_text());
        Problem::new(StatusCode::BAD_REQUEST, hint)
    })?;
    if !(1..=PAGE_MAX).contains(&limit) {
        let hint = format!("`limit` is 1 to {PAGE_MAX}; get further pages with `after`");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    let mut users = app.accounts.list(after, limit + 1).await?;
    let has_more = users.len() > limit;
    users.truncate(limit);
    let next = users.last().filter(|_| has_more).map(|last| last.user);
    let users = users.into_iter().map(Person::from).collect();
    Ok(Json(PeoplePage { users, next }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Add {
    user: Option<UserId>,
    name: String,
    email: String,
    #[serde(default)]
    admin: bool,
}

/// Makes an account and a link by which its owner sets a password.
pub(super) async fn add(
    State(app): State<App>,
    Admin(admin): Admin,
    trail: Trail,
    Sent(sent): Sent<Add>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let person = NewPerson {
        user: sent.user,
        name: PersonName::new(&sent.name)?,
        email: Email::new(&sent.email)?,
        admin: sent.admin,
    };
    let (account, link) = app.accounts.add(person, clock::now()).await?;
    tracing::info!(user = %account.user, by = %admin.actor.user, "an account was made");
    trail.note(AuditEntry {
        by: Some(admin.actor.user),
        about: Some(account.user),
        detail: json!({"admin": account.admin, "bot": false}),
        ..trail.entry(AuditAct::AccountMade)
    });
    let added = Added {
        person: account.into(),
        link: PasswordLink::at(link, app.public_url.as_deref()),
    };
    Ok((StatusCode::CREATED, Json(added)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    disabled: Option<bool>,
    admin: Option<bool>,
}

/// Disables or enables an account, or makes it an administrator or none. Sockets of a disabled one are
/// closed, and those of one with other rights, to come back.
pub(super) async fn change(
    State(app): State<App>,
    Admin(admin): Admin,
    Path(user): Path<String>,
    trail: Trail,
    Sent(change): Sent<Change>,
) -> Result<StatusCode, Problem> {
    let user = named(&user)?;
    let by = admin.actor.user;
    let (act, detail) = match (change.disabled, change.admin) {
        (Some(disabled), None) => {
            app.accounts.set_disabled(user, disabled).await?;
            if disabled {
                app.services.disable_user(user);
            } else {
                app.services.tokens.set_disabled(user, false);
            }
            tracing::info!(%user, disabled, %by, "an account was changed");
            let act = match disabled {
                true => AuditAct::AccountDisabled,
                false => AuditAct::AccountEnabled,
            };
            (act, json!({}))
        }
        (None, Some(admin)) => {
            app.accounts.set_admin(user, admin).await?;
            app.services.close_ended_sessions(user).await;
            app.services.renew_user(user);
            tracing::info!(%user, admin, %by, "an account was changed");
            (AuditAct::RoleChanged, json!({"admin": admin}))
        }
        (Some(_), Some(_)) | (None, None) => {
            let hint = "send one of {\"disabled\": BOOLEAN} and {\"admin\": BOOLEAN}";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint));
        }
    };
    trail.note(AuditEntry {
        by: Some(by),
        about: Some(user),
        detail,
        ..trail.entry(act)
    });
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link by which a person sets a new password.
pub(super) async fn reset(
    State(app): State<App>,
    Admin(admin): Admin,
    Path(user): Path<String>,
    trail: Trail,
) -> Result<(StatusCode, Json<PasswordLink>), Problem> {
    let user = named(&user)?;
    let link = app.accounts.reset(user, clock::now()).await?;
    tracing::info!(%user, by = %admin.actor.user, "a link to set a password was made");
    trail.note(AuditEntry {
        by: Some(admin.actor.user),
        about: Some(user),
        ..trail.entry(AuditAct::PasswordLinkMade)
    });
    let link = PasswordLink::at(link, app.public_url.as_deref());
    Ok((StatusCode::CREATED, Json(link)))
}

pub(super) fn named(user: &str) -> Result<UserId, AccountError> {
    user.parse().map_err(|_| AccountError::NoSuchAccount)
}
