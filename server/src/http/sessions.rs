//! Signing in and out: sessions of browsers, and the links by which people get a password.

use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::App;
use super::auth::{Own, refuse_foreign_page, signed_in};
use super::cookie::SessionCookie;
use super::peer::Peer;
use super::problem::Problem;
use super::sent::{SENT_MAX_BYTES, Sent};
use super::tickets;
use super::trail::Trail;
use crate::accounts::{AccountError, Browser, Email, NewPassword, NewPerson, PersonName, SignedIn};
use crate::clock;
use crate::storage::{Account, AuditAct, AuditEntry, SessionId};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/first-start", post(first_start))
        .route("/api/v1/password", post(set_password).put(change_password))
        .route("/api/v1/sessions", post(sign_in).get(list))
        .route("/api/v1/sessions/{id}", delete(end))
        .layer(DefaultBodyLimit::max(SENT_MAX_BYTES))
}

/// What is noted of an address that was refused, in bytes; the rest is cut.
const NOTED_EMAIL_MAX_BYTES: usize = 254;

/// Somebody has done it, and it is about the same.
fn by(user: UserId, entry: AuditEntry) -> AuditEntry {
    AuditEntry {
        by: Some(user),
        about: Some(user),
        ..entry
    }
}

/// The browser that asks, and who is signed in there.
struct Here {
    cookie: SessionCookie,
    browser: Browser,
    before: Option<UserId>,
}

impl FromRequestParts<App> for Here {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let peer = Peer::from_request_parts(parts, app).await?;
        let headers = &parts.headers;
        refuse_foreign_page(headers, peer, app)?;
        let agent = headers.get(header::USER_AGENT);
        let before = signed_in(headers, peer, app).await?;
        let cookie = app.cookie.for_peer(peer);
        let secret = cookie.of(headers).map(str::to_owned);
        Ok(Self {
            cookie,
            browser: Browser {
                source: peer.source(),
                address: peer.ip().to_string(),
                agent: agent.map_or_else(String::new, |agent| {
                    String::from_utf8_lossy(agent.as_bytes()).into_owned()
                }),
                secret,
            },
            before: before.map(|before| before.actor.user),
        })
    }
}

/// A link that makes the first administrator, and who that is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstStart {
    link: String,
    user: Option<UserId>,
    name: String,
    email: String,
    password: String,
}

/// Makes the first administrator and signs it in.
async fn first_start(
    State(app): State<App>,
    here: Here,
    trail: Trail,
    Sent(sent): Sent<FirstStart>,
) -> Result<Response, Problem> {
    let person = NewPerson {
        user: sent.user,
        name: PersonName::new(&sent.name)?,
        email: Email::new(&sent.email)?,
        admin: true,
    };
    let password = NewPassword::new(sent.password)?;
    let accounts = &app.accounts;
    let made = accounts.make_first_administrator(&sent.link, person, password, clock::now());
    let account = made.await?;
    tracing::info!(user = %account.user, "the first administrator was made");
    trail.note(by(account.user, trail.entry(AuditAct::FirstStart)));
    begin(&app, account, here, StatusCode::CREATED).await
}

/// A link that sets a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetPassword {
    link: String,
    password: String,
}

/// Sets a password by a link, ends all sessions of the person and begins one here.
async fn set_password(
    State(app): State<App>,
    here: Here,
    trail: Trail,
    Sent(sent): Sent<SetPassword>,
) -> Result<Response, Problem> {
    let password = NewPassword::new(sent.password)?;
    let set = app
        .accounts
        .set_password(&sent.link, password, clock::now());
    let account = set.await?;
    app.services.close_ended_sessions(account.user).await;
    tracing::info!(user = %account.user, "a password was set by a link");
    trail.note(by(account.user, trail.entry(AuditAct::PasswordSet)));
    begin(&app, account, here, StatusCode::OK).await
}

/// The present password and the next one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    old: String,
    new: String,
}

/// Changes the password of whoever asks, and ends all other sessions and their sockets.
async fn change_password(
    State(app): State<App>,
    Own(identity): Own,
    peer: Peer,
    trail: Trail,
    Sent(ChangePassword { old, new }): Sent<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let user = identity.actor.user;
    let passwords = (old, NewPassword::new(new)?);
    let from = (peer.source(), identity.session());
    let changed = (app.accounts).change_password(user, passwords, from, clock::now());
    changed.await.inspect_err(|error| {
        if matches!(error, AccountError::OldPassword) {
            trail.note(by(user, trail.entry(AuditAct::PasswordRefused)));
        }
    })?;
    app.services.close_ended_sessions(user).await;
    tracing::info!(%user, "a password was changed");
    trail.note(by(user, trail.entry(AuditAct::PasswordChanged)));
    Ok(StatusCode::NO_CONTENT)
}

/// A ticket for a token, or address and password for a cookie.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    ticket: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

