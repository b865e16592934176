//! Tickets for those who cannot send a token: a WebSocket of a browser, a link that signs in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use boardcast_protocol::ids::UserId;
use serde::Serialize;

use super::App;
use super::problem::Problem;
use crate::auth::{Grant, Identity, Proof, TICKET_TTL_MS, TicketError, TokenError};
use crate::clock;

/// How long the token lasts that a ticket is exchanged for.
const SESSION_TTL_MS: u64 = 60 * 60 * 1_000;

#[derive(Debug, Serialize)]
pub(super) struct Ticket {
    ticket: String,
    expires_in_ms: u64,
}

/// Gives a ticket for `/ws?ticket=...` or for a sign-in: one use, within 30 s. Who is signed in by a
/// cookie needs none, and a token of one would outlive the session: 403.
pub(super) async fn issue(
    State(app): State<App>,
    identity: Identity,
) -> Result<Json<Ticket>, Problem> {
    if identity.session().is_some() {
        let hint = "the cookie opens the WebSocket itself; tickets are for bearer tokens";
        return Err(Problem::new(StatusCode::FORBIDDEN, hint));
    }
    let ticket = app.services.tickets.issue(identity, clock::now())?;
    Ok(Json(Ticket {
        ticket,
        expires_in_ms: TICKET_TTL_MS,
    }))
}

#[derive(Debug, Serialize)]
pub(super) struct Session {
    user: UserId,
    token: String,
    expires_in_ms: u64,
}

/// Exchanges a ticket for a token of an hour, but of no longer life than the token that the ticket
/// was made with, nor than its key.
///
/// # Errors
/// 401: the ticket is not valid, that token has expired, or its key was retired. 403: it was a token
/// for programs.
pub(super) fn exchange(app: &App, ticket: &str) -> Result<Json<Session>, Problem> {
    let now = clock::now();
    let identity = app.services.tickets.redeem(ticket, now)?;
    // A signed token would be good for more, and would outlive a revocation.
    if identity.grant != Grant::Full {
        let hint = "a ticket of a token for programs opens a WebSocket and nothing else";
        return Err(Problem::new(StatusCode::FORBIDDEN, hint));
    }
    let left_ms = identity.expires.0.saturating_sub(now.0);
    if left_ms == 0 {
        return Err(TokenError::Expired.into());
    }
    let expires_in_ms = left_ms.min(SESSION_TTL_MS);
    let user = identity.actor.user;
    let Proof::Signed(key) = identity.proof else {
        return Err(TicketError::NotValid.into());
    };
    let token = (app.services.tokens).sign_after(key, identity.actor, now, expires_in_ms)?;
    Ok(Json(Session {
        user,
        token,
        expires_in_ms,
    }))
}
