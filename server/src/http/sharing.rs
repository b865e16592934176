//! Invitations to boards, and public links to them.

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use boardcast_protocol::board::{Action, Role};
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::App;
use super::auth::require;
use super::problem::Problem;
use super::sent::{SENT_MAX_BYTES, Sent};
use super::trail::Trail;
use crate::auth::Identity;
use crate::clock;
use crate::room::OpenError;
use crate::sharing::SharingError;
use crate::storage::{AuditAct, AuditEntry, LinkGives, LinkId, StoredBoardLink};

/// When to try again after 503, in seconds.
const RETRY_S: u32 = 5;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/v1/boards/{board}/invitations",
            get(list_invitations).post(invite),
        )
        .route(
            "/api/v1/boards/{board}/invitations/{id}",
            delete(revoke_invitation),
        )
        .route("/api/v1/boards/{board}/links", get(list_links).post(share))
        .route("/api/v1/boards/{board}/links/{id}", delete(revoke_link))
        .route("/api/v1/invitations/accept", post(accept))
        .layer(DefaultBodyLimit::max(SENT_MAX_BYTES))
}

/// An invitation or a public link, as the admins of its board see it. Times are milliseconds since
/// 1970. `role` and `uses` are of invitations.
#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    board: BoardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u32>,
    made_by: UserId,
    created: Timestamp,
    expires: Option<Timestamp>,
}

impl From<StoredBoardLink> for Entry {
    fn from(link: StoredBoardLink) -> Self {
        let (role, uses) = match link.gives {
            LinkGives::Membership { role, uses } => (Some(role), Some(uses)),
            LinkGives::View => (None, None),
        };
        Self {
            id: link.id.to_string(),
            board: link.board,
            role,
            uses,
            made_by: link.made_by,
            created: link.created,
            expires: link.expires,
        }
    }
}

#[derive(Debug, Serialize)]
struct Invitations {
    invitations: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Links {
    links: Vec<Entry>,
}

/// An invitation that was made, with its text: it is shown once.
#[derive(Debug, Serialize)]
struct Invited {
    invitation: String,
    #[serde(flatten)]
    entry: Entry,
}

/// A public link that was made, with its text: it is shown once.
#[derive(Debug, Serialize)]
struct Shared {
    link: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    role: Role,
    #[serde(default = "once")]
    uses: u32,
    expires: Option<Timestamp>,
}

fn once() -> u32 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    expires: Option<Timestamp>,
}

async fn list_invitations(
    State(app): State<App>,
    identity: Identity,
    Path(board): Path<String>,
) -> Result<Json<Invitations>, Problem> {
    let invitations = list(&app, &identity, &board, Action::Invite).await?;
    Ok(Json(Invitations { invitations }))
}

async fn list_links(
    State(app): State<App>,
    identity: Identity,
    Path(board): Path<String>,
) -> Result<Json<Links>, Problem> {
    let links = list(&app, &identity, &board, Action::Share).await?;
    Ok(Json(Links { links }))
}

async fn invite(
    State(app): State<App>,
    identity: Identity,
    Path(board): Path<String>,
    trail: Trail,
    Sent(sent): Sent<Invite>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    let Invite {
        role,
        uses,
        expires,
    } = sent;
    let gives = LinkGives::Membership { role, uses };
    let asked = (&app, &identity, &trail);
    let (invitation, entry) = make(asked, &board, (gives, expires)).await?;
    Ok((StatusCode::CREATED, Json(Invited { invitation, entry })))
}

async fn share(
    State(app): State<App>,
    identity: Identity,
    Path(board): Path<String>,
    trail: Trail,
    Sent(Share { expires }): Sent<Share>,
) -> Result<(StatusCode, Json<Shared>), Problem> {
    let asked = (&app, &identity, &trail);
    let (link, entry) = make(asked, &board, (LinkGives::View, expires)).await?;
    Ok((StatusCode::CREATED, Json(Shared { link, entry })))
}

async fn revoke_invitation(
    State(app): State<App>,
    identity: Identity,
    Path((board, id)): Path<(String, String)>,
    trail: Trail,
) -> Result<StatusCode, Problem> {
    revoke((&app, &identity, &trail), (&board, &id), Action::Invite).await
}

/// Revokes a public link, and closes the sockets that came by it.
async fn revoke_link(
    State(app): State<App>,
    identity: Identity,
    Path((board, id)): Path<(String, String)>,
    trail: Trail,
) -> Result<StatusCode, Problem> {
    revoke((&app, &identity, &trail), (&board, &id), Action::Share).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    invitation: String,
}

