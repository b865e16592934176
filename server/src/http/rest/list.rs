//! Lists: a page at a time, each with the cursor of the next.

use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::extract::IfNoneMatch;
use super::thing::position_tag;
use super::write::tag_header;
use crate::http::problem::Problem;
use boardcast_protocol::position::Position;

/// Things of a page where nothing else is asked for.
const LIMIT: usize = 100;
/// Things of a page at most.
pub(super) const LIMIT_MAX: usize = 200;
/// Longest cursor: the rank and the id of a card, which grow no longer.
const CURSOR_MAX_BYTES: usize = 1_024;

/// Which page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Things of the page, 1 to 200.
    pub(super) limit: Option<usize>,
    /// The `next` of the page before.
    pub(super) cursor: Option<String>,
}

impl Page {
    /// How many things.
    ///
    /// # Errors
    /// 400: it is out of its bounds.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(LIMIT);
        if (1..=LIMIT_MAX).contains(&limit) {
            return Ok(limit);
        }
        let hint = format!("`limit` is 1 to {LIMIT_MAX}");
        Err(Problem::new(StatusCode::BAD_REQUEST, hint))
    }

    /// The cursor as what it was made of.
    ///
    /// # Errors
    /// 400: the server made no such cursor.
    pub(super) fn after<T>(
        &self,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let fits = cursor.len() <= CURSOR_MAX_BYTES;
        match fits.then(|| read(cursor)).flatten() {
            Some(after) => Ok(Some(after)),
            None => {
                let hint = "`cursor` is the `next` of the page before, as it stands";
                Err(Problem::new(StatusCode::BAD_REQUEST, hint))
            }
        }
    }
}

/// A page as JSON: `{NAME: [...], "next": CURSOR or null}`.
#[derive(Debug)]
pub(super) struct Listed {
    position: Position,
    json: Vec<u8>,
}

impl Listed {
    /// Takes the first `limit` things; `cursor` names the last one of a page that another follows.
    pub(super) fn of<T: Serialize>(
        name: &str,
        position: Position,
        limit: usize,
        things: impl Iterator<Item = T>,
        cursor: impl FnOnce(&T) -> String,
    ) -> Self {
        let mut page: Vec<T> = things.take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(cursor);
        Self::page(name, position, &page, next.as_deref())
    }

    /// Takes the first `limit` things that `keep` says are wanted, with the bytes that it has looked at;
    /// above so many the page ends, and may be short.
    pub(super) fn sifted<T: Serialize + Copy>(
        name: &str,
        position: Position,
        (limit, bytes_max): (usize, usize),
        things: impl Iterator<Item = T>,
        mut keep: impl FnMut(T) -> (bool, usize),
        cursor: impl FnOnce(&T) -> String,
    ) -> Self {
        let (mut page, mut bytes, mut last) = (Vec::new(), 0, None);
        let mut more = false;
        for thing in things {
            if page.len() == limit || bytes > bytes_max {
                more = true;
                break;
            }
            let (is_wanted, looked_at) = keep(thing);
            bytes += looked_at;
            page.extend(is_wanted.then_some(thing));
            last = Some(thing);
        }
        let next = last.filter(|_| more).as_ref().map(cursor);
        Self::page(name, position, &page, next.as_deref())
    }

    fn page<T: Serialize>(name: &str, position: Position, page: &[T], next: Option<&str>) -> Self {
        let mut json = format!("{{\"{name}\":").into_bytes();
        // The things hold no map with keys that are not strings, the only case that fails.
        let _ = serde_json::to_writer(&mut json, page);
        json.extend_from_slice(b",\"next\":");
        let _ = serde_json::to_writer(&mut json, &next);
        json.push(b'}');
        Self { position, json }
    }

    /// The answer; 304 for who has it already.
    pub(super) fn answer(self, known: &IfNoneMatch) -> Response {
        tagged(&position_tag(self.position), self.json, known)
    }
}

/// JSON with its tag; 304 for who has it already.
pub(super) fn tagged(tag: &str, json: impl IntoResponse, known: &IfNoneMatch) -> Response {
    let tag_header = tag_header(tag);
    // Whoever has it asks again whether it is still so.
    let cached = [(header::CACHE_CONTROL, "private, no-cache")];
    if known.has(tag) {
        return (StatusCode::NOT_MODIFIED, tag_header, cached).into_response();
    }
    let media_type = [(header::CONTENT_TYPE, "application/json")];
    (tag_header, cached, media_type, json).into_response()
}

/// The things of a map behind the one with this id.
pub(super) fn behind<K: Ord + Copy, T>(
    things: &std::collections::BTreeMap<K, T>,
    after: Option<K>,
) -> impl Iterator<Item = &T> {
    use std::ops::Bound::{Excluded, Unbounded};
    let from = after.map_or(Unbounded, Excluded);
    things.range((from, Unbounded)).map(|(_, thing)| thing)
}
