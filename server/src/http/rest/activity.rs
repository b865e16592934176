//! What happened on a board.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use boardcast_protocol::ids::{BoardId, CardId};
use boardcast_protocol::limits::ACTIVITY_PAGE_MAX;
use boardcast_protocol::message::ActivityEntry;
use boardcast_protocol::position::{MAX_SAFE_INTEGER, Version};

use super::extract::{Asked, Ids};
use super::room::look;
use super::write::not_read;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;

/// Entries of a page where nothing else is asked for.
const LIMIT: usize = 50;

/// Which part of the history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    card: Option<CardId>,
    cursor: Option<u64>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct History {
    activity: Vec<ActivityEntry>,
    /// The version below which the next page begins.
    next: Option<Version>,
}

/// Durable versions, newest first. This is read from the disk, where the history is.
pub(super) async fn read(
    State(app): State<App>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<History>, Problem> {
    let limit = wanted.limit.unwrap_or(LIMIT);
    if !(1..=ACTIVITY_PAGE_MAX).contains(&limit) {
        let hint = format!("`limit` is 1 to {ACTIVITY_PAGE_MAX}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    look(&app, identity.on(board), board, |_| ()).await?;
    let before = wanted.cursor.map(Version);
    if before.is_some_and(|before| before.0 > MAX_SAFE_INTEGER) {
        let hint = "`cursor` is the `next` of the page before, as it stands";
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    let storage = &app.services.storage;
    let read = storage.activity(board, wanted.card, before, limit).await;
    let activity = read.map_err(|error| not_read(&error))?;
    // A page may be short, because it is bounded in bytes as well: the end is an empty one.
    let next = activity.last().map(|last| last.n).filter(|n| n.0 > 1);
    Ok(Json(History { activity, next }))
}