#[derive(Debug, Serialize)]
struct Membership {
    board: BoardId,
    role: Role,
}

/// Makes whoever asks a member of the board of an invitation.
async fn accept(
    State(app): State<App>,
    identity: Identity,
    trail: Trail,
    Sent(Accept { invitation }): Sent<Accept>,
) -> Result<Json<Membership>, Problem> {
    require(&identity, Action::AcceptInvitation)?;
    let accepted = app.sharing.accept(&identity, &invitation, clock::now());
    let accepted = accepted.await?;
    let (user, board, role) = (identity.actor.user, accepted.board, accepted.role);
    tracing::info!(%user, %board, %role, is_new = accepted.is_new, "an invitation was accepted");
    if accepted.is_new {
        trail.note(AuditEntry {
            by: Some(user),
            about: Some(user),
            board: Some(board),
            detail: json!({"role": role}),
            ..trail.entry(AuditAct::InvitationAccepted)
        });
    }
    Ok(Json(Membership { board, role }))
}

async fn list(
    app: &App,
    identity: &Identity,
    board: &str,
    which: Action,
) -> Result<Vec<Entry>, Problem> {
    let links = app
        .sharing
        .list(identity, named(board)?, which, clock::now());
    Ok(links.await?.into_iter().map(Entry::from).collect())
}

/// Who asks for what, and where it is noted.
type Asked<'a> = (&'a App, &'a Identity, &'a Trail);

async fn make(
    (app, identity, trail): Asked<'_>,
    board: &str,
    wanted: (LinkGives, Option<Timestamp>),
) -> Result<(String, Entry), Problem> {
    let made = app
        .sharing
        .make(identity, named(board)?, wanted, clock::now());
    let (text, link) = made.await?;
    let (user, gives) = (identity.actor.user, link.gives);
    tracing::info!(%user, board = %link.board, link = %link.id, ?gives, "a link to a board was made");
    let (act, detail) = match link.gives {
        LinkGives::Membership { role, uses } => {
            let detail = json!({"link": link.id.to_string(), "role": role, "uses": uses});
            (AuditAct::InvitationMade, detail)
        }
        LinkGives::View => (AuditAct::LinkMade, json!({"link": link.id.to_string()})),
    };
    trail.note(AuditEntry {
        by: Some(user),
        board: Some(link.board),
        detail,
        ..trail.entry(act)
    });
    Ok((text, link.into()))
}

async fn revoke(
    (app, identity, trail): Asked<'_>,
    (board, id): (&str, &str),
    which: Action,
) -> Result<StatusCode, Problem> {
    let board = named(board)?;
    let id: LinkId = id.parse().map_err(|_| SharingError::NoSuchLink)?;
    app.sharing.revoke(identity, board, which, id).await?;
    if which == Action::Share {
        app.services.close_revoked_link(id);
    }
    let user = identity.actor.user;
    tracing::info!(%user, %board, link = %id, "a link to a board was revoked");
    let act = if which == Action::Share {
        AuditAct::LinkRevoked
    } else {
        AuditAct::InvitationRevoked
    };
    trail.note(AuditEntry {
        by: Some(user),
        board: Some(board),
        detail: json!({"link": id.to_string()}),
        ..trail.entry(act)
    });
    Ok(StatusCode::NO_CONTENT)
}

fn named(board: &str) -> Result<BoardId, SharingError> {
    board.parse().map_err(|_| SharingError::NoSuchBoard)
}

impl From<SharingError> for Problem {
    fn from(error: SharingError) -> Self {
        let hint = error.to_string();
        match error {
            SharingError::NoSuchBoard | SharingError::NoSuchLink | SharingError::NotValid => {
                Self::new(StatusCode::NOT_FOUND, hint)
            }
            SharingError::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, hint),
            SharingError::TooMany | SharingError::Rejected(_) => {
                Self::new(StatusCode::CONFLICT, hint)
            }
            SharingError::Uses | SharingError::Expires => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, hint)
            }
            SharingError::Refused(_)
            | SharingError::Stopping
            | SharingError::Open(OpenError::Busy { .. } | OpenError::Stopping) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S)
            }
            SharingError::Storage(source) | SharingError::Open(OpenError::Storage(source)) => {
                tracing::error!(%source, "a board or its links cannot be read or written");
                let hint = "this cannot be read or written at the moment";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S)
            }
        }
    }
}