async fn sign_in(
    State(app): State<App>,
    here: Here,
    trail: Trail,
    Sent(sent): Sent<SignIn>,
) -> Result<Response, Problem> {
    let (email, password) = match (sent.ticket, sent.email, sent.password) {
        (Some(ticket), None, None) => {
            let session = tickets::exchange(&app, &ticket)?;
            return Ok(session.into_response());
        }
        (None, Some(email), Some(password)) => (email, password),
        (Some(_), _, _) | (None, _, _) => {
            let hint = "send {\"email\": ADDRESS, \"password\": PASSWORD} or {\"ticket\": TICKET} \
                        as application/json";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint));
        }
    };
    let signing = app
        .accounts
        .sign_in(&email, password, &here.browser, clock::now());
    let signed_in = signing.await.inspect_err(|error| {
        if matches!(error, AccountError::SignIn | AccountError::TooMany { .. }) {
            let address = &here.browser.address;
            tracing::info!(address, %error, "a sign-in was refused");
        }
        // Those above the rate are not noted: they are without number.
        if matches!(error, AccountError::SignIn) {
            let cut = email.floor_char_boundary(NOTED_EMAIL_MAX_BYTES);
            trail.note(AuditEntry {
                detail: json!({"email": &email[..cut]}),
                ..trail.entry(AuditAct::SignInRefused)
            });
        }
    })?;
    let session = signed_in.session.id.to_string();
    trail.note(AuditEntry {
        detail: json!({"session": session}),
        ..by(signed_in.account.user, trail.entry(AuditAct::SignIn))
    });
    welcome(&app, &signed_in, &here, StatusCode::CREATED).await
}

/// Who has signed in, and until when.
#[derive(Serialize)]
struct Welcome<'a> {
    user: UserId,
    name: &'a str,
    admin: bool,
    session: String,
    expires: Timestamp,
}

async fn begin(
    app: &App,
    account: Account,
    here: Here,
    status: StatusCode,
) -> Result<Response, Problem> {
    let begun = app
        .accounts
        .begin_session(account, &here.browser, clock::now());
    let signed_in = begun.await?;
    welcome(app, &signed_in, &here, status).await
}

/// Gives the cookie of a session that has begun, and closes the sockets of those that it ended.
async fn welcome(
    app: &App,
    signed_in: &SignedIn,
    here: &Here,
    status: StatusCode,
) -> Result<Response, Problem> {
    let SignedIn {
        key,
        session,
        account,
    } = signed_in;
    app.services.close_ended_sessions(account.user).await;
    if let Some(before) = here.before.filter(|before| *before != account.user) {
        app.services.close_ended_sessions(before).await;
    }
    tracing::info!(user = %account.user, session = %session.id, "somebody signed in");
    let body = Json(Welcome {
        user: account.user,
        name: &account.name,
        admin: account.admin,
        session: session.id.to_string(),
        expires: session.expires,
    });
    Ok(with_cookie(
        (status, body).into_response(),
        here.cookie.set(key),
    ))
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[derive(Serialize)]
struct Sessions {
    /// Whether whoever asks administers the server.
    admin: bool,
    sessions: Vec<Entry>,
}

/// A session as its owner sees it. Times are milliseconds since 1970.
#[derive(Serialize)]
struct Entry {
    id: String,
    created: Timestamp,
    used: Timestamp,
    expires: Timestamp,
    agent: String,
    address: String,
    current: bool,
}

/// The sessions of whoever asks.
async fn list(State(app): State<App>, Own(identity): Own) -> Result<Json<Sessions>, Problem> {
    let sessions = app.accounts.sessions(identity.actor.user).await?;
    let entry = |session: crate::storage::StoredSession| Entry {
        id: session.id.to_string(),
        created: session.created,
        used: session.used,
        expires: session.expires,
        agent: session.agent,
        address: session.address,
        current: identity.session() == Some(session.id),
    };
    Ok(Json(Sessions {
        admin: identity.actor.admin,
        sessions: sessions.into_iter().map(entry).collect(),
    }))
}

/// Ends a session of whoever asks, and its sockets; `current` for that of the request.
async fn end(
    State(app): State<App>,
    Own(identity): Own,
    Path(id): Path<String>,
    trail: Trail,
    peer: Peer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let no_such = || {
        let hint = "you have no such session; GET /api/v1/sessions lists yours";
        Problem::new(StatusCode::NOT_FOUND, hint)
    };
    let named: Option<SessionId> = match id.as_str() {
        "current" => identity.session(),
        id => id.parse().ok(),
    };
    let id = named.ok_or_else(no_such)?;
    let user = identity.actor.user;
    if !app.accounts.end_session(user, id).await? {
        return Err(no_such());
    }
    app.services.close_ended_sessions(user).await;
    tracing::info!(%user, session = %id, "a session was ended");
    trail.note(AuditEntry {
        detail: json!({"session": id.to_string()}),
        ..by(user, trail.entry(AuditAct::SessionEnded))
    });
    let response = StatusCode::NO_CONTENT.into_response();
    let cookie = app.cookie.for_peer(peer);
    let is_current = identity.session() == Some(id) && cookie.of(&headers).is_some();
    let cleared = is_current.then(|| cookie.clear()).flatten();
    Ok(with_cookie(response, cleared))
}
