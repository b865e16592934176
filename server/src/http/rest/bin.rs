//! Boards that are deleted: they stay in the bin for 30 days.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use boardcast_protocol::board::Action;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::extract::{Asked, Ids};
use super::list::Page;
use super::room::{ask, no_such_board};
use super::write::{Writer, not_read};
use crate::clock;
use crate::http::App;
use crate::http::auth::require;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::trail::Trail;
use crate::room::{Deletion, DeletionRefused, RoomInput};
use crate::storage::{AuditAct, AuditEntry, BIN_KEPT_MS, BinPage, BinnedBoard};

/// A board in the bin.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    id: BoardId,
    title: String,
    /// When it was put there.
    deleted: Timestamp,
    /// By whom.
    deleted_by: UserId,
    /// When it ends for good.
    ends: Timestamp,
}

impl From<BinnedBoard> for Entry {
    fn from(binned: BinnedBoard) -> Self {
        Self {
            id: binned.board,
            title: binned.title,
            deleted: binned.deleted,
            deleted_by: binned.by,
            ends: Timestamp(binned.deleted.0.saturating_add(BIN_KEPT_MS)),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Bin {
    boards: Vec<Entry>,
    next: Option<BoardId>,
}

/// Puts a board into the bin: whoever is on it is told and gets nothing more.
pub(super) async fn delete(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    trail: Trail,
) -> Result<StatusCode, Problem> {
    writer.take(&app, 1)?;
    let actor = writer.identity.on(board);
    let deleted = ask(&app, board, |answer| {
        RoomInput::Delete(Deletion { actor, answer })
    });
    deleted.await?.map_err(|refused| match refused {
        DeletionRefused::NoSuchBoard => no_such_board(),
        DeletionRefused::Forbidden => forbidden(),
        DeletionRefused::Storage(error) => not_read(&error),
    })?;
    tracing::info!(%board, user = %actor.user, "a board was put into the bin");
    note(&trail, AuditAct::BoardDeleted, actor.user, board);
    Ok(StatusCode::NO_CONTENT)
}

/// The boards in the bin of which whoever asks is an admin, by id; all of them for an administrator.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Asked(page): Asked<Page>,
) -> Result<Json<Bin>, Problem> {
    let (limit, after) = (page.limit()?, page.after(|cursor| cursor.parse().ok())?);
    require(&identity, Action::Delete)?;
    let actor = identity.actor;
    let among = identity.grant.boards();
    let page = BinPage {
        user: (!actor.admin).then_some(actor.user),
        among,
        after,
        limit: limit + 1,
    };
    let found = app.services.storage.bin(page, clock::now()).await;
    let mut found = found.map_err(|error| not_read(&error))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.board);
    let boards = found.into_iter().map(Entry::from).collect();
    Ok(Json(Bin { boards, next }))
}

/// Takes a board out of the bin: it is as it was.
pub(super) async fn restore(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    trail: Trail,
) -> Result<StatusCode, Problem> {
    writer.take(&app, 1)?;
    let (storage, now) = (&app.services.storage, clock::now());
    let actor = writer.identity.on(board);
    let role = storage.role_in_bin(board, &actor, now).await;
    let role = role.map_err(|error| not_read(&error))?;
    match role {
        None => return Err(no_such_board()),
        Some(role) if !role.may(Action::Delete) => return Err(forbidden()),
        Some(_) => {}
    }
    let taken = storage.take_out_of_bin(board, now).await;
    if !taken.map_err(|error| not_read(&error))? {
        return Err(no_such_board());
    }
    tracing::info!(%board, user = %actor.user, "a board was taken out of the bin");
    note(&trail, AuditAct::BoardRestored, actor.user, board);
    Ok(StatusCode::NO_CONTENT)
}

fn note(trail: &Trail, act: AuditAct, user: UserId, board: BoardId) {
    trail.note(AuditEntry {
        by: Some(user),
        board: Some(board),
        ..trail.entry(act)
    });
}

fn forbidden() -> Problem {
    let words = Action::Delete.words();
    let hint = format!("your role on this board does not allow it: {words}");
    Problem::new(StatusCode::FORBIDDEN, hint).of_kind("forbidden")
}
