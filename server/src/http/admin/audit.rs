//! The audit log, as administrators read it.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::{MAX_SAFE_INTEGER, Timestamp};

use super::Admin;
use crate::accounts::AccountError;
use crate::http::App;
use crate::http::problem::Problem;
use crate::storage::{AuditAct, AuditFilter, StoredAudit};

/// Entries of a page, unless told otherwise.
const PAGE: usize = 50;
/// Most entries of a page.
const PAGE_MAX: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    act: Option<String>,
    by: Option<UserId>,
    about: Option<UserId>,
    board: Option<BoardId>,
    before: Option<u64>,
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    PAGE
}

impl ListQuery {
    fn filter(&self) -> Result<AuditFilter, Problem> {
        let wrong = |hint: String| Problem::new(StatusCode::BAD_REQUEST, hint);
        let act = self.act.as_deref().map(|word| {
            AuditAct::of(word).ok_or_else(|| {
                let words: Vec<_> = AuditAct::ALL.iter().map(|act| act.name()).collect();
                wrong(format!("`act` is one of {}", words.join(", ")))
            })
        });
        match (act.transpose()?, self.by, self.about, self.board) {
            (None, None, None, None) => Ok(AuditFilter::All),
            (Some(act), None, None, None) => Ok(AuditFilter::Act(act)),
            (None, Some(user), None, None) => Ok(AuditFilter::By(user)),
            (None, None, Some(user), None) => Ok(AuditFilter::About(user)),
            (None, None, None, Some(board)) => Ok(AuditFilter::Board(board)),
            _ => Err(wrong(
                "filter by one of `act`, `by`, `about` and `board` at a time".to_owned(),
            )),
        }
    }
}

/// A page of the audit log, the newest entry first.
#[derive(Debug, Serialize)]
pub(super) struct AuditPage {
    /// At most 200.
    entries: Vec<Entry>,
    /// What `before` of the next page is; none where this is the last.
    next: Option<u64>,
}

/// What was done. The time is milliseconds since 1970.
#[derive(Debug, Serialize)]
struct Entry {
    id: u64,
    at: Timestamp,
    act: String,
    by: Option<String>,
    address: Option<String>,
    about: Option<String>,
    board: Option<String>,
    detail: Value,
}

impl From<StoredAudit> for Entry {
    fn from(entry: StoredAudit) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            act: entry.act,
            by: entry.by,
            address: entry.address,
            about: entry.about,
            board: entry.board,
            detail: entry.detail,
        }
    }
}

/// Lists entries.
pub(super) async fn list(
    State(app): State<App>,
    _: Admin,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<AuditPage>, Problem> {
    let Query(query) = query.map_err(|rejection| {
        let hint = format!(
            "known are `act`, `by`, `about`, `board`, `before` and `limit`: {}",
            rejection.body_text()
        );
        Problem::new(StatusCode::BAD_REQUEST, hint)
    })?;
    let limit = query.limit;
    if !(1..=PAGE_MAX).contains(&limit) {
        let hint = format!("`limit` is 1 to {PAGE_MAX}; get further pages with `before`");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    if query.before.is_some_and(|before| before > MAX_SAFE_INTEGER) {
        let hint = "`before` is the `next` of the page before, as it stands";
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    let storage = &app.services.storage;
    let read = storage.audited(query.filter()?, query.before, limit + 1);
    let mut entries = read.await.map_err(AccountError::from)?;
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| has_more).map(|last| last.id);
    let entries = entries.into_iter().map(Entry::from).collect();
    Ok(Json(AuditPage { entries, next }))
}
